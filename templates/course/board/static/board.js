// The trainer's board: fetches what changed every two seconds, and tells the room what the trainer does.
// The key stays with this entry of the tab's history: other pages of this host can read neither it nor what it opens.
(function () {
  "use strict";
  var EVERY = 2000, LATE = 7000;
  var kept = history.state || {}, key = kept.key || "", language = kept.language || "";
  var parts = {}, hands = {}, lesson = "", seat = "", looked = "", at = 0, timer = 0, generation = 0, undo = null;
  function $(id) { return document.getElementById(id); }

  function keep() { history.replaceState({ key: key, language: language }, "", location.pathname); }

  function given() {
    var told = new URLSearchParams(location.hash.slice(1)).get("key") || new URLSearchParams(location.search).get("key");
    if (told) key = told;
    keep();
  }

  function call(path, more, body) {
    var query = new URLSearchParams(more || {});
    if (language) query.set("lang", language);
    var options = { headers: { Authorization: "Bearer " + key }, cache: "no-store", credentials: "omit", redirect: "error" };
    if (body) {
      options.method = "POST";
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    return fetch("api/" + path + "?" + query, options).then(function (answer) {
      if (answer.status === 401) { shut(true); throw new Error("key"); }
      return answer.json().then(function (told) { return { ok: answer.ok, status: answer.status, told: told }; });
    });
  }

  // ---- signing in and out
  function shut(wrong) {
    clearTimeout(timer);
    generation += 1;
    key = "";
    keep();
    document.querySelectorAll("dialog[open]").forEach(function (open) { open.close(); });
    $("board").textContent = "";
    $("sign-in").hidden = false;
    $("wrong").hidden = !wrong;
    $("key").setAttribute("aria-invalid", wrong ? "true" : "false");
    $("key").value = "";
    $("key").focus();
  }

  function open() {
    var mine = generation += 1;
    return call("page").then(function (answer) {
      if (mine !== generation) return;
      if (!answer.ok) throw new Error("answer");
      language = answer.told.language;
      keep();
      document.documentElement.lang = language;
      $("sign-in").hidden = $("away").hidden = true;
      $("top").innerHTML = answer.told.top;
      $("board").innerHTML = answer.told.page;
      parts = {};
      hands = answer.told.hands;
      lesson = seat = looked = "";
      at = Date.now();
      told();
      next(mine, EVERY);
    }).catch(function (error) {
      if (error.message === "key" || mine !== generation) return;
      $("away").hidden = false;
      timer = setTimeout(open, EVERY);
    });
  }

  // ---- what changes
  function next(mine, after) {
    clearTimeout(timer);
    timer = setTimeout(function () { poll(mine); }, after);
  }

  function poll(mine) {
    var late = setTimeout(told, LATE);
    return call("state", { lesson: lesson, seat: seat }).then(function (answer) {
      if (mine !== generation) return;
      if (answer.ok) {
        at = Date.now();
        Object.keys(answer.told.parts).forEach(function (id) { put(id, answer.told.parts[id]); });
        say(answer.told.hands);
      }
    }).catch(function () { /* told below: the board is not up to date */ }).then(function () {
      clearTimeout(late);
      if (mine !== generation) return;
      told();
      if (looked) look();
      next(mine, document.hidden ? EVERY * 5 : EVERY);
    });
  }

  function clock() { return new Date(at).toLocaleTimeString(language, { hourCycle: "h23" }); }

  function told() {
    var line = $("fresh");
    if (!line) return;
    var stale = Date.now() - at > LATE;
    var words = (stale ? line.dataset.stale : line.dataset.fresh).replace("{time}", clock());
    if (stale !== line.classList.contains("stale")) {
      line.classList.toggle("stale", stale);
      if (stale) $("news").textContent = words;
    }
    line.firstElementChild.textContent = words;
  }

  // A part is replaced only where it changed, and not under the trainer's hands.
  function put(id, html) {
    var place = $(id), focus = document.activeElement;
    if (!place || parts[id] === html) return;
    var inside = place.contains(focus);
    if (inside && /^(INPUT|SELECT|TEXTAREA)$/.test(focus.tagName)) return;
    parts[id] = html;
    place.innerHTML = html;
    if (inside && focus.id && $(focus.id)) $(focus.id).focus({ preventScroll: true });
    else if (inside) { place.tabIndex = -1; place.focus({ preventScroll: true }); }
  }

  // A screen reader hears of a hand once, when it goes up.
  function say(now) {
    var fresh = Object.keys(now).filter(function (name) { return !(name in hands); });
    hands = now;
    if (fresh.length) $("news").textContent = fresh.map(function (name) { return now[name]; }).join(" ");
  }

  // ---- what the trainer does
  function once() {
    return Array.from(crypto.getRandomValues(new Uint8Array(12)), function (n) { return n.toString(16).padStart(2, "0"); }).join("");
  }

  function fields(form) {
    var found = {};
    new FormData(form).forEach(function (value, name) {
      var pieces = name.split(".");
      if (form.elements[name] && form.elements[name].hasAttribute("data-number")) value = Number(value);
      if (pieces.length > 1) (found[pieces[0]] = found[pieces[0]] || {})[pieces[1]] = value;
      else found[name] = value;
    });
    return found;
  }

  function asked(element) {
    var more = element.tagName === "FORM" ? fields(element) : {};
    ["act", "seat", "lesson"].forEach(function (name) { if (element.dataset[name]) more[name] = element.dataset[name]; });
    return more;
  }

  function question(element) {
    var choice = element.tagName === "FORM" && element.querySelector("option:checked[data-sure]");
    return choice ? choice.dataset.sure : element.dataset.sure;
  }

  function sure(words) {
    return new Promise(function (answer) {
      var dialog = $("sure");
      $("sure-words").textContent = words;
      var yes = false;
      $("sure-yes").onclick = function () { yes = true; dialog.close(); };
      $("sure-no").onclick = function () { dialog.close(); };
      dialog.onclose = function () { answer(yes); };
      dialog.showModal();
      $("sure-no").focus();
    });
  }

  function act(element) {
    if (element.genai4eu) return;
    element.genai4eu = true;
    var words = question(element), more = asked(element);
    more.once = element.once = element.once || once();  // the same until an answer has come: a second try is the same click
    (words ? sure(words) : Promise.resolve(true)).then(function (yes) { return yes ? send(more, element) : null; })
      .then(function () { element.genai4eu = false; });
  }

  function send(more, element) {
    return call("act", {}, more).then(function (answer) {
      if (element) element.once = "";
      // Typed about a seat: its dialog shows it as it stands now, with the words of what was done.
      var typed = answer.ok && seat && (more.act === "name" || more.act === "about");
      (typed ? fill(seat) : Promise.resolve()).then(function () { answered(answer); });
      if (answer.ok && element && element.tagName === "FORM" && more.act === "message") element.reset();
      poll(generation);
    }).catch(function (error) {
      if (error.message !== "key") answered({ ok: false, told: { said: $("fresh").dataset.stale.replace("{time}", clock()) } });
    });
  }

  function answered(answer) {
    var said = answer.told.said || answer.told.error || "";
    $("said").textContent = "";
    $("said-box").classList.toggle("refused", !answer.ok);
    setTimeout(function () { $("said").textContent = said; }, 30);  // the same words again are said again
    undo = answer.ok && answer.told.undo && answer.told.undo.act ? answer.told.undo : null;
    $("undo").hidden = !undo;
    if ($("seat-said")) {
      setTimeout(function () { if ($("seat-said")) $("seat-said").textContent = said; }, 30);
      $("seat-undo").hidden = !undo;
    }
    if (answer.told.card) {
      $("card-content").innerHTML = answer.told.card;
      $("card").showModal();
    }
  }

  function fill(name) {
    return call("seat/" + name).then(function (answer) {
      if (!answer.ok) throw new Error("answer");
      seat = name;
      $("seat-content").innerHTML = answer.told.html;
      delete parts["look-" + name];
    });
  }

  function show(name, opener) {
    fill(name).then(function () {
      var dialog = $("seat-dialog");
      dialog.onclose = function () { seat = ""; var back = $(opener); if (back) back.focus(); };
      if (!dialog.open) dialog.showModal();
    }).catch(function () { told(); });
  }

  function look() {
    var name = looked;
    call("look/" + name).then(function (answer) {
      if (name !== looked) return;
      if (!answer.ok) { looked = ""; $("look").close(); return; }
      $("look-head").textContent = answer.told.head;
      $("look-words").textContent = answer.told.words;
      if ($("look-frame").srcdoc !== answer.told.html) $("look-frame").srcdoc = answer.told.html;
      if (!$("look").open) {
        $("look").onclose = function () { looked = ""; $("look-frame").srcdoc = ""; };
        $("look").showModal();
      }
    }).catch(function () { told(); });
  }

  function sheet(name) {
    call("sheet/" + name).then(function (answer) {
      if (!answer.ok) return;
      $("sheet-frame").srcdoc = answer.told.html;
      $("sheet").showModal();
    }).catch(function () { told(); });
  }

  // ---- one listener for each kind: parts come and go
  document.addEventListener("submit", function (event) {
    event.preventDefault();
    if (event.target.id === "key-form") { key = $("key").value.trim(); open(); }
    else if (event.target.dataset.act) act(event.target);
  });
  document.addEventListener("change", function (event) {
    if (event.target.id === "shown") { lesson = event.target.value; poll(generation); }
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) return;
    var data = button.dataset;
    if (data.act) act(button);
    else if (data.open) show(data.open, button.id);
    else if (data.look) { looked = data.look; look(); }
    else if (data.sheet) sheet(data.sheet);
    else if (data.language) { language = data.language; open(); }
    else if ("close" in data) button.closest("dialog").close();
    else if (button.id === "leave") shut(false);
    else if (button.id === "look-stop") { send({ act: "look-end", seat: looked, once: once() }); $("look").close(); }
    else if (button.id === "sheet-print") $("sheet-frame").contentWindow.print();
    else if ((button.id === "undo" || button.id === "seat-undo") && undo) { var back = undo; back.once = back.once || once(); send(back, null); }
  });
  document.addEventListener("visibilitychange", function () { if (!document.hidden && key && $("fresh")) poll(generation); });

  given();
  if (key) open(); else { $("sign-in").hidden = false; $("key").focus(); }
})();
