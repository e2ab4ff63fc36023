/* Rows of the RunTable, and the choice of its columns. Joined before runtable.js, behind comparison.js. */
/* How a value stands in a cell. */
function shown(run, column, words) {
  const value = cell(run, column);
  if (column === "status") return words[`status_${value}`] ?? value ?? "";
  if (column === "started") return moment(value);
  if (column === "duration") return value === null || value === undefined ? "" : span(value, words);
  if (column.startsWith("metric:")) return value === undefined ? "" : value === null ? words.undefined : `${number(value)}${run.units[column.slice(7)] ? ` ${run.units[column.slice(7)]}` : ""}`;
  return value === undefined || value === null ? "" : plainly(value);
}


function options(select, first, values) {
  const now = select.value;
  select.replaceChildren(...[["", first], ...values].map(([value, text]) => make("option", { value }, null, text)));
  select.value = [...select.options].some((o) => o.value === now) ? now : "";
}

/* One run: a box to choose it, then its columns; on a phone each cell bears its column's name. */
function drawRow(body, run, columns, { title, words, named, tick }) {
  const row = make("tr", { role: "row" }, body), pick = make("label", { class: "pick" }, make("td", { role: "cell" }, row));
  const box = make("input", { type: "checkbox", value: run.id, "aria-label": fill(words.choose_run, { run: run.id }) }, pick);
  make("span", { class: "narrow", "aria-hidden": "true" }, pick, words.choose);
  box.addEventListener("change", () => tick(run, box));
  for (const column of columns) {
    const place = make(column === "id" ? "th" : "td", { role: column === "id" ? "rowheader" : "cell", "data-label": title(column) }, row), text = shown(run, column, words);
    if (column === "id") place.append(named(run));
    else if (column === "status") make("span", { class: run.status === "completed" ? "good" : run.error ? "bad" : "", title: run.error || null }, place, text);
    else place.textContent = text;
    place.classList.toggle("empty", text === "");
    place.classList.toggle("number", typeof cell(run, column) === "number");
  }
}

/* A box for each metric and parameter that runs have; `changed` is called with the columns that are left. */
function offerColumns(parent, runs, columns, words, changed) {
  parent.replaceChildren();
  let kept = columns;
  for (const [kind, part] of [["metric", "metrics"], ["parameter", "parameters"]]) {
    const all = names(runs, part), group = make("fieldset", {}, parent);
    group.hidden = !all.length;
    make("legend", {}, group, words[part]);
    for (const name of all) {
      const label = make("label", { class: "pick" }, group), box = make("input", { type: "checkbox" }, label), column = `${kind}:${name}`;
      box.checked = kept.includes(column);
      label.append(name);
      box.addEventListener("change", () => changed((kept = box.checked ? [...kept, column] : kept.filter((other) => other !== column))));
    }
  }
}
