// Shows the groups of duplicates a page at a time.
const { reasons, groups, laid = {} } = data;
const PER_PAGE = 24, PAIR = 2;
const list = document.getElementById("groups"), where = document.getElementById("where");
const previous = document.getElementById("previous"), next = document.getElementById("next");
const choices = [...document.getElementsByName("reason")];
const everything = groups.map((_, place) => place);
let found = everything, page = 0;

// A copy, and on demand how it lies on what is kept.
function copy(one, first) {
  const [differs, matrix] = laid[one[3]] ?? [], laidOver = matrix && overlay(one, first, matrix);
  const made = figure(one, ...(differs ? [differs] : []));
  if (laidOver) {
    const aligned = make("details", { className: "laid" }, make("summary", {}, "aligned"));
    aligned.ontoggle = () => { if (aligned.open) aligned.append(laidOver); };
    made.lastChild.append(aligned);
  }
  return made;
}

function section(place) {
  const images = groups[place], shown = images.slice(0, PAIR);
  const names = [...new Set(images.map((one) => labels[one[1]]))].sort().join(" and ");
  const title = make("h2", {}, `${place + 1}`, make("small", {}, ` ${images.length} images of `, make("bdi", {}, names)));
  const copies = make("div", { className: "copies" }, ...shown.map((one) => copy(one, images[0])));
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
    copies.append(...images.slice(start, start + PER_PAGE).map((one) => copy(one, images[0])));
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
