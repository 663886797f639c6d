// The images that are selected, by their places; numbers only.

export class Marks {
  #places = new Set();
  #anchor = null;

  get size() { return this.#places.size; }
  has(place) { return this.#places.has(place); }
  clear() { this.#places.clear(); this.#anchor = null; }

  toggle(place) {
    if (!this.#places.delete(place)) this.#places.add(place);
    this.#anchor = place;
  }

  // Select from where the last one was selected, else from `at`, to a place: what was selected before stays.
  extend(at, to) {
    this.#anchor ??= at;
    for (let place = Math.min(this.#anchor, to); place <= Math.max(this.#anchor, to); place++) this.#places.add(place);
  }

  add(places) { for (const place of places) { this.#places.add(place); this.#anchor = place; } }

  all(total) { for (let place = 0; place < total; place++) this.#places.add(place); }

  // Pairs of a first and a last place, as the server takes them.
  ranges() {
    const found = [];
    for (const place of [...this.#places].sort((a, b) => a - b)) {
      if (found.length && found.at(-1)[1] === place - 1) found.at(-1)[1] = place; else found.push([place, place]);
    }
    return found;
  }
}
