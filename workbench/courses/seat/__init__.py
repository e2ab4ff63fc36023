"""What runs in a seat's notebook server: a lesson's toolbar needs no kernel, so that a hand rises over a dead one.

A Jupyter server extension; :func:`options` switches it on, for a seat in a room and for who continues at home.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import os
from pathlib import Path
from typing import Any

#: Extensions of JupyterLab that no participant needs: news of other hosts, other tools of the environment, questions
#: in the middle of the page about a server that the lesson's bar already says is away.
WITHOUT = (
    "@jupyterlab/hub-extension:connectionlost",
    "@jupyterlab/apputils-extension:announcements", "@jupyter/nbgrader", "@jupyter-notebook/lab-extension",
    "@voila-dashboards/jupyterlab-preview",
)  # fmt: skip
#: Extensions by what a lesson has to mention for them to be loaded: they are large.
ONLY_FOR = {"jupyterlab-plotly": "plotly"}
#: Where JupyterLab's own files come from, if not from the seat's server.
FILES = "GENAI4EU_FILES"
#: What each kernel executes first, by the variable that names it.
STARTUP = {"PYTHONSTARTUP": str(Path(__file__).with_name("startup.py"))}
#: Our own extensions of JupyterLab.
LAB = Path(str(importlib.resources.files("genai4eu.templates"))) / "course" / "lab"


def options() -> list[str]:
    """Return what a notebook server is started with to have the lesson's toolbar."""
    return [
        f"--ServerApp.jpserver_extensions={__name__}=True",
        f"--LabServerApp.extra_labextensions_path={LAB}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """Add the handlers, and leave out of JupyterLab what no participant needs. Called by the notebook server."""
    from .handlers import handlers

    settings, folder = serverapp.web_app.settings, Path(serverapp.root_dir)
    serverapp.web_app.add_handlers(".*$", handlers(settings["base_url"], folder))
    serverapp.io_loop.add_callback(_quieten, settings, folder)  # JupyterHub's own extension sets its hook over ours


def _quieten(settings: dict[str, Any], folder: Path) -> None:
    """Have JupyterLab's page say what it loads, and from where."""
    left_out = {*WITHOUT, *(name for name, word in ONLY_FOR.items() if not _mentioned(folder, word))}
    before = settings.get("page_config_hook")

    def quiet(handler: Any, config: dict[str, Any]) -> dict[str, Any]:
        config = before(handler, config) if before else config
        loaded = [about for about in config.get("federated_extensions", []) if about["name"] not in left_out]
        disabled = sorted({*config.get("disabledExtensions", []), *left_out})
        what = {"federated_extensions": loaded, "disabledExtensions": disabled, "buildCheck": False}  # it asks for Node
        return {**config, **_elsewhere(), **what}

    settings["page_config_hook"] = quiet


def _elsewhere() -> dict[str, str]:
    """Return where JupyterLab's own files are, where one process has them for all seats."""
    files = os.environ.get(FILES)
    return {"fullStaticUrl": f"{files}/lab", "fullLabextensionsUrl": f"{files}/extensions"} if files else {}


def _mentioned(folder: Path, word: str) -> bool:
    """Tell whether a lesson mentions a word."""
    with contextlib.suppress(OSError):
        return any(word in path.read_text("utf-8", errors="replace") for path in folder.glob("*.ipynb"))
    return True
