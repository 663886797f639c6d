// Shows each pair of a story: side by side, and laid over each other if it is known how.
function section({ title, images, below, matrix }) {
  for (const one of images) one[4] = data.pictures[one[4]];
  const copies = make("div", { className: "copies" }, ...images.map((one) => figure(one)));
  const laid = matrix && overlay(images[1 - below], images[below], matrix);
  if (laid) copies.append(make("figure", { className: "picture laid" }, laid, make("figcaption", {}, "laid over each other")));
  return make("section", { className: "group card" }, make("h2", {}, title), copies);
}

data.stories.forEach((pairs, place) => document.getElementById(`pairs${place}`).append(...pairs.map(section)));
