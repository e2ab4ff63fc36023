// A lesson's bar in JupyterLab. Plain script: JupyterLab offers its own modules in webpack's share scope, so that nothing has
// to be bundled; our own are imported from beside this file.
(function () {
  "use strict";
  const beside = new URL(".", document.currentScript.src);
  const names = {
    application: "@jupyterlab/application", apputils: "@jupyterlab/apputils", coreutils: "@jupyterlab/coreutils", docmanager: "@jupyterlab/docmanager",
    notebook: "@jupyterlab/notebook", services: "@jupyterlab/services", messaging: "@lumino/messaging", widgets: "@lumino/widgets",
  };
  let scope;

  // Another extension may offer a version of its own; JupyterLab's is the one whose tokens its plugins know.
  async function shared(name) {
    const offered = Object.values(scope[name] || {});
    const found = offered.find((one) => one.from === "_JUPYTERLAB.CORE_OUTPUT") || offered[0];
    if (!found) throw new Error(`JupyterLab offers no ${name}`);
    return (await found.get())();
  }

  async function load() {
    const keys = Object.keys(names);
    const modules = await Promise.all(keys.map((key) => shared(names[key])));
    const lab = Object.fromEntries(keys.map((key, index) => [key, modules[index]]));
    const { plugins } = await import(new URL("main.mjs", beside));
    const made = plugins(lab, beside);
    return () => ({ __esModule: true, default: made });
  }

  (window._JUPYTERLAB = window._JUPYTERLAB || {})["genai4eu-lesson"] = { init: (given) => { scope = given; }, get: load };
})();
