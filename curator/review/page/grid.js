// The grid: the window of a selection that is in sight, read and drawn as one scrolls; and the chosen image of it.

import { fromHash, toHash } from "./address.js";
import { $, count, make, prose } from "./dom.js";
import { fillLarge } from "./large.js";
import { GAP, WORDS, arrange, spot, visibleRange } from "./layout.js";
import { showLike } from "./like.js";
import { drawMap, loadPoints, showMap } from "./map.js";
import { showPanel } from "./panel.js";
import { report, request } from "./server.js";
import { CHUNK, current, hasPicture, isRepresentative, keyOf, labelClass, markOf, state, stateOf, suggested, viewNow } from "./state.js";

// ---- selecting

export function filters() {
  const found = { view: state.view, sort: $("sort").value, text: $("text").value };
  if (state.like) found.like = state.like;
  for (const [name, value] of new FormData($("filters"))) if (value) found[name] = value;
  return found;
}

const selectAgain = () => select({ stay: true });
const explain = (error) => report(error, selectAgain);

// Select anew; `stay` keeps the place, `at` goes to one, `remember` adds to what the browser's Back goes through.
export async function select({ stay = false, found = null, at = 0, remember = true } = {}) {
  const epoch = ++state.epoch;
  const anchor = stay ? current()?.record_id : null;
  const place = stay ? state.at : at;
  try { found ??= await request("select", filters()); } catch (error) { return epoch === state.epoch && explain(error); }
  if (epoch !== state.epoch) return undefined;
  Object.assign(state, { selection: found.selection, total: found.total, sizes: found.sizes, version: found.version, points: null });
  state.rows.clear();
  state.requested.clear();
  state.marks.clear();
  found.rows.forEach((row, n) => state.rows.set(n, row));
  state.requested.add(0);
  state.at = Math.min(place, Math.max(found.total - 1, 0));
  for (const element of [...state.tiles.values(), ...state.heads.values()]) element.remove();
  state.tiles.clear();
  state.heads.clear();
  showMap(state.view === "map" && state.total > 0);
  relayout();
  if (!stay) $("grid").scrollTop = 0;
  if (!stay && state.at) scrollTo(state.at);
  writeAddress(remember && !stay);
  describeSelection(found);
  showLike(found.like);
  draw();
  showPanel();
  if (state.view === "map") loadPoints();
  if (anchor || state.at) await load(state.at);
  return undefined;
}

export function show(view) {
  state.view = view;
  if (state.like) { state.like = null; $("sort").value = ""; }
  select();
  $("grid").focus();
}

// ---- the address

const JUDGED = ["suspects", "unlike", "quality", "wrong"];  // here the picture is looked at, dropped or not: none is faded

let writing = 0;
function writeAddress(asNew) {
  clearTimeout(writing);
  const hash = toHash({ ...filters(), at: state.at }) || (state.hasSuspects ? "#view=all" : "");  // else the page opens on these
  if (hash === location.hash) return;
  const address = hash || location.pathname;
  if (asNew && toHash({ ...fromHash(location.hash), at: 0 }) !== toHash({ ...fromHash(hash), at: 0 })) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

export function readAddress() {
  const facts = fromHash(location.hash);
  state.view = state.about.views.some((view) => view.name === facts.view) ? facts.view : "all";
  $("text").value = facts.text ?? "";
  state.like = facts.sort === "like" && facts.like ? facts.like : null;
  for (const control of [$("sort"), ...$("filters").elements]) {
    if (!control.name) continue;
    const first = control.name === "fate" ? "any" : "";
    control.value = facts[control.name] ?? first;
    if (control.selectedIndex === -1) control.value = first;  // a value that is gone
  }
  if ($("sort").value === "like" && !state.like) $("sort").value = "";
  return facts.at;
}

// ---- what the selection is

function describeSelection(found) {
  const groups = state.sizes ? `${count(state.sizes.length, "group")} · ` : "";
  $("count").textContent = groups + count(state.total, "image");
  $("hint").replaceChildren(...prose(viewNow().hint));
  $("sort").options[0].textContent = viewNow().order;
  $("sort").closest("label").hidden = Boolean(state.sizes);
  $("compare").hidden = !state.sizes?.length;
  document.body.dataset.view = state.view === "map" ? "map" : state.sizes ? "grouped" : JUDGED.includes(state.view) ? "judged" : "plain";
  showProgress(found);
  showMarks();
  for (const control of $("filters").elements) control.parentElement.classList.toggle("set", Boolean(control.value) && control.value !== "any");
  document.querySelectorAll("#views button").forEach((button) => {
    if (button.value === state.view) button.setAttribute("aria-current", "page"); else button.removeAttribute("aria-current");
  });
  document.querySelector(".empty")?.remove();
  if (!state.total) $("canvas").append(make("p", { className: "empty" }, make("b", {}, "No image here"), ...prose(whyEmpty())));
}

function whyEmpty() {
  const { n, command } = viewNow();
  if (n) return "Try other filters.";
  if (state.view === "wrong") return `Run \`${command}\` to see which images the models get wrong.`;
  if (state.view === "map" || (/\bsuspects\b/.test(command) && !state.about.is_judged)) return `Run \`${command}\` to have the pictures looked at.`;
  return state.about.stage === "fetched" ? `Run \`${command}\` to see what is found.` : "None was found.";
}

export function showProgress(found) {
  $("progress").textContent = `${found.decided.toLocaleString("en")} decided in all`;
  $("apply").hidden = found.is_applied ?? true;
  if (found.decided_here === undefined) return;
  state.decidedHere = found.decided_here;
  $("progress-here").textContent = state.total ? `${found.decided_here.toLocaleString("en")} of ${state.total.toLocaleString("en")} decided here` : "";
}

export function showMarks() {
  const n = state.marks.size;
  $("marked").hidden = !n;
  $("marked-count").textContent = `${n.toLocaleString("en")} selected`;
}

// ---- reading rows

export async function load(index) {
  const offset = Math.floor(index / CHUNK) * CHUNK;
  if (state.requested.has(offset) || offset >= state.total) return;
  state.requested.add(offset);
  const { epoch } = state;
  try {
    const found = await request("rows", { selection: state.selection, offset, limit: CHUNK });
    if (epoch !== state.epoch) return;
    found.rows.forEach((row, n) => state.rows.set(offset + n, row));
    noticeVersion(found);
    draw();
    if (state.at >= offset && state.at < offset + CHUNK) { showPanel(); fillLarge(); }
  } catch (error) {
    state.requested.delete(offset);
    if (epoch === state.epoch) explain(error);
  }
}

// Another window or process has decided something: read the visible rows again, in place.
function noticeVersion(found) {
  showProgress(found);
  if (found.version === state.version) return;
  state.version = found.version;
  if (!state.busy.size) refresh();
}

export function refresh() {
  const visible = [...state.tiles.keys()];
  state.requested.clear();
  if (state.view === "map") loadPoints();
  return visible.length ? Promise.all([load(Math.min(...visible)), load(Math.max(...visible)), load(state.at)]) : null;
}

export async function lookForNews() {
  if (document.hidden || !state.selection || state.busy.size) return;
  try { noticeVersion(await request("rows", { selection: state.selection, offset: 0, limit: 0 })); } catch (error) { explain(error); }
}

// ---- drawing

export function relayout() {
  state.layout = arrange($("grid").clientWidth, state.total, state.sizes);
  $("canvas").style.height = `${state.layout.height}px`;
  for (const [index, tile] of state.tiles) place(tile, index);
  for (const [group, element] of state.heads) element.style.transform = `translateY(${state.layout.tops[group]}px)`;
}

function place(tile, index) {
  const { x, y } = spot(state.layout, index), { side } = state.layout;
  tile.style.cssText = `width:${side}px;height:${side + WORDS}px;transform:translate(${x}px,${y}px)`;
}

let drawn = 0;
export function draw() {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(drawNow);
}

function drawNow() {
  const { first, last, firstGroup, lastGroup } = visibleRange(state.layout, $("grid").scrollTop, $("grid").clientHeight);
  for (const [index, tile] of state.tiles) if (index < first || index > last) { tile.remove(); state.tiles.delete(index); }
  for (const [group, element] of state.heads) if (group < firstGroup || group > lastGroup) { element.remove(); state.heads.delete(group); }
  for (let index = first; index <= last; index++) drawTile(index);
  if (state.sizes) for (let group = firstGroup; group <= lastGroup; group++) drawHead(group);
  if (state.total) { load(first); load(last); }
  if (state.points) drawMap();
  const chosen = state.tiles.get(state.at);
  if (chosen) $("grid").setAttribute("aria-activedescendant", chosen.id); else $("grid").removeAttribute("aria-activedescendant");
}

function drawTile(index) {
  let tile = state.tiles.get(index);
  if (!tile) {
    tile = make("div", { id: `tile-${index}` }, make("div", { className: "frame" }), make("div", { className: "words" }));
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-posinset", index + 1);
    tile.setAttribute("aria-setsize", state.total);
    tile.index = index;
    place(tile, index);
    state.tiles.set(index, tile);
    $("canvas").append(tile);
  }
  const isMarked = state.marks.has(index);
  tile.setAttribute("aria-selected", state.marks.size ? isMarked : index === state.at);
  tile.classList.toggle("at", index === state.at);
  tile.classList.toggle("marked", isMarked);
  const row = state.rows.get(index);
  const look = row ? JSON.stringify([row.record_id, row.likeness, row.review, state.busy.get(keyOf(row))?.decision]) : "";
  if (tile.look === look) return;
  tile.look = look;
  fillTile(tile, row);
}

function fillTile(tile, row) {
  const [frame, words] = tile.children;
  const kept = ["at", "marked"].filter((name) => tile.classList.contains(name));
  if (!row) { tile.className = ["tile", ...kept].join(" "); return; }
  const waiting = state.busy.get(keyOf(row));
  const decision = waiting ? waiting.decision : row.review?.decision;
  tile.className = ["tile", ...kept, row.drop_reason ? "out" : "", waiting ? "saving" : "", decision && decision !== "undo" ? `${decision}-tile` : ""].join(" ");
  if (tile.shown !== row.record_id) {
    tile.shown = row.record_id;
    frame.replaceChildren(hasPicture(row) ? picture(row, "") : "no picture ");
  }
  frame.querySelectorAll(".mark, .tag").forEach((old) => old.remove());
  const tags = [state.sizes && isRepresentative(row) ? "representative" : "", suggested(row) ? `${suggested(row)} ${(100 * row.confidence).toFixed(0)}%` : "",
    row.likeness === undefined ? "" : row.record_id === state.like ? "the chosen one" : `${row.likeness.toFixed(2)} alike`];
  const marked = waiting ? "saving …" : row.review ? markOf(row.review) : "";
  for (const tag of tags) if (tag) frame.append(make("span", { className: "tag" }, tag, " "));
  if (marked) frame.append(make("span", { className: `mark ${decision}-mark` }, marked, " "));
  words.replaceChildren(make("b", { className: labelClass(row.label) }, row.label), " ", make("small", { title: stateOf(row) }, stateOf(row)));
  const seen = [...tags, marked, hasPicture(row) ? "" : "no picture", row.label, stateOf(row)].filter(Boolean).join(" ");  // as it is read, then what is not seen
  tile.setAttribute("aria-label", [seen, row.width ? `${row.width} by ${row.height} pixels` : "", row.title, marked ? "" : "undecided"].filter(Boolean).join(", "));
}

export function picture(row, alt, where = "thumbnails") {
  const image = make("img", { src: `${where}/${row.sha256}.${row.format}`, alt, decoding: "async", draggable: false });
  image.addEventListener("error", () => { image.replaceWith("no picture"); }, { once: true });
  return image;
}

function drawHead(group) {
  let element = state.heads.get(group);
  if (!element) {
    element = make("p", { className: "section" });
    element.setAttribute("role", "presentation");
    element.style.transform = `translateY(${state.layout.tops[group]}px)`;
    state.heads.set(group, element);
    $("canvas").append(element);
  }
  const rows = [];
  for (let index = state.layout.starts[group]; index < state.layout.starts[group + 1] && rows.length < 40; index++) rows.push(state.rows.get(index));
  const labels = [...new Set(rows.filter(Boolean).map((row) => row.label))].join(" / ");
  element.replaceChildren(make("b", {}, `Group ${group + 1}`), ` · ${count(state.sizes[group], "image")}${labels ? ` · ${labels}` : ""}`);
}

// ---- the chosen image

function scrollTo(index) {
  const { y } = spot(state.layout, index), grid = $("grid"), { side, head } = state.layout;
  if (y - head < grid.scrollTop) grid.scrollTop = y - head;
  else if (y + side + WORDS + GAP > grid.scrollTop + grid.clientHeight) grid.scrollTop = y + side + WORDS + GAP - grid.clientHeight;
}

export function choose(index, { scroll = true } = {}) {
  if (!state.total) return;
  state.at = Math.max(0, Math.min(state.total - 1, index));
  if (scroll) scrollTo(state.at);
  draw();
  showPanel();
  fillLarge();
  clearTimeout(writing);
  writing = setTimeout(() => writeAddress(false), 150);
  if (!state.rows.has(state.at)) load(state.at);
}

export const step = (by) => choose(state.at + by);
