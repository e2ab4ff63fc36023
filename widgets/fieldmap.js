/* FieldMap: an ensemble of fields on a grid, by time, member and chance above a threshold.
 * Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); depends on nothing and fetches nothing. */
const STYLE = `
.genai4eu-field-map { --mark: var(--accent, #1a4f8b); --ring: var(--focus, #b35900); }
@media (prefers-color-scheme: dark) { .genai4eu-field-map { --mark: var(--accent, #8fbdf2); --ring: var(--focus, #ffb454); } }
[data-jp-theme-light="true"] .genai4eu-field-map { --mark: #1a4f8b; --ring: #b35900; }
[data-jp-theme-light="false"] .genai4eu-field-map { --mark: #8fbdf2; --ring: #ffb454; }
.genai4eu-field-map { font: inherit; max-width: 560px; line-height: 1.5; }
.genai4eu-field-map canvas { display: block; width: 100%; height: auto; image-rendering: pixelated; border: 1px solid #7a8794; background: #f3f5f7; }
.genai4eu-field-map canvas:focus-visible, .genai4eu-field-map input:focus-visible, .genai4eu-field-map select:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px; }
.genai4eu-field-map .controls { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(220px, 100%), 1fr)); gap: 8px 16px; margin: 0 0 8px; }
.genai4eu-field-map label { display: block; }
.genai4eu-field-map input, .genai4eu-field-map select { display: block; box-sizing: border-box; width: 100%; min-height: 44px; margin: 0; font: inherit; accent-color: var(--mark); }
.genai4eu-field-map .scale { display: flex; gap: 8px; align-items: center; margin: 8px 0 0; font-variant-numeric: tabular-nums; }
.genai4eu-field-map .bar { flex: 1 1 auto; height: 12px; border: 1px solid #7a8794; }
.genai4eu-field-map output { display: block; min-height: 3em; font-variant-numeric: tabular-nums; }
`;
/* cividis, light to dark: even to the eye, and the same to colour-blind readers. */
const COLOURS = [[253,231,55],[237,214,72],[218,198,90],[200,183,101],[182,169,110],[165,155,115],[148,142,119],[132,129,120],[116,117,117],[102,105,112],[87,93,109],[71,81,107],[53,69,108],[29,57,110],[0,46,107],[0,34,77]];
const NOTHING = [243, 245, 247];

function colour(share) {
  if (share <= 0) return NOTHING;
  const at = Math.min(share, 1) * (COLOURS.length - 1), low = Math.min(Math.floor(at), COLOURS.length - 2), part = at - low;
  return COLOURS[low].map((c, i) => Math.round(c + part * (COLOURS[low + 1][i] - c)));
}

function make(tag, attributes, parent, text) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

/* The values of a view, in the field's unit, or as a share of members for the chance. */
export function values(bytes, shape, top, view, time, threshold) {
  const [members, times, rows, columns] = shape, size = rows * columns, out = new Float32Array(size);
  const value = (member, i) => top * (bytes[(member * times + time) * size + i] / 255) ** 2;
  for (let i = 0; i < size; i++) {
    if (view === "truth") out[i] = value(members, i);
    else if (view === "mean" || view === "chance") {
      let sum = 0;
      for (let m = 0; m < members; m++) sum += view === "mean" ? value(m, i) : value(m, i) > threshold;
      out[i] = sum / members;
    } else out[i] = value(Number(view), i);
  }
  return out;
}

function render({ model, el }) {
  const get = (name) => model.get(name), [members, times, rows, columns] = get("shape"), raw = get("data");
  const bytes = new Uint8Array(raw.buffer ?? raw, raw.byteOffset ?? 0, raw.byteLength);
  const root = make("div", { class: "genai4eu-field-map" }, el);
  make("style", {}, root, STYLE);
  const controls = make("div", { class: "controls" }, root);
  const field = (tag, text, attributes) => {
    const label = make("label", {}, controls), words = make("span", {}, label, text);
    return [make(tag, attributes, label), words];
  };
  const [view] = field("select", "Show", {});
  const views = [...(get("truth") ? [["truth", "truth"]] : []), ["mean", "mean of all members"], ["chance", "chance above the threshold"]];
  for (let m = 0; m < members; m++) views.push([String(m), `member ${m + 1}`]);
  for (const [value, text] of views) make("option", { value }, view, text);
  const [time, timeText] = field("input", "Time", { type: "range", min: 0, max: times - 1, step: 1 });
  const step = Math.max(1, Math.round(get("top") / 40));
  const [threshold, thresholdText] = field("input", "Threshold", { type: "range", min: 0, max: Math.ceil(get("top")), step });
  const canvas = make("canvas", { width: columns, height: rows, role: "img", tabindex: "0" }, root);
  const scale = make("div", { class: "scale", "aria-hidden": "true" }, root);
  make("span", {}, scale, "0");
  const bar = make("div", { class: "bar" }, scale), end = make("span", {}, scale);
  bar.style.background = `linear-gradient(to right, ${COLOURS.map((c) => `rgb(${c})`).join(", ")})`;
  const said = make("output", { "aria-live": "polite" }, root);
  let probe = null;

  function draw() {
    const shown = get("view"), at = get("time"), limit = get("threshold"), chance = shown === "chance";
    view.value = shown; time.value = at; threshold.value = limit;
    const now = values(bytes, [members, times, rows, columns], get("top"), shown, at, limit);
    const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
    for (let i = 0; i < now.length; i++) {
      const row = rows - 1 - Math.floor(i / columns), place = 4 * (row * columns + (i % columns)); // south is down
      const share = chance ? now[i] : now[i] < get("top") / 160 ? 0 : Math.sqrt(now[i] / get("top"));
      image.data.set([...colour(share), 255], place);
    }
    if (probe) for (const [dy, dx] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) {
      const y = rows - 1 - probe[0] + dy, x = probe[1] + dx;
      if (y >= 0 && y < rows && x >= 0 && x < columns) image.data.set([213, 94, 0, 255], 4 * (y * columns + x));
    }
    context.putImageData(image, 0, 0);
    timeText.textContent = `Time: ${get("times")[at]}`;
    thresholdText.textContent = `Threshold: ${limit} ${get("unit")}`;
    end.textContent = chance ? "all members" : `${Number(get("top").toPrecision(3))} ${get("unit")}`;
    const named = views.find(([v]) => v === shown)[1].replace("the threshold", `${limit} ${get("unit")}`);
    const highest = now.reduce((a, b) => Math.max(a, b), 0);
    const worded = (v) => (chance ? `${Math.round(100 * v)} % of members` : `${v.toFixed(1)} ${get("unit")}`);
    canvas.setAttribute("aria-label", `${get("alt")} Shown: ${named}, up to ${worded(highest)}. Arrow keys read single points.`);
    const km = (n) => Math.round((n + 0.5) * get("spacing"));
    said.textContent = probe
      ? `${named}, ${get("times")[at]}: ${worded(now[probe[0] * columns + probe[1]])} at ${km(probe[1])} ${get("length_unit")} east, ${km(probe[0])} north.`
      : `${named}, ${get("times")[at]}: up to ${worded(highest)}. Point at the map to read a place.`;
  }
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  view.addEventListener("change", () => set("view", view.value));
  time.addEventListener("input", () => set("time", Number(time.value)));
  threshold.addEventListener("input", () => set("threshold", Number(threshold.value)));
  const look = (row, column) => {
    probe = [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
    draw();
  };
  canvas.addEventListener("pointerdown", (event) => {
    const box = canvas.getBoundingClientRect();
    look(rows - 1 - Math.floor(((event.clientY - box.top) / box.height) * rows), Math.floor(((event.clientX - box.left) / box.width) * columns));
  });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const [row, column] = probe ?? [Math.floor(rows / 2), Math.floor(columns / 2)];
    look(row + move[0], column + move[1]);
  });
  const changed = ["view", "time", "threshold"].map((name) => `change:${name}`).join(" ");
  model.on(changed, draw);
  draw();
  return () => model.off(changed, draw);
}

export default { render };
