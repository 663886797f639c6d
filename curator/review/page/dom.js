// The few things that every part of the page does with elements.

export const $ = (id) => document.getElementById(id);
export const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// A command, broken over lines between words only.
export const words = (text) => text.split(" ").flatMap((word, n) => [n ? " " : "", make("span", { className: "word" }, word)]);

// A text whose commands are in backquotes.
export const prose = (text) => text.split("`").map((piece, n) => (n % 2 ? make("code", {}, ...words(piece)) : piece));

function flash(element, text, ms) {
  element.textContent = text;
  element.classList.add("shown");
  clearTimeout(element.timer);
  element.timer = setTimeout(() => { element.classList.remove("shown"); }, ms);
}
export const say = (text) => flash($("toast"), text, 2500);

let again = null;

// A decision that was not saved stays told, with a button to try again, until it is saved or the person closes it.
export function complain(text, tryAgain = null) {
  const box = $("trouble");
  if (again && !tryAgain) return;
  clearTimeout(box.timer);
  box.firstElementChild.textContent = text;
  box.classList.add("shown");
  again = tryAgain;
  $("again").hidden = !again;
  if (!again) box.timer = setTimeout(calm, 9000);
}

export function calm() {
  clearTimeout($("trouble").timer);
  $("trouble").classList.remove("shown");
  again = null;
}

export function listenToTrouble() {
  $("again").addEventListener("click", () => { const act = again; $("grid").focus(); calm(); act(); });
  $("dismiss").addEventListener("click", () => { $("grid").focus(); calm(); });
}
