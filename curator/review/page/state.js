// What the page knows, and what it says about one row.

import { Marks } from "./marks.js";
import { count } from "./dom.js";

export const CHUNK = 120;
export const state = {
  about: null, hasSuspects: false, view: "all", selection: 0, total: 0, sizes: null, rows: new Map(), requested: new Set(), at: 0, version: 0,
  layout: null, tiles: new Map(), heads: new Map(), history: [], busy: new Map(), epoch: 0,
  waiting: [], asked: null, decidedHere: 0, marks: new Marks(), labelKeys: new Map(),
  like: null, points: null,
};

const MARKS = { keep: "✓ kept", drop: "✕ dropped", relabel: "⇄ " };

export const current = () => state.rows.get(state.at);
export const viewNow = () => state.about.views.find((view) => view.name === state.view);
export const keyOf = (row) => `${row.sha256} ${row.listed_label}`;
export const nameOf = (row) => row.title ?? row.source_id ?? row.record_id;
export const hasPicture = (row) => Boolean(row.sha256 && row.width);
export const suggested = (row) => row?.suggested ?? row?.predicted;
export const labelClass = (label) => { const n = state.about.labels.indexOf(label); return n < 0 ? "" : `label${n % 6}`; };
export const markOf = (review) => (review.decision === "relabel" ? MARKS.relabel + review.new_label : MARKS[review.decision]);
export const turned = (row) => row.turn ?? "";
// The first of its group, though balance or split may have left it out of the set.
export const isRepresentative = (row) => !row.drop_reason || ["balanced", "split"].includes(row.drop_stage);

// The row as the page knows it now: the view may have been read again since.
export function here(row) {
  for (const one of state.rows.values()) if (one.record_id === row.record_id) return one;
  return row;
}

export function howFar(row) {
  if (row.distance_bits) return `${count(row.distance_bits, "bit")} apart`;
  return row.drop_detail?.startsWith("same bytes") ? "same bytes" : "same picture";
}

export function stateOf(row) {
  if (!row.drop_reason) return row.split ?? "kept";
  if (row.distance_bits === undefined) return `out: ${row.drop_reason}`;
  return [state.sizes ? "" : row.drop_reason, turned(row) && !row.distance_bits ? "" : howFar(row), turned(row)].filter(Boolean).join(", ");
}

export function verdictOf(row) {
  if (!row.drop_reason) return row.split ? `kept, in ${row.split}` : "kept so far";
  const said = `not in the set, dropped as ${row.drop_reason}${row.drop_detail ? `: ${row.drop_detail}` : ""}`;
  return row.drop_reason === "label-conflict" ? `${said}. K keeps it as ${row.label}` : said;
}
