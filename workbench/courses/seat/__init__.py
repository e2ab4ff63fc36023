"""What runs in a seat's notebook server: a lesson's toolbar needs no kernel, so that a hand rises over a dead one.

A Jupyter server extension; :func:`options` switches it on, for a seat in a room and for who continues at home.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

#: Extensions of JupyterLab that no participant needs: news of other hosts, other tools of the environment.
WITHOUT = (
    "@jupyterlab/apputils-extension:announcements", "@jupyter/nbgrader", "@jupyter-notebook/lab-extension",
    "@voila-dashboards/jupyterlab-preview",
)  # fmt: skip


def options() -> list[str]:
    """Return what a notebook server is started with to have the lesson's toolbar."""
    lab = Path(str(importlib.resources.files("genai4eu.templates"))) / "course" / "lab"
    return [
        f"--ServerApp.jpserver_extensions={__name__}=True",
        f"--LabServerApp.extra_labextensions_path={lab}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """Add the handlers, and leave out of JupyterLab what no participant needs. Called by the notebook server."""
    from .handlers import handlers

    settings = serverapp.web_app.settings
    before = settings.get("page_config_hook")

    def quiet(handler: Any, config: dict[str, Any]) -> dict[str, Any]:
        config = before(handler, config) if before else config
        return {**config, "disabledExtensions": sorted({*config.get("disabledExtensions", []), *WITHOUT})}

    settings["page_config_hook"] = quiet
    serverapp.web_app.add_handlers(".*$", handlers(settings["base_url"], Path(serverapp.root_dir)))
