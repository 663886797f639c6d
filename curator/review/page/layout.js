// Where each tile of the grid is: groups (or one group of all), each on lines of its own. Numbers only; no page.

export const GAP = 10;
export const WORDS = 41;
const HEAD = 34;

// Arrange tiles in a grid `wide` pixels wide; `sizes` counts each group's, null: no groups.
export function arrange(wide, total, sizes) {
  const width = wide - 2 * GAP;
  const least = width < 500 ? 104 : 158;
  const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const side = (width + GAP) / columns - GAP;
  const step = side + WORDS + GAP;
  const head = sizes ? HEAD : GAP / 2;
  const groups = sizes ?? (total ? [total] : []);
  const tops = new Float64Array(groups.length + 1);
  const starts = new Uint32Array(groups.length + 1);
  groups.forEach((size, n) => {
    tops[n + 1] = tops[n] + head + Math.ceil(size / columns) * step;
    starts[n + 1] = starts[n] + size;
  });
  return { columns, side, step, head, tops, starts, sizes: groups, total, height: tops[groups.length] + GAP };
}

export function lastAtMost(sorted, value) {
  let low = 0, high = sorted.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle; else high = middle - 1;
  }
  return Math.max(low, 0);
}

export function spot(layout, index) {
  const { columns, side, step, head, tops, starts } = layout;
  const group = lastAtMost(starts, index);
  const within = index - starts[group];
  const column = within % columns;
  return { group, within, column, x: GAP + column * (side + GAP), y: tops[group] + head + Math.floor(within / columns) * step };
}

// The tiles and groups that a window of the grid shows, and a line more on both sides.
export function visibleRange(layout, scrollTop, height) {
  const { columns, step, head, tops, starts, sizes, total } = layout;
  if (!total) return { first: 0, last: -1, firstGroup: 0, lastGroup: -1 };
  const edge = (y, up) => {
    const group = lastAtMost(tops, y);
    const line = Math.floor((y - tops[group] - head) / step);
    const within = Math.max(0, (up ? line : line + 1) * columns - (up ? 0 : 1));
    return { group, index: Math.min(starts[group] + within, starts[group] + sizes[group] - 1) };
  };
  const from = edge(Math.max(scrollTop - step, 0), true), to = edge(Math.max(scrollTop + height + step, 0), false);
  return { first: from.index, last: to.index, firstGroup: from.group, lastGroup: to.group };
}

// The tile a line below or above; null: there is none.
export function stepLine(layout, at, down) {
  const { columns, starts, sizes } = layout;
  const { group, within, column } = spot(layout, at);
  if (down) {
    if (within + columns < sizes[group]) return at + columns;
    if (Math.floor(within / columns) < Math.floor((sizes[group] - 1) / columns)) return starts[group] + sizes[group] - 1;
    return group + 1 < sizes.length ? starts[group + 1] + Math.min(column, sizes[group + 1] - 1) : null;
  }
  if (within >= columns) return at - columns;
  if (!group) return null;
  const last = sizes[group - 1] - 1;
  return starts[group - 1] + Math.min(last - (last % columns) + column, last);
}
