// The review page: one virtual grid, one panel, a few dialogs. The server holds the catalog; this shows a window of it.

import { giveLabel } from "./decide.js";
import { listenToDialogs } from "./dialogs.js";
import { $, listenToTrouble, make, say, words } from "./dom.js";
import { choose, draw, lookForNews, readAddress, relayout, select, show, filters } from "./grid.js";
import { TAKEN, listenToActs, mark, markAll } from "./keys.js";
import { labelKeys } from "./label_keys.js";
import { listenToLarge, openLarge } from "./large.js";
import { listenToLike, onSort } from "./like.js";
import { listenToMap } from "./map.js";
import { listenToPairs, openPairs } from "./pairs.js";
import { report, request } from "./server.js";
import { state } from "./state.js";

globalThis.review = { state, choose };  // for the console

function fillFilters() {
  for (const [name, values] of Object.entries(state.about.facets)) {
    const control = $("filters").elements[name];
    control.replaceChildren(make("option", { value: "" }, "Any"), ...values.map(({ value, n }) => make("option", { value }, `${value} (${n.toLocaleString("en")})`)));
    control.closest("label").hidden = values.length < 2;
  }
  $("sort").append(...state.about.sorts.map(({ name, title }) => make("option", { value: name }, title)));
}

function fillViews() {
  $("views").replaceChildren(...state.about.views.map(({ name, title, n }, place) => {
    const button = make("button", { type: "button", value: name }, make("span", {}, title), make("span", {}, n.toLocaleString("en")));
    button.setAttribute("aria-keyshortcuts", place + 1);
    button.addEventListener("click", () => show(name));
    return button;
  }));
}

function fillLabelKeys() {
  state.labelKeys = labelKeys(state.about.labels, TAKEN);
  $("label-keys").replaceChildren(...[...state.labelKeys].map(([label, key]) => {
    const button = make("button", { type: "button" }, make("kbd", {}, key.toUpperCase()), make("span", {}, label));
    button.setAttribute("aria-keyshortcuts", key);
    button.addEventListener("click", (event) => { if (event.detail) $("grid").focus(); if (state.busy.size) say("Still saving …"); else giveLabel(label); });
    return button;
  }));
}

function onTile(event) {
  const tile = event.target.closest(".tile");
  if (!tile) return;
  const before = state.at;
  if (event.shiftKey) mark(() => state.marks.extend(before, tile.index));
  else if (event.ctrlKey || event.metaKey || event.target.closest(".check")) mark(() => state.marks.toggle(tile.index));
  choose(tile.index, { scroll: false });
  $("grid").focus();
}

function listen() {
  let typing = 0;
  $("text").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(select, 200); });
  $("sort").addEventListener("change", onSort);
  $("filters").addEventListener("change", () => select());
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); select(); });
  $("filters").addEventListener("reset", () => { $("text").value = ""; setTimeout(select); });
  $("grid").addEventListener("scroll", draw, { passive: true });
  $("canvas").addEventListener("click", onTile);
  $("canvas").addEventListener("dblclick", (event) => { if (event.target.closest(".tile")) (state.sizes ? openPairs : openLarge)(); });
  $("mark-all").addEventListener("click", markAll);
  $("mark-none").addEventListener("click", () => { mark(() => state.marks.clear()); $("grid").focus(); });
  for (const image of [$("preview"), $("large")]) {
    image.addEventListener("load", () => { image.parentElement.dataset.state = ""; });
    image.addEventListener("error", () => { image.parentElement.dataset.state = "missing"; });
  }
  $("open-help").addEventListener("click", () => $("help").showModal());
  for (const start of [listenToTrouble, listenToDialogs, listenToActs, listenToLarge, listenToPairs, listenToLike, listenToMap]) start();
  document.addEventListener("visibilitychange", lookForNews);
  window.addEventListener("focus", lookForNews);
  window.addEventListener("popstate", () => select({ at: readAddress(), remember: false }));
  setInterval(lookForNews, 5000);
  new ResizeObserver(() => { if (state.layout) { relayout(); draw(); } }).observe($("grid"));
  if (matchMedia("(max-width: 46rem)").matches) $("filter-box").open = false;
}

async function begin() {
  listen();
  const isPlain = !location.hash;
  const about = request("about"), first = isPlain ? request("select", filters()).catch(() => null) : null;
  try { state.about = await about; } catch (error) { report(error); return; }
  $("name").textContent = state.about.name;
  document.querySelectorAll("[data-command]").forEach((code) => { code.replaceChildren(...words(state.about.commands[code.dataset.command])); });
  document.title = `${state.about.name} · review`;
  fillFilters();
  fillViews();
  fillLabelKeys();
  state.hasSuspects = state.about.views.some((view) => view.name === "suspects" && view.n);
  const opensThere = isPlain && state.hasSuspects;
  if (opensThere) state.view = "suspects";
  await select({ found: opensThere ? null : await first, at: isPlain ? 0 : readAddress(), remember: false });
  $("grid").focus();
}

begin();
