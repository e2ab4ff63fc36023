/* The ParameterForm: a field a parameter, where to run, and a button. Joined behind panel.js and targets.js.
 * Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); depends on nothing and fetches nothing. */
/* One field: how its value is asked for; `changed` is called with each value that a person entered. */
function ask(parent, about, prefix, changed) {
  const id = `${prefix}-${about.name}`, { kind } = about, place = make(kind === "radio" ? "fieldset" : "div", { class: `genai4eu-field${about.number ? " number" : ""}` }, parent);
  const said = `${id}-help ${id}-error`;
  let show, inputs;
  if (kind === "radio") {
    make("legend", {}, place, about.label);
    const row = make("div", { class: "options" }, place);
    inputs = about.options.map(([text, value]) => {
      const label = make("label", { class: "option" }, row), radio = make("input", { type: "radio", name: id, "aria-describedby": said }, label);
      label.append(text);
      radio.addEventListener("change", () => radio.checked && changed(value));
      return radio;
    });
    show = (value) => about.options.forEach(([, other], i) => { inputs[i].checked = other === value; });
  } else {
    make("label", { for: id }, place, about.label);
    const input = make({ list: "select", lines: "textarea" }[kind] ?? "input", { id, "aria-describedby": said, autocomplete: "off", spellcheck: "false" }, place);
    if (kind === "date" || kind === "text") input.type = kind;
    for (const [i, [text]] of about.options.entries()) make("option", { value: i }, input, text);
    const value = () => (kind === "list" ? about.options[input.value]?.[1] : kind === "date" ? input.value || null : input.value);
    input.addEventListener("change", () => changed(value()));
    show = (now) => {
      const text = kind === "list" ? String(about.options.findIndex(([, other]) => other === now)) : now ?? "";
      if (document.activeElement !== input || kind === "list") input.value = text; // nobody's typing is taken away
    };
    inputs = [input];
    show.value = value;
  }
  if (about.help) make("p", { class: "quiet", id: `${id}-help` }, place, about.help);
  const error = make("p", { class: "bad", id: `${id}-error`, role: "alert" }, place);
  return {
    show, value: show.value,
    fault(sentence) {
      say(error, sentence);
      place.classList.toggle("wrong", Boolean(sentence));
      for (const input of inputs) if (kind !== "radio") input.setAttribute("aria-invalid", String(Boolean(sentence)));
    },
  };
}

function render({ model, el }) {
  const words = model.get("words"), prefix = fresh("form");
  const root = panel(el, "form", { "aria-label": model.get("title"), novalidate: "", autocomplete: "off" }, "form");
  make("p", { class: "heading" }, root, model.get("title"));
  const note = make("p", { class: "note" }, root), wrong = make("p", { class: "bad", role: "alert" }, root);
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const fields = Object.fromEntries(model.get("fields").map((about) =>
    [about.name, ask(root, about, prefix, (value) => set("entered", { ...model.get("entered"), [about.name]: value }))]));
  const where = pickTarget(make("div", { class: "genai4eu-field" }, root), words, (name) => set("target", name));
  const bar = make("div", { class: "bar" }, root), button = make("button", { type: "button", class: "main", title: fill(words.run_title, { title: model.get("title") }) }, bar, words.run);
  const progress = make("div", { class: "progress", role: "status" }, root), meter = make("progress", { max: 1, "aria-label": words.progress }, progress), said = make("span", {}, progress);
  const trouble = make("p", { class: "bad", role: "alert" }, root), outcome = make("section", { class: "outcome", role: "status" }, root);
  /* What stands in the fields now: what is being typed has not been told yet. */
  function entered() {
    const now = { ...model.get("entered") };
    for (const [name, f] of Object.entries(fields)) if (f.value) now[name] = f.value();
    return now;
  }
  root.addEventListener("submit", (event) => event.preventDefault()); // Enter in a field starts no run
  button.addEventListener("click", () => {
    if (!live(el)) return say(trouble, words.needs_kernel);
    if (!model.get("running")) tell(model, el, { ask: "run", entered: entered(), target: model.get("target") }, trouble, words);
  });
  return follow(model, el, ["entered", "faults", "refused", "targets", "target", "running", "part", "progress", "outcome", "trouble"], () => {
    const here = live(el), faults = model.get("faults"), refused = model.get("refused"), running = model.get("running");
    note.textContent = here ? "" : words.needs_kernel;
    for (const [name, f] of Object.entries(fields)) { f.show(model.get("entered")[name]); f.fault(faults[name] ?? ""); }
    say(wrong, refused.length ? counted(words, "wrong", refused.length, { names: refused.join(", ") }) : "");
    where(model.get("targets"), model.get("target"));
    say(button, running ? words.running : words.run);
    able(button, here && !running);
    progress.hidden = !model.get("progress");
    meter.hidden = model.get("part") === null;
    meter.value = model.get("part") ?? 0;
    say(said, model.get("progress"));
    say(trouble, model.get("trouble"));
    if (outcome.dataset.told !== model.get("outcome")) outcome.dataset.told = outcome.innerHTML = model.get("outcome"); // of the workbench, every text in it escaped
    outcome.hidden = !model.get("outcome");
  });
}

export default { render };
