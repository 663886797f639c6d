// Two pictures that are taken for one, side by side and at full contrast: keep the left one, the right one, or both.

import { saveBatch, undo } from "./decide.js";
import { $, make, say } from "./dom.js";
import { choose, load, picture } from "./grid.js";
import { lastAtMost } from "./layout.js";
import { hasPicture, howFar, labelClass, markOf, state, turned, verdictOf } from "./state.js";

// The pair that a place is part of: the first of its group, and itself; of the first one, the second.
function pairAt(place) {
  const { starts, sizes } = state.layout, group = lastAtMost(starts, place);
  return sizes[group] < 2 ? null : { left: starts[group], right: Math.max(place, starts[group] + 1), group };
}

export function openPairs() {
  if (!state.sizes?.length || !pairAt(state.at)) return say("There is no pair here");
  $("pairs").append($("toast"), $("trouble"));
  $("pairs").showModal();
  return fillPairs();
}

async function fillPairs() {
  const { left, right, group } = pairAt(state.at);
  await Promise.all([load(left), load(right)]);
  const rows = [state.rows.get(left), state.rows.get(right)];
  if (!rows[0] || !rows[1]) return;
  $("pair-title").textContent = `Group ${group + 1} of ${state.sizes.length}: ${howFar(rows[1])}${turned(rows[1]) ? `, ${turned(rows[1])}` : ""}`;
  rows.forEach((row, side) => {
    const button = $(["pair-left", "pair-right"][side]);
    button.replaceChildren(
      make("span", { className: "frame" }, hasPicture(row) ? picture(row, `${row.label}, ${["left", "right"][side]}`, "pictures") : "no picture"),
      make("span", { className: "words" }, make("b", { className: labelClass(row.label) }, row.label),
        ` · ${row.width} × ${row.height} px · ${row.review ? markOf(row.review) : verdictOf(row)}`));
    button.dataset.record = row.record_id;
  });
}

// Go to the pair after this one or before it.
function walk(by) {
  let place = (pairAt(state.at)?.right ?? state.at) + by;
  while (place > 0 && place < state.total && state.layout.starts.includes(place)) place += by;  // the first of a group is no pair of its own
  if (place < 1 || place >= state.total) {
    say(by > 0 ? "This was the last pair" : "This is the first pair");
    return fillPairs();
  }
  choose(place);
  return fillPairs();
}

function keep(side) {
  const left = $("pair-left").dataset.record, right = $("pair-right").dataset.record;
  const choices = { left: [[left], [right]], right: [[right], [left]], both: [[left, right], []] };
  const [kept, dropped] = choices[side];
  return saveBatch({ kept, dropped }, `Kept the ${side === "both" ? "two" : `${side} one`}`, () => walk(1));
}

export const PAIR_KEYS = {
  ArrowLeft: () => keep("left"), ArrowRight: () => keep("right"), ArrowUp: () => keep("both"), b: () => keep("both"),
  ArrowDown: () => walk(1), n: () => walk(1), p: () => walk(-1), u: async () => { await undo(); await fillPairs(); },
};

export function listenToPairs() {
  $("compare").addEventListener("click", openPairs);
  for (const [id, side] of [["pair-left", "left"], ["pair-right", "right"], ["pair-both", "both"]]) $(id).addEventListener("click", () => keep(side));
  $("pair-next").addEventListener("click", () => walk(1));
  $("pairs").addEventListener("close", () => { document.body.append($("toast"), $("trouble")); $("grid").focus(); });
}
