// A dialog asks about one image, or those selected, whatever the grid shows meanwhile; nothing in it is chosen beforehand.

import { decide, decideMarked } from "./decide.js";
import { $, count, make } from "./dom.js";
import { current, here, state } from "./state.js";

export const MOST_NUMBERED = 9;
const REASONS = ["wrong label", "not a photograph", "unusable: blurred, dark or cut", "text, logo or watermark", "duplicate", "private or sensitive"];

function ask(dialog, title) {
  state.asked = state.marks.size ? null : current();
  if (!state.marks.size && !state.asked?.sha256) return false;
  const n = state.marks.size;
  $(`${dialog}-title`).textContent = n ? `${title} (${count(n, "image")})` : title;
  return true;
}

const answer = (decision, more) => (state.asked ? decide(decision, more, here(state.asked)) : decideMarked(decision, more));

export function openDrop() {
  if (!ask("drop", "Drop: why?")) return;
  $("drop-reason").value = "";
  allowDrop();
  $("drop-dialog").showModal();
}

const typedReason = () => $("drop-reason").value.trim();
function allowDrop() { $("drop-dialog").querySelector("[type=submit]").disabled = !typedReason(); }

function drop(reason) { $("drop-dialog").close(); answer("drop", { reason }); }

export function openRelabel() {
  if (!ask("relabel", "What is it?")) return;
  $("label-text").value = "";
  fillLabels();
  $("relabel-dialog").showModal();
}

function fillLabels() {
  const others = state.about.labels.filter((label) => label !== state.asked?.listed_label);
  const text = $("label-text").value.trim().toLowerCase();
  const labels = others.filter((label) => label.toLowerCase().includes(text));
  $("label-text").parentElement.hidden = others.length <= MOST_NUMBERED;
  $("labels").replaceChildren(...labels.map((label, n) => choice(n, label, () => relabel(label))));
}

function relabel(label) { $("relabel-dialog").close(); answer("relabel", { new_label: label }); }

function choice(n, text, act) {
  const number = n < MOST_NUMBERED ? [make("kbd", {}, String(n + 1))] : [];
  const button = make("button", { type: "button" }, ...number, make("span", {}, text));
  button.addEventListener("click", act);
  return button;
}

export function onDialogKey(event, dialog, key) {
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

export function listenToDialogs() {
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
}
