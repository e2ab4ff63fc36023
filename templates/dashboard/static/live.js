// Brings the dashboard part to life when the visitor asks for it. The recorded result stays in sight until the live one
// is there, and comes back whenever that fails or is closed.
(function () {
  "use strict";
  var section = document.getElementById("explore");
  if (!section) return;
  var button = document.getElementById("explore-button");
  var status = document.getElementById("explore-status");
  var chip = document.getElementById("explore-chip");
  var recorded = document.getElementById("explore-recorded");
  var shown = document.getElementById("trust-shown");
  var place = document.getElementById("explore-live");
  var address = section.dataset.live;
  var PATIENCE = 90000; // ms; a cold computer loads a lot of software
  var UNREACHED = "The live view cannot be reached at the moment. The recorded result is complete.";
  var attempt = 0;
  var timer = 0;
  button.hidden = false;

  // The live view holds all widgets; their recorded pictures would stand there a second time.
  function viewers(hidden) {
    document.querySelectorAll(".recorded-viewer").forEach(function (picture) { picture.hidden = hidden; });
  }

  function say(sentence) { if (status.textContent !== sentence) status.textContent = sentence; }

  function reset(sentence) {
    attempt += 1;
    clearTimeout(timer);
    place.replaceChildren(); // leaving the frame frees its kernel
    place.hidden = true;
    recorded.hidden = false;
    viewers(false);
    section.classList.remove("starting");
    chip.textContent = "Recorded";
    shown.textContent = "Recorded result";
    chip.classList.remove("live");
    button.disabled = false;
    button.textContent = "Try it live";
    button.classList.remove("second");
    say(sentence);
  }

  function start() {
    attempt += 1;
    var mine = attempt;
    button.disabled = true;
    button.textContent = "Starting…";
    section.classList.add("starting");
    say("Starting the live view. The recorded result stays here meanwhile.");
    timer = setTimeout(function () {
      if (mine === attempt) reset("The live view did not start in time. The recorded result is complete; try again later.");
    }, PATIENCE);
    ask(mine);
  }

  function ask(mine) {
    fetch(address + "status", { cache: "no-store" }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    }).then(function (told) {
      if (mine !== attempt) return;
      if (told.state === "ready") return open(mine);
      if (told.state === "starting") return setTimeout(function () { ask(mine); }, 300);
      reset(told.sentence);
    }).catch(function () {
      if (mine === attempt) reset(UNREACHED);
    });
  }

  function open(mine) {
    say("Opening the run and loading what it learned…");
    var frame = document.createElement("iframe");
    frame.title = "Live view: " + document.querySelector("h1").textContent;
    frame.addEventListener("load", function () { // an error page of the server sends no message, but says why
      if (mine !== attempt) return;
      var told = null;
      try {
        if (frame.contentWindow.genai4euLive) return;
        told = frame.contentDocument.getElementById("sentence");
      } catch (e) { told = null; } // the browser's own error page
      reset(told ? told.textContent : UNREACHED);
    });
    frame.src = address;
    place.hidden = false;
    place.classList.add("waiting");
    place.replaceChildren(frame);
  }

  function show() {
    clearTimeout(timer);
    section.classList.remove("starting");
    place.classList.remove("waiting");
    recorded.hidden = true;
    viewers(true);
    chip.textContent = "Live";
    shown.textContent = "Recorded result; live where it says so";
    chip.classList.add("live");
    button.disabled = false;
    button.textContent = "Back to the recorded result";
    button.classList.add("second");
    say("Live: change a setting, and the picture is computed anew.");
  }

  window.addEventListener("message", function (event) {
    var frame = place.querySelector("iframe");
    if (!frame || event.source !== frame.contentWindow || event.origin !== window.location.origin || !event.data) return;
    if (event.data.genai4eu === "height") frame.style.height = Math.ceil(event.data.height) + "px";
    else if (event.data.genai4eu === "ready") show();
    else if (event.data.genai4eu === "failed") reset(String(event.data.sentence));
  });

  button.addEventListener("click", function () {
    if (place.hidden) start();
    else reset("The picture was recorded with these settings.");
  });
  window.addEventListener("pageshow", function (event) { if (event.persisted && !place.hidden) reset("The picture was recorded with these settings."); });
})();
