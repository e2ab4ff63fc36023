/* The TargetPicker: where a kernel can run, with state, queue and cost of each place; also a part of the ParameterForm.
 * Part of the GenAI4EU workbench, BSD-3-Clause (see LICENSE); depends on nothing and fetches nothing. */
const MANY = 8; // more targets than this get a field to look for one

/* Draw the choice into a node; return a function that shows targets and the chosen one. */
function pickTarget(parent, words, choose) {
  const group = make("fieldset", { class: "targets" }, parent), name = fresh("targets");
  make("legend", {}, group, words.legend);
  const wanted = field(group, words.search, "input", { type: "search", autocomplete: "off" }), search = wanted.parentNode;
  const list = make("div", { class: "list" }, group), none = make("p", { class: "quiet", role: "status" }, group);
  let shown = [], chosen = "";
  function sift() {
    const text = wanted.value.trim().toLowerCase();
    let left = 0;
    for (const [i, row] of list.querySelectorAll(".target").entries()) {
      const t = shown[i], fits = [t.name, t.title, t.where, t.note].join(" ").toLowerCase().includes(text);
      row.hidden = !fits;
      left += fits;
    }
    say(none, left || !text ? "" : fill(words.no_target, { text: wanted.value.trim() }));
  }
  wanted.addEventListener("input", sift);
  function row(t, i) {
    const label = make("label", { class: "target" }, list), id = `${name}-${i}`;
    const radio = make("input", { type: "radio", name, value: t.name, "aria-describedby": id }, label), told = make("span", { class: "told" }, label);
    radio.disabled = !t.ready;
    radio.checked = t.name === chosen;
    make("span", { class: "name" }, told, t.title || t.name);
    const more = make("span", { id, class: "more" }, told);
    const state = make("span", { class: t.ready ? "good" : "bad" }, more, `${t.ready ? "●" : "✕"} ${t.state === "ready" ? words.ready : t.state}`);
    for (const [heading, text] of [[words.where, t.where], [words.queue, t.queue], [words.cost, t.cost], ["", t.note]]) {
      if (!text) continue;
      more.append(" ");
      const part = make("span", { class: "part" }, more);
      if (heading) make("span", { class: "quiet" }, part, `${heading}: `);
      part.append(text);
    }
    radio.addEventListener("change", () => { if (radio.checked) choose(t.name); });
    return state;
  }
  return (targets, now) => {
    const same = JSON.stringify(targets) === JSON.stringify(shown);
    chosen = now;
    if (!same || !list.children.length) {
      const at = [...list.querySelectorAll("input")].findIndex((radio) => radio === document.activeElement);
      shown = targets;
      list.replaceChildren();
      targets.forEach(row);
      if (at >= 0) list.querySelectorAll("input")[Math.min(at, targets.length - 1)]?.focus(); // drawn anew below the fingers
      if (!targets.length) make("p", { class: "quiet" }, list, words.empty);
    }
    for (const radio of list.querySelectorAll("input")) radio.checked = radio.value === chosen;
    search.hidden = targets.length <= MANY;
    sift();
  };
}
