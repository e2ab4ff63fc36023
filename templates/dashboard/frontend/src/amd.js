// Widget libraries come as AMD modules, kept in the bundle: a loader of what they use, which is `define` alone.
import * as base from "@jupyter-widgets/base";

const known = { "@jupyter-widgets/base": base };
const waiting = new Map();

function define(...parts) {
  const factory = parts.pop();
  const needs = Array.isArray(parts.at(-1)) ? parts.at(-1) : [];
  const given = needs.map((name) => {
    if (name === "exports" || name === "module") return {};
    if (!(name in known)) throw new Error(`a widget library asks for ${name}, which pages do not have`);
    return known[name];
  });
  const made = typeof factory === "function" ? factory(...given) : factory;
  define.last = made ?? given[needs.indexOf("exports")];
}
define.amd = {};
window.define = define;

/** Load a module from its file; each file once, one after the other, because `define` does not say whose it is. */
let turn = Promise.resolve();
export function load(address) {
  if (!waiting.has(address)) {
    turn = turn.catch(() => {}).then(() => new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = () => resolve(define.last);
      script.onerror = () => reject(new Error(`${address} could not be loaded`));
      document.head.append(script);
    }));
    waiting.set(address, turn);
  }
  return waiting.get(address);
}
