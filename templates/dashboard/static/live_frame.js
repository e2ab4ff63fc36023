// On the live page: tells the frozen page around it when the controls are there, how high it is, or why it failed, and
// frees the kernel when the page is left in a way that Voila does not notice.
(function () {
  "use strict";
  window.genai4euLive = true;
  var framed = window.parent !== window;
  if (framed) document.documentElement.classList.add("framed");
  window.voila_process = window.voila_finish = window.voila_heartbeat = window.update_loading_text = function () {};
  window.display_cells = function () {};
  var done = false;
  // a widget of ipywidgets carries its class; one of anywidget is whatever stands in an output's panel
  var WIDGET = ".jupyter-widgets, .jp-OutputArea-output > .lm-Widget";

  function tell(message) { if (framed) window.parent.postMessage(message, window.location.origin); }

  function height() {
    var main = document.getElementById("live-main");
    if (main) tell({ genai4eu: "height", height: main.getBoundingClientRect().height });
  }

  function drawn() {
    if (!document.querySelector(WIDGET)) return false;
    var pictures = document.querySelectorAll(".genai4eu-picture");
    if (!pictures.length) return true;
    return Array.prototype.every.call(pictures, function (p) { var i = p.querySelector("img"); return i && i.complete && i.naturalWidth; });
  }

  // Voila moves the cells into a shell of its own at the end of the page: bring that back into the main landmark.
  function settle() {
    var shell = document.getElementById("main");
    var main = document.getElementById("live-main");
    if (shell && main && !main.contains(shell)) main.appendChild(shell);
  }

  function mark() {
    document.querySelectorAll(".cell:not(.has-widgets)").forEach(function (cell) {
      if (cell.querySelector(WIDGET)) cell.classList.add("has-widgets");
    });
  }

  function look() {
    settle();
    if (done) return mark(); // some come later than the first
    var failure = document.querySelector(".failure");
    if (failure) {
      done = true;
      document.documentElement.classList.add("ready");
      return tell({ genai4eu: "failed", sentence: failure.textContent });
    }
    if (!drawn()) return;
    done = true;
    mark();
    document.documentElement.classList.add("ready");
    height();
    tell({ genai4eu: "ready" });
  }

  document.addEventListener("DOMContentLoaded", function () {
    if (framed) document.body.dataset.sector = window.parent.document.body.dataset.sector; // its accent colour
    if (!document.querySelector("script[type='application/vnd.voila.cell-output+json'], .failure, .output")) {
      tell({ genai4eu: "failed", sentence: "There is nothing live to show here. The recorded result is complete." });
    }
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
    document.addEventListener("load", look, true); // images
    new ResizeObserver(height).observe(document.getElementById("live-main"));
    look();
  });

  window.addEventListener("pagehide", function () {
    var told = document.getElementById("jupyter-config-data");
    if (!told) return;
    var config = JSON.parse(told.textContent);
    navigator.sendBeacon(config.baseUrl + "voila/api/shutdown/" + config.kernelId, new FormData());
  });
  window.addEventListener("pageshow", function (event) { if (event.persisted) window.location.reload(); });
})();
