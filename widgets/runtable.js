/* The RunTable: runs to sort, to sift, and to lay side by side. Joined behind panel.js, sifting.js, comparison.js and runrows.js.
 * Each function takes the table `t`: its model, its words, what it shows, and its nodes, which `build` makes. */
const PAGE = 25, PHONE = 8, NARROW = 640, FEWEST = 2, MOST = 10, FIXED = ["id", "status", "template", "target", "started", "duration"];

const columnsOf = (t) => [...FIXED, ...t.state.columns];
const chosenOf = (t) => t.model.get("chosen");
/* Rows of a page: fewer where each is a card. */
const sizeOf = (t) => (t.root.clientWidth && t.root.clientWidth <= NARROW ? PHONE : PAGE);

/* The heading of a column; of a metric with its unit. */
function titleOf(t, column) {
  if (t.words[`column_${column}`]) return t.words[`column_${column}`];
  const unit = column.startsWith("metric:") ? t.model.get("about")[column.slice(7)]?.unit ?? "1" : "1";
  return column.replace(/^(metric|parameter):/, "") + (unit !== "1" ? ` [${unit}]` : "");
}

/* The nodes, from top to bottom. */
function build(t) {
  const { root, words } = t;
  buildTools(t);
  const frame = (t.frame = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": words.title }, root));
  const table = make("table", { role: "table", class: "runs", "aria-label": words.title }, frame);
  t.head = make("tr", { role: "row" }, make("thead", { role: "rowgroup" }, table));
  t.body = make("tbody", { role: "rowgroup" }, table);
  t.pages = make("nav", { class: "bar", "aria-label": words.pages }, root);
  t.before = make("button", { type: "button" }, t.pages, words.before);
  t.where = make("span", {}, t.pages);
  t.after = make("button", { type: "button" }, t.pages, words.after);
  buildActs(t);
}

function buildTools(t) {
  const { root, words } = t, tools = make("div", { class: "tools" }, root);
  t.query = field(tools, words.search, "input", { type: "search", autocomplete: "off", placeholder: words.example });
  t.status = field(tools, words.status, "select");
  t.template = field(tools, words.template, "select");
  t.order = field(tools, words.sort, "select");
  t.chooser = make("details", { class: "chooser" }, root);
  t.count = make("p", { class: "quiet", role: "status" }, root);
  make("summary", {}, t.chooser, words.columns);
  t.boxes = make("div", { class: "boxes" }, t.chooser);
}

function buildActs(t) {
  const { root, words } = t, bar = make("div", { class: "bar acts" }, root);
  t.compare = make("button", { type: "button", class: "main" }, bar);
  t.none = make("button", { type: "button" }, bar, words.clear);
  t.again = make("button", { type: "button" }, bar, words.refresh);
  t.said = make("p", { class: "note", role: "status" }, root);
  t.side = make("div", { class: "comparison", role: "group", "aria-label": words.comparison }, root);
  t.record = make("div", { class: "record", role: "group", "aria-label": words.record }, root);
}

function choose(t, ids) { t.model.set("chosen", ids); t.model.save_changes(); marks(t); }

/* The name of a run: a link, or a button, where its record can be seen. */
function named(t, run) {
  if (run.link) return make("a", { href: run.link }, null, run.id);
  if (!t.model.get("openable")) return make("span", {}, null, run.id);
  const button = make("button", { type: "button", class: "open" }, null, run.id);
  button.addEventListener("click", () => ask(t, { open: run.id }));
  return button;
}

function ask(t, message) {
  if (live(t.el)) tell(t.model, t.el, message, t.said, t.words);
  else say(t.said, t.words.needs_kernel);
}

function tick(t, run, box) {
  if (box.checked && chosenOf(t).length >= MOST) { box.checked = false; return say(t.said, fill(t.words.most, { most: MOST })); }
  say(t.said, "");
  choose(t, box.checked ? [...chosenOf(t), run.id] : chosenOf(t).filter((id) => id !== run.id));
}

function marks(t) {
  const ids = chosenOf(t), many = ids.length;
  for (const box of t.body.querySelectorAll("input")) box.checked = ids.includes(box.value);
  t.compare.textContent = many < FEWEST ? t.words.compare_none : counted(t.words, "compare", many);
  able(t.compare, many >= FEWEST);
  t.none.hidden = !many;
  lay(t);
}

/* Lay the chosen ones side by side, where that was asked for; anew only where something changed: the focus stays. */
function lay(t) {
  const { side, state } = t, them = chosenOf(t).map((id) => t.runs.find((run) => run.id === id)).filter(Boolean);
  side.hidden = !t.model.get("comparing") || them.length < FEWEST;
  const key = side.hidden ? "" : JSON.stringify([state.against, them]);
  if (key === side.key) return;
  side.key = key;
  if (side.hidden) return side.replaceChildren();
  state.against = Math.min(state.against, them.length - 1);
  compareRuns(side, them, state.against, t.model.get("about"), t.words, (run) => named(t, run));
  offerAgainst(t, them);
}

/* Which of them the others are held against. */
function offerAgainst(t, them) {
  const against = field(t.side, t.words.against, "select", { class: "against" });
  them.forEach((run, i) => make("option", { value: i }, against, `${LETTERS[i]}: ${run.id}`));
  against.value = t.state.against;
  t.side.insertBefore(against.parentNode, t.side.children[1]);
  against.addEventListener("change", () => { t.state.against = Number(against.value); lay(t); t.side.querySelector(".against").focus(); });
}

function heads(t) {
  const { head, state, words } = t;
  head.replaceChildren();
  make("th", { role: "columnheader", scope: "col" }, head).append(make("span", { class: "aside" }, null, words.choose));
  for (const column of columnsOf(t)) headOf(t, column);
  const ways = [[false, words.up], [true, words.down]];
  const choices = columnsOf(t).flatMap((column) => ways.map(([down, way]) => make("option", { value: JSON.stringify([column, down]) }, null, `${titleOf(t, column)}, ${way}`)));
  t.order.replaceChildren(...choices);
  t.order.value = JSON.stringify([state.by, state.down]);
}

function headOf(t, column) {
  const { head, state } = t, sorts = state.by === column;
  const place = make("th", { role: "columnheader", scope: "col", "aria-sort": sorts ? (state.down ? "descending" : "ascending") : null }, head);
  const button = make("button", { type: "button", "data-column": column }, place, titleOf(t, column));
  make("span", { "aria-hidden": "true" }, button, sorts ? (state.down ? " ▼" : " ▲") : "");
  button.addEventListener("click", () => {
    sortBy(t, column, state.by === column ? !state.down : column === "started");
    head.querySelector(`[data-column="${CSS.escape(column)}"]`).focus();
  });
}

function sortBy(t, column, down) { Object.assign(t.state, { by: column, down, page: 0 }); heads(t); sift(t); }

function sift(t) {
  const { state, words, runs } = t;
  t.found = sorted(sifted(runs, t.texts, state), state.by, state.down);
  state.page = Math.max(0, Math.min(state.page, Math.ceil(t.found.length / sizeOf(t)) - 1));
  say(t.count, runs.length ? fill(counted(words, "shown", runs.length), { shown: t.found.length.toLocaleString(language()) }) : words.empty);
  draw(t);
}

function draw(t) {
  const { state, words, found } = t, size = sizeOf(t), last = Math.ceil(found.length / size);
  const how = { title: (column) => titleOf(t, column), words, named: (run) => named(t, run), tick: (run, box) => tick(t, run, box) };
  t.body.replaceChildren();
  for (const run of found.slice(state.page * size, (state.page + 1) * size)) drawRow(t.body, run, columnsOf(t), how);
  t.frame.hidden = !found.length;
  t.pages.hidden = last < 2;
  t.where.textContent = fill(words.page, { page: state.page + 1, pages: last });
  able(t.before, state.page > 0); able(t.after, state.page < last - 1);
  marks(t);
}

function turn(t, by) {
  const last = Math.ceil(t.found.length / sizeOf(t)) - 1, to = Math.min(Math.max(t.state.page + by, 0), last);
  if (to !== t.state.page) { t.state.page = to; draw(t); }
}

/* What a person may do. */
function listen(t) {
  t.order.addEventListener("change", () => { sortBy(t, ...JSON.parse(t.order.value)); t.order.focus(); });
  t.before.addEventListener("click", () => turn(t, -1));
  t.after.addEventListener("click", () => turn(t, 1));
  for (const name of ["query", "status", "template"])
    t[name].addEventListener("input", () => { t.state[name] = t[name].value; t.state.page = 0; sift(t); });
  t.compare.addEventListener("click", () => {
    if (chosenOf(t).length < FEWEST) return say(t.said, t.words.compare_none);
    t.model.set("comparing", true); t.model.save_changes(); lay(t);
    t.side.querySelector(".heading")?.focus();
  });
  t.none.addEventListener("click", () => { t.model.set("comparing", false); choose(t, []); say(t.said, ""); });
  t.again.addEventListener("click", () => ask(t, { ask: "runs" }));
}

function choosable(t) {
  offerColumns(t.boxes, t.runs, t.state.columns, t.words, (kept) => {
    t.state.columns = kept;
    if (!columnsOf(t).includes(t.state.by)) Object.assign(t.state, { by: "started", down: true });
    heads(t); sift(t);
  });
  t.chooser.hidden = !t.boxes.querySelector("input");
}

/* Show other runs than before. */
function take(t) {
  t.runs = t.model.get("runs");
  t.texts = t.runs.map(told);
  const kinds = (name, text = (v) => v) => [...new Set(t.runs.map((run) => run[name]))].filter(Boolean).sort().map((v) => [v, text(v)]);
  options(t.status, t.words.any, kinds("status", (v) => t.words[`status_${v}`] ?? v));
  options(t.template, t.words.any, kinds("template"));
  choosable(t); heads(t); sift(t);
}

/* Show what the kernel said. */
function update(t) {
  const { model, record } = t;
  if (model.get("runs") !== t.runs) take(t);
  else marks(t);
  t.again.hidden = !model.get("refreshable");
  able(t.again, live(t.el));
  if (model.get("trouble")) say(t.said, model.get("trouble"));
  if (record.dataset.told !== model.get("record")) {
    record.dataset.told = record.innerHTML = model.get("record"); // of the workbench, every text in it escaped
    if (record.innerHTML) { record.tabIndex = -1; record.focus(); }
  }
  record.hidden = !model.get("record");
}

function render({ model, el }) {
  const words = model.get("words"), root = panel(el, "runtable", { "aria-label": words.title });
  const state = { query: "", status: "", template: "", by: "started", down: true, page: 0, columns: [...model.get("columns")], against: 0 };
  const t = { model, el, words, root, state, runs: null, texts: [], found: [] };
  build(t);
  listen(t);
  return follow(model, el, ["runs", "chosen", "comparing", "trouble", "record"], () => update(t));
}

export default { render };
