// The bar above a lesson: language, progress, time, hand, a clean notebook.
import { clock, filled } from "./seat.mjs";

const ICONS = {
  hand: "M8 13V5.5a1.5 1.5 0 0 1 3 0V11m0-6.5v-1a1.5 1.5 0 0 1 3 0V11m0-5.5a1.5 1.5 0 0 1 3 0V12m0-4.5a1.5 1.5 0 0 1 3 0V15a6 6 0 0 1-6 6h-2a7 7 0 0 1-5.2-2.4L4 14.4a1.5 1.5 0 0 1 2.2-2L8 14",
  reset: "M4 4v5h5M4.6 9A8 8 0 1 1 4 13",
};
const MARKS = { passed: "●", trying: "◐", open: "○" };

function made(tag, given = {}, ...inside) {
  const node = Object.assign(document.createElement(tag), given);
  node.append(...inside);
  return node;
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg"), path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export class Bar {
  // `acts`: what is done on language(name), hand(up), reset(), endLook(id).
  constructor(lab, file, acts) {
    this.file = file;
    this.acts = acts;
    this.widget = new lab.widgets.Widget();
    this.widget.addClass("genai4eu-lesson");
    this.widget.node.dataset.lmSuppressShortcuts = "true";
    this.inside = made("div", { className: "genai4eu-lesson-row" });
    this.inside.setAttribute("role", "group");
    this.said = made("p", { className: "genai4eu-unseen" });
    this.said.setAttribute("role", "status");
    this.widget.node.append(this.inside, this.said);
    this.fit = () => {
      const height = `${this.inside.offsetHeight + 1}px`; // and its border
      if (this.widget.node.style.minHeight === height) return;
      this.widget.node.style.minHeight = height;
      if (this.widget.parent) lab.messaging.MessageLoop.postMessage(this.widget.parent, lab.widgets.Widget.Msg.FitRequest);
    };
    this.watch = new ResizeObserver(this.fit);
    this.watch.observe(this.inside);
    this.widget.disposed.connect(() => this.watch.disconnect());
  }

  say(text) { this.said.textContent = text; }

  // Draw anew: the language has changed, or the lesson is first seen.
  draw(about) {
    const { words } = about, kept = this.inside.contains(document.activeElement) && document.activeElement.className;
    this.about = about;
    this.inside.setAttribute("aria-label", `${words.lesson}: ${about.lessons[this.file].title}`);
    this.inside.lang = about.language;
    this.hand = made("button", { type: "button", className: "genai4eu-hand" }, icon("hand"), made("span"));
    this.hand.hidden = !about.room;
    this.hand.onclick = () => this.acts.hand(this.hand.getAttribute("aria-pressed") !== "true");
    const reset = made("button", { type: "button", className: "genai4eu-reset" }, icon("reset"), made("span", { textContent: words.reset }));
    reset.onclick = () => this.acts.reset();
    this.strip = made("span", { className: "genai4eu-strip" });
    this.time = made("span", { className: "genai4eu-time" });
    this.look = made("span", { className: "genai4eu-look", hidden: true });
    this.lost = made("span", { className: "genai4eu-lost", hidden: true, textContent: words.lost });
    this.inside.replaceChildren(...this.choice(), this.strip, this.time, this.hand, reset, this.look, this.lost);
    if (kept) this.inside.querySelector(`[class="${kept}"]`)?.focus();
    if (this.known) this.show(this.known);
  }

  choice() {
    const { languages, language, words } = this.about;
    if (languages.length < 2) return [];
    const select = made("select", { className: "genai4eu-language" });
    for (const one of languages) {
      const text = one.unreviewed ? `${one.own} (${words.unreviewed})` : one.own;
      select.append(made("option", { value: one.name, textContent: text, selected: one.name === language, lang: one.name }));
    }
    select.setAttribute("aria-label", words.language);
    select.title = words.language;
    select.onchange = () => this.acts.language(select.value);
    return [select];
  }

  show(progress) {
    const { words, lessons } = this.about, here = progress.lessons[this.file];
    if (this.known?.hand && !progress.hand) this.say(words.lowered); // by the trainer, or a check
    this.known = progress;
    if (!here) return;
    const marks = here.exercises.map((one) => made("span", { className: `genai4eu-${one.state}`, textContent: MARKS[one.state], title: `${one.name}: ${words[one.state]}` }));
    const row = made("span", {}, ...marks);
    row.setAttribute("aria-hidden", "true");
    const each = here.exercises.map((one) => `${one.name}: ${words[one.state]}`).join(", ");
    if (here.exercises.length) {
      this.strip.replaceChildren(row, made("span", { textContent: here.told }), made("span", { className: "genai4eu-unseen", textContent: `. ${each}` }));
    }
    const spent = { spent: Math.floor(here.seconds / 60), planned: lessons[this.file].minutes };
    this.time.textContent = filled(words.time, spent);
    this.time.title = filled(words["time-told"], spent);
    this.hand.setAttribute("aria-pressed", String(progress.hand));
    this.hand.lastChild.textContent = progress.hand ? words.lower : words.raise;
    this.hand.title = progress.hand ? words.raised : words.raise;
    this.looking(progress.looking);
  }

  // The participant sees all the while that somebody may look, and ends it with one press.
  looking(look) {
    this.look.hidden = !look;
    if (!look) return;
    const end = made("button", { type: "button", className: "genai4eu-end-look", textContent: this.about.words["end-look"] });
    end.onclick = () => this.acts.endLook(look.id);
    this.look.replaceChildren(made("span", { textContent: filled(this.about.words.looking, { time: clock(look.until, this.about.language) }) }), end);
  }

  connected(yes) {
    if (this.lost.hidden === yes) return;
    this.lost.hidden = yes;
    this.say(yes ? this.about.words.back : this.about.words.lost);
  }
}
