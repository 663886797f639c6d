// The panel: what is known of the chosen image.

import { $, make, words } from "./dom.js";
import { picture } from "./grid.js";
import { request } from "./server.js";
import { current, hasPicture, howFar, labelClass, markOf, nameOf, state, suggested, turned, verdictOf } from "./state.js";

export function showPanel() {
  const row = state.total ? current() : null;
  const isMany = state.marks.size > 0;
  document.querySelectorAll(".actions [data-act]").forEach((button) => {
    if (["keep", "drop", "relabel"].includes(button.dataset.act)) button.disabled = !row?.sha256 && !isMany;
  });
  document.querySelectorAll("#label-keys button").forEach((button) => {
    button.disabled = !row?.sha256 && !isMany;
    button.classList.toggle("suggested", !isMany && button.lastChild.textContent === suggested(row));
  });
  $("panel").classList.toggle("blank", !row);
  for (const id of ["title", "verdict", "review-line", "facts", "why"]) $(id).replaceChildren();
  $("other").hidden = true;
  if (!row) { $("preview").removeAttribute("src"); $("preview").alt = ""; return; }
  requestAnimationFrame(() => { if (current() === row) showPicture($("preview"), row); });  // after the grid's requests
  $("title").append(nameOf(row));
  $("verdict").append(make("b", { className: labelClass(row.label) }, row.label), ` · ${verdictOf(row)}`);
  showReview(row);
  showFacts(row);
  $("why").replaceChildren(...words(row.why));
  if (row.duplicate_of) showOther(row);
}

export function showPicture(image, row) {
  const source = hasPicture(row) ? `pictures/${row.sha256}.${row.format}` : "";
  const frame = image.parentElement;
  image.alt = source ? `${row.label}: ${row.title ?? row.record_id}` : "no picture";
  if ((image.getAttribute("src") ?? "") === source && frame.dataset.state !== "missing") return;
  frame.dataset.state = source ? "loading" : "missing";  // never the picture of another image beside this one's facts
  if (source) image.src = source; else image.removeAttribute("src");
}

function showReview(row) {
  const line = $("review-line"), { review } = row;
  line.className = review ? `${review.decision}-mark` : "";
  if (review) line.append(make("b", {}, markOf(review)), ` by ${review.who}, ${review.when.slice(0, 10)}${review.reason ? `: ${review.reason}` : ""}`);
}

function showFacts(row) {
  const facts = {
    Size: row.width && `${row.width} × ${row.height} px, ${row.format}, ${Math.ceil((row.n_bytes ?? 0) / 1024).toLocaleString("en")} KB`,
    Source: [row.source, row.source_class].filter(Boolean).join(" · "),
    Author: row.author, Licence: row.license, Host: row.host,
    "Listed as": row.relabelled_from, Models: suggested(row) && `say ${suggested(row)}, ${(100 * row.confidence).toFixed(0)}% sure`,
    Evidence: row.evidence,
  };
  for (const [name, value] of Object.entries(facts)) if (value) $("facts").append(make("dt", {}, name), make("dd", {}, value));
  const address = [row.landing_url, row.url].find((url) => /^https?:/.test(url ?? ""));
  if (address) $("facts").append(make("dt", {}, "Page"), make("dd", {}, make("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, address)));
}

async function showOther(row) {
  let other;
  try { other = await request(`row/${encodeURIComponent(row.duplicate_of)}`); } catch { return; }
  if (current() !== row) return;
  const fate = other.drop_reason ? `dropped as ${other.drop_reason}` : "kept";
  $("other").replaceChildren(hasPicture(other) ? picture(other, "the other image") : make("span", {}, "no picture"),
    make("div", {}, make("b", { className: labelClass(other.label) }, other.label), `, ${fate}`, make("br"),
      [howFar(row), turned(row)].filter(Boolean).join(", "), make("br"), make("small", {}, other.width ? `${other.width} × ${other.height} px` : "")));
  $("other").hidden = false;
}
