// The parts of the page that need no page: where tiles are, what is selected, the address, the keys of labels.

import assert from "node:assert/strict";
import test from "node:test";

import { fromHash, toHash } from "./page/address.js";
import { labelKeys } from "./page/label_keys.js";
import { arrange, spot, stepLine, visibleRange } from "./page/layout.js";
import { SHAPES, frame, inside, moved, nearest, shapeOf, toScreen, trace, zoomed } from "./page/map_shapes.js";
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

test("zooming keeps what is under the pointer, moving stops where the map ends, and back at the whole all is in the middle", () => {
  const whole = { zoom: 1, x: 0.5, y: 0.5 }, [width, height] = [800, 500];
  const at = [0.3, 0.7], before = toScreen(frame(width, height, whole), ...at);
  const near = zoomed(whole, 4, width, height, ...before);
  toScreen(frame(width, height, near), ...at).forEach((value, n) => assert.ok(Math.abs(value - before[n]) < 1e-9));
  assert.equal(near.zoom, 4);
  assert.deepEqual(zoomed(near, 0.01, width, height), whole);
  assert.deepEqual(moved(whole, 300, 300, width, height), whole, "the whole map is not moved");
  assert.equal(moved(near, -1e6, 0, width, height).x, 1);
});

test("the nearest point within reach is found, and what a line goes around, however it bends", () => {
  const xs = [0.1, 0.5, 0.9, 0.5], ys = [0.5, 0.1, 0.5, 0.9], box = { side: 100, left: 0, top: 0 };
  assert.equal(nearest(xs, ys, box, 88, 52, 14), 2);
  assert.equal(nearest(xs, ys, box, 50, 50, 14), -1);
  assert.deepEqual(inside(xs, ys, box, [[0, 40], [60, 40], [60, 0], [40, 0], [40, 30], [0, 30]]), [1]);
  assert.deepEqual(inside(xs, ys, box, [[0, 0], [100, 0], [100, 100], [0, 100]]), [0, 1, 2, 3]);
  assert.deepEqual(inside(xs, ys, box, [[5, 5]]), []);
});

test("labels differ in shape, too: thirty pairs of shape and colour, each a closed path", () => {
  assert.equal(new Set(Array.from({ length: 30 }, (_, n) => `${shapeOf(n)} ${n % 6}`)).size, 30);
  for (const shape of SHAPES) {
    let n = 0;
    const count = () => { n += 1; };
    trace({ moveTo: count, lineTo: count, arc: count, rect: count, closePath: count }, shape, 0, 0, 5);
    assert.ok(n > 0, shape);
  }
});
