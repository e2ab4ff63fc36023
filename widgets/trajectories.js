/* TrajectoryPlayer: motions past a keep-out zone, from above, to play and to scrub.
 * Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); depends on nothing and fetches nothing. */
const SVG = "http://www.w3.org/2000/svg";
const CLEAN = "#0072B2", THROUGH = "#D55E00";
const STYLE = `
.genai4eu-player { --mark: var(--accent, #1a4f8b); --ring: var(--focus, #b35900); }
@media (prefers-color-scheme: dark) { .genai4eu-player { --mark: var(--accent, #8fbdf2); --ring: var(--focus, #ffb454); } }
[data-jp-theme-light="true"] .genai4eu-player { --mark: #1a4f8b; --ring: #b35900; }
[data-jp-theme-light="false"] .genai4eu-player { --mark: #8fbdf2; --ring: #ffb454; }
.genai4eu-player { font: inherit; max-width: 720px; }
.genai4eu-player .panels { display: grid; gap: 8px 16px; grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr)); }
.genai4eu-player figure { margin: 0; }
.genai4eu-player figcaption { font-weight: 600; line-height: 1.5; }
.genai4eu-player svg { display: block; width: 100%; height: auto; background: #fff; border: 1px solid #dfe5ea; }
.genai4eu-player .bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; margin: 8px 0 0; }
.genai4eu-player button { min-width: 88px; min-height: 44px; font: inherit; font-weight: 600; color: #0b2d4e; background: #fff; border: 2px solid #0b2d4e; border-radius: 4px; cursor: pointer; }
.genai4eu-player input { flex: 1 1 160px; min-height: 44px; margin: 0; accent-color: var(--mark); }
.genai4eu-player button:focus-visible, .genai4eu-player input:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px; }
.genai4eu-player output { min-width: 9ch; font-variant-numeric: tabular-nums; }
.genai4eu-player .legend { margin: 4px 0 0; line-height: 1.5; }
`;

function make(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (parent) parent.appendChild(node);
  return node;
}

function html(tag, attributes, parent) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent.appendChild(node);
  return node;
}

/* The box that holds all motions, zone and goal of all panels, so that panels compare by eye. */
function box(panels, zone, goal) {
  const xs = [zone[0] - zone[2], zone[0] + zone[2], goal[0]], ys = [zone[1] - zone[2], zone[1] + zone[2], goal[1]];
  for (const panel of panels) for (const way of panel.ways) for (const [x, y] of way) { xs.push(x); ys.push(y); }
  const reduce = (values, pick) => values.reduce((a, b) => pick(a, b));
  const edges = [reduce(xs, Math.min), reduce(ys, Math.min), reduce(xs, Math.max), reduce(ys, Math.max)];
  const pad = 0.08 * Math.max(edges[2] - edges[0], edges[3] - edges[1]);
  return { x: edges[0] - pad, y: edges[1] - pad, w: edges[2] - edges[0] + 2 * pad, h: edges[3] - edges[1] + 2 * pad };
}

const points = (way, end) => way.slice(0, end + 1).map(([x, y]) => `${x},${y}`).join(" ");

/* Draw one fan; return a function that shows it at a frame. */
function draw(panel, view, zone, goal, unit, parent) {
  const figure = html("figure", {}, parent);
  html("figcaption", {}, figure).textContent = panel.title;
  const size = Math.max(view.w, view.h), thin = size / 250;
  // y points up: the drawing is turned over, words are not
  const svg = make("svg", { viewBox: `${view.x} ${-(view.y + view.h)} ${view.w} ${view.h}`, "aria-hidden": "true" }, figure);
  const scene = make("g", { transform: "scale(1,-1)", fill: "none", "stroke-linejoin": "round" }, svg);
  make("circle", { cx: zone[0], cy: zone[1], r: zone[2], fill: "#C9CED6", stroke: "#5b6875", "stroke-width": thin }, scene);
  make("path", { d: `M${goal[0] - 4 * thin},${goal[1]}h${8 * thin}m${-4 * thin},${-4 * thin}v${8 * thin}`, stroke: "#1b2733", "stroke-width": 2 * thin }, scene);
  const length = 10 ** Math.floor(Math.log10(view.w / 3)), left = view.x + 4 * thin, low = -view.y - 5 * thin;
  make("path", { d: `M${left},${low}h${length}`, stroke: "#33404d", "stroke-width": 1.5 * thin }, svg);
  make("text", { x: left, y: low - 3 * thin, "font-size": 13 * thin, fill: "#33404d" }, svg).textContent = `${length} ${unit}`;
  const drawn = panel.ways.map((way, i) => {
    const colour = panel.marked[i] ? THROUGH : CLEAN, dash = panel.marked[i] ? `${4 * thin} ${3 * thin}` : "none";
    make("polyline", { points: points(way, way.length), stroke: colour, "stroke-width": thin, opacity: 0.25 }, scene);
    const trail = make("polyline", { stroke: colour, "stroke-width": 1.6 * thin, "stroke-dasharray": dash, opacity: 0.85 }, scene);
    return { way, trail, dot: make("circle", { r: 3 * thin, fill: colour, class: "dot" }, scene) };
  });
  return (frame) => {
    for (const { way, trail, dot } of drawn) {
      const at = Math.min(frame, way.length - 1);
      trail.setAttribute("points", points(way, at));
      dot.setAttribute("cx", way[at][0]);
      dot.setAttribute("cy", way[at][1]);
    }
  };
}

function render({ model, el }) {
  const [panels, zone, goal, step, unit] = ["panels", "zone", "goal", "step", "unit"].map((name) => model.get(name));
  const last = Math.max(...panels.flatMap((panel) => panel.ways.map((way) => way.length))) - 1;
  const root = html("section", { class: "genai4eu-player", "aria-label": "Motions to play" }, el);
  html("style", {}, root).textContent = STYLE;
  const picture = html("div", { class: "panels", role: "img", "aria-label": model.get("alt") }, root);
  const view = box(panels, zone, goal);
  const shows = panels.map((panel) => draw(panel, view, zone, goal, unit, picture));
  const bar = html("div", { class: "bar" }, root);
  const button = html("button", { type: "button" }, bar);
  const slider = html("input", { type: "range", min: 0, max: last, step: 1, "aria-label": "Time of the motions" }, bar);
  const told = html("output", {}, bar);
  html("p", { class: "legend" }, root).textContent =
    "Blue: keeps out of the grey zone. Orange, dashed: enters it. The cross is the goal.";
  let timer = null;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  function show(frame) {
    for (const draws of shows) draws(frame);
    slider.value = frame;
    const words = `${(frame * step).toFixed(2)} s`;
    told.textContent = words;
    slider.setAttribute("aria-valuetext", `${words} of ${(last * step).toFixed(2)} s`);
  }
  function set(frame) {
    model.set("frame", frame);
    model.save_changes();
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }
  function play() {
    // half the speed of the motion; where little motion is asked for, a few still pictures
    const stride = still ? Math.max(1, Math.round(last / 5)) : 1;
    let frame = Number(slider.value) >= last ? 0 : Number(slider.value);
    show(frame);
    button.textContent = "Pause";
    timer = setInterval(() => {
      frame = Math.min(frame + stride, last);
      show(frame);
      if (frame === last) { stop(); set(frame); }
    }, still ? 1000 : 2000 * step);
  }
  button.addEventListener("click", () => { if (timer === null) play(); else { stop(); set(Number(slider.value)); } });
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); set(Number(slider.value)); });
  const follow = () => { if (timer === null) show(model.get("frame")); };
  model.on("change:frame", follow);
  stop();
  show(model.get("frame"));
  return () => { stop(); model.off("change:frame", follow); };
}

export default { render };
