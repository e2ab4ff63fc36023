/* What the scripts of the panels share: nodes, words, numbers, and whether a kernel listens. Joined before each of them.
 * Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); depends on nothing and fetches nothing. */
const TOUCHED = ["button", "input", "select", "textarea", "summary", "a"];
function make(tag, attributes = {}, parent = null, text = undefined) {
  const node = document.createElement(tag);
  if (TOUCHED.includes(tag) || "tabindex" in attributes) node.dataset.lmSuppressShortcuts = "true"; // JupyterLab's keys stay out
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

/* A name that nothing else on the page has: each widget has a module of its own, which counts from one. */
const mark = Math.random().toString(36).slice(2);
let made = 0;
const fresh = (what) => `genai4eu-${what}-${mark}-${++made}`;

const language = () => document.documentElement.lang || "en";

/* Put values into a sentence such as "{shown} of {all} runs". */
const fill = (sentence, values = {}) => sentence.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));

/* The sentence for a number of things, by the plural forms of the page's language. */
function counted(words, name, count, values = {}) {
  const form = new Intl.PluralRules(language()).select(count);
  return fill(words[`${name}_${form}`] ?? words[`${name}_other`], { count: count.toLocaleString(language()), ...values });
}

/* A number as a person reads it, in the page's language: at most four digits that mean something. */
function number(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const size = Math.abs(value), digits = { maximumSignificantDigits: size >= 1000 && size < 1e7 ? Math.ceil(Math.log10(size + 1)) : 4 };
  return value.toLocaleString(language(), size && (size >= 1e7 || size < 1e-4) ? { notation: "scientific", maximumSignificantDigits: 4 } : digits);
}

/* Seconds as a person reads them. */
function span(seconds, words) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
  if (whole < 60) return fill(words.seconds, { s: whole });
  return minutes < 60 ? fill(words.minutes, { min: minutes, s: whole % 60 }) : fill(words.hours, { h: Math.floor(minutes / 60), min: minutes % 60 });
}

function moment(text) {
  const at = new Date(text ?? "");
  return Number.isNaN(at.valueOf()) ? "" : at.toLocaleString(language(), { dateStyle: "medium", timeStyle: "short" });
}

/* Whether a kernel stands behind a widget: ipywidgets marks the view of one that has lost its kernel, or never had one. */
const live = (el) => el.closest(".jupyter-widgets-disconnected") === null;

const heard = new WeakMap(), PATIENCE = 6000; // when a view last heard from its kernel; ms that an answer may take

/* Ask the kernel for something; where it keeps silent, say so: it may be busy, or gone. */
function tell(model, el, message, node, words) {
  const at = performance.now();
  model.send(message);
  setTimeout(() => { if (!(heard.get(el) > at)) say(node, words.no_answer); }, PATIENCE);
}

/* Call f now and whenever the kernel comes or goes; return what ends that. */
function follow(model, el, names, f) {
  let waiting = 0;
  const soon = () => { heard.set(el, performance.now()); cancelAnimationFrame(waiting); waiting = requestAnimationFrame(f); }; // one message changes several
  const events = [...names.map((name) => `change:${name}`), "comm_live_update"];
  for (const name of events) model.on(name, soon);
  f();
  return () => { cancelAnimationFrame(waiting); for (const name of events) model.off(name, soon); };
}

/* A sentence that a screen reader announces when it changes, and only then. */
function say(node, sentence) { if (node.textContent !== sentence) node.textContent = sentence; }

/* A button that keeps its place where nobody would answer: it can be reached, and says why nothing happens. */
function able(button, can) { button.setAttribute("aria-disabled", String(!can)); }

/* A control with its label above it. */
function field(parent, text, tag, attributes = {}) {
  const place = make("div", { class: "field" }, parent), id = fresh("field");
  make("label", { for: id }, place, text);
  return make(tag, { id, ...attributes }, place);
}

/* The root of a panel. */
const panel = (el, name, attributes, tag = "div") => make(tag, { class: `genai4eu-panel genai4eu-${name}`, role: tag === "div" ? "group" : null, ...attributes }, el);
