// The map: a point for each image of the selection. The grid below it lists the same images, for keys and screen readers.

import { $, count, make } from "./dom.js";
import { choose, draw, load, picture } from "./grid.js";
import { mark } from "./keys.js";
import { frame, inside, moved, nearest, shapeOf, toScreen, trace, zoomed } from "./map_shapes.js";
import { report, request } from "./server.js";
import { hasPicture, labelClass, markOf, nameOf, state, suggested } from "./state.js";

const WHOLE = { zoom: 1, x: 0.5, y: 0.5 }, SCALE = 10_000, REACH = 14, DECISIONS = ["", "keep", "drop", "relabel"];
const fingers = new Map();
let look = WHOLE, line = null, drag = null, hovered = -1, followed = -1, isMoving = false;

export function showMap(is) {
  $("map").hidden = !is;
  look = WHOLE;
  hover(-1);
}

export async function loadPoints() {
  const { epoch, selection } = state;
  try {
    const found = await request("points", { selection });
    if (epoch !== state.epoch) return;
    const scaled = (values) => Float32Array.from(values, (value) => value / SCALE);
    state.points = { ...found, x: scaled(found.x), y: scaled(found.y), labels: state.about.labels };
    describe();
    draw();
  } catch (error) { if (epoch === state.epoch) report(error); }
}

// What is drawn in words, and the legend: the labels that are there, then what the rings and faint points mean.
function describe() {
  const { label, labels, suspect, title } = state.points, counts = new Map();
  for (const one of label) counts.set(one, (counts.get(one) ?? 0) + 1);
  const present = [...counts].sort((a, b) => a[0] - b[0]).map(([one, n]) => ({ one, n, name: labels[one] ?? "another label" }));
  const suspects = suspect.reduce((sum, one) => sum + one, 0);
  const told = [...present.map(({ name, n }) => `${name} ${n.toLocaleString("en")}`), count(suspects, "suspect")].join(", ");
  $("map-canvas").setAttribute("aria-label", `Map of ${count(state.total, "image")} by ${title}, alike ones near each other: ${told}. The list below has the same images, neighbours one after another.`);
  $("map-legend").replaceChildren(...present.map(({ one, n, name }) => make("li", {}, swatch(one), `${name} `, make("small", {}, n.toLocaleString("en")))),
    ...(suspects ? [make("li", {}, make("span", { className: "ring" }), "suspect ", make("small", {}, suspects.toLocaleString("en")))] : []),
    make("li", { className: "way" }, `by ${title}`));
}

function swatch(label) {
  const canvas = make("canvas", { width: 28, height: 28, className: "swatch" }), ink = canvas.getContext("2d"), path = new Path2D();
  trace(path, shapeOf(label), 14, 14, 9);
  ink.fillStyle = colours()[label < 0 ? "muted" : `label${label % 6}`];
  ink.fill(path);
  return canvas;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["muted", "accent", "danger", "ink", "card", ...Array.from({ length: 6 }, (_, n) => `label${n}`)].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// ---- drawing

// What was decided since the points were read, as the rows know it.
function catchUp() {
  const { label, decided, labels } = state.points;
  for (const [place, row] of state.rows) {
    decided[place] = row.review ? DECISIONS.indexOf(row.review.decision) : 0;
    label[place] = labels.indexOf(row.review?.new_label || row.label);
  }
}

export function drawMap() {
  const canvas = $("map-canvas"), { width, height } = canvas.getBoundingClientRect(), dpr = devicePixelRatio || 1;
  if (!width) return;
  catchUp();
  follow(width, height);
  const size = [Math.round(width * dpr), Math.round(height * dpr)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const ink = canvas.getContext("2d"), box = frame(width, height, look), colour = colours(), { x, y, label, suspect, decided } = state.points;
  ink.setTransform(dpr, 0, 0, dpr, 0, 0);
  ink.clearRect(0, 0, width, height);
  const r = Math.max(1.6, Math.min(7, 0.27 * box.side / Math.sqrt(x.length + 20)));
  const paths = new Map(), rings = new Path2D(), marked = new Path2D();
  for (let place = 0; place < x.length; place++) {
    const [px, py] = toScreen(box, x[place], y[place]);
    if (px < -9 || py < -9 || px > width + 9 || py > height + 9) continue;
    const key = label[place] * 2 + (decided[place] === 2);
    if (!paths.has(key)) paths.set(key, new Path2D());
    trace(paths.get(key), shapeOf(label[place]), px, py, r);
    if (suspect[place] && !decided[place]) trace(rings, "circle", px, py, r + 3);
    if (state.marks.has(place)) trace(marked, "circle", px, py, r + 2);
  }
  for (const [key, path] of paths) {
    const one = Math.floor(key / 2);
    ink.globalAlpha = key % 2 ? 0.25 : 1;
    ink.fillStyle = colour[one < 0 ? "muted" : `label${one % 6}`];
    ink.fill(path);
  }
  ink.globalAlpha = 1;
  stroke(ink, rings, colour.danger, 2);
  stroke(ink, marked, colour.accent, 3);
  const [cx, cy] = toScreen(box, x[state.at], y[state.at]), chosen = new Path2D();
  chosen.arc(cx, cy, r + 5, 0, 2 * Math.PI);
  stroke(ink, chosen, colour.card, 6);
  stroke(ink, chosen, colour.ink, 3);
  if (line) drawLine(ink, colour);
  Object.assign(canvas.dataset, { zoom: look.zoom.toFixed(2), n: x.length });
}

function stroke(ink, path, style, lineWidth) {
  Object.assign(ink, { strokeStyle: style, lineWidth });
  ink.stroke(path);
}

function drawLine(ink, colour) {
  const path = new Path2D();
  line.forEach(([px, py], n) => (n ? path.lineTo(px, py) : path.moveTo(px, py)));
  path.closePath();
  ink.globalAlpha = 0.12;
  ink.fillStyle = colour.accent;
  ink.fill(path);
  ink.globalAlpha = 1;
  ink.setLineDash([6, 4]);
  stroke(ink, path, colour.accent, 2);
  ink.setLineDash([]);
}

// Once another image is chosen that is out of sight, bring it into the middle.
function follow(width, height) {
  if (followed === state.at) return;
  followed = state.at;
  const [px, py] = toScreen(frame(width, height, look), state.points.x[state.at], state.points.y[state.at]);
  if (px < 0 || py < 0 || px > width || py > height) look = moved(look, width / 2 - px, height / 2 - py, width, height);
}

// ---- zoom and move

const sizeNow = () => { const { width, height } = $("map-canvas").getBoundingClientRect(); return [width, height]; };

function zoomBy(factor, px, py) {
  const [width, height] = sizeNow();
  const at = px === undefined ? toScreen(frame(width, height, look), state.points.x[state.at], state.points.y[state.at]) : [px, py];
  look = zoomed(look, factor, width, height, ...at);
  hover(-1);
  draw();
}

function whole() { look = WHOLE; draw(); }

function toggleMoving() {
  isMoving = !isMoving;
  $("map-move").setAttribute("aria-pressed", isMoving);
  $("map-canvas").classList.toggle("moving", isMoving);
}

export const MAP_KEYS = { "+": () => zoomBy(1.6), "=": () => zoomBy(1.6), "-": () => zoomBy(1 / 1.6), 0: whole, v: toggleMoving };

// ---- pointer: hovering shows the picture, a click chooses it, dragging selects what is inside; two fingers zoom and move

function spot(event) {
  const box = $("map-canvas").getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function placeAt(event) {
  if (!state.points) return -1;
  return nearest(state.points.x, state.points.y, frame(...sizeNow(), look), ...spot(event), REACH);
}

function spread() {
  const [a, b] = [...fingers.values()];
  return { far: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
}

function down(event) {
  if (!state.points) return;
  fingers.set(event.pointerId, spot(event));
  $("map-canvas").setPointerCapture(event.pointerId);
  line = null;
  if (event.pointerType !== "mouse") hover(-1);
  drag = fingers.size === 2 ? { two: spread() } : { from: spot(event), pans: isMoving || event.button === 1 };
}

function move(event) {
  if (!fingers.has(event.pointerId)) { if (event.pointerType === "mouse") hover(placeAt(event), spot(event)); return; }
  const before = fingers.get(event.pointerId), now = spot(event);
  fingers.set(event.pointerId, now);
  if (!drag || !state.points) return;
  if (drag.two) {
    if (fingers.size < 2) return;
    const two = spread(), [width, height] = sizeNow();
    look = zoomed(moved(look, two.x - drag.two.x, two.y - drag.two.y, width, height), two.far / Math.max(drag.two.far, 1), width, height, two.x, two.y);
    drag.two = two;
  } else if (drag.pans) {
    look = moved(look, now[0] - before[0], now[1] - before[1], ...sizeNow());
    drag.isFar ||= Math.hypot(now[0] - drag.from[0], now[1] - drag.from[1]) > 5;
  } else if (line || Math.hypot(now[0] - drag.from[0], now[1] - drag.from[1]) > 5) {
    (line ??= [drag.from]).push(now);
  }
  hover(-1);
  draw();
}

function up(event) {
  if (!fingers.delete(event.pointerId) || !drag || !state.points) return;
  const done = drag, drawn = line;
  if (fingers.size) { drag = { two: null, from: spot(event), isFar: true }; return; }
  drag = line = null;
  if (event.type === "pointercancel" || done.two || done.isFar) draw();
  else if (drawn) lasso(drawn, event.shiftKey || event.ctrlKey || event.metaKey);
  else click(event);
}

function lasso(drawn, adds) {
  const found = inside(state.points.x, state.points.y, frame(...sizeNow(), look), drawn);
  mark(() => { if (!adds) state.marks.clear(); state.marks.add(found); });
  if (found.length) choose(found[0]);
  $("grid").focus();
}

function click(event) {
  const place = placeAt(event);
  if (place < 0) return;
  if (event.shiftKey || event.ctrlKey || event.metaKey) mark(() => state.marks.toggle(place));
  choose(place);
  if (event.pointerType !== "mouse") hover(place, spot(event));
  $("grid").focus();
}

// ---- the picture under the pointer

async function hover(place, at = [0, 0]) {
  const card = $("map-card"), { epoch } = state;
  hovered = place;
  if (place < 0) { card.hidden = true; return; }
  if (!state.rows.has(place)) await load(place);
  const row = state.rows.get(place);
  if (hovered !== place || epoch !== state.epoch || !row) return;
  if (card.dataset.record !== row.record_id || card.hidden) {
    card.dataset.record = row.record_id;
    card.replaceChildren(hasPicture(row) ? picture(row, "") : "no picture", make("figcaption", {}, make("b", { className: labelClass(row.label) }, row.label),
      make("small", {}, [row.review ? markOf(row.review) : suggested(row) ? `looks like ${suggested(row)}` : "", nameOf(row)].filter(Boolean).join(" · "))));
  }
  card.hidden = false;
  const [width, height] = sizeNow(), x = at[0] + 16 + card.offsetWidth > width ? at[0] - 16 - card.offsetWidth : at[0] + 16;
  card.style.transform = `translate(${Math.max(4, x)}px,${Math.max(4, Math.min(height - card.offsetHeight - 4, at[1] - 20))}px)`;
}

export function listenToMap() {
  const canvas = $("map-canvas");
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && !fingers.size) hover(-1); });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, up);
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); if (state.points) zoomBy(event.deltaY < 0 ? 1.25 : 0.8, ...spot(event)); }, { passive: false });
  canvas.addEventListener("mousedown", (event) => event.preventDefault());  // the grid keeps the focus, and with it the keys
  for (const [id, act] of [["map-in", MAP_KEYS["+"]], ["map-out", MAP_KEYS["-"]], ["map-whole", whole], ["map-move", toggleMoving]]) $(id).addEventListener("click", () => { if (state.points) act(); });
  new ResizeObserver(() => { if (state.points) draw(); }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (state.points) { describe(); draw(); } });
}
