// The frozen page comes alive: recorded widgets take the place of their pictures, and a kernel is called for when a
// visitor touches one. Without script, or where anything here fails, the pictures stay.
import { put_buffers } from "@jupyter-widgets/base";
import { Exchange } from "./exchange.js";
import { Manager } from "./manager.js";
import { Signs } from "./signs.js";

const CONTROLS = ".noUi-target, input, select, textarea, button, label, [role=slider], [role=textbox]";
const PATIENCE = 5000; // ms that a widget may take to draw itself before it takes its picture's place

const told = document.getElementById("part");
if (told) start(JSON.parse(told.textContent));

async function start(part) {
  const places = Array.from(document.querySelectorAll("[data-model]"));
  const views = places.map((p) => ({ cell: Number(p.dataset.cell), view: Number(p.dataset.view), model: p.dataset.model }));
  const signs = new Signs(part.words);
  try {
    const states = await read(part.state);
    const exchange = new Exchange(part.live, states, views, (state, told) => signs.show(state, told));
    const manager = (exchange.manager = new Manager(exchange, part.modules, part.said));
    window.genai4eu = { exchange, manager }; // for tests and for who wants to look
    await manager.record(structuredClone(states));
    await Promise.all(places.map((place) => take(manager, place)));
    listen(exchange, places, signs, states);
    if (!part.live) await exchange.close();
    signs.show(part.live ? "recorded" : "closed");
    document.documentElement.dataset.widgets = "ready";
  } catch (error) {
    console.error(error);
    signs.show("unable");
  }
}

/** Read the recorded state, its binary parts and the addresses of its code. */
async function read(address) {
  const at = new URL(address, location.href);
  const { state } = await (await fetch(at)).json();
  await Promise.all(Object.values(state).map(async (model) => {
    for (const [name, file] of Object.entries(model.code ?? {})) model.state[name] = new URL(file, at).href;
    const files = model.files ?? [];
    const buffers = await Promise.all(files.map(async ({ src }) => new DataView(await (await fetch(new URL(src, at))).arrayBuffer())));
    put_buffers(model.state, files.map(({ path }) => path), buffers);
  }));
  return state;
}

/** Draw a widget out of sight, then let it take its picture's place in one step. */
async function take(manager, place) {
  const bound = place.querySelector(".bound");
  bound.hidden = false;
  bound.classList.add("waiting");
  await manager.show(place.dataset.model, bound);
  await drawn(bound);
  place.querySelector(".recorded").hidden = true;
  bound.classList.remove("waiting");
}

async function drawn(bound) {
  const end = performance.now() + PATIENCE;
  while (performance.now() < end) {
    const pictures = Array.from(bound.querySelectorAll("img"));
    if (bound.scrollHeight > 1 && pictures.every((image) => image.complete)) break;
    await new Promise(requestAnimationFrame);
  }
}

function listen(exchange, places, signs, states) {
  const mark = () => (exchange.gesture = performance.now());
  for (const place of places) {
    for (const name of ["pointerdown", "pointerup", "keydown", "keyup", "input", "change", "click"]) place.addEventListener(name, mark, true);
    // The kernel sets out when a control is touched, not only when its value is settled.
    place.addEventListener("pointerdown", (event) => event.target.closest(CONTROLS) && !states[place.dataset.model].state.workbench && exchange.touch(), true);
  }
  signs.back?.addEventListener("click", () => exchange.reset());
  window.addEventListener("pagehide", () => exchange.leave());
  window.addEventListener("pageshow", (event) => event.persisted && exchange.reset());
}
