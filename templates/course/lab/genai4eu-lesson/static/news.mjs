// What the trainer and the room tell: messages that stay until they are read, lessons that come to the front, a question for consent.
import { clock, filled } from "./seat.mjs";
import { insert, show } from "./solution.mjs";

const LONGEST = 140; // JupyterLab cuts a longer notification

export class News {
  // `acts`: open(file) shows a lesson and returns its panel, reset(file), save() saves the lessons, about() returns words.
  constructor(lab, seat, acts) {
    Object.assign(this, { lab, seat, acts, shown: new Map(), asked: new Set(), changed: new Map() });
    lab.apputils.Notification.manager.changed.connect((_, change) => {
      const id = this.shown.get(change.notification.id);
      if (change.type !== "removed" || id === undefined) return;
      this.shown.delete(change.notification.id);
      this.read(id);
    });
  }

  read(id) { this.seat.post("read", { id }).catch((error) => console.warn("genai4eu: not noted as read:", error)); }

  take(news) {
    const opens = news.filter((told) => told.event === "open");
    opens.slice(0, -1).forEach((told) => this.read(told.id)); // who was away goes to the last one
    news.filter((told) => !opens.includes(told)).concat(opens.slice(-1)).forEach((told) => this[told.event]?.(told));
  }

  notify(told, text, actions = []) {
    const { Notification } = this.lab.apputils, { words } = this.acts.about();
    if ([...this.shown.values()].includes(told.id)) return;
    const more = text.length > LONGEST ? [{ label: words.show, callback: (event) => { event.preventDefault(); this.dialog(text); } }] : [];
    const read = { label: words.read, displayType: "default", callback: () => {} };
    const shown = Notification.emit(text, "info", { autoClose: false, actions: [...actions, ...more, read] });
    this.shown.set(shown, told.id);
    return shown;
  }

  dialog(body) {
    const { Dialog, showDialog } = this.lab.apputils;
    return showDialog({ body, buttons: [Dialog.okButton({ label: this.acts.about().words.close })] });
  }

  message(told) { this.notify(told, filled(this.acts.about().words.trainer, { text: told.text })); }

  async open(told) {
    const { words, lessons } = this.acts.about(), lesson = lessons[told.lesson];
    this.read(told.id);
    if (!lesson) return;
    this.lab.apputils.Notification.emit(filled(words.opens, lesson), "info", { autoClose: 10000 });
    await this.acts.open(told.lesson);
  }

  solution(told) {
    const { words } = this.acts.about(), given = { exercise: told.exercise };
    const note = () => this.seat.post("solution-shown", given).catch((error) => console.warn("genai4eu:", error));
    this.notify(told, filled(words.solution, given), [
      { label: words.insert, displayType: "accent", callback: async () => { note(); await insert(await this.acts.open(told.lesson), told); } },
      { label: words.show, callback: () => { note(); show(this.lab, told, words); } },
    ]);
  }

  async ["ask-look"](told) {
    if (this.asked.has(told.id)) return;
    this.asked.add(told.id);
    const { Dialog, showDialog } = this.lab.apputils, { words } = this.acts.about();
    const answer = await showDialog({
      title: words.look, body: filled(words["look-more"], told), defaultButton: 0,
      buttons: [Dialog.cancelButton({ label: words.refuse }), Dialog.okButton({ label: words.allow })],
    });
    if (answer.button.accept) await this.acts.save().catch(() => {}); // what is seen is what was saved; JupyterLab tells of a failure
    this.seat.post("consent", { id: told.id, answer: answer.button.accept })
      .catch((error) => this.lab.apputils.Notification.emit(filled(words.failed, { why: error.message }), "warning"));
  }

  ["lesson-changed"](told) {
    const { words, lessons } = this.acts.about(), lesson = lessons[told.lesson];
    if (!lesson) return;
    const earlier = this.changed.get(told.lesson);
    const shown = this.notify(told, filled(words.changed, lesson), [{ label: words.reset, displayType: "accent", callback: () => this.acts.reset(told.lesson) }]);
    if (!shown) return; // it stands there already
    this.changed.set(told.lesson, shown);
    if (earlier) this.lab.apputils.Notification.dismiss(earlier); // one for each lesson is enough
  }

  memory(told) { this.notify(told, this.acts.about().words.memory); }

  end(told) {
    const { words, language } = this.acts.about();
    this.notify(told, filled(words.ends, { time: clock(told.at, language) }));
  }
}
