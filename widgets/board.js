/* The ScenarioBoard's drawing: outcome bars with their spread, and a frontier to walk along.
 * Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); depends on nothing and fetches nothing. */
const SVG = "http://www.w3.org/2000/svg", LINE = "#0072B2", CHOSEN = "#B84300", BEST = "#00694A", INK = "#33404d";
const STYLE = `
.genai4eu-board { font: inherit; color: #1b2733; background: #fff; line-height: 1.5; min-width: 0; width: 100%; box-sizing: border-box; padding: 4px 8px; }
.genai4eu-board .title { margin: 0 0 8px; font-weight: 600; max-width: 68ch; }
.genai4eu-board .bars { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(150px, 100%), 1fr)); gap: 8px 24px; margin: 0 0 8px; }
.genai4eu-board .bars > div { min-width: 0; }
.genai4eu-board .told { margin: 0; font-variant-numeric: tabular-nums; }
.genai4eu-board .told strong { font-size: 1.15em; color: ${CHOSEN}; }
.genai4eu-board .spread { white-space: nowrap; }
.genai4eu-board svg { display: block; width: 100%; overflow: visible; }
.genai4eu-board .frontier { margin: 0 0 4px; }
.genai4eu-board .frontier:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
.genai4eu-board text { font: 14px/1 inherit; font-family: inherit; fill: ${INK}; }
.genai4eu-board .dot { cursor: pointer; }
.genai4eu-board small { display: block; font-size: 0.88em; color: #4a5764; max-width: 68ch; }
`;

function html(tag, attributes, parent, text) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

function make(tag, attributes, parent, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

/* Round numbers that divide a range in some five parts. */
export function ticks(low, high) {
  const rough = (high - low) / 5 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough);
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step / 1e6; v += step) out.push(Number(v.toPrecision(6)));
  return out;
}

function drawBars(bars, parent) {
  parent.replaceChildren();
  for (const bar of bars) {
    const group = html("div", {}, parent);
    html("div", {}, group, bar.label);
    const told = html("div", { class: "told" }, group);
    html("strong", {}, told, bar.text);
    if (bar.spread) { told.append(" "); html("span", { class: "spread" }, told, `(${bar.spread})`); }
    const svg = make("svg", { height: 20, "aria-hidden": "true" }, told), share = (v) => `${(100 * (v - bar.from)) / (bar.to - bar.from)}%`;
    const width = (a, b) => `${(100 * Math.abs(b - a)) / (bar.to - bar.from)}%`;
    make("rect", { x: 0, y: 3, width: "100%", height: 14, fill: "#e8edf1" }, svg);
    make("rect", { x: share(Math.min(0, bar.value)), y: 3, width: width(0, bar.value), height: 14, fill: "#E0874A" }, svg);
    make("line", { x1: share(0), x2: share(0), y1: 0, y2: 20, stroke: INK }, svg);
    if (bar.low < bar.high) {
      make("line", { x1: share(bar.low), x2: share(bar.high), y1: 10, y2: 10, stroke: "#1b2733", "stroke-width": 2 }, svg);
      for (const end of [bar.low, bar.high]) make("line", { x1: share(end), x2: share(end), y1: 5, y2: 15, stroke: "#1b2733", "stroke-width": 2 }, svg);
    }
  }
}

function drawFrontier(state, svg, pick) {
  const { points, chosen, best, axes } = state, width = Math.max(svg.clientWidth, 240), height = Math.min(340, Math.max(240, 0.6 * width));
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`); // one unit a pixel: words stay readable on a phone
  svg.style.height = `${height}px`;
  const right = Math.max(...points.map((p) => p.x), 1), top = Math.max(...points.map((p) => p.high)) * 1.05 || 1;
  const left = Math.min(0, ...points.map((p) => p.x)), bottom = Math.min(0, ...points.map((p) => p.low));
  const pad = { l: 44, r: 12, t: 26, b: 44 };
  const x = (v) => pad.l + ((v - left) / (right - left)) * (width - pad.l - pad.r), y = (v) => height - pad.b - ((v - bottom) / (top - bottom)) * (height - pad.t - pad.b);
  for (const v of ticks(bottom, top)) {
    make("line", { x1: pad.l, x2: width - pad.r, y1: y(v), y2: y(v), stroke: "#e2e7ec" }, svg);
    make("text", { x: pad.l - 6, y: y(v) + 5, "text-anchor": "end" }, svg, v.toLocaleString("en"));
  }
  for (const v of ticks(left, right)) make("text", { x: x(v), y: height - pad.b + 18, "text-anchor": "middle" }, svg, v.toLocaleString("en"));
  make("line", { x1: pad.l, x2: width - pad.r, y1: y(0), y2: y(0), stroke: "#7a8794" }, svg);
  make("text", { x: 0, y: 14 }, svg, axes.y);
  make("text", { x: width - pad.r, y: height - 6, "text-anchor": "end" }, svg, axes.x);
  const path = (key) => points.map((p) => `${x(p.x)},${y(p[key])}`);
  make("polygon", { points: [...path("high"), ...path("low").reverse()].join(" "), fill: LINE, opacity: 0.15 }, svg);
  make("polyline", { points: path("y").join(" "), fill: "none", stroke: LINE, "stroke-width": 2 }, svg);
  points.forEach((p, i) => {
    const dot = make("g", { class: "dot" }, svg);
    make("circle", { cx: x(p.x), cy: y(p.y), r: 14, fill: "transparent" }, dot);
    make("circle", { cx: x(p.x), cy: y(p.y), r: 4, fill: "#fff", stroke: LINE, "stroke-width": 2 }, dot);
    make("title", {}, dot, `${p.name}: ${p.text}`);
    dot.addEventListener("click", () => pick(i));
  });
  const at = points[chosen], side = x(at.x) > width / 2 ? ["end", -10] : ["start", 10];
  if (best >= 0) {
    const [bx, by] = [x(points[best].x), y(points[best].y)];
    make("path", { d: `M${bx},${by - 9}l8,14h-16z`, fill: BEST, stroke: "#fff", class: "best" }, svg);
  }
  make("line", { x1: x(at.x), x2: x(at.x), y1: y(at.low), y2: y(at.high), stroke: CHOSEN, "stroke-width": 2 }, svg);
  make("path", { d: `M${x(at.x)},${y(at.y) - 8}l8,8l-8,8l-8,-8z`, fill: CHOSEN, stroke: "#fff", class: "chosen" }, svg);
  // below the band, where no other mark stands
  const label = make("text", { x: x(at.x) + side[1], y: Math.min(y(at.low) + 20, y(0) - 6), "text-anchor": side[0] }, svg, `◆ your setting, ${at.name}`);
  label.style.fill = CHOSEN; label.style.fontWeight = 600;
  Object.assign(label.style, { paintOrder: "stroke", stroke: "#fff", strokeWidth: "4px" }); // numbers may stand behind it
  const box = label.getBBox(), over = Math.max(0, box.x + box.width - width) || Math.min(0, box.x);
  if (over) label.setAttribute("x", x(at.x) + side[1] - over); // a phone is narrow
}

function render({ model, el }) {
  const root = html("div", { class: "genai4eu-board" }, el);
  html("style", {}, root, STYLE);
  const title = html("p", { class: "title", role: "status" }, root), list = html("div", { class: "bars" }, root);
  const svg = make("svg", { class: "frontier", role: "img", tabindex: "0" }, root), key = html("small", {}, root), note = html("small", {}, root);
  const get = (name) => model.get(name), pick = (i) => { model.set("picked", i); model.save_changes(); };
  function plot() {
    if (get("points").length) drawFrontier({ points: get("points"), chosen: get("chosen"), best: get("best"), axes: get("axes") }, svg, pick);
  }
  function show() {
    const words = get("words");
    if (!get("points").length) return;
    title.textContent = words.title;
    drawBars(get("bars"), list);
    svg.setAttribute("aria-label", `${words.alt} Arrow keys walk along the frontier.`);
    key.textContent = `${words.spread ? `Whiskers and band: ${words.spread}. ` : ""}${words.goal ? `▲ ${words.goal} ` : ""}Touch a circle, or use the arrow keys on the line, to choose it.`;
    note.textContent = words.note ?? "";
    plot();
  }
  svg.addEventListener("keydown", (event) => {
    const many = get("points").length, from = get("picked") >= 0 ? get("picked") : get("chosen"), by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    const to = { Home: 0, End: many - 1 }[event.key] ?? (by && Math.min(Math.max(from + by, 0), many - 1));
    if (to === undefined) return;
    event.preventDefault();
    pick(to);
  });
  const names = ["bars", "points", "chosen", "best", "axes", "words"];
  let waiting = 0;
  const changed = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(show); }; // one answer changes all of them
  for (const name of names) model.on(`change:${name}`, changed);
  const resized = new ResizeObserver(plot);
  resized.observe(root);
  show();
  return () => {
    resized.disconnect();
    for (const name of names) model.off(`change:${name}`, changed);
  };
}

export default { render };
