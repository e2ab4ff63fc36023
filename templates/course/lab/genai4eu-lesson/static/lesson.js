// A lesson's toolbar in JupyterLab: its language, a hand to raise, a clean notebook. Plain script: JupyterLab offers its own
// modules in webpack's share scope, so that nothing has to be bundled.
(function () {
  "use strict";
  var scope;

  function shared(name) {
    var versions = scope[name];
    return Promise.resolve(versions[Object.keys(versions)[0]].get()).then(function (factory) { return factory(); });
  }

  function about(panel) { return (panel.model.getMetadata("genai4eu") || {}).lesson; }

  // A text that the participant has changed is theirs, and stays.
  function speak(panel, language) {
    var cells = panel.model.cells;
    for (var i = 0; i < cells.length; i += 1) {
      var cell = cells.get(i), texts = (cell.getMetadata("genai4eu") || {}).text;
      if (cell.type !== "markdown" || !texts || !texts[language]) continue;
      var known = Object.keys(texts).some(function (name) { return texts[name] === cell.sharedModel.getSource(); });
      if (known) cell.sharedModel.setSource(texts[language]);
    }
    panel.content.widgets.forEach(function (cell) { if (cell.model.type === "markdown") cell.rendered = true; });
  }

  function execute(panel, code) {
    var session = panel.sessionContext.session;
    if (!session || !session.kernel) return Promise.reject(new Error("no kernel"));
    return session.kernel.requestExecute({ code: code, silent: false, store_history: false }).done;
  }

  function decorate(panel, lab) {
    var told = about(panel);
    if (!told || panel.genai4eu) return;
    panel.genai4eu = true;
    var words = told.words;
    var add = function (name, label, click) {
      panel.toolbar.addItem("genai4eu-" + name, new lab.ToolbarButton({ label: label, tooltip: label, onClick: click }));
    };
    if (told.languages.length > 1) {
      told.languages.forEach(function (language) {
        add(language, language.toUpperCase(), function () {
          speak(panel, language);
          execute(panel, "from genai4eu.courses import language as _l; _l('" + language + "'); del _l");
        });
      });
    }
    add("hand", words.hand, function () { execute(panel, "from genai4eu.courses import help_me as _h; _h(); del _h"); });
    add("reset", words.reset, function () {
      lab.showDialog({ title: words.reset, body: words.sure, buttons: [lab.Dialog.cancelButton(), lab.Dialog.okButton({ label: words.reset })] })
        .then(function (answer) {
          if (!answer.button.accept) return;
          panel.context.save()
            .then(function () { return execute(panel, "from genai4eu.courses import reset as _r; _r('" + panel.context.path.split("/").pop().replace(/'/g, "\\'") + "'); del _r"); })
            .then(function () { return panel.context.revert(); });
        });
    });
  }

  var container = {
    init: function (given) { scope = given; },
    get: function () {
      return Promise.all([shared("@jupyterlab/notebook"), shared("@jupyterlab/apputils"), shared("@jupyterlab/ui-components")]).then(function (modules) {
        var lab = { ToolbarButton: modules[2].ToolbarButton, showDialog: modules[1].showDialog, Dialog: modules[1].Dialog };
        var plugin = {
          id: "genai4eu-lesson:toolbar",
          description: "A lesson's toolbar",
          autoStart: true,
          requires: [modules[0].INotebookTracker],
          activate: function (_app, tracker) {
            var come = function (_, panel) { panel.context.ready.then(function () { decorate(panel, lab); }); };
            tracker.widgetAdded.connect(come);
            tracker.forEach(function (panel) { come(null, panel); });
          },
        };
        return function () { return { default: plugin }; };
      });
    },
  };
  (window._JUPYTERLAB = window._JUPYTERLAB || {})["genai4eu-lesson"] = container;
})();
