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
  var number = 0;
  // Ties the help and the error of a form's field to its input, and says that it is wrong.
  function describe(field) {
    var said = field.querySelectorAll(".genai4eu-help, .genai4eu-error");
    said.forEach(function (p) { if (!p.id) p.id = "genai4eu-said-" + ++number; });
    var ids = Array.from(said, function (p) { return p.id; }).join(" ");
    var error = field.querySelector(".genai4eu-error");
    var wrong = String(Boolean(error && error.textContent));
    field.querySelectorAll("input, select, textarea").forEach(function (input) {
      if (ids && input.getAttribute("aria-describedby") !== ids) input.setAttribute("aria-describedby", ids);
      if (input.type !== "radio" && input.getAttribute("aria-invalid") !== wrong) input.setAttribute("aria-invalid", wrong);
    });
  }
  function frame(form) {
    var title = form.querySelector(".genai4eu-form-title");
    if (!title || form.getAttribute("role")) return;
    form.setAttribute("role", "form");
    form.setAttribute("aria-label", title.textContent);
  }
  function all() {
    document.querySelectorAll(".widget-hslider, .widget-inline-hbox").forEach(name);
    document.querySelectorAll(".genai4eu-field").forEach(describe);
    document.querySelectorAll(".genai4eu-form").forEach(frame);
  }
  new MutationObserver(all).observe(document.documentElement, { childList: true, subtree: true });
  all();
})();
