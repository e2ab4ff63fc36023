// What the page says of itself: recorded, on its way, waiting, live, interrupted.
const BUSY = ["calling", "starting", "queue"];

export class Signs {
  constructor(words) {
    this.words = words;
    this.chip = document.getElementById("explore-chip");
    this.status = document.getElementById("explore-status");
    this.section = document.getElementById("explore");
    this.shown = document.getElementById("trust-shown");
    this.back = document.getElementById("explore-back");
  }

  show(state, told = {}) {
    const chip = this.words.chips[state] ?? this.words.chips[BUSY.includes(state) ? "calling" : "recorded"];
    const live = state === "live";
    this.section?.classList.toggle("starting", BUSY.includes(state));
    if (this.chip) this.chip.textContent = chip;
    this.chip?.classList.toggle("live", live);
    if (this.back) this.back.hidden = !["live", "paused", "lost"].includes(state);
    if (this.shown) this.shown.textContent = live ? this.words.shown_live : this.words.shown_recorded;
    const sentence = told.sentence || this.words.sentences[state] || "";
    if (this.status && this.status.textContent !== sentence) this.status.textContent = sentence;
    document.documentElement.dataset.live = state;
  }
}
