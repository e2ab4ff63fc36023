/* The TargetPicker by itself, with a button that asks all places anew. Joined behind panel.js and targets.js. */
function render({ model, el }) {
  const root = panel(el, "picker", { "aria-label": model.get("words").legend }), words = model.get("words");
  const show = pickTarget(root, words, (name) => { model.set("chosen", name); model.save_changes(); });
  const bar = make("div", { class: "bar" }, root), button = make("button", { type: "button" }, bar, words.refresh);
  const asked = make("span", { class: "quiet" }, bar), told = make("p", { role: "status" }, root);
  button.addEventListener("click", () => {
    if (!live(el)) return say(told, words.needs_kernel);
    if (!model.get("asking")) tell(model, el, { ask: "targets" }, told, words);
  });
  return follow(model, el, ["targets", "chosen", "asking", "asked", "trouble"], () => {
    const asking = model.get("asking") && live(el);
    show(model.get("targets"), model.get("chosen"));
    button.hidden = !model.get("refreshable");
    able(button, live(el) && !asking);
    asked.textContent = model.get("asked") ? fill(words.asked, { time: moment(model.get("asked")) }) : "";
    told.className = live(el) && !model.get("trouble") ? "quiet" : "note";
    say(told, asking ? words.asking : live(el) ? model.get("trouble") : model.get("refreshable") ? words.needs_kernel : "");
  });
}

export default { render };
