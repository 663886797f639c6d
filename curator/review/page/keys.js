// The keyboard: one table of keys, and who receives a key.

import { accept, decideHere, giveLabel, next, undo } from "./decide.js";
import { onDialogKey, openDrop, openRelabel } from "./dialogs.js";
import { $, say } from "./dom.js";
import { choose, draw, show, showMarks, step } from "./grid.js";
import { ZOOM_KEYS, openLarge } from "./large.js";
import { stepLine } from "./layout.js";
import { endLike, moreLike } from "./like.js";
import { MAP_KEYS } from "./map.js";
import { PAIR_KEYS, openPairs } from "./pairs.js";
import { showPanel } from "./panel.js";
import { state } from "./state.js";

export const ACTS = {
  keep: () => decideHere("keep"), drop: openDrop, relabel: openRelabel, undo, next, like: moreLike,
  details: () => {
    const open = $("panel").classList.toggle("open");
    document.querySelector("[data-act=details]").setAttribute("aria-expanded", open);
    requestAnimationFrame(() => { draw(); });
  },
};

function toLine(down) {
  const place = stepLine(state.layout, state.at, down);
  if (place !== null) choose(place);
}

const pageLines = () => Math.max(1, Math.floor($("grid").clientHeight / state.layout.step) - 1);

const MOVE_KEYS = {
  ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => toLine(true), ArrowUp: () => toLine(false),
  Home: () => choose(0), End: () => choose(state.total - 1),
  PageDown: () => step(state.layout.columns * pageLines()), PageUp: () => step(-state.layout.columns * pageLines()),
};

const KEYS = {
  ...MOVE_KEYS,
  k: ACTS.keep, d: ACTS.drop, r: ACTS.relabel, u: ACTS.undo, n: ACTS.next, y: accept, m: ACTS.like, Enter: openLarge, c: openPairs,
  x: () => mark(() => state.marks.toggle(state.at)), Escape: () => (state.like && !state.marks.size ? endLike() : mark(() => state.marks.clear())),
  "/": () => $("text").focus(), "?": () => $("help").showModal(),
};

export const TAKEN = ["k", "d", "r", "u", "n", "y", "c", "x", "a", "b", "p", "m", "v"];
const REPEATED = new Set(["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "PageDown", "PageUp"]);

// Change which images are selected.
export function mark(act) {
  act();
  showMarks();
  draw();
  showPanel();
}

export const markAll = () => mark(() => state.marks.all(state.total));

const labelOf = (key) => [...state.labelKeys].find(([, own]) => own === key)?.[0];
const keyOfEvent = (event) => (event.key.length === 1 ? event.key.toLowerCase() : event.key);

function actOf(key) {
  const label = labelOf(key), view = state.about?.views[Number(key) - 1]?.name;
  return KEYS[key] ?? (state.points && MAP_KEYS[key]) ?? (label && (() => giveLabel(label))) ?? (view && (() => show(view)));
}

// Keys pressed while a decision is being saved are for what comes after it.
export function goOn() { while (state.waiting.length && !state.busy.size) press(state.waiting.shift()); }

const isInPlace = (dialog) => !dialog || dialog.id === "zoom" || dialog.id === "pairs";

export function onKey(event) {
  const key = keyOfEvent(event), dialog = document.querySelector("dialog[open]");
  const typing = event.target.closest("input, select, textarea");
  if ((event.ctrlKey || event.metaKey) && key === "a" && !typing && !dialog && !event.altKey && state.layout) { event.preventDefault(); markAll(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat && !typing && !REPEATED.has(key)) { if (actOf(key)) event.preventDefault(); return; }
  if (event.repeat && dialog?.id === "pairs") { event.preventDefault(); return; }
  if (state.busy.size && !typing && isInPlace(dialog) && (actOf(key) || PAIR_KEYS[key])) {
    event.preventDefault();
    state.waiting.push(event);
  } else press(event);
}

function press(event) {
  const key = keyOfEvent(event), dialog = document.querySelector("dialog[open]");
  if (dialog) { onKeyInDialog(event, dialog, key); return; }
  const typing = event.target.closest("input, select, textarea");
  if (typing) {
    if (key === "Escape") { typing.blur(); $("grid").focus(); }
    return;
  }
  if ((key === "Enter" || key === " ") && event.target.closest("button, a, summary")) return;
  const act = key === " " ? KEYS.x : actOf(key);
  if (!act || !state.layout) return;
  event.preventDefault();
  const before = state.at;
  act();
  if (event.shiftKey && MOVE_KEYS[key]) mark(() => state.marks.extend(before, state.at));
}

function onKeyInDialog(event, dialog, key) {
  if (!isInPlace(dialog)) { onDialogKey(event, dialog, key); return; }
  if ((key === "Enter" || key === " ") && event.target.closest("button")) return;
  const own = dialog.id === "pairs" ? PAIR_KEYS : { ...ZOOM_KEYS, Enter: () => dialog.close() };
  const shared = dialog.id === "zoom" && !["/", "?", "c", "x", "m", "Escape"].includes(key) && !/^[1-9]$/.test(key) ? actOf(key) : null;
  const act = own[key] ?? shared;
  if (!act || key === "Escape") return;
  event.preventDefault();
  act();
}

export function listenToActs() {
  document.addEventListener("keydown", onKey);
  document.querySelectorAll("[data-act]").forEach((button) => button.addEventListener("click", (event) => {
    if (event.detail && button.dataset.act !== "details" && !document.querySelector("dialog[open]")) $("grid").focus();  // or Enter would press the same button again, about the next image
    if (state.busy.size) { say("Still saving …"); return; }
    ACTS[button.dataset.act]();
  }));
}
