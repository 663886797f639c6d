// The map without a page: from the unit square to the screen and back, what is near, what is inside, how labels look.

export const SHAPES = ["circle", "square", "triangle", "diamond", "cross"];
export const shapeOf = (label) => SHAPES[Math.max(label, 0) % SHAPES.length];
const MOST_ZOOM = 40, EDGE = 18;

// Where the unit square lies in a window of the page; `look` is { zoom, x, y }: how often, and the point in the middle.
export function frame(width, height, look) {
  const side = Math.max(1, Math.min(width, height) - 2 * EDGE) * look.zoom;
  return { side, left: width / 2 - look.x * side, top: height / 2 - look.y * side };
}

export const toScreen = (box, x, y) => [box.left + x * box.side, box.top + y * box.side];

// Zoom by a factor, so that what is under a point of the window stays there.
export function zoomed(look, factor, width, height, px = width / 2, py = height / 2) {
  const zoom = Math.max(1, Math.min(MOST_ZOOM, look.zoom * factor));
  const before = frame(width, height, look), side = before.side * zoom / look.zoom;
  const at = [(px - before.left) / before.side, (py - before.top) / before.side];
  return bounded({ zoom, x: at[0] + (width / 2 - px) / side, y: at[1] + (height / 2 - py) / side });
}

export function moved(look, dx, dy, width, height) {
  const { side } = frame(width, height, look);
  return bounded({ ...look, x: look.x - dx / side, y: look.y - dy / side });
}

// Never further than that a part of the map is in the middle; the whole map is not moved at all.
function bounded({ zoom, x, y }) {
  const slack = zoom > 1 ? 0.5 : 0, within = (value) => Math.max(0.5 - slack, Math.min(0.5 + slack, value));
  return { zoom, x: within(x), y: within(y) };
}

// The place of the point nearest to a point of the screen, at most `reach` pixels away; -1: none.
export function nearest(xs, ys, box, px, py, reach) {
  let found = -1, least = reach * reach;
  for (let place = 0; place < xs.length; place++) {
    const dx = box.left + xs[place] * box.side - px, dy = box.top + ys[place] * box.side - py, far = dx * dx + dy * dy;
    if (far <= least) { least = far; found = place; }
  }
  return found;
}

// The places of the points inside a line that was drawn around them, by how often a ray crosses it.
export function inside(xs, ys, box, line) {
  const found = [];
  for (let place = 0; place < xs.length; place++) {
    const x = box.left + xs[place] * box.side, y = box.top + ys[place] * box.side;
    let within = false;
    for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
      const [ax, ay] = line[a], [bx, by] = line[b];
      if ((ay > y) !== (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax) within = !within;
    }
    if (within) found.push(place);
  }
  return found;
}

// Add a label's shape to a path, about as large as a circle of radius r.
export function trace(path, shape, x, y, r) {
  if (shape === "circle") { path.moveTo(x + r, y); path.arc(x, y, r, 0, 2 * Math.PI); return; }
  if (shape === "square") { path.rect(x - 0.89 * r, y - 0.89 * r, 1.78 * r, 1.78 * r); return; }
  const w = r / 2.4, corners = {
    triangle: [[0, -1.3 * r], [1.2 * r, 0.85 * r], [-1.2 * r, 0.85 * r]],
    diamond: [[0, -1.35 * r], [1.35 * r, 0], [0, 1.35 * r], [-1.35 * r, 0]],
    cross: [[-w, -1.2 * r], [w, -1.2 * r], [w, -w], [1.2 * r, -w], [1.2 * r, w], [w, w], [w, 1.2 * r], [-w, 1.2 * r], [-w, w], [-1.2 * r, w], [-1.2 * r, -w], [-w, -w]],
  }[shape];
  corners.forEach(([dx, dy], n) => (n ? path.lineTo(x + dx, y + dy) : path.moveTo(x + dx, y + dy)));
  path.closePath();
}
