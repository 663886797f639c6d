// Deciding: shown as done only once the server says that it is on the disk; the cursor waits for that.

import { calm, complain, count, say } from "./dom.js";
import { choose, draw, refresh, showMarks, showProgress, step } from "./grid.js";
import { goOn } from "./keys.js";
import { showPanel } from "./panel.js";
import { inWords, post, report, request } from "./server.js";
import { current, here, keyOf, nameOf, state, suggested } from "./state.js";

const done = (decision, label) => ({ undo: "Taken back", keep: "Kept", drop: "Dropped", relabel: `Relabelled as ${label}` })[decision];

// Decide about the chosen image, or about all that are selected.
export function decideHere(decision, more = {}) {
  return state.marks.size ? decideMarked(decision, more) : decide(decision, more);
}

export async function decide(decision, more = {}, row = current(), seen = row?.review?.id ?? "") {
  if (!row?.sha256 || state.busy.size) return;
  const key = keyOf(row), { at, epoch } = state;
  state.busy.set(key, { decision });
  draw();
  try {
    const found = await post("decide", { record_id: row.record_id, decision, seen, ...more });
    state.busy.delete(key);
    calm();
    showSaved(found, key, row);
    if (decision === "undo") state.history.pop(); else state.history.push({ row, id: found.review.id });
    if (decision !== "undo" && state.epoch === epoch && state.at === at) step(1);
    say(`${done(decision, more.new_label)}: ${nameOf(row)}`);
  } catch (error) {
    state.busy.delete(key);
    state.waiting = [];  // keys pressed since were meant for the images after this one
    if (error.status === 409) await refresh();
    if (error.status === 409 && decision === "undo") state.history.pop();
    complain(`Not saved: ${nameOf(row)}. ${inWords(error)}`, () => decide(decision, more, here(row)));
  }
  draw();
  showPanel();
  goOn();
}

function showSaved(found, key, row) {
  const others = found.version !== state.version + 1, change = Boolean(found.review) - Boolean(row.review);
  state.version = found.version;
  row.review = found.review;
  for (const one of state.rows.values()) if (keyOf(one) === key) { one.review = found.review; state.decidedHere += change; }
  showProgress({ ...found, decided_here: state.decidedHere });
  if (others) refresh();
}

// ---- several at once: all of them are saved, or none

export function decideMarked(decision, more = {}) {
  const n = state.marks.size;
  const facts = { selection: state.selection, ranges: state.marks.ranges(), decision, ...more };
  return saveBatch(facts, `${done(decision, more.new_label)}: ${count(n, "image")}`, () => { state.marks.clear(); showMarks(); });
}

// Save a batch; `after` is called once it is on the disk.
export async function saveBatch(facts, said, after = () => {}) {
  if (state.busy.size) return;
  state.busy.set("batch", facts);
  try {
    const found = await post("decide-all", { ...facts, ...("undo" in facts ? {} : { version: state.version }) });
    state.busy.clear();
    calm();
    if ("undo" in facts) state.history.pop(); else if (found.n) state.history.push({ batch: found.batch });
    state.version = found.version;
    showProgress(found);
    say(said);
    await refresh();
    await after();
  } catch (error) {
    state.busy.clear();
    state.waiting = [];
    if (error.status === 409) { await refresh(); if ("undo" in facts) state.history.pop(); }
    complain(`Not saved: ${said.toLowerCase()}. ${inWords(error)}`, () => saveBatch(facts, said, after));
  }
  draw();
  showPanel();
  goOn();
}

export function undo() {
  const latest = state.history.at(-1);
  if (latest?.batch) return saveBatch({ undo: latest.batch }, "Taken back: all of the last decision");
  const row = here(latest?.row ?? current() ?? {});
  if (!latest && !row.review) return say("Nothing to undo");
  for (const [index, one] of state.rows) if (one === row) choose(index);
  return decide("undo", {}, row, latest?.id);
}

// Give the chosen image, or all that are selected, a label; one that it is listed under keeps it.
export function giveLabel(label) {
  if (!state.marks.size && current()?.listed_label === label) return decide("keep");
  return decideHere("relabel", { new_label: label });
}

export function accept() {
  const label = suggested(current());
  return label ? giveLabel(label) : say("Nothing is suggested for it");
}

export async function next() {
  try {
    const { index } = await request("next", { selection: state.selection, after: state.at });
    if (index === null) say("Everything here is decided"); else choose(index);
  } catch (error) { report(error); }
}
