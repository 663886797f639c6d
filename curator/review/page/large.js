// The large picture: zoom and pan, walk with the arrows or a swipe, decide in place.

import { decide } from "./decide.js";
import { openDrop } from "./dialogs.js";
import { $, say } from "./dom.js";
import { step } from "./grid.js";
import { showPicture } from "./panel.js";
import { current, hasPicture, markOf, verdictOf } from "./state.js";

const MOST = 8, SWIPE_PX = 60;
const view = { scale: 1, x: 0, y: 0 };

export function openLarge() {
  const row = current();
  if (!row) return undefined;
  if (!hasPicture(row)) return say("It has no picture");
  fill();
  $("zoom").append($("toast"), $("trouble"));  // what is outside an open dialog is behind it, and cannot be clicked
  $("zoom").showModal();
  $("zoom").focus();  // or Enter would press its first button
  return undefined;
}

export function fillLarge() { if ($("zoom").open) fill(); }

function fill() {
  const row = current(), frame = $("large").parentElement;
  if (!row) { $("large").removeAttribute("src"); frame.dataset.state = "loading"; return; }
  frame.style.setProperty("--ratio", hasPicture(row) ? row.width / row.height : 1);
  frame.style.setProperty("--side", `${row.width ?? 0}px`);
  reset();
  showPicture($("large"), row);
  $("caption").textContent = [row.label, verdictOf(row), row.review && markOf(row.review)].filter(Boolean).join(" · ");
}

// ---- zoom and pan

function reset() { Object.assign(view, { scale: 1, x: 0, y: 0 }); apply(); }

function apply() {
  const frame = $("large").parentElement, slack = (view.scale - 1) / 2;
  view.x = Math.max(-frame.clientWidth * slack, Math.min(frame.clientWidth * slack, view.x));
  view.y = Math.max(-frame.clientHeight * slack, Math.min(frame.clientHeight * slack, view.y));
  $("large").style.transform = view.scale === 1 ? "" : `translate(${view.x}px,${view.y}px) scale(${view.scale})`;
  frame.classList.toggle("zoomed", view.scale > 1);
}

// Zoom by a factor around a point of the window: what is under it stays.
export function zoomBy(factor, point = null) {
  const box = $("large").parentElement.getBoundingClientRect();
  const [px, py] = point ? [point.clientX - box.left - box.width / 2, point.clientY - box.top - box.height / 2] : [0, 0];
  const scale = Math.max(1, Math.min(MOST, view.scale * factor)), by = scale / view.scale;
  Object.assign(view, { scale, x: px - (px - view.x) * by, y: py - (py - view.y) * by });
  apply();
}

// ---- fingers and mouse: drag pans what is zoomed, else a swipe walks, keeps (up) or drops (down); two fingers zoom

const fingers = new Map();
let began = null, spread = 0, moved = false;

function distance() {
  const [a, b] = [...fingers.values()];
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
}

function down(event) {
  if (event.target.closest("button")) return;
  fingers.set(event.pointerId, event);
  if (fingers.size === 2) spread = distance();
  began = { x: event.clientX, y: event.clientY, fromX: view.x, fromY: view.y };
  moved = false;
  $("large").parentElement.setPointerCapture(event.pointerId);
}

function move(event) {
  if (!fingers.has(event.pointerId)) return;
  fingers.set(event.pointerId, event);
  if (fingers.size === 2) {
    const now = distance(), [a, b] = [...fingers.values()];
    zoomBy(now / spread, { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
    spread = now;
    moved = true;
    began = null;
  } else if (began) {
    const dx = event.clientX - began.x, dy = event.clientY - began.y;
    moved ||= Math.hypot(dx, dy) > 6;
    if (view.scale > 1) { Object.assign(view, { x: began.fromX + dx, y: began.fromY + dy }); apply(); }
  }
}

function up(event) {
  if (!fingers.delete(event.pointerId) || fingers.size || !began) return;
  const dx = event.clientX - began.x, dy = event.clientY - began.y;
  began = null;
  if (view.scale > 1 || event.type === "pointercancel" || event.pointerType === "mouse") return;
  if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > 1.5 * Math.abs(dy)) step(dx < 0 ? 1 : -1);
  else if (dy < -SWIPE_PX && Math.abs(dy) > 1.5 * Math.abs(dx)) decide("keep");
  else if (dy > SWIPE_PX && Math.abs(dy) > 1.5 * Math.abs(dx)) openDrop();
}

export function listenToLarge() {
  const frame = $("large").parentElement;
  frame.addEventListener("pointerdown", down);
  frame.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, up);
  frame.addEventListener("wheel", (event) => { event.preventDefault(); zoomBy(event.deltaY < 0 ? 1.25 : 0.8, event); }, { passive: false });
  $("zoom-open").addEventListener("click", openLarge);
  $("zoom").addEventListener("click", (event) => {
    if (moved || view.scale > 1) { moved = false; return; }
    if (!event.target.closest("button, #trouble")) $("zoom").close();
  });
  $("zoom").addEventListener("close", () => { reset(); document.body.append($("toast"), $("trouble")); });
  document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => zoomBy(Number(button.dataset.zoom))));
  document.querySelectorAll("[data-step]").forEach((button) => button.addEventListener("click", () => step(Number(button.dataset.step))));
}

export const ZOOM_KEYS = { "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: reset };
