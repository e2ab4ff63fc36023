/* Runs looked for, sifted and sorted, in the browser: a frozen page can do it too. Joined before runtable.js. */
const TESTS = { ">=": (a, b) => a >= b, "<=": (a, b) => a <= b, "!=": (a, b) => a !== b, "==": (a, b) => a === b, "=": (a, b) => a === b, ">": (a, b) => a > b, "<": (a, b) => a < b };

/* The value of a column: of the run itself, or of "metric:dice", "parameter:seed". */
function cell(run, column) {
  const [kind, name] = column.split(/:(.*)/s);
  if (name === undefined) return run[column];
  return (kind === "metric" ? run.metrics : run.parameters)[name];
}

const plainly = (value) => (typeof value === "string" ? value : JSON.stringify(value ?? null));

/* A condition such as dice>0.8 or sites=A, or null where a word is only a word. */
function condition(word) {
  const found = /^([^\s<>=!]+)(>=|<=|!=|==?|>|<)(.+)$/.exec(word);
  if (!found) return null;
  const [, name, sign, text] = found, wanted = Number(text), numeric = text.trim() !== "" && !Number.isNaN(wanted);
  return (run) => {
    const value = run.metrics[name] ?? run.parameters[name] ?? run[name];
    if (value === undefined || value === null) return false;
    return numeric && typeof value === "number" ? TESTS[sign](value, wanted) : TESTS[sign](plainly(value).toLowerCase(), text.toLowerCase());
  };
}

/* What is left of runs by words and conditions, a status and a template. */
function sifted(runs, texts, { query, status, template }) {
  const words = query.trim().split(/\s+/).filter(Boolean), tests = words.map((word) => condition(word) ?? word.toLowerCase());
  return runs.filter((run, i) =>
    (!status || run.status === status) && (!template || run.template === template) &&
    tests.every((test) => (typeof test === "string" ? texts[i].includes(test) : test(run))));
}

/* Runs in the order of a column; those that have no value there come last, whichever way it goes. */
function sorted(runs, column, down) {
  const order = new Intl.Collator(language(), { numeric: true }), way = down ? -1 : 1, none = (v) => v === null || v === undefined || v === "";
  return [...runs].sort((one, other) => {
    const a = cell(one, column), b = cell(other, column);
    if (none(a) || none(b)) return none(a) - none(b);
    return way * (typeof a === "number" && typeof b === "number" ? a - b : order.compare(plainly(a), plainly(b)));
  });
}

/* What is looked for words in. */
const told = (run) => [run.id, run.title, run.template, run.status, run.target, run.error, ...Object.entries(run.parameters).map(([name, value]) => `${name}=${plainly(value)}`)].join(" ").toLowerCase();
