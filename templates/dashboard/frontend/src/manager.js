// The widget manager of a page: its models come from the recorded state, and each speaks through a line that is bound to
// a kernel only when a visitor touches something. Views stay where they are: nothing is drawn anew when the kernel comes.
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import { MessageLoop } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { load } from "./amd.js";
import { tamed } from "./inert.js";
import { Line } from "./line.js";

/** Attributes that hold code: the bundle's own file serves, whatever the kernel sends. */
const CODE = ["_esm", "_css"];
/** Attributes that hold words; of HTML, whole pieces alone are words. */
const WORDS = ["description", "tooltip", "_options_labels", "value"];
/** Models whose value stands on the page as it is. */
const HTML = ["HTMLModel", "HTMLMathModel"];

export class Manager extends ManagerBase {
  /** `said` holds words of the controls in the visitor's language, by what the kernel calls them. */
  constructor(exchange, modules, said = {}) {
    super();
    this.exchange = exchange;
    this.modules = modules;
    this.said = new Map(Object.entries(said));
    this.lines = new Map(); // comm id -> Line
    this.shown = new Set();
    window.addEventListener("resize", () => this.shown.forEach((w) => MessageLoop.postMessage(w, Widget.ResizeMessage.UnknownSize)));
  }

  /** Make all models of the recorded state; return when they stand. */
  async record(states) {
    await Promise.all(Object.entries(states).map(([id, told]) => this.new_model(
      { model_id: id, model_name: told.model_name, model_module: told.model_module, model_module_version: told.model_module_version, comm: this.line(id) },
      this.spoken(told.state),
    ).then((model) => { if (told.state.workbench) model.comm_live = false; }))); // nobody stands behind it here, or will
  }

  /** Return a state with its words in the visitor's language. The kernel is never told of them. */
  spoken(state) {
    const word = (text) => this.said.get(text) ?? text;
    const found = { ...state };
    for (const name of WORDS) {
      if (Array.isArray(found[name])) found[name] = name === "value" ? found[name] : found[name].map(word);
      else if (name !== "value" || String(found[name]).startsWith("<")) found[name] !== undefined && (found[name] = word(found[name]));
    }
    return found;
  }

  line(id) {
    if (!this.lines.has(id)) this.lines.set(id, new Line(id, this.exchange));
    return this.lines.get(id);
  }

  async show(id, place) {
    const view = await this.create_view(await this.get_model(id));
    const widget = view.luminoWidget || view.pWidget;
    Widget.attach(widget, place);
    this.shown.add(widget);
    view.once("remove", () => this.shown.delete(widget));
    return view;
  }

  /** Bind a recorded model to the kernel's model of the id `live`. */
  async bind(id, live) {
    const model = await this.get_model(id);
    const line = this.lines.get(id);
    line.comm_id = live;
    this.lines.set(live, line);
    if (live !== id) this.register_model(live, Promise.resolve(model));
    model.model_id = live; // other models name it so when they speak to the kernel
  }

  /** Set what the kernel holds otherwise than the page, but for what the visitor just changed. */
  async update(id, state, touched) {
    const model = await this.get_model(id);
    const kept = Object.fromEntries(Object.entries(state).filter(([name]) => !CODE.includes(name) && !touched?.has(name)));
    model.set_state(await model.constructor._deserialize_state(this.spoken(kept), this));
  }

  /** Take a message of the kernel. */
  take(message) {
    const { msg_type } = message.header;
    const id = message.content.comm_id;
    if (msg_type === "comm_open" && message.content.target_name === this.comm_target_name) {
      if (!this.has_model(id)) this.handle_comm_open(this.line(id), message);
    } else if (msg_type === "comm_msg") {
      const state = message.content.data?.state;
      if (state) CODE.forEach((name) => this.exchange.recorded(id) && delete state[name]);
      if (state) Object.assign(state, this.spoken(state));
      this.lines.get(id)?.heard(message);
    } else if (msg_type === "comm_close") {
      this.lines.get(id)?.ended(message);
      this.lines.delete(id);
    }
  }

  async loadClass(name, module, version) {
    const found = await this.library(module);
    if (!found?.[name]) throw new Error(`${name} of ${module} ${version} is not in this dashboard`);
    return HTML.includes(name) && found === controls ? tamed(found[name]) : found[name];
  }

  library(module) {
    if (module === "@jupyter-widgets/base") return base;
    if (module === "@jupyter-widgets/controls") return controls;
    if (module === "@jupyter-widgets/output") return import("./output.js").then((found) => found.forManager(this));
    if (module in this.modules) return load(this.modules[module]);
    throw new Error(`the widget library ${module} is not in this dashboard`);
  }

  async _create_comm(target, id, data, metadata, buffers) {
    const line = this.line(id ?? crypto.randomUUID());
    if (data) line.begin(target, data, metadata, buffers);
    return line;
  }

  async _get_comm_info() { return {}; }
}
