// Between the models of a page and a kernel: recorded, then called for at the first touch, then live. What a visitor does
// is kept in a journal, so that it is said to whichever kernel comes, now or after one was lost.
import { put_buffers } from "@jupyter-widgets/base";
import { call } from "./call.js";
import { below, differences, pair } from "./pairs.js";
import { Socket } from "./socket.js";

const GESTURE = 1500; // ms after a gesture within which what a model says is the visitor's doing
const LONGEST = 300; // entries of the journal

export class Exchange {
  /** `tell(state, told)` shows the visitor where things stand. */
  constructor(address, recorded, views, tell) {
    this.address = address;
    this.states = recorded;
    this.views = views; // [{cell, view, model}]
    this.tell = tell;
    this.state = "recorded";
    this.journal = [];
    this.callbacks = new Map();
    this.outputs = new Map(); // id of a message -> Output model that shows what it prints
    this.names = new Map(); // id on the page -> id in the kernel
    this.gesture = -Infinity;
  }

  recorded(id) { return id in this.states || [...this.names.values()].includes(id); }

  /** Called by lines. Returns the message's id. */
  say(line, type, content, callbacks, metadata, buffers) {
    const silent = this.state === "recorded" && performance.now() - this.gesture > GESTURE;
    if (!silent && !line.silent) this.note(line, type, content, buffers);
    if (this.state === "live") return this.send(line, type, content, callbacks, metadata, buffers);
    if (!silent) this.touch();
    // As if it had been heard: otherwise the model would hold back what comes next.
    queueMicrotask(() => callbacks.iopub?.status?.({ content: { execution_state: "idle" } }));
    return crypto.randomUUID();
  }

  send(line, type, content, callbacks = {}, metadata = {}, buffers = []) {
    const id = this.socket.send(type, { comm_id: line.comm_id, ...content }, metadata, buffers);
    this.callbacks.set(id, callbacks);
    return id;
  }

  /** Keep what the visitor did: of settings the last, of clicks each. */
  note(line, type, content, buffers) {
    if (type !== "comm_msg") return;
    const { data } = content;
    const last = data.method === "update" && this.journal.findLast((entry) => entry.line === line || entry.click);
    if (last && !last.click) {
      Object.assign(last.data.state, data.state);
      last.data.buffer_paths = data.buffer_paths;
      last.buffers = buffers;
    } else {
      const kept = data.method === "update" ? { ...data, state: { ...data.state } } : data;
      this.journal.push({ line, data: kept, buffers, click: data.method !== "update" });
    }
    this.journal.splice(0, this.journal.length - LONGEST);
  }

  /** No kernel will ever come: controls that only one could answer are closed. */
  async close() {
    for (const [id, told] of Object.entries(this.states)) {
      if (told.model_module === "@jupyter-widgets/controls" && "disabled" in told.state) (await this.manager.get_model(id)).set("disabled", true);
    }
  }

  /** Call for a kernel, unless one is on its way. */
  touch() {
    if (this.state === "recorded" && this.address) this.attach();
  }

  async attach() {
    this.state = "calling";
    this.tell("calling");
    this.calling = new AbortController();
    try {
      const answer = await call(this.address, this.calling.signal, (told) => this.tell(told.state, told));
      if (answer.state !== "live") return this.fail(answer.sentence);
      await this.connect(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      console.error(error);
      this.fail("");
    }
  }

  async connect(answer) {
    this.session = answer.session;
    this.socket = new Socket(this.live(answer.session), {
      message: (message) => this.take(message),
      lost: () => this.tell("lost"),
      back: () => this.tell("live"),
      gone: () => this.ended(),
    });
    const states = answer.models ?? (await this.ask());
    await this.bind(answer.cells, states);
    this.state = "live";
    for (const { line, data, buffers } of this.journal) this.send(line, "comm_msg", { data }, {}, {}, buffers);
    this.tell("live");
  }

  live(session) { return new URL(`${this.address}${session}`, location.href).href.replace(/^http/, "ws"); }

  /** Ask the kernel for the state of all its widgets. */
  ask() {
    const id = crypto.randomUUID();
    return new Promise((resolve) => {
      this.asked = { id, resolve };
      this.socket.send("comm_open", { comm_id: id, target_name: "jupyter.widget.control", data: {} }, { version: "1.0.0" });
      this.socket.send("comm_msg", { comm_id: id, data: { method: "request_states" } });
    });
  }

  told(message) {
    const { states, buffer_paths } = message.content.data;
    buffer_paths.forEach(([id, ...path], i) => put_buffers(states[id], [path], [message.buffers[i]]));
    this.asked.resolve(states);
    this.asked = null;
  }

  /** Bind each model of the page to the kernel's; set what the kernel holds otherwise. */
  async bind(cells, states) {
    const roots = cells.map((cell) => cell.outputs.map((o) => o.data?.["application/vnd.jupyter.widget-view+json"]?.model_id).filter(Boolean));
    const names = new Map();
    for (const { cell, view, model } of this.views) if (roots[cell]?.[view]) pair(this.states, states, model, roots[cell][view], names);
    this.names = names;
    for (const [id, live] of names) if (!this.states[id].state.workbench) await this.manager.bind(id, live);
    await this.add(below(roots.flat(), states, new Set(names.values())), states);
    for (const [id, live] of names) {
      if (this.states[id].state.workbench) continue; // the kernel knows nothing of it: it stays as it was recorded
      const found = differences(this.states[id], states[live], names);
      if (Object.keys(found).length) await this.manager.update(id, found, this.touched(id));
    }
  }

  /** Make the models that only the kernel has. */
  add(names, states) {
    return Promise.all(names.filter((id) => !this.manager.has_model(id)).map((id) => this.manager.record({ [id]: states[id] })));
  }

  /** Names of what the visitor changed of a model. */
  touched(id) {
    const line = this.manager.lines.get(id);
    return new Set(this.journal.filter((entry) => entry.line === line && !entry.click).flatMap((entry) => Object.keys(entry.data.state)));
  }

  take(message) {
    if (this.asked && message.content.comm_id === this.asked.id) return this.told(message);
    const parent = message.parent_header?.msg_id;
    const callbacks = this.callbacks.get(parent);
    const { msg_type } = message.header;
    if (msg_type === "status") {
      callbacks?.iopub?.status?.(message);
      if (message.content.execution_state === "idle") this.callbacks.delete(parent);
    } else if (msg_type.startsWith("comm_")) this.manager.take(message);
    else this.outputs.get(parent)?.add(message);
  }

  /** The kernel is gone: its page keeps what it shows, and calls for another when it is touched again. */
  ended() {
    this.callbacks.clear();
    this.state = "recorded";
    this.tell("paused");
  }

  /** No kernel can be had: what was touched goes back to what was recorded. */
  async fail(sentence) {
    this.leave();
    this.tell("failed", { sentence });
    // Widgets with a script of their own answer by themselves: what was done in them stays.
    await this.restore((told) => told.model_module.startsWith("@jupyter-widgets/"));
  }

  /** Show what was recorded, and free the kernel. */
  async reset() {
    this.leave();
    await this.restore();
    this.tell("recorded");
  }

  async restore(which = () => true) {
    this.journal.length = 0;
    const names = new Map(Object.keys(this.states).map((id) => [id, id]));
    for (const [id, told] of Object.entries(this.states)) if (which(told)) await this.manager.update(id, structuredClone(told.state));
    this.names = names;
  }

  leave() {
    this.calling?.abort();
    if (this.socket && !this.socket.closed) {
      this.socket.close();
      // A beacon would not say where it comes from, because these pages send no referrer.
      fetch(new URL(`${this.address}${this.session}/leave`, location.href), { method: "POST", keepalive: true }).catch(() => {});
    }
    this.socket = null;
    this.state = "recorded";
  }
}
