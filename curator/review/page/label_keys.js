// One key for each label: a letter of its own if one is free, else another.

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

// Return label to key, in the order of the labels; labels beyond the free letters have none.
export function labelKeys(labels, taken) {
  const free = new Set([...LETTERS].filter((letter) => !taken.includes(letter)));
  const keys = new Map();
  for (const label of labels) {
    const own = [...label.toLowerCase()].find((letter) => free.has(letter));
    const key = own ?? [...free][0];
    if (!key) break;
    free.delete(key);
    keys.set(label, key);
  }
  return keys;
}
