/* VolumeViewer: a medical volume with labels, by plane and in space, drawn by NiiVue through ipyniivue's front end.
 * Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); the kernel hands NiiVue over, nothing is fetched. */
const STYLE = `
.genai4eu-volume { --mark: var(--accent, #1a4f8b); --ring: var(--focus, #b35900); }
@media (prefers-color-scheme: dark) { .genai4eu-volume { --mark: var(--accent, #8fbdf2); --ring: var(--focus, #ffb454); } }
[data-jp-theme-light="true"] .genai4eu-volume { --mark: #1a4f8b; --ring: #b35900; }
[data-jp-theme-light="false"] .genai4eu-volume { --mark: #8fbdf2; --ring: #ffb454; }
.genai4eu-volume { font: inherit; max-width: 720px; line-height: 1.5; }
.genai4eu-volume .controls { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(200px, 100%), 1fr)); gap: 8px 16px; margin: 0 0 8px; }
.genai4eu-volume label { display: block; }
.genai4eu-volume input, .genai4eu-volume select { display: block; box-sizing: border-box; width: 100%; min-height: 44px; margin: 0; font: inherit; accent-color: var(--mark); }
.genai4eu-volume .frame { height: min(480px, 120vw); background: #000; border: 1px solid #7a8794; }
.genai4eu-volume .frame > div { height: 100% !important; }
.genai4eu-volume canvas { display: block; width: 100%; height: 100%; }
.genai4eu-volume canvas:focus-visible, .genai4eu-volume input:focus-visible, .genai4eu-volume select:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px; }
.genai4eu-volume .still img { max-width: 100%; height: auto; }
.genai4eu-volume .still figure { margin: 0; }
.genai4eu-volume ul { display: flex; flex-wrap: wrap; gap: 0 16px; margin: 8px 0 0; padding: 0; list-style: none; }
.genai4eu-volume li i { display: inline-block; width: 14px; height: 14px; margin: 0 6px 0 0; border: 1px solid #33404d; vertical-align: -2px; }
.genai4eu-volume output { display: block; min-height: 1.5em; font-variant-numeric: tabular-nums; }
.genai4eu-volume p { margin: 4px 0 0; }
.genai4eu-volume [hidden] { display: none; }
`;
const VIEWS = { planes: ["three planes", 3, 2], axial: ["axial", 0, 2], coronal: ["coronal", 1, 1], sagittal: ["sagittal", 2, 0], space: ["in space", 4, 2] };
const SIDES = [["left", "right"], ["posterior", "anterior"], ["inferior", "superior"]], WAYS = ["Left to right", "Back to front", "Bottom to top"];
const TURN = 15; // degrees that a key turns the view in space
const PATIENCE = 3000; // ms until the picture is explained

function make(tag, attributes, parent, text) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

async function unzipped(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/* NiiVue's script, once a page: lent with the output, else asked of the kernel. */
function script(model) {
  const page = globalThis;
  page.genai4euNiivue ??= new Promise((resolve, reject) => {
    const found = (bytes) => unzipped(bytes).then((code) => resolve(new Blob([code], { type: "text/javascript" })), reject);
    if (model.get("script")?.byteLength) return found(model.get("script"));
    const hear = (content, buffers) => {
      if (content.niivue === undefined) return;
      model.off("msg:custom", hear);
      if (content.niivue) reject(new Error(content.niivue));
      else found(buffers[0]);
    };
    model.on("msg:custom", hear);
    model.send({ ask: "niivue" });
  });
  page.genai4euNiivue.catch(() => { page.genai4euNiivue = undefined; });
  return page.genai4euNiivue;
}

/* What ipyniivue's front end takes for a widget's model; it lives here alone, so no volume goes back to the kernel. */
class Model {
  constructor(state, told = () => {}) { this.state = state; this.send = told; this.heard = {}; }
  get(name) { return this.state[name]; }
  set(name, value) { this.state[name] = value; }
  save_changes() {}
  send_sync_message() {} // with no live comm beside it: ipyniivue then keeps the volume's values to itself
  on(name, f) { (this.heard[name] ??= []).push(f); }
  off(name, f) { this.heard[name] = f ? (this.heard[name] ?? []).filter((g) => g !== f) : []; }
  tell(name, ...values) { for (const f of [...(this.heard[name] ?? [])]) f(...values); }
  change(name, value) { this.state[name] = value; this.tell(`change:${name}`); }
}

function layer(id, data, more) {
  return new Model({
    id, name: `${id}.nii`, data: new DataView(data), path: { name: null }, url: null, paired_img_path: { name: null }, paired_img_url: null,
    paired_img_data: null, colormap: "gray", opacity: 1, colorbar_visible: false, cal_min: null, cal_max: null, cal_min_neg: null, cal_max_neg: null,
    frame_4d: 0, colormap_negative: "", colormap_label: null, colormap_type: 0, colormap_invert: false, modulation_image: null, modulate_alpha: 0, ...more,
  });
}

/* Colours by label number, clear where there is none. */
function lut(kinds) {
  const last = Math.max(...kinds.map((k) => k.number)), colours = new Array(4 * (last + 1)).fill(0);
  for (const { number, colour } of kinds) {
    [1, 3, 5].forEach((at, i) => { colours[4 * number + i] = parseInt(colour.slice(at, at + 2), 16); });
    colours[4 * number + 3] = 255;
  }
  return { lut: colours, min: 0, max: last, labels: Array.from({ length: last + 1 }, (_, n) => kinds.find((k) => k.number === n)?.name ?? "") };
}

/* Draw into a node; return what moves the drawing. */
async function drawing(model, parent, located) {
  const blob = await script(model), address = URL.createObjectURL(blob);
  const { default: niivue } = await import(address); // a module of its own: ipyniivue keeps one drawing a module
  URL.revokeObjectURL(address);
  const kinds = model.get("kinds"), [low, high] = model.get("window");
  const layers = { volume: layer("volume", await unzipped(model.get("volume")), { cal_min: low, cal_max: high }) };
  if (kinds.length) layers.labels = layer("labels", await unzipped(model.get("labels")), { colormap_label: lut(kinds), opacity: model.get("opacity") });
  const opts = {
    sliceType: VIEWS[model.get("view")][1], dragAndDropEnabled: false, scrollRequiresFocus: true, loadingText: "", logLevel: "error",
    crosshairColor: [1, 1, 1, 0.8], crosshairWidth: 0.3, crosshairWidthUnit: "percent", crosshairGap: 3, fontColor: [1, 1, 1, 1], multiplanarShowRender: 2, multiplanarPadPixels: 4, isCornerOrientationText: true, // the names of sides
    isNearestInterpolation: false, show3Dcrosshair: true, dragMode: 3, isRadiologicalConvention: false,
  };
  const shim = new Model(
    { opts, volumes: Object.keys(layers).map((id) => `IPY_MODEL_${id}`), meshes: [], height: 480, this_model_id: "", scene: null, graph: null, draw_lut: null,
      background_masks_overlays: 0, draw_opacity: 0.8, draw_fill_overwrites: true, overlay_outline_width: 0, overlay_alpha_shader: 1 },
    (content) => { if (content.event === "location_change") located(content.data); },
  );
  shim.widget_manager = { get_model: async (id) => layers[id] };
  const forget = await niivue.initialize({ model: shim });
  const remove = await niivue.render({ model: shim, el: parent });
  const order = (type, ...data) => shim.tell("msg:custom", { type, data }, []);
  return {
    step: (by) => order("move_crosshair_in_vox", ...by),
    view: (name) => { shim.change("opts", { ...shim.get("opts"), sliceType: VIEWS[name][1] }); order("draw_scene"); },
    turn: (azimuth, elevation) => { shim.change("scene", { renderAzimuth: azimuth, renderElevation: elevation }); order("draw_scene"); },
    opacity: (share) => layers.labels?.change("opacity", share),
    end: () => { remove(); forget(); parent.querySelector("canvas")?.getContext("webgl2")?.getExtension("WEBGL_lose_context")?.loseContext(); },
  };
}

function render({ model, el }) {
  const get = (name) => model.get(name), shape = get("shape"), kinds = get("kinds");
  const root = make("div", { class: "genai4eu-volume", role: "group", "aria-label": "Volume viewer" }, el);
  make("style", {}, root, STYLE);
  const controls = make("div", { class: "controls" }, root);
  const field = (tag, text, attributes) => {
    const label = make("label", {}, controls), words = make("span", {}, label, text);
    return [make(tag, attributes, label), words, label];
  };
  const [view] = field("select", "Show", {});
  for (const [name, [text]] of Object.entries(VIEWS)) make("option", { value: name }, view, text);
  const [slice, sliceText, sliceLabel] = field("input", "Slice", { type: "range", min: 0, step: 1 });
  const [opacity, opacityText, opacityLabel] = field("input", "Labels", { type: "range", min: 0, max: 1, step: 0.1 });
  opacityLabel.hidden = !kinds.length;
  const frame = make("div", { class: "frame" }, root), still = make("div", { class: "still" }, root);
  controls.hidden = frame.hidden = true;
  still.innerHTML = get("value") || "";
  if (!still.querySelector("img")) make("p", {}, still, get("alt"));
  const key = make("ul", { "aria-label": "Labels" }, root);
  for (const { name, colour, ml } of kinds) {
    const item = make("li", {}, key);
    make("i", {}, item).style.background = colour;
    item.append(`${name}: ${ml < 10 ? ml.toFixed(1) : Math.round(ml)} mL`);
  }
  const said = make("output", { "aria-live": "polite" }, root, "Loading the viewer…");
  const patience = setTimeout(() => {
    said.textContent = "This is the recorded picture. The viewer comes when the kernel answers; without one, run the cell again.";
  }, PATIENCE);
  const [low, high] = get("window"), grain = 10 ** Math.floor(Math.log10((high - low) / 500)); // no more digits than the eye can tell
  let shown = null, ended = false, place = shape.map((n) => Math.floor(n / 2)), turned = [110, 10];

  const axis = () => VIEWS[get("view")][2];
  function show() {
    view.value = get("view"); slice.max = shape[axis()] - 1; slice.value = place[axis()]; opacity.value = get("opacity");
    sliceText.textContent = `${WAYS[axis()]}: ${place[axis()] + 1} of ${shape[axis()]}`;
    slice.setAttribute("aria-label", `Slice, ${WAYS[axis()].toLowerCase()}`);
    opacityText.textContent = `Labels: ${Math.round(100 * get("opacity"))} % opaque`;
    sliceLabel.hidden = get("view") === "space";
    frame.querySelector("canvas")?.setAttribute(
      "aria-label",
      `${get("alt")} Shown: ${VIEWS[get("view")][0]}. ` + (get("view") === "space" ? "Arrow keys turn it." : "Arrow keys move the cross, Page Up and Page Down change the slice."),
    );
  }
  function located({ mm, vox, values }) {
    place = Array.from(vox, Math.round).slice(0, 3);
    model.set("place", place); model.save_changes();
    const number = Math.round(values?.[1]?.value ?? 0), kind = kinds.find((k) => k.number === number);
    const value = Number((Math.round((values?.[0]?.value ?? NaN) / grain) * grain + 0).toPrecision(3));
    said.textContent = `${SIDES.map((side, i) => `${Math.round(Math.abs(Number(mm[i].toFixed(2))))} mm ${side[+(mm[i] >= 0)]}`).join(", ")}: ${get("name")} ${value}${get("unit") && ` ${get("unit")}`}${kinds.length ? `, ${kind ? kind.name : "no label"}` : ""}.`;
    show();
  }
  const go = (to) => shown?.step(to.map((n, i) => n - place[i]));
  const along = (i, by) => go(place.map((n, j) => (i === j ? Math.min(Math.max(n + by, 0), shape[i] - 1) : n)));
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  view.addEventListener("change", () => set("view", view.value));
  slice.addEventListener("input", () => along(axis(), Number(slice.value) - place[axis()]));
  opacity.addEventListener("input", () => set("opacity", Number(opacity.value)));
  /* Ours before NiiVue's, whose keys nobody is told of. */
  frame.addEventListener("keydown", (event) => {
    if (event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    const [across, up] = [[0, 1], [0, 2], [1, 2]][2 - axis()];
    const moves = { ArrowLeft: [across, -1], ArrowRight: [across, 1], ArrowUp: [up, 1], ArrowDown: [up, -1], PageUp: [axis(), 1], PageDown: [axis(), -1] };
    const turns = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, TURN], ArrowDown: [0, -TURN] };
    if (get("view") === "space" && turns[event.key]) {
      turned = [turned[0] + turns[event.key][0], Math.min(Math.max(turned[1] + turns[event.key][1], -90), 90)];
      shown?.turn(...turned);
    } else if (moves[event.key]) along(...moves[event.key]);
    else return;
    event.preventDefault();
  }, true);
  const changed = () => { shown?.view(get("view")); show(); };
  const faded = () => { shown?.opacity(get("opacity")); show(); };
  const moved = () => { if (String(get("place")) !== String(place)) go(get("place")); };
  const heard = { "change:view": changed, "change:opacity": faded, "change:place": moved };
  for (const [name, f] of Object.entries(heard)) model.on(name, f);

  async function start() {
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error("This browser draws no volumes (WebGL 2 is off)");
    frame.hidden = false;
    const made = await drawing(model, frame, located);
    if (ended) return made.end();
    shown = made;
    const canvas = frame.querySelector("canvas");
    canvas.setAttribute("role", "img"); canvas.tabIndex = 0;
    controls.hidden = false; still.hidden = true;
    go(get("place"));
    show();
  }
  start().catch((error) => {
    frame.hidden = true;
    said.textContent = `${error.message}. This is the recorded picture.`;
  }).finally(() => clearTimeout(patience));
  return () => {
    ended = true;
    clearTimeout(patience);
    for (const [name, f] of Object.entries(heard)) model.off(name, f);
    shown?.end();
  };
}

export default { render };
