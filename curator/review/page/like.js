// More like this: all images, those first that are most like a chosen one.

import { $, say } from "./dom.js";
import { filters, select } from "./grid.js";
import { report, request } from "./server.js";
import { current, hasPicture, labelClass, nameOf, state } from "./state.js";

export const LIKE = "like";

// Ask first: if the pictures cannot be compared, what is shown stays, and why is told.
export async function moreLike() {
  const row = current();
  if (!row || !hasPicture(row)) return say("It has no picture");
  const asked = { ...filters(), view: "all", sort: LIKE, like: row.record_id };
  let found;
  say("Comparing …");
  try { found = await request("select", asked); } catch (error) { showLike(); return report(error); }
  Object.assign(state, { view: "all", like: row.record_id });
  $("sort").value = LIKE;
  await select({ found });
  say(`Most like ${nameOf(row)}`);
  return $("grid").focus();
}

export function endLike() {
  state.like = null;
  $("sort").value = "";
  $("grid").focus();
  return select();
}

// Another order was chosen, or this one, which needs an image.
export function onSort() {
  if ($("sort").value === LIKE) return moreLike();
  state.like = null;
  return select();
}

// Say what the images are compared with; `row` is what the server knows of it.
export function showLike(row = null) {
  $("alike").hidden = !state.like;
  if (!state.like) { if ($("sort").value === LIKE) $("sort").value = ""; return; }
  if (!row) return;
  $("alike-name").textContent = `${nameOf(row)} (${row.label})`;
  $("alike-name").className = labelClass(row.label);
  $("alike-picture").src = `thumbnails/${row.sha256}.${row.format}`;
}

export function listenToLike() { $("alike-end").addEventListener("click", endLike); }
