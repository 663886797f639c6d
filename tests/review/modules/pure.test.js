// The parts of the page that need no page: where tiles are, what is selected, the address, the keys of labels.

import assert from "node:assert/strict";
import test from "node:test";

import { fromHash, toHash } from "./page/address.js";
import { labelKeys } from "./page/label_keys.js";
import { arrange, spot, stepLine, visibleRange } from "./page/layout.js";
import { Marks } from "./page/marks.js";

test("what is visible of 100,000 tiles is a few, and each is where its line is", () => {
  const layout = arrange(1000, 100_000, null);
  const { first, last } = visibleRange(layout, layout.height / 2, 800);
  assert.ok(last - first < 60 && first > 40_000 && last < 60_000);
  const { y, column } = spot(layout, first);
  assert.ok(y <= layout.height / 2 && column === 0);
  assert.deepEqual(visibleRange(arrange(1000, 0, null), 0, 800), { first: 0, last: -1, firstGroup: 0, lastGroup: -1 });
});

test("a line up or down keeps the column, and ends with the groups", () => {
  const layout = arrange(720, 12, [7, 2, 3]);
  assert.equal(layout.columns, 4);
  const down = [1, 5, 8].map((at) => stepLine(layout, at, true));
  assert.deepEqual(down, [5, 8, 10]);
  assert.deepEqual([3, 10, 8, 1].map((at) => stepLine(layout, at, false)), [null, 8, 5, null]);
  assert.equal(stepLine(layout, 3, true), 6, "a shorter last line of the group");
  assert.equal(stepLine(layout, 11, true), null);
});

test("a selection is toggled, extended from where it began, and sent as ranges", () => {
  const marks = new Marks();
  marks.toggle(9);
  marks.extend(0, 12);
  marks.extend(12, 8);
  marks.toggle(3);
  assert.deepEqual(marks.ranges(), [[3, 3], [8, 12]]);
  marks.toggle(10);
  assert.deepEqual(marks.ranges(), [[3, 3], [8, 9], [11, 12]]);
  marks.clear();
  marks.extend(5, 4);
  assert.deepEqual([marks.ranges(), marks.size, marks.has(4)], [[[4, 5]], 2, true]);
  marks.all(100_000);
  assert.deepEqual(marks.ranges(), [[0, 99_999]]);
});

test("the address says what is shown and reads it again; nonsense in it is nothing", () => {
  const shown = { view: "duplicates", label: "Käfer & Co", text: "a#b", at: 17 };
  assert.deepEqual(fromHash(toHash({ ...shown, fate: "any", sort: "" })), shown_(shown));
  assert.equal(toHash({ view: "all", fate: "any", at: 0 }), "");
  assert.deepEqual(fromHash("#at=-3&view="), { at: 0, view: "all" });
  assert.equal(fromHash("#at=1e99").at, 1);
});

const shown_ = (facts) => ({ ...facts });

test("each label has a key of its own, a letter of its name if one is free", () => {
  assert.deepEqual([...labelKeys(["rugby", "soccer", "犬", "rush"], "kdrunycxabp")].map(([, key]) => key), ["g", "s", "e", "h"]);
  const many = labelKeys(Array.from({ length: 40 }, (_, n) => `label ${n}`), "kdr");
  assert.equal(new Set(many.values()).size, 23);
});
