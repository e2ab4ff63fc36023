// Which model of the kernel is which of the page: both executed the same cells, so the same views hold the same trees.
const MARK = "IPY_MODEL_";

function refers(value) { return typeof value === "string" && value.startsWith(MARK); }

/** Pair the models below two roots; models of different kinds are not the same. */
export function pair(recorded, live, id, liveId, found = new Map()) {
  const one = recorded[id], other = live[liveId];
  if (!one || !other || found.has(id) || one.model_name !== other.model_name) return found;
  found.set(id, liveId);
  for (const [name, value] of Object.entries(one.state)) walk(value, other.state[name], (a, b) => pair(recorded, live, a, b, found));
  return found;
}

function walk(a, b, visit) {
  if (refers(a) && refers(b)) visit(a.slice(MARK.length), b.slice(MARK.length));
  else if (Array.isArray(a) && Array.isArray(b)) a.forEach((value, i) => walk(value, b[i], visit));
  else if (a && b && typeof a === "object" && typeof b === "object" && !ArrayBuffer.isView(a)) {
    for (const name of Object.keys(a)) walk(a[name], b[name], visit);
  }
}

/** The models that some refer to and that are not known yet. */
export function below(roots, states, known) {
  const found = new Set();
  const visit = (id) => {
    if (found.has(id) || !states[id]) return;
    found.add(id);
    for (const value of Object.values(states[id].state)) walk(value, value, visit);
  };
  roots.forEach(visit);
  return [...found].filter((id) => !known.has(id));
}

/** What of the kernel's state differs from the recorded one, with the page's names for models. */
export function differences(one, other, names) {
  const found = {};
  for (const [name, value] of Object.entries(other.state)) {
    if (ArrayBuffer.isView(value)) continue; // data of the record: the same by its making
    if (JSON.stringify(value) !== JSON.stringify(renamed(one.state[name], names))) found[name] = value;
  }
  return found;
}

function renamed(value, names) {
  if (refers(value)) return MARK + (names.get(value.slice(MARK.length)) ?? value.slice(MARK.length));
  if (Array.isArray(value)) return value.map((v) => renamed(v, names));
  if (value && typeof value === "object" && !ArrayBuffer.isView(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, renamed(v, names)]));
  return value;
}
