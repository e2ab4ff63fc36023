// The tour of an experience centre's screen. Each dashboard stands in a frame of its own, which goes with all that a
// visitor did in it; whoever touches one stops the tour, and when nobody has for a while, it goes on.
(function () {
  "use strict";
  var told = JSON.parse(document.getElementById("tour").textContent);
  var words = told.words;
  var find = function (id) { return document.getElementById(id); };
  var stage = find("stage"), caption = find("caption"), place = find("place"), pause = find("pause"), gone = find("gone");
  var calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  var WAIT = 20000, AGAIN = 10000, WARN = 10; // ms to load, ms until another try, s of warning
  var SIGNS = ["pointerdown", "keydown", "wheel", "touchstart"];
  var now = -1, turn = 0, steps = [], step = 0, left = 0, quiet = 0, exploring = false, stopped = false, frame = null, failed = 0;

  function text(element) { return element ? element.textContent.trim().replace(/\s+/g, " ") : ""; }

  // What a picture shows: its caption, or the first part of the words that stand for it.
  function shown(figure) {
    var image = figure && figure.querySelector("img");
    return text(figure && figure.querySelector("figcaption")) || (image ? image.alt.split(/; |\. /)[0] : "");
  }

  // What the guide points at, with what it says there.
  function tour(page) {
    var figure = page.querySelector(".main-figure");
    var limits = Array.from(page.querySelectorAll(".prose")).pop();
    return [
      [page.querySelector("h1"), words.question],
      [page.querySelector(".answer"), words.answer],
      [figure, [words.figure, shown(figure)]],
      [page.querySelector("#explore:not([data-still])"), words.explore],
      [limits, words.limits],
    ].filter(function (one) { return one[0]; });
  }

  function say(title, sentence) {
    var head = document.createElement("b");
    head.textContent = title;
    caption.replaceChildren(head, sentence);
  }

  function point(number) {
    step = number;
    var page = frame.contentDocument;
    page.querySelectorAll(".pointed").forEach(function (e) { e.classList.remove("pointed"); });
    if (!steps[number]) return;
    var target = steps[number][0];
    if (number) target.classList.add("pointed");
    target.scrollIntoView({ block: target.offsetHeight > frame.clientHeight ? "start" : "center", behavior: calm.matches ? "auto" : "smooth" });
    say.apply(null, steps[number][1]);
  }

  function where() { return words.place.replace("{0}", now + 1).replace("{1}", told.stops.length); }

  // A dashboard in a frame: marked as such, its links lead nowhere, and every touch is heard.
  function adorn(made) {
    var page = made.contentDocument;
    if (!page || !page.querySelector("article")) return false;
    var sheet = page.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = document.querySelector("link[href*='kiosk.css']").href;
    page.head.append(sheet);
    page.documentElement.classList.add("kiosk");
    page.addEventListener("click", function (event) { if (event.target.closest("a[href]")) event.preventDefault(); }, true);
    page.querySelectorAll("a[href]").forEach(function (a) { a.tabIndex = -1; });
    ["contextmenu", "dragstart"].forEach(function (name) { page.addEventListener(name, function (event) { event.preventDefault(); }); });
    SIGNS.forEach(function (name) { page.addEventListener(name, touched, { capture: true, passive: true }); });
    return true;
  }

  function show(number) {
    var mine = ++turn;
    now = (number + told.stops.length) % told.stops.length;
    var made = document.createElement("iframe");
    made.className = "coming";
    made.title = told.stops[now].question;
    var late = setTimeout(function () { arrive(false); }, WAIT);
    function arrive(whole) {
      clearTimeout(late);
      if (mine !== turn) return made.remove();
      if (!whole) return miss(made);
      failed = 0;
      made.classList.remove("coming");
      if (frame) frame.remove(); // and with it the kernel that a visitor had
      frame = made;
      exploring = false;
      begin();
    }
    made.addEventListener("load", function () { arrive(adorn(made)); }, { once: true });
    made.src = told.stops[now].address + "?lang=" + told.lang;
    stage.append(made);
  }

  // One that cannot be shown is passed over; where none can, the last one stays and all are tried again.
  function miss(made) {
    made.remove();
    failed += 1;
    if (failed < told.stops.length) return show(now + 1);
    place.textContent = words.away;
    failed = 0;
    setTimeout(function () { show(now + 1); }, AGAIN);
  }

  function begin() {
    steps = tour(frame.contentDocument);
    left = told.seconds;
    place.textContent = where();
    point(0);
  }

  function touched() {
    quiet = 0;
    if (!frame || exploring) return;
    exploring = true;
    frame.contentDocument.querySelectorAll(".pointed").forEach(function (e) { e.classList.remove("pointed"); });
    say(told.stops[now].question, "");
    place.textContent = words.exploring;
    gone.style.width = "0";
  }

  function second() {
    if (!frame || document.hidden) return;
    if (exploring) return idle();
    if (stopped) return;
    left -= 1;
    gone.style.width = 100 * (1 - left / told.seconds) + "%";
    if (left <= 0) return show(now + 1);
    var due = Math.floor((1 - left / told.seconds) * steps.length);
    if (due !== step) point(due);
  }

  // Nobody there: the next visitor finds everything as it was.
  function idle() {
    quiet += 1;
    var rest = told.idle - quiet;
    if (rest <= 0) { stop(false); return show(now); }
    place.textContent = rest <= WARN ? words.soon.replace("{}", rest) : words.exploring;
  }

  function stop(yes) {
    stopped = yes;
    pause.setAttribute("aria-pressed", String(yes));
    pause.textContent = yes ? words.go_on : words.stop;
  }

  pause.addEventListener("click", function () {
    stop(!stopped);
    if (exploring && !stopped) show(now);
    exploring = stopped; // a stopped tour is somebody's, until nobody has touched it for a while
    quiet = 0;
    if (frame && stopped) place.textContent = words.exploring;
  });
  find("next").addEventListener("click", function () { quiet = 0; show(now + 1); });
  find("previous").addEventListener("click", function () { quiet = 0; show(now - 1); });
  document.addEventListener("contextmenu", function (event) { event.preventDefault(); });
  ["pointerdown", "keydown"].forEach(function (name) { document.addEventListener(name, function () { quiet = 0; }, true); });

  // What came before the worker did is asked for once more, so that it has that too.
  function keep() {
    var own = Array.from(document.querySelectorAll("link[href], script[src]"), function (e) { return e.href || e.src; });
    own.concat(location.href).forEach(function (address) { fetch(address).catch(function () { /* no network: it is kept */ }); });
  }
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.addEventListener("controllerchange", keep);
    navigator.serviceWorker.register("kiosk-worker.js").catch(function () { /* not over plain http from elsewhere: the tour works, but for a lost network */ });
  }
  window.genai4euKiosk = { show: show, at: function () { return now; } }; // for tests
  if (told.stops.length) { show(0); setInterval(second, 1000); }
})();
