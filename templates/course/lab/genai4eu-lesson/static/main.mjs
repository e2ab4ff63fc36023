// The lesson's bar as a plugin of JupyterLab: which notebooks get it, what its parts do, and what the server has to tell.
import { Bar } from "./bar.mjs";
import { speak } from "./language.mjs";
import { News } from "./news.mjs";
import { reset } from "./reset.mjs";
import { Seat, filled, wait } from "./seat.mjs";

const MINUTE = 60, IDLE = 120, NARROW = 700;

export function plugins(lab, beside) {
  return [{
    id: "genai4eu-lesson:bar",
    description: "Language, progress, a hand to raise and a clean notebook, above each lesson",
    autoStart: true,
    requires: [lab.notebook.INotebookTracker, lab.docmanager.IDocumentManager],
    activate: (app, tracker, documents) => {
      const lessons = new Lessons(lab, app, tracker, documents);
      app.restored.then(() => lessons.begin(beside)).catch((error) => console.error("genai4eu: no bar above lessons:", error));
    },
  }, {
    id: "genai4eu-lesson:connection-lost",
    description: "Leaves it to the bar to say that the server cannot be reached",
    autoStart: true,
    provides: lab.application.IConnectionLost,
    activate: () => async () => {},
  }];
}

class Lessons {
  constructor(lab, app, tracker, documents) {
    Object.assign(this, { lab, app, tracker, documents, bars: new Map(), seat: new Seat(lab), touched: Date.now() });
  }

  async begin(beside) {
    try { await this.learn(); } catch (error) { if (error.status === 404) return; } // a server without a course
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("lesson.css", beside) }));
    while (!this.about) { await wait(2); await this.learn().catch(() => {}); }
    const come = (panel) => panel.context.ready.then(() => this.look(panel));
    this.tracker.forEach(come);
    this.tracker.widgetAdded.connect((_, panel) => come(panel));
    if (window.innerWidth < NARROW) { // a phone shows the lesson, not the list of files
      this.app.shell.collapseLeft?.();
      this.app.shell.collapseRight?.();
    }
    this.news = new News(this.lab, this.seat, {
      about: () => this.about, open: (file) => this.open(file), reset: async (file) => this.reset(await this.open(file)),
      save: () => Promise.all([...this.bars.keys()].filter((panel) => panel.context.model.dirty).map((panel) => panel.context.save())),
    });
    this.count();
    this.listen();
  }

  async learn() {
    const about = await this.seat.get("about");
    this.progress = await this.seat.get("progress");
    this.about = about;
    for (const [panel, bar] of this.bars) {
      bar.draw(about);
      bar.show(this.progress);
      speak(panel, about.language);
    }
  }

  fileOf(panel) {
    return Object.keys(this.about.lessons).find((file) => this.about.lessons[file].path === panel.context.path);
  }

  // A notebook that is renamed is a lesson no more, or becomes one.
  look(panel) {
    if (panel.isDisposed) return;
    if (!panel.genai4eu) {
      panel.genai4eu = true;
      panel.context.pathChanged.connect(() => this.look(panel));
      panel.context.fileChanged.connect(() => { if (this.bars.has(panel)) speak(panel, this.about.language); });
      panel.disposed.connect(() => this.bars.delete(panel));
    }
    const file = this.fileOf(panel), known = this.bars.get(panel);
    if (known?.file === file) return;
    known?.widget.dispose();
    this.bars.delete(panel);
    if (!file) return;
    const bar = new Bar(this.lab, file, {
      language: (name) => this.try(async () => { await this.seat.post("language", { language: name }); await this.learn(); }),
      hand: (up) => this.try(async () => { await this.seat.post("hand", { up, lesson: file }); await this.refresh(); bar.say(up ? this.about.words.raised : this.about.words.lowered); }),
      reset: () => this.reset(panel),
      endLook: (id) => this.try(async () => { await this.seat.post("consent", { id, answer: false }); await this.refresh(); }),
    });
    this.bars.set(panel, bar);
    bar.draw(this.about);
    bar.show(this.progress);
    panel.contentHeader.addWidget(bar.widget);
    bar.fit();
    speak(panel, this.about.language);
    this.front?.();
  }

  async try(act) {
    try { await act(); } catch (error) {
      this.lab.apputils.Notification.emit(filled(this.about.words.failed, { why: error.message }), "warning", { autoClose: 10000 });
      for (const bar of this.bars.values()) bar.draw(this.about);
    }
  }

  async refresh() {
    this.progress = await this.seat.get("progress");
    for (const bar of this.bars.values()) bar.show(this.progress);
  }

  async open(file) {
    await this.try(() => this.seat.post("lay", { lesson: file })); // who deleted it gets a clean one
    const panel = this.documents.openOrReveal(this.about.lessons[file].path);
    await panel.context.ready;
    this.look(panel);
    return panel;
  }

  reset(panel) {
    return this.try(() => reset(this.lab, this.seat, panel, this.fileOf(panel), this.about.words));
  }

  // The server waits until there is something to tell; where it cannot be reached, it is asked again and again.
  async listen() {
    let after = 0, seen = "", missed = 0, refused = 0;
    for (;;) {
      try {
        const known = missed ? "" : seen; // else it is half a minute until one knows that the server is there again
        const told = await this.seat.get(`news?after=${after}&seen=${encodeURIComponent(known)}`);
        if (missed > 1) await Promise.all([this.learn(), this.kernels()]);
        missed = refused = 0;
        for (const bar of this.bars.values()) bar.connected(true);
        if (told.seen !== seen) await this.refresh();
        this.news.take(told.news);
        [after, seen] = [told.last, told.seen];
      } catch (error) {
        missed += 1;
        const renewed = error.status === 403 && refused++ === 0;
        if (error.status === 403) await this.seat.again();
        if (missed > 1) for (const bar of this.bars.values()) bar.connected(false);
        await wait(renewed ? 0 : Math.min(2 ** missed, 15));
      }
    }
  }

  // Which kernels are still there: JupyterLab asks itself only minutes later, and executes nothing in one that is not.
  async kernels() {
    await this.app.serviceManager.kernels.refreshRunning();
    await this.app.serviceManager.sessions.refreshRunning();
  }

  // Which lesson is in front, and that somebody is at it.
  count() {
    let last, at = 0;
    this.front = () => {
      const panel = this.app.shell.currentWidget, bar = this.bars.get(panel), now = Date.now();
      if (!bar || document.hidden || now - this.touched > IDLE * 1000) return;
      if (bar.file === last && now - at < (MINUTE - 1) * 1000) return;
      [last, at] = [bar.file, now];
      this.seat.post("opened", { lesson: bar.file }).catch(() => { last = undefined; }); // told again a little later
    };
    for (const name of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      document.addEventListener(name, () => { this.touched = Date.now(); }, { capture: true, passive: true });
    }
    this.app.shell.currentChanged?.connect(this.front);
    setInterval(this.front, 5000);
    this.front();
  }
}
