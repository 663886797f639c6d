// What is shown, as the part of the address behind the #, so that reload, back and a bookmark find it again.

// Write facts as `#view=all&at=12`; what is empty, "any" or 0 is left out.
export function toHash(facts) {
  const said = Object.entries(facts).filter(([, value]) => value && value !== "any" && value !== "all");
  return said.length ? `#${new URLSearchParams(said)}` : "";
}

// Read it again: texts by name, `at` a number.
export function fromHash(hash) {
  const facts = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  const at = Number.parseInt(facts.at ?? "0", 10);
  return { ...facts, view: facts.view || "all", at: Number.isSafeInteger(at) && at > 0 ? at : 0 };
}
