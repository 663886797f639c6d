// What is wrong with a page as it is laid out; contrast as https://www.w3.org/TR/WCAG22/#contrast-minimum wants it.
() => {
  const troubles = [], seen = (one) => one.checkVisibility() && one.getClientRects().length;
  if (document.documentElement.scrollWidth > innerWidth) troubles.push("wider than the window");
  for (const svg of document.querySelectorAll("svg")) {
    const texts = [...svg.querySelectorAll("text")].map((one) => [one.textContent, one.getBoundingClientRect()]);
    texts.forEach(([text, a], place) => texts.slice(place + 1).forEach(([other, b]) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      if (across > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2) troubles.push(`${text} on ${other}`);
    }));
  }
  const ids = [...document.querySelectorAll("nav a")].map((one) => one.hash.slice(1));
  if (!ids.length || !ids.every((id) => document.getElementById(id))) troubles.push("a link of the contents is dead");
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(seen).map((one) => Number(one.tagName[1]));
  levels.forEach((level, place) => { if (level > (levels[place - 1] ?? 0) + 1) troubles.push(`h${level} out of order`); });
  for (const image of document.images) if (!image.alt) troubles.push("an image without words");
  for (const figure of document.querySelectorAll(".plot")) if (!figure.ariaLabel) troubles.push("a chart without words");

  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) known.set(colour, measure(colour));
    return known.get(colour);
  };
  const measure = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const ground = (one) => {
    if (!one) return [255, 255, 255];
    const [red, green, blue, alpha] = rgba(getComputedStyle(one).backgroundColor);
    const below = alpha < 1 ? ground(one.parentElement) : [0, 0, 0];
    return [red, green, blue].map((value, place) => value * alpha + below[place] * (1 - alpha));
  };
  const light = (colour) => {
    const [red, green, blue] = colour.map((value) => value / 255 <= 0.04045 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const one = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !seen(one) || one.closest("script, style")) continue;
    const style = getComputedStyle(one), colour = one.closest("svg") ? style.fill : style.color;
    const pair = [light(rgba(colour).slice(0, 3)), light(ground(one.closest("svg")?.parentElement ?? one))].sort((a, b) => a - b);
    const contrast = (pair[1] + 0.05) / (pair[0] + 0.05);
    if (contrast < 4.5) troubles.push(`${contrast.toFixed(1)}:1 for ${words.currentNode.data.trim().slice(0, 40)}`);
  }
  return [...new Set(troubles)];
}
