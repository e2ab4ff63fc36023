/* The RunMonitor: a run under way, its cells, progress, metrics and what it prints; cancelling asks first.
 * Joined behind panel.js. Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); fetches nothing. */
const SIGNS = { completed: "✓", running: "▶", pending: "·", "not run": "·" }; // all else went wrong

/* The share of a run that is done, and a sentence on it. */
function far(run, words) {
  const cells = run.cells, done = cells.filter((c) => c.status === "completed").length, at = cells.findIndex((c) => c.status === "running");
  const step = run.progress, part = step && step.total ? Math.min(step.done / step.total, 1) : 0;
  const said = at < 0 ? "" : fill(words.cell_of, { cell: at + 1, cells: cells.length });
  const more = step ? fill(words.done_of, { label: step.label, done: number(step.done), total: number(step.total) }).trim() : "";
  const left = step && typeof step.remaining === "number" ? fill(words.left, { time: span(step.remaining, words) }) : "";
  return [cells.length ? Math.min((done + (at < 0 ? 0 : part)) / cells.length, 1) : 0, [said, more, left].filter(Boolean).join(" · ")];
}

function render({ model, el }) {
  const words = model.get("words"), root = panel(el, "monitor", {  });
  const title = make("p", { class: "heading" }, root), name = make("p", { class: "quiet" }, root), state = make("p", { role: "status" }, root), about = make("p", { class: "about" }, root), why = make("p", { class: "note" }, root);
  const bar = make("div", { class: "far" }, root), meter = make("progress", { max: 1, "aria-label": words.progress }, bar), said = make("span", {}, bar), strip = make("ol", { class: "strip", "aria-hidden": "true" }, root);
  const metrics = make("dl", { class: "numbers", "aria-label": words.metrics }, root);
  const cells = make("details", {}, root), log = make("details", { open: "" }, root);
  make("summary", {}, cells, words.cells);
  make("summary", {}, log, words.log);
  const frame = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": words.cells }, cells), table = make("table", {}, frame);
  const head = make("tr", {}, make("thead", {}, table)), body = make("tbody", {}, table), text = make("pre", { tabindex: "0", role: "group", "aria-label": words.log }, log);
  for (const heading of [words.cell, words.status, words.time, words.begins_with]) make("th", { scope: "col" }, head, heading);
  const record = make("p", { class: "quiet" }, root), acts = make("div", { class: "bar" }, root), cancel = make("button", { type: "button", class: "danger" }, acts, words.cancel);
  const sure = make("div", { class: "note sure", role: "alertdialog", "aria-label": words.cancel, "aria-describedby": fresh("sure") }, root);
  make("p", { id: sure.getAttribute("aria-describedby") }, sure, words.sure);
  const choice = make("div", { class: "bar" }, sure), yes = make("button", { type: "button", class: "danger" }, choice, words.yes), no = make("button", { type: "button" }, choice, words.no);
  const told = make("p", { class: "note", role: "status" }, root);
  sure.hidden = true;

  function ask(open) {
    sure.hidden = !open;
    cancel.hidden = open || !may();
    (open ? no : cancel.hidden ? root : cancel).focus(); // what does no harm has the focus
  }
  const may = () => model.get("cancellable") && !model.get("run").over;
  root.tabIndex = -1;
  cancel.addEventListener("click", () => (!live(el) ? say(told, words.needs_kernel) : model.get("cancelling") ? null : ask(true)));
  no.addEventListener("click", () => ask(false));
  yes.addEventListener("click", () => { tell(model, el, { ask: "cancel" }, told, words); ask(false); });
  sure.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); ask(false); } });

  function rows(run) {
    strip.replaceChildren(...run.cells.map((c) => make("li", { class: c.status.replace(" ", "-"), title: `${c.index + 1}: ${words[`status_${c.status}`] ?? c.status}` }, null, SIGNS[c.status] ?? "✕")));
    body.replaceChildren();
    for (const c of run.cells) {
      const row = make("tr", {}, body);
      make("th", { scope: "row" }, row, c.index + 1);
      for (const [part, kind] of [[words[`status_${c.status}`] ?? c.status], [c.duration === null ? "" : span(c.duration, words)], [c.name, "code"]]) make(kind ?? "span", {}, make("td", {}, row), part);
    }
  }
  function numbers(run) {
    metrics.replaceChildren();
    for (const m of run.metrics) {
      const pair = make("div", {}, metrics);
      make("dt", {}, pair, m.name);
      const value = make("dd", {}, pair, m.value === null ? words.undefined : number(m.value));
      if (m.unit !== "1") make("span", { class: "quiet" }, value, ` ${m.unit}`);
    }
  }
  function print(run) {
    const low = text.scrollHeight - text.scrollTop - text.clientHeight < 24; // who reads further up stays there
    const shown = run.log || words.silent;
    if (text.textContent === shown) return;
    text.textContent = shown;
    if (low) text.scrollTop = text.scrollHeight;
  }
  let drawn = "";
  return follow(model, el, ["run", "cancelling", "trouble", "asked"], () => {
    const run = model.get("run"), here = live(el), [share, sentence] = far(run, words), word = words[`status_${run.status}`] ?? run.status;
    root.setAttribute("aria-label", `${run.title || run.id}`);
    title.textContent = run.title || run.id;
    name.textContent = run.title ? run.id : "";
    state.className = run.status === "completed" ? "good" : run.over ? "bad" : "";
    say(state, word.charAt(0).toUpperCase() + word.slice(1));
    about.textContent = [[words.target, run.target], [words.started, moment(run.started)], [words.time, run.duration === null ? "" : span(run.duration, words)]].filter(([, v]) => v).map(([k, v]) => `${k}: ${v}`).join(" · ");
    why.textContent = run.error || run.waits;
    bar.hidden = run.over || !run.cells.length;
    meter.value = share;
    said.textContent = sentence;
    const key = JSON.stringify([run.cells, run.metrics]);
    if (key !== drawn) { drawn = key; rows(run); numbers(run); }
    strip.hidden = cells.hidden = !run.cells.length;
    metrics.hidden = !run.metrics.length;
    print(run);
    record.replaceChildren(...(run.record ? [`${words.record} `, make("code", {}, null, run.record)] : []));
    if (!may() && !sure.hidden) ask(false);
    cancel.hidden = !may() || !sure.hidden;
    able(cancel, here && !model.get("cancelling"));
    if (model.get("cancelling")) say(told, words.cancelling);
    else if (model.get("trouble")) say(told, model.get("trouble"));
    else if (!here && !run.over) say(told, fill(words.recorded, { time: moment(model.get("asked")) }));
    else say(told, "");
  });
}

export default { render };
