"use strict";
// Shows the groups of duplicates a page at a time; every text is set as text, so that none becomes markup.
const { labels, reasons, groups, laid = {} } = JSON.parse(document.getElementById("data").textContent);
const PER_PAGE = 24, PAIR = 2;
const list = document.getElementById("groups"), where = document.getElementById("where");
const previous = document.getElementById("previous"), next = document.getElementById("next");
const choices = [...document.getElementsByName("reason")];
const everything = groups.map((_, place) => place);
let found = everything, page = 0;

function make(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function draw(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The copy laid over what is kept, half of each to be seen, and its edge outlined.
function overlay(id, source, [, , size, , kept]) {
  const [a, b, c, d, e, f] = laid[id][1], [width, height] = size.split(" x ").map(Number);
  const tall = 100 * height / width, whole = { preserveAspectRatio: "none" };
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) => `${100 * (a * x + b * y + c)},${tall * (d * x + e * y + f)}`);
  const matrix = `matrix(${[100 * a, tall * d, 100 * b, tall * e, 100 * c, tall * f].join(" ")})`;
  const below = draw("image", { ...whole, href: kept, width: 100, height: tall });
  const above = draw("image", { ...whole, href: source, width: 1, height: 1, transform: matrix, opacity: .5 });
  const drawn = draw("svg", { viewBox: `0 0 100 ${tall}`, role: "img", "aria-label": `${id} laid over what is kept` },
    below, above, draw("polygon", { points: corners.join(" ") }));
  const made = make("details", { className: "laid" }, make("summary", {}, "aligned"));
  made.ontoggle = () => { if (made.open && made.children.length === 1) made.append(drawn); };
  return made;
}

function figure([fate, label, size, id, source, goal], first) {
  const alt = `${labels[label]}: ${id}`;
  let shown = source ? make("img", { src: source, alt, loading: "lazy", decoding: "async" }) : make("p", {}, "no picture");
  if (source && goal) shown = make("a", { href: goal, rel: "noopener noreferrer nofollow", target: "_blank" }, shown);
  const [reason, ...how] = fate.split(", ");
  const about = make("small", {}, make("bdi", {}, labels[label]), ` · ${size}`, make("br"), make("code", {}, id));
  if (laid[id]?.[0]) how.push(laid[id][0]);
  const caption = make("figcaption", {}, make("b", {}, reason), how.map((one) => `, ${one}`).join(""), about);
  if (laid[id] && source && first[4] && /^\d+ x \d+$/.test(first[2])) caption.append(overlay(id, source, first));
  return make("figure", { className: reason === "kept" ? "picture kept" : "picture" }, shown, caption);
}

function section(place) {
  const images = groups[place], shown = images.slice(0, PAIR);
  const names = [...new Set(images.map((one) => labels[one[1]]))].sort().join(" and ");
  const title = make("h2", {}, `${place + 1}`, make("small", {}, ` ${images.length} images of `, make("bdi", {}, names)));
  const copies = make("div", { className: "copies" }, ...shown.map((one) => figure(one, images[0])));
  const made = make("section", { className: "group card", tabIndex: -1 }, title, copies);
  if (images.length > shown.length) made.append(moreButton(images, copies, shown.length));
  return made;
}

function moreButton(images, copies, start) {
  const button = make("button", { type: "button" });
  const label = () => {
    const rest = images.length - start;
    button.textContent = rest > PER_PAGE ? `Show ${PER_PAGE} of ${rest.toLocaleString("en")} more` : `Show ${rest} more`;
  };
  button.onclick = () => {
    copies.parentElement.classList.add("open");
    copies.append(...images.slice(start, start + PER_PAGE).map((one) => figure(one, images[0])));
    start += PER_PAGE;
    if (start < images.length) label(); else button.remove();
  };
  label();
  return button;
}

function show() {
  const last = Math.max(0, Math.ceil(found.length / PER_PAGE) - 1);
  page = Math.min(Math.max(page, 0), last);
  const start = page * PER_PAGE, end = Math.min(start + PER_PAGE, found.length);
  list.replaceChildren(...found.slice(start, end).map(section));
  where.textContent = `Groups ${(start + 1).toLocaleString("en")} to ${end.toLocaleString("en")} of ${found.length.toLocaleString("en")}`;
  previous.disabled = page === 0;
  next.disabled = page === last;
  const reason = choices.find((one) => one.checked).value;
  history.replaceState(null, "", `#${new URLSearchParams({ reason, page: page + 1 })}`);
}

function turn(step) {
  const before = page;
  page += step;
  show();
  if (page !== before) list.scrollIntoView();
}

function choose(reason, to) {
  found = reasons[reason] ?? everything;
  page = to;
  show();
}

function move(step) {
  const sections = [...list.children], at = sections.indexOf(document.activeElement.closest(".group"));
  sections[Math.min(Math.max(at + step, 0), sections.length - 1)].focus();
}

previous.onclick = () => turn(-1);
next.onclick = () => turn(1);
for (const one of choices) one.onchange = () => choose(one.value, 0);
const keys = { ArrowRight: () => turn(1), ArrowLeft: () => turn(-1), j: () => move(1), k: () => move(-1) };
document.addEventListener("keydown", (event) => {
  const isChoice = event.target.matches("input") && event.key.startsWith("Arrow");
  if (event.ctrlKey || event.metaKey || event.altKey || isChoice || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

function start() {
  const wanted = new URLSearchParams(location.hash.slice(1)), reason = wanted.get("reason") ?? "";
  const choice = choices.find((one) => one.value === reason) ?? choices[0];
  choice.checked = true;
  choose(choice.value, (Number.parseInt(wanted.get("page"), 10) || 1) - 1);
}
addEventListener("hashchange", start);
start();
