// Gives controls the names that ipywidgets shows beside them but does not tie to them, so that a screen reader says
// "Lesion load (mL), 15". Runs once a page, in JupyterLab (from the Explorer) and on the live page.
(function () {
  if (window.genai4euAria) return;
  window.genai4euAria = true;
  function name(widget) {
    var label = widget.querySelector(":scope > .widget-label");
    if (!label || !label.textContent) return;
    var text = label.textContent;
    widget.querySelectorAll(".noUi-handle, .widget-readout").forEach(function (part) {
      if (part.classList.contains("widget-readout")) part.setAttribute("role", "textbox");
      if (part.getAttribute("aria-label") !== text) part.setAttribute("aria-label", text);
    });
    widget.querySelectorAll(".widget-radio-box").forEach(function (box) {
      if (box.getAttribute("aria-label") === text) return;
      box.setAttribute("role", "radiogroup");
      box.setAttribute("aria-label", text);
    });
  }
  function all() {
    document.querySelectorAll(".widget-hslider, .widget-inline-hbox").forEach(name);
  }
  new MutationObserver(all).observe(document.documentElement, { childList: true, subtree: true });
  all();
})();
