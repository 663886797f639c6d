"use strict";
// What the pages of pairs share: an image with its caption, and one laid over another; every text is set as text, so
// that none becomes markup. An image is its fate, the place of its label, its size, its id, its picture and its page.
const data = JSON.parse(document.getElementById("data").textContent), { labels } = data;

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

function figure([fate, label, size, id, source, goal], ...notes) {
  const alt = `${labels[label]}: ${id}`;
  let shown = source ? make("img", { src: source, alt, loading: "lazy", decoding: "async" }) : make("p", {}, "no picture");
  if (source && goal) shown = make("a", { href: goal, rel: "noopener noreferrer nofollow", target: "_blank" }, shown);
  const [reason, ...how] = [...fate.split(", "), ...notes];
  const about = make("small", {}, make("bdi", {}, labels[label]), ` · ${size}`, make("br"), make("code", {}, id));
  const caption = make("figcaption", {}, make("b", {}, reason), how.map((one) => `, ${one}`).join(""), about);
  return make("figure", { className: reason === "kept" ? "picture kept" : "picture" }, shown, caption);
}

// An image laid over another one, half of each to be seen, and its edge outlined; nothing if either has no picture. The
// six numbers take its places to those of the other, in shares of the sides.
function overlay([, , , id, source], [, , size, other, below], [a, b, c, d, e, f]) {
  if (!source || !below || !/^\d+ x \d+$/.test(size)) return null;
  const [width, height] = size.split(" x ").map(Number);
  const tall = 100 * height / width, whole = { preserveAspectRatio: "none" };
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) => `${100 * (a * x + b * y + c)},${tall * (d * x + e * y + f)}`);
  const matrix = `matrix(${[100 * a, tall * d, 100 * b, tall * e, 100 * c, tall * f].join(" ")})`;
  return draw("svg", { viewBox: `0 0 100 ${tall}`, role: "img", "aria-label": `${id} laid over ${other}` },
    draw("image", { ...whole, href: below, width: 100, height: tall }),
    draw("image", { ...whole, href: source, width: 1, height: 1, transform: matrix, opacity: .5 }),
    draw("polygon", { points: corners.join(" ") }));
}
