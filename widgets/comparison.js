/* Two to ten runs side by side: parameters that differ, metrics with their differences. Joined before runtable.js. */
const LETTERS = "ABCDEFGHIJ";
const alike = (values) => new Set(values.map((value) => JSON.stringify(value ?? null))).size === 1;
const names = (runs, part) => [...new Set(runs.flatMap((run) => Object.keys(run[part])))];
const unitOf = (run, name, about) => run.units[name] ?? about[name]?.unit ?? "1";

function grid(parent, caption, headings, rows, words) {
  const frame = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, parent), table = make("table", {}, frame);
  make("caption", {}, table, caption);
  const head = make("tr", {}, make("thead", {}, table)), body = make("tbody", {}, table);
  for (const text of headings) make("th", { scope: "col" }, head, text);
  for (const [first, ...rest] of rows) {
    const row = make("tr", {}, body);
    make("th", { scope: "row" }, row, first);
    for (const part of rest) {
      const place = make("td", {}, row);
      if (part instanceof Node) place.append(part); else place.textContent = part;
    }
  }
}

/* A metric of one run, and how far it is from the one that others are held against. */
function measured(run, base, name, about, words) {
  const place = make("span"), value = run.metrics[name], from = base.metrics[name];
  make("span", {}, place, value === null ? words.undefined : number(value));
  if (run === base || typeof value !== "number" || typeof from !== "number" || unitOf(run, name, about) !== unitOf(base, name, about)) return place;
  const far = value - from, way = about[name]?.better, better = way && far && (far > 0) === (way === "higher");
  const sign = far > 0 ? "+" : far < 0 ? "−" : "±";
  place.append(" ");
  make("span", { class: way && far ? (better ? "good" : "bad") : "quiet" }, place, `${sign}${number(Math.abs(far))}${way && far ? ` ${better ? words.better : words.worse}` : ""}`);
  return place;
}

/* Draw the comparison; `named` returns what stands for a run, a link where it has one. */
function compareRuns(parent, runs, at, about, words, named) {
  parent.replaceChildren();
  const letters = runs.map((_, i) => LETTERS[i]), base = runs[at] ?? runs[0];
  make("p", { class: "heading", tabindex: "-1" }, parent, counted(words, "compared", runs.length));
  grid(parent, words.runs, [words.letter, words.run, words.status, words.target, words.time], runs.map((run, i) =>
    [letters[i], named(run), words[`status_${run.status}`] ?? run.status, run.target ?? "", span(run.duration, words)]));
  const values = (name) => runs.map((run) => run.parameters[name]), all = names(runs, "parameters"), differing = all.filter((name) => !alike(values(name)));
  if (differing.length) grid(parent, words.differing, [words.parameter, ...letters], differing.map((name) => [name, ...values(name).map((v) => (v === undefined ? "–" : plainly(v)))]));
  else make("p", { class: "quiet" }, parent, words.no_difference);
  const metrics = names(runs, "metrics");
  if (metrics.length) {
    grid(parent, fill(words.metrics_against, { letter: LETTERS[runs.indexOf(base)] }), [words.metric, words.unit, ...letters], metrics.map((name) => {
      const units = [...new Set(runs.filter((run) => name in run.metrics).map((run) => unitOf(run, name, about)))];
      return [name, units.join(", "), ...runs.map((run) => measured(run, base, name, about, words))];
    }));
    make("p", { class: "quiet" }, parent, metrics.some((name) => about[name]?.better) ? words.directions : words.no_direction);
  }
  const same = all.filter((name) => !differing.includes(name));
  if (!same.length) return;
  const more = make("details", {}, parent);
  make("summary", {}, more, counted(words, "same", same.length));
  grid(more, words.same_caption, [words.parameter, words.value], same.map((name) => [name, plainly(runs[0].parameters[name])]));
}
