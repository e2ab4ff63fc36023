/* The RunTable: runs to sort, to sift, and to lay side by side. Joined behind panel.js, sifting.js, comparison.js and runrows.js. */
const PAGE = 25, PHONE = 8, NARROW = 640, FEWEST = 2, MOST = 10, FIXED = ["id", "status", "template", "target", "started", "duration"];

function render({ model, el }) {
  const words = model.get("words"), root = panel(el, "runtable", { "aria-label": words.title });
  const state = { query: "", status: "", template: "", by: "started", down: true, page: 0, columns: [...model.get("columns")], against: 0 };
  let runs = [], texts = [], found = [];
  const title = (column) => words[`column_${column}`] ?? column.replace(/^(metric|parameter):/, "") + (column.startsWith("metric:") && (model.get("about")[column.slice(7)]?.unit ?? "1") !== "1" ? ` [${model.get("about")[column.slice(7)].unit}]` : "");
  const columns = () => [...FIXED, ...state.columns];
  const tools = make("div", { class: "tools" }, root);
  const query = field(tools, words.search, "input", { type: "search", autocomplete: "off", placeholder: words.example }), status = field(tools, words.status, "select"), template = field(tools, words.template, "select"), order = field(tools, words.sort, "select");
  const chooser = make("details", { class: "chooser" }, root), count = make("p", { class: "quiet", role: "status" }, root);
  make("summary", {}, chooser, words.columns);
  const boxes = make("div", { class: "boxes" }, chooser), frame = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": words.title }, root), table = make("table", { role: "table", class: "runs", "aria-label": words.title }, frame);
  const head = make("tr", { role: "row" }, make("thead", { role: "rowgroup" }, table)), body = make("tbody", { role: "rowgroup" }, table);
  const pages = make("nav", { class: "bar", "aria-label": words.pages }, root), before = make("button", { type: "button" }, pages, words.before), where = make("span", {}, pages), after = make("button", { type: "button" }, pages, words.after);
  const bar = make("div", { class: "bar acts" }, root), compare = make("button", { type: "button", class: "main" }, bar), none = make("button", { type: "button" }, bar, words.clear), again = make("button", { type: "button" }, bar, words.refresh);
  const said = make("p", { class: "note", role: "status" }, root), side = make("div", { class: "comparison", role: "group", "aria-label": words.comparison }, root), record = make("div", { class: "record", role: "group", "aria-label": words.record }, root);

  const chosen = () => model.get("chosen");
  function choose(ids) { model.set("chosen", ids); model.save_changes(); marks(); }
  function named(run) {
    if (run.link) return make("a", { href: run.link }, null, run.id);
    if (!model.get("openable")) return make("span", {}, null, run.id);
    const button = make("button", { type: "button", class: "open" }, null, run.id);
    button.addEventListener("click", () => (live(el) ? tell(model, el, { open: run.id }, said, words) : say(said, words.needs_kernel)));
    return button;
  }
  function tick(run, box) {
    if (box.checked && chosen().length >= MOST) { box.checked = false; return say(said, fill(words.most, { most: MOST })); }
    say(said, "");
    choose(box.checked ? [...chosen(), run.id] : chosen().filter((id) => id !== run.id));
  }
  function marks() {
    const ids = chosen(), many = ids.length;
    for (const box of body.querySelectorAll("input")) box.checked = ids.includes(box.value);
    compare.textContent = many < FEWEST ? words.compare_none : counted(words, "compare", many);
    able(compare, many >= FEWEST);
    none.hidden = !many;
    lay();
  }
  /* Lay the chosen ones side by side, where that was asked for. */
  function lay() {
    const ids = chosen(), them = ids.map((id) => runs.find((run) => run.id === id)).filter(Boolean);
    side.hidden = !model.get("comparing") || them.length < FEWEST;
    const key = side.hidden ? "" : JSON.stringify([state.against, them]);
    if (key === side.key) return; // drawn anew only where something changed: the focus stays
    side.key = key;
    if (side.hidden) return side.replaceChildren();
    state.against = Math.min(state.against, them.length - 1);
    compareRuns(side, them, state.against, model.get("about"), words, named);
    const against = field(side, words.against, "select", { class: "against" });
    them.forEach((run, i) => make("option", { value: i }, against, `${LETTERS[i]}: ${run.id}`));
    against.value = state.against;
    side.insertBefore(against.parentNode, side.children[1]);
    against.addEventListener("change", () => { state.against = Number(against.value); lay(); side.querySelector(".against").focus(); });
  }
  function heads() {
    head.replaceChildren();
    make("th", { role: "columnheader", scope: "col" }, head).append(make("span", { class: "aside" }, null, words.choose));
    for (const column of columns()) {
      const place = make("th", { role: "columnheader", scope: "col", "aria-sort": state.by === column ? (state.down ? "descending" : "ascending") : null }, head), button = make("button", { type: "button", "data-column": column }, place, title(column));
      make("span", { "aria-hidden": "true" }, button, state.by === column ? (state.down ? " ▼" : " ▲") : "");
      button.addEventListener("click", () => { sortBy(column, state.by === column ? !state.down : column === "started"); head.querySelector(`[data-column="${CSS.escape(column)}"]`).focus(); });
    }
    order.replaceChildren(...columns().flatMap((column) => [[false, words.up], [true, words.down]].map(([down, way]) => make("option", { value: JSON.stringify([column, down]) }, null, `${title(column)}, ${way}`))));
    order.value = JSON.stringify([state.by, state.down]);
  }
  function sortBy(column, down) { Object.assign(state, { by: column, down, page: 0 }); heads(); sift(); }
  order.addEventListener("change", () => { sortBy(...JSON.parse(order.value)); order.focus(); });
  /* Rows of a page: fewer where each is a card. */
  const size = () => (root.clientWidth && root.clientWidth <= NARROW ? PHONE : PAGE);
  function sift() {
    found = sorted(sifted(runs, texts, state), state.by, state.down);
    state.page = Math.max(0, Math.min(state.page, Math.ceil(found.length / size()) - 1));
    say(count, runs.length ? fill(counted(words, "shown", runs.length), { shown: found.length.toLocaleString(language()) }) : words.empty);
    draw();
  }
  function draw() {
    body.replaceChildren();
    for (const run of found.slice(state.page * size(), (state.page + 1) * size())) {
      drawRow(body, run, columns(), { title, words, named, tick });
    }
    const last = Math.ceil(found.length / size());
    frame.hidden = !found.length;
    pages.hidden = last < 2;
    where.textContent = fill(words.page, { page: state.page + 1, pages: last });
    able(before, state.page > 0); able(after, state.page < last - 1);
    marks();
  }
  function turn(by) {
    const last = Math.ceil(found.length / size()) - 1, to = Math.min(Math.max(state.page + by, 0), last);
    if (to !== state.page) { state.page = to; draw(); }
  }
  before.addEventListener("click", () => turn(-1));
  after.addEventListener("click", () => turn(1));
  for (const [input, name] of [[query, "query"], [status, "status"], [template, "template"]])
    input.addEventListener("input", () => { state[name] = input.value; state.page = 0; sift(); });
  compare.addEventListener("click", () => {
    if (chosen().length < FEWEST) return say(said, words.compare_none);
    model.set("comparing", true); model.save_changes(); lay();
    side.querySelector(".heading")?.focus();
  });
  none.addEventListener("click", () => { model.set("comparing", false); choose([]); say(said, ""); });
  again.addEventListener("click", () => (live(el) ? tell(model, el, { ask: "runs" }, said, words) : say(said, words.needs_kernel)));
  function choosable() {
    offerColumns(boxes, runs, state.columns, words, (kept) => {
      state.columns = kept;
      if (!columns().includes(state.by)) Object.assign(state, { by: "started", down: true });
      heads(); sift();
    });
    chooser.hidden = !boxes.querySelector("input");
  }
  let data = null;
  return follow(model, el, ["runs", "chosen", "comparing", "trouble", "record"], () => {
    if (model.get("runs") !== data) {
      data = runs = model.get("runs");
      texts = runs.map(told);
      const kinds = (name, text = (v) => v) => [...new Set(runs.map((run) => run[name]))].filter(Boolean).sort().map((v) => [v, text(v)]);
      options(status, words.any, kinds("status", (v) => words[`status_${v}`] ?? v));
      options(template, words.any, kinds("template"));
      choosable(); heads(); sift();
    } else marks();
    again.hidden = !model.get("refreshable");
    able(again, live(el));
    if (model.get("trouble")) say(said, model.get("trouble"));
    if (record.dataset.told !== model.get("record")) {
      record.dataset.told = record.innerHTML = model.get("record"); // of the workbench, every text in it escaped
      if (record.innerHTML) { record.tabIndex = -1; record.focus(); }
    }
    record.hidden = !model.get("record");
  });
}

export default { render };
