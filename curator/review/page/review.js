// The review page: one virtual grid, one panel, a few dialogs. The server holds the catalog; this shows a window of it.
"use strict";

const $ = (id) => document.getElementById(id);
const token = location.pathname.split("/")[1];
const CHUNK = 120;
const GAP = 10;
const WORDS = 41;
const HEAD = 34;
const SAVE_LIMIT_MS = 20_000;
const MOST_NUMBERED = 9;
const REASONS = ["wrong label", "not a photograph", "unusable: blurred, dark or cut", "text, logo or watermark", "duplicate", "private or sensitive"];
const VIEWS = {
  all: ["All images", ""],
  duplicates: ["Duplicates", "The representative first, its copies beside it."],
  conflicts: ["Label conflicts", "One picture under two labels: drop or relabel one of them."],
  placeholders: ["Placeholders", "Known ones, suspected ones, and bytes that are listed three times or more."],
  wrong: ["Confidently wrong", "What the benchmark’s models are most sure of and wrong about."],
};
const MARKS = { keep: "✓ kept", drop: "✕ dropped", relabel: "⇄ " };

const state = {
  about: null, view: "all", selection: 0, total: 0, sizes: null, rows: new Map(), requested: new Set(), at: 0, version: 0,
  layout: null, tiles: new Map(), heads: new Map(), history: [], busy: new Map(), epoch: 0,
  waiting: [], again: null, asked: null,
};

// ---- requests to the server

async function request(path, parameters) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters ?? {})}`, { cache: "no-store" });
  return settle(response);
}

async function settle(response) {
  let facts = null;
  try { facts = await response.json(); } catch (error) { if (error.name === "AbortError") throw error; }  // without JSON its status says all
  if (response.ok && facts) return facts;
  const message = response.status === 403 ? "This address is no longer valid; open the one that was printed last."
    : facts?.error ?? (response.ok ? "The answer was cut short." : `The server answered ${response.status}.`);
  throw Object.assign(new Error(message), { status: response.status });
}

function inWords(error) {
  if (error.name === "AbortError") return "The server does not answer; it may have been saved all the same.";
  if (!(error instanceof TypeError)) return error.message;
  return `The server does not answer.${state.about ? ` Is \`${state.about.commands.review}\` still running?` : ""}`;
}

function report(error) {
  if (error.status === 410) return select({ stay: true });
  complain(inWords(error));
}

function flash(element, text, ms) {
  element.textContent = text;
  element.classList.add("shown");
  clearTimeout(element.timer);
  element.timer = setTimeout(() => { element.classList.remove("shown"); }, ms);
}
const say = (text) => flash($("toast"), text, 2500);

// A decision that was not saved stays told, with a button to try again, until it is saved or the person closes it.
function complain(text, again = null) {
  const box = $("trouble");
  if (state.again && !again) return;
  clearTimeout(box.timer);
  box.firstElementChild.textContent = text;
  box.classList.add("shown");
  state.again = again;
  $("again").hidden = !again;
  if (!again) box.timer = setTimeout(calm, 9000);
}

function calm() {
  clearTimeout($("trouble").timer);
  $("trouble").classList.remove("shown");
  state.again = null;
}

// ---- selecting

function filters() {
  const found = { view: state.view, text: $("text").value };
  for (const [name, value] of new FormData($("filters"))) if (value) found[name] = value;
  return found;
}

async function select({ stay = false, found = null } = {}) {
  const epoch = ++state.epoch;
  const anchor = stay ? state.rows.get(state.at)?.record_id : null;
  const at = stay ? state.at : 0;
  try { found ??= await request("select", filters()); } catch (error) { return epoch === state.epoch && report(error); }
  if (epoch !== state.epoch) return;
  Object.assign(state, { selection: found.selection, total: found.total, sizes: found.sizes, version: found.version });
  state.rows.clear();
  state.requested.clear();
  found.rows.forEach((row, n) => state.rows.set(n, row));
  state.requested.add(0);
  state.at = Math.min(at, Math.max(found.total - 1, 0));
  for (const element of [...state.tiles.values(), ...state.heads.values()]) element.remove();
  state.tiles.clear();
  state.heads.clear();
  arrange();
  if (!stay) $("grid").scrollTop = 0;
  describeSelection(found);
  draw();
  showPanel();
  if (anchor) await load(state.at);
}

function describeSelection(found) {
  const groups = state.sizes ? `${count(state.sizes.length, "group")} · ` : "";
  $("count").textContent = groups + count(state.total, "image");
  $("hint").textContent = VIEWS[state.view][1];
  showProgress(found);
  for (const control of $("filters").elements) control.parentElement.classList.toggle("set", Boolean(control.value) && control.value !== "any");
  document.querySelectorAll("#views button").forEach((button) => {
    if (button.value === state.view) button.setAttribute("aria-current", "page"); else button.removeAttribute("aria-current");
  });
  document.querySelector(".empty")?.remove();
  if (!state.total) {
    $("canvas").append(make("p", { className: "empty" }, make("b", {}, "No image here"), whyEmpty()));
  }
}

function whyEmpty() {
  if (state.about.views[state.view]) return "Try other filters.";
  const { benchmark, dedupe } = state.about.commands;
  if (state.view === "wrong") return `Run \`${benchmark}\` to see which images the models get wrong.`;
  return state.about.stage === "fetched" ? `Run \`${dedupe}\` to see what is found.` : "None was found.";
}

const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
const showProgress = (found) => { $("progress").textContent = `${found.decided.toLocaleString("en")} decided`; };

async function load(index) {
  const offset = Math.floor(index / CHUNK) * CHUNK;
  if (state.requested.has(offset) || offset >= state.total) return;
  state.requested.add(offset);
  const epoch = state.epoch;
  try {
    const found = await request("rows", { selection: state.selection, offset, limit: CHUNK });
    if (epoch !== state.epoch) return;
    found.rows.forEach((row, n) => state.rows.set(offset + n, row));
    noticeVersion(found);
    draw();
    if (state.at >= offset && state.at < offset + CHUNK) { showPanel(); if ($("zoom").open) fillZoom(); }
  } catch (error) {
    state.requested.delete(offset);
    if (epoch === state.epoch) report(error);
  }
}

// Another window or process has decided something: read the visible rows again, in place.
function noticeVersion(found) {
  showProgress(found);
  if (found.version === state.version) return;
  state.version = found.version;
  if (!state.busy.size) refresh();
}

function refresh() {
  const visible = [...state.tiles.keys()];
  state.requested.clear();
  return visible.length ? Promise.all([load(Math.min(...visible)), load(Math.max(...visible))]) : null;
}

async function lookForNews() {
  if (document.hidden || !state.selection || state.busy.size) return;
  try { noticeVersion(await request("rows", { selection: state.selection, offset: 0, limit: 0 })); } catch (error) { report(error); }
}

// ---- the layout of the grid: groups (or one group of all), each on rows of its own

function arrange() {
  const width = $("grid").clientWidth - 2 * GAP;
  const least = width < 500 ? 104 : 158;
  const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const side = (width + GAP) / columns - GAP;
  const step = side + WORDS + GAP;
  const sizes = state.sizes ?? (state.total ? [state.total] : []);
  const head = state.sizes ? HEAD : GAP / 2;
  const tops = new Float64Array(sizes.length + 1);
  const starts = new Uint32Array(sizes.length + 1);
  sizes.forEach((size, n) => {
    tops[n + 1] = tops[n] + head + Math.ceil(size / columns) * step;
    starts[n + 1] = starts[n] + size;
  });
  state.layout = { columns, side, step, head, tops, starts, sizes };
  $("canvas").style.height = `${tops[sizes.length] + GAP}px`;
  for (const [index, tile] of state.tiles) place(tile, index);
  for (const [group, element] of state.heads) element.style.transform = `translateY(${tops[group]}px)`;
}

function lastAtMost(sorted, value) {
  let low = 0, high = sorted.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle; else high = middle - 1;
  }
  return Math.max(low, 0);
}

function spot(index) {
  const { columns, side, step, head, tops, starts } = state.layout;
  const group = lastAtMost(starts, index);
  const within = index - starts[group];
  const column = within % columns;
  return { group, within, column, x: GAP + column * (side + GAP), y: tops[group] + head + Math.floor(within / columns) * step };
}

function place(tile, index) {
  const { x, y } = spot(index);
  const { side } = state.layout;
  tile.style.cssText = `width:${side}px;height:${side + WORDS}px;transform:translate(${x}px,${y}px)`;
}

function visibleRange() {
  const { columns, step, head, tops, starts, sizes } = state.layout;
  if (!state.total) return { first: 0, last: -1, firstGroup: 0, lastGroup: -1 };
  const top = $("grid").scrollTop - step, bottom = $("grid").scrollTop + $("grid").clientHeight + step;
  const edge = (y, up) => {
    const group = lastAtMost(tops, y);
    const line = Math.floor((y - tops[group] - head) / step);
    const within = Math.max(0, (up ? line : line + 1) * columns - (up ? 0 : 1));
    return { group, index: Math.min(starts[group] + within, starts[group] + sizes[group] - 1) };
  };
  const from = edge(Math.max(top, 0), true), to = edge(Math.max(bottom, 0), false);
  return { first: from.index, last: to.index, firstGroup: from.group, lastGroup: to.group };
}

// ---- drawing

let drawn = 0;
function draw() {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(drawNow);
}

function drawNow() {
  const { first, last, firstGroup, lastGroup } = visibleRange();
  for (const [index, tile] of state.tiles) if (index < first || index > last) { tile.remove(); state.tiles.delete(index); }
  for (const [group, element] of state.heads) if (group < firstGroup || group > lastGroup) { element.remove(); state.heads.delete(group); }
  for (let index = first; index <= last; index++) drawTile(index);
  if (state.sizes) for (let group = firstGroup; group <= lastGroup; group++) drawHead(group);
  if (state.total) { load(first); load(last); }
  const chosen = state.tiles.get(state.at);
  if (chosen) $("grid").setAttribute("aria-activedescendant", chosen.id); else $("grid").removeAttribute("aria-activedescendant");
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
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
  tile.setAttribute("aria-selected", index === state.at);
  const row = state.rows.get(index);
  const look = row ? JSON.stringify([row.record_id, row.review, state.busy.get(keyOf(row))?.decision]) : "";
  if (tile.look === look) return;
  tile.look = look;
  fillTile(tile, row);
}

function fillTile(tile, row) {
  const [frame, words] = tile.children;
  if (!row) { tile.className = "tile"; return; }
  const waiting = state.busy.get(keyOf(row));
  const decision = waiting ? waiting.decision : row.review?.decision;
  tile.className = ["tile", row.drop_reason ? "out" : "", waiting ? "saving" : "", decision && decision !== "undo" ? `${decision}-tile` : ""].join(" ");
  if (tile.shown !== row.record_id) {
    tile.shown = row.record_id;
    frame.replaceChildren(hasPicture(row) ? picture(row, "") : "no picture");
  }
  frame.querySelectorAll(".mark, .tag").forEach((old) => old.remove());
  if (state.sizes && !row.drop_reason) frame.append(make("span", { className: "tag" }, "representative"));
  if (row.predicted) frame.append(make("span", { className: "tag" }, `${row.predicted} ${(100 * row.confidence).toFixed(0)}%`));
  if (waiting) frame.append(make("span", { className: `mark ${waiting.decision}-mark` }, "saving …"));
  else if (row.review) frame.append(make("span", { className: `mark ${row.review.decision}-mark` }, markOf(row.review)));
  words.replaceChildren(make("b", { className: labelClass(row.label) }, row.label), make("small", {}, stateOf(row)));
  tile.setAttribute("aria-label", [row.label, stateOf(row), row.width ? `${row.width} by ${row.height} pixels` : "no picture",
    row.title, waiting ? "saving" : row.review ? `decided: ${markOf(row.review).slice(2)}` : "undecided"].filter(Boolean).join(", "));
}

const keyOf = (row) => `${row.sha256} ${row.listed_label}`;
const hasPicture = (row) => Boolean(row.sha256 && row.width);
const labelClass = (label) => { const n = state.about.labels.indexOf(label); return n < 0 ? "" : `label${n % 6}`; };
const markOf = (review) => (review.decision === "relabel" ? MARKS.relabel + review.new_label : MARKS[review.decision]);
const turned = (row) => (row.turn && row.turn !== "none" ? row.turn.replaceAll("-", " ") : "");

function howFar(row) {
  if (row.distance_bits) return `${count(row.distance_bits, "bit")} apart`;
  return row.drop_detail?.startsWith("same bytes") ? "same bytes" : "same picture";
}

function stateOf(row) {
  if (!row.drop_reason) return row.split ?? "kept";
  if (row.distance_bits === undefined) return row.drop_reason;
  return [state.sizes ? "" : row.drop_reason, howFar(row), turned(row)].filter(Boolean).join(", ");
}

function picture(row, alt) {
  const image = make("img", { src: `thumbnails/${row.sha256}.${row.format}`, alt, decoding: "async", draggable: false });
  image.addEventListener("error", () => { image.replaceWith("no picture"); }, { once: true });
  return image;
}

function drawHead(group) {
  let element = state.heads.get(group);
  if (!element) {
    element = make("p", { className: "section" });
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

function choose(index, { scroll = true } = {}) {
  if (!state.total) return;
  state.at = Math.max(0, Math.min(state.total - 1, index));
  if (scroll) {
    const { y } = spot(state.at), grid = $("grid"), { side, head } = state.layout;
    if (y - head < grid.scrollTop) grid.scrollTop = y - head;
    else if (y + side + WORDS + GAP > grid.scrollTop + grid.clientHeight) grid.scrollTop = y + side + WORDS + GAP - grid.clientHeight;
  }
  draw();
  showPanel();
  if ($("zoom").open) fillZoom();
  if (!state.rows.has(state.at)) load(state.at);
}

function showPanel() {
  const row = state.total ? state.rows.get(state.at) : null;
  document.querySelectorAll(".actions [data-act]").forEach((button) => {
    if (["keep", "drop", "relabel"].includes(button.dataset.act)) button.disabled = !row?.sha256;
  });
  $("panel").classList.toggle("blank", !row);
  for (const id of ["title", "verdict", "review-line", "facts", "why"]) $(id).replaceChildren();
  $("other").hidden = true;
  if (!row) { $("preview").removeAttribute("src"); $("preview").alt = ""; return; }
  requestAnimationFrame(() => { if (state.rows.get(state.at) === row) showPicture($("preview"), row); });  // after the grid's requests
  $("title").append(row.title ?? row.source_id ?? row.record_id);
  $("verdict").append(make("b", { className: labelClass(row.label) }, row.label), ` · ${verdictOf(row)}`);
  showReview(row);
  showFacts(row);
  $("why").textContent = row.why;
  if (row.duplicate_of) showOther(row);
}

function showPicture(image, row) {
  const source = hasPicture(row) ? `pictures/${row.sha256}.${row.format}` : "";
  const frame = image.parentElement;
  image.alt = source ? `${row.label}: ${row.title ?? row.record_id}` : "no picture";
  if ((image.getAttribute("src") ?? "") === source && frame.dataset.state !== "missing") return;
  frame.dataset.state = source ? "loading" : "missing";  // never the picture of another image beside this one's facts
  if (source) image.src = source; else image.removeAttribute("src");
}

function verdictOf(row) {
  if (!row.drop_reason) return row.split ? `kept, in ${row.split}` : "kept so far";
  return `dropped as ${row.drop_reason}${row.drop_detail ? `: ${row.drop_detail}` : ""}`;
}

function showReview(row) {
  const line = $("review-line"), review = row.review;
  line.className = review ? `${review.decision}-mark` : "";
  if (review) line.append(make("b", {}, markOf(review)), ` by ${review.who}, ${review.when.slice(0, 10)}${review.reason ? `: ${review.reason}` : ""}`);
}

function showFacts(row) {
  const facts = {
    Size: row.width && `${row.width} × ${row.height} px, ${row.format}, ${Math.ceil((row.n_bytes ?? 0) / 1024).toLocaleString("en")} KB`,
    Source: [row.source, row.source_class].filter(Boolean).join(" · "),
    Author: row.author, Licence: row.license, Host: row.host,
    "Listed as": row.relabelled_from, Models: row.predicted && `say ${row.predicted}, ${(100 * row.confidence).toFixed(0)}% sure`,
  };
  for (const [name, value] of Object.entries(facts)) if (value) $("facts").append(make("dt", {}, name), make("dd", {}, value));
  const address = [row.landing_url, row.url].find((url) => /^https?:/.test(url ?? ""));
  if (address) $("facts").append(make("dt", {}, "Page"), make("dd", {}, make("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, address)));
}

async function showOther(row) {
  let other;
  try { other = await request(`row/${encodeURIComponent(row.duplicate_of)}`); } catch { return; }
  if (state.rows.get(state.at) !== row) return;
  const fate = other.drop_reason ? `dropped as ${other.drop_reason}` : "kept";
  $("other").replaceChildren(hasPicture(other) ? picture(other, "the other image") : make("span", {}, "no picture"),
    make("div", {}, make("b", { className: labelClass(other.label) }, other.label), `, ${fate}`, make("br"),
      [howFar(row), turned(row)].filter(Boolean).join(", "), make("br"), make("small", {}, other.width ? `${other.width} × ${other.height} px` : "")));
  $("other").hidden = false;
}

// ---- deciding: shown as done only once the server says that it is on the disk; the cursor waits for that

async function post(facts) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), SAVE_LIMIT_MS);
  try {
    return await settle(await fetch("decide", {
      method: "POST", headers: { "Content-Type": "application/json", "X-Curator-Token": token },
      body: JSON.stringify(facts), signal: limit.signal,
    }));
  } finally { clearTimeout(timer); }
}

const nameOf = (row) => row.title ?? row.source_id ?? row.record_id;

async function decide(decision, more = {}, row = state.rows.get(state.at), seen = row?.review?.id ?? "") {
  if (!row?.sha256 || state.busy.size) return;
  const key = keyOf(row), { at, epoch } = state;
  state.busy.set(key, { decision });
  draw();
  try {
    const found = await post({ record_id: row.record_id, decision, seen, ...more });
    state.busy.delete(key);
    calm();
    showSaved(found, key, row);
    if (decision === "undo") state.history.pop(); else state.history.push({ row, id: found.review.id });
    if (decision !== "undo" && state.epoch === epoch && state.at === at) step(1);
    const what = decision === "undo" ? "Taken back" : decision === "relabel" ? `Relabelled as ${more.new_label}` : decision === "keep" ? "Kept" : "Dropped";
    say(`${what}: ${nameOf(row)}`);
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

// The row as the page knows it now: the view may have been read again since.
function here(row) {
  for (const one of state.rows.values()) if (one.record_id === row.record_id) return one;
  return row;
}

function showSaved(found, key, row) {
  const others = found.version !== state.version + 1;
  state.version = found.version;
  showProgress(found);
  row.review = found.review;
  for (const one of state.rows.values()) if (keyOf(one) === key) one.review = found.review;
  if (others) refresh();
}

function undo() {
  const latest = state.history.at(-1), row = here(latest?.row ?? state.rows.get(state.at) ?? {});
  if (!latest && !row.review) return say("Nothing to undo");
  for (const [index, one] of state.rows) if (one === row) choose(index);
  return decide("undo", {}, row, latest?.id);
}

// Keys pressed while a decision is being saved are for what comes after it.
function goOn() {
  while (state.waiting.length && !state.busy.size) press(state.waiting.shift());
}

async function next() {
  try {
    const { index } = await request("next", { selection: state.selection, after: state.at });
    if (index === null) say("Everything here is decided"); else choose(index);
  } catch (error) { report(error); }
}

function step(by) { choose(state.at + by); }

function stepLine(down) {
  const { columns, starts, sizes } = state.layout;
  const { group, within, column } = spot(state.at);
  if (down) {
    if (within + columns < sizes[group]) return step(columns);
    if (Math.floor(within / columns) < Math.floor((sizes[group] - 1) / columns)) return choose(starts[group] + sizes[group] - 1);
    return group + 1 < sizes.length ? choose(starts[group + 1] + Math.min(column, sizes[group + 1] - 1)) : undefined;
  }
  if (within >= columns) return step(-columns);
  if (!group) return undefined;
  const last = sizes[group - 1] - 1;
  return choose(starts[group - 1] + Math.min(last - (last % columns) + column, last));
}

function pageLines() { return Math.max(1, Math.floor($("grid").clientHeight / state.layout.step) - 1); }

// ---- dialogs

// A dialog asks about one image, whatever the grid shows meanwhile, and nothing in it is chosen beforehand.

function openDrop() {
  state.asked = state.rows.get(state.at);
  if (!state.asked?.sha256) return;
  $("drop-reason").value = "";
  allowDrop();
  $("drop-dialog").showModal();
}

const typedReason = () => $("drop-reason").value.trim();
function allowDrop() { $("drop-dialog").querySelector("[type=submit]").disabled = !typedReason(); }

function drop(reason) { $("drop-dialog").close(); decide("drop", { reason }, here(state.asked)); }

function openRelabel() {
  state.asked = state.rows.get(state.at);
  if (!state.asked?.sha256) return;
  $("label-text").value = "";
  fillLabels();
  $("relabel-dialog").showModal();
}

function fillLabels() {
  const others = state.about.labels.filter((label) => label !== state.asked.listed_label);
  const text = $("label-text").value.trim().toLowerCase();
  const labels = others.filter((label) => label.toLowerCase().includes(text));
  $("label-text").parentElement.hidden = others.length <= MOST_NUMBERED;
  $("labels").replaceChildren(...labels.map((label, n) => choice(n, label, () => relabel(label))));
}

function relabel(label) { $("relabel-dialog").close(); decide("relabel", { new_label: label }, here(state.asked)); }

function choice(n, text, act) {
  const number = n < MOST_NUMBERED ? [make("kbd", {}, String(n + 1))] : [];
  const button = make("button", { type: "button" }, ...number, make("span", {}, text));
  button.addEventListener("click", act);
  return button;
}

function zoom() {
  const row = state.rows.get(state.at);
  if (!row) return;
  if (!hasPicture(row)) return say("It has no picture");
  fillZoom();
  $("zoom").append($("toast"), $("trouble"));  // what is outside an open dialog is behind it, and cannot be clicked
  $("zoom").showModal();
}

function fillZoom() {
  const row = state.rows.get(state.at), frame = $("large").parentElement;
  if (!row) { $("large").removeAttribute("src"); frame.dataset.state = "loading"; return; }
  frame.style.setProperty("--ratio", hasPicture(row) ? row.width / row.height : 1);
  frame.style.setProperty("--side", `${row.width ?? 0}px`);
  showPicture($("large"), row);
  $("caption").textContent = [row.label, verdictOf(row), row.review && markOf(row.review)].filter(Boolean).join(" · ");
}

const ACTS = {
  keep: () => decide("keep"), drop: openDrop, relabel: openRelabel, undo, next,
  details: () => {
    const open = $("panel").classList.toggle("open");
    document.querySelector("[data-act=details]").setAttribute("aria-expanded", open);
    requestAnimationFrame(() => { draw(); });
  },
};

const KEYS = {
  ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => stepLine(true), ArrowUp: () => stepLine(false),
  Home: () => choose(0), End: () => choose(state.total - 1),
  PageDown: () => step(state.layout.columns * pageLines()), PageUp: () => step(-state.layout.columns * pageLines()),
  k: ACTS.keep, d: ACTS.drop, r: ACTS.relabel, u: ACTS.undo, n: ACTS.next, Enter: zoom,
  "/": () => $("text").focus(), "?": () => $("help").showModal(),
};

const MOVES = new Set(["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "PageDown", "PageUp"]);
const keyOfEvent = (event) => (event.key.length === 1 ? event.key.toLowerCase() : event.key);

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = keyOfEvent(event), dialog = document.querySelector("dialog[open]");
  const typing = event.target.closest("input, select, textarea");
  if (event.repeat && !typing && !MOVES.has(key)) { if (KEYS[key] || Number(key)) event.preventDefault(); return; }
  if (state.busy.size && !typing && (!dialog || dialog.id === "zoom") && (KEYS[key] || Number(key))) {
    event.preventDefault();
    state.waiting.push(event);
  } else press(event);
}

function press(event) {
  const key = keyOfEvent(event), dialog = document.querySelector("dialog[open]");
  if (dialog) return onDialogKey(event, dialog, key);
  const typing = event.target.closest("input, select, textarea");
  if (typing) {
    if (key === "Escape") { typing.blur(); $("grid").focus(); }
    return;
  }
  if (key === "Enter" && event.target.closest("button, a, summary")) return;
  const view = Object.keys(VIEWS)[Number(key) - 1];
  const act = KEYS[key] ?? (view && (() => show(view)));
  if (!act || !state.layout) return;
  event.preventDefault();
  act();
}

function onDialogKey(event, dialog, key) {
  if (dialog.id === "zoom") {
    if (key === "Enter" && event.target.closest("button")) return;
    if (key === "Enter") { event.preventDefault(); dialog.close(); }
    else if (KEYS[key] && key !== "/" && key !== "?") { event.preventDefault(); KEYS[key](); }
    return;
  }
  const buttons = [...dialog.querySelectorAll(".choices button")];
  if (key === "ArrowDown" || key === "ArrowUp") {
    const at = buttons.indexOf(document.activeElement), by = key === "ArrowDown" ? 1 : -1;
    event.preventDefault();
    buttons.at(at < 0 && by < 0 ? -1 : (at + by) % buttons.length)?.focus();
  } else if (Number(key) && !event.target.closest("input") && Number(key) <= MOST_NUMBERED) {
    event.preventDefault();
    buttons[Number(key) - 1]?.click();
  }
}

// ---- beginning

function show(view) { state.view = view; select(); $("grid").focus(); }

function fillFilters() {
  for (const [name, values] of Object.entries(state.about.facets)) {
    const control = $("filters").elements[name];
    control.replaceChildren(make("option", { value: "" }, "Any"), ...values.map(({ value, n }) => make("option", { value }, `${value} (${n.toLocaleString("en")})`)));
    control.closest("label").hidden = values.length < 2;
  }
}

function fillViews() {
  $("views").replaceChildren(...Object.entries(VIEWS).map(([view, [name]], n) => {
    const button = make("button", { type: "button", value: view }, make("span", {}, name), make("span", {}, state.about.views[view].toLocaleString("en")));
    button.setAttribute("aria-keyshortcuts", n + 1);
    button.addEventListener("click", () => show(view));
    return button;
  }));
}

function listen() {
  let typing = 0;
  $("text").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(select, 200); });
  $("filters").addEventListener("change", () => select());
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); select(); });
  $("filters").addEventListener("reset", () => { $("text").value = ""; setTimeout(select); });
  $("grid").addEventListener("scroll", draw, { passive: true });
  $("canvas").addEventListener("click", (event) => { const tile = event.target.closest(".tile"); if (tile) { choose(tile.index, { scroll: false }); $("grid").focus(); } });
  $("canvas").addEventListener("dblclick", (event) => { if (event.target.closest(".tile")) zoom(); });
  $("zoom-open").addEventListener("click", zoom);
  $("zoom").addEventListener("click", (event) => { if (!event.target.closest("button, #trouble")) $("zoom").close(); });
  $("zoom").addEventListener("close", () => document.body.append($("toast"), $("trouble")));
  for (const image of [$("preview"), $("large")]) {
    image.addEventListener("load", () => { image.parentElement.dataset.state = ""; });
    image.addEventListener("error", () => { image.parentElement.dataset.state = "missing"; });
  }
  $("again").addEventListener("click", () => { const { again } = state; $("grid").focus(); calm(); again(); });
  $("dismiss").addEventListener("click", () => { $("grid").focus(); calm(); });
  $("open-help").addEventListener("click", () => $("help").showModal());
  document.querySelectorAll("[data-act]").forEach((button) => button.addEventListener("click", (event) => {
    if (event.detail && button.dataset.act !== "details") $("grid").focus();  // or Enter would press the same button again, about the next image
    if (state.busy.size) return say("Still saving …");
    ACTS[button.dataset.act]();
  }));
  document.querySelectorAll("[data-close]").forEach((button) => button.addEventListener("click", () => button.closest("dialog").close()));
  $("drop-dialog").querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); if (typedReason()) drop(typedReason()); });
  $("drop-reason").addEventListener("input", allowDrop);
  $("label-text").addEventListener("input", fillLabels);
  $("relabel-dialog").querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const found = $("labels").children;
    if ($("label-text").value.trim() && found.length === 1) found[0].click();
  });
  $("reasons").replaceChildren(...REASONS.map((reason, n) => choice(n, reason, () => drop(reason))));
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", lookForNews);
  window.addEventListener("focus", lookForNews);
  setInterval(lookForNews, 5000);
  new ResizeObserver(() => { if (state.layout) { arrange(); draw(); } }).observe($("grid"));
  if (matchMedia("(max-width: 46rem)").matches) $("filter-box").open = false;
}

async function begin() {
  listen();
  const about = request("about"), first = request("select", filters()).catch(() => null);
  try { state.about = await about; } catch (error) { return report(error); }
  $("name").textContent = state.about.name;
  document.querySelectorAll("[data-command]").forEach((code) => { code.textContent = state.about.commands[code.dataset.command]; });
  document.title = `${state.about.name} · review`;
  fillFilters();
  fillViews();
  await select({ found: await first });
  $("grid").focus();
}

begin();
