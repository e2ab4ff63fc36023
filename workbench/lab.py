"""JupyterLab in a folder of fresh copies, with the targets as kernels. Called by ``genai4eu lab`` and ``runs open``."""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import platformdirs

from genai4eu.kernels import local

from . import catalogue
from .errors import WorkbenchError
from .runs.files import write_bytes, write_json
from .runs.store import runs_root

#: No news, no update check, no extension catalogue: Lab asks no other host for anything.
_QUIET = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    "--ServerApp.answer_yes=True",
    "--Application.log_level=WARN",  # the address and what goes wrong, not forty lines around it
    "--ServerApp.port_retries=0",
]
#: nbgrader's parts of a server.
NBGRADER = tuple(
    f"nbgrader.server_extensions.{name}"
    for name in ("assignment_list", "course_list", "formgrader", "validate_assignment")
)
#: What other tools of the environment bring into every server and every Lab, and nobody needs here.
_OTHERS = ("nbgrader", "notebook", "notebook_shim", *NBGRADER)
_OFF = ("@jupyterlab/apputils-extension:announcements", "@jupyter/nbgrader", "@jupyter-notebook/lab-extension")


def fill(folder: Path) -> list[Path]:
    """Put a copy of every template and of the quickstart into a folder; what is there already is its owner's.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Returns
    -------
    list of Path
        The copies that were made.

    Raises
    ------
    WorkbenchError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkbenchError(f"{folder} cannot be made a folder ({error.strerror}): choose another") from None
    made = []
    for usecase in catalogue.usecases():
        path = folder / usecase.template.rpartition("/")[2]
        if not path.exists():
            made.append(catalogue.copy(usecase.name, path))
    quickstart = folder / "quickstart.ipynb"
    if not quickstart.exists():
        write_bytes(
            quickstart, importlib.resources.files("genai4eu.notebooks").joinpath("quickstart.ipynb").read_bytes()
        )
        made.append(quickstart)
    return made


def start(folder: Path, port: int, browser: bool, opened: Path | None = None, more: Sequence[str] = ()) -> None:
    """Become JupyterLab: this process is replaced, so Ctrl-C ends Lab and its kernels and leaves nothing behind.

    Runs and dashboards go where the command line would put them, not into Lab's folder.

    Parameters
    ----------
    more : sequence of str
        Further options for Jupyter.
    """
    local.ensure()
    _free(port)
    os.environ.setdefault("GENAI4EU_RUNS", str(runs_root()))
    os.environ.setdefault("GENAI4EU_DASHBOARDS", str(Path("dashboards").absolute()))
    shown = opened or folder / "quickstart.ipynb"
    page = f"/lab/tree/{quote(shown.relative_to(folder).as_posix())}"
    command = [sys.executable, "-P", "-m", "genai4eu.lab_process", "--ip=127.0.0.1", f"--port={port}", *_QUIET]
    command += [f"--ServerApp.root_dir={folder.absolute()}", f"--LabApp.default_url={page}"]
    command.append(f"--LabApp.workspaces_dir={_own_settings(folder)}")
    command += [
        f"--ServerApp.jpserver_extensions={name}=False"
        for name in _OTHERS
        if importlib.util.find_spec(name.partition(".")[0])
    ]
    command += [] if browser else ["--no-browser"]
    if os.geteuid() == 0:
        command.append("--allow-root")  # it listens on this computer only, with a token
    os.execv(sys.executable, list(dict.fromkeys([*command, *more])))  # Jupyter takes an option once


def _own_settings(folder: Path) -> Path:
    """Keep this folder's layout apart from the user's other work, and other tools and the question about news out.

    Returns
    -------
    Path
        Where Lab keeps its layout.
    """
    home = platformdirs.user_state_path("genai4eu") / "lab"
    config = home / "config" / "labconfig" / "page_config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    write_json(config, {"disabledExtensions": dict.fromkeys(_OFF, True)})
    known = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(home / "config"), *([known] if known else [])])
    return home / "workspaces" / hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]


def _free(port: int) -> None:
    """Name a port that is taken before Lab starts."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise WorkbenchError(f"port {port} is in use: choose another with --port, or 0 for any") from None


def open_notebook(notebook: Path, name: str) -> None:
    """Open a copy of a run's notebook in Lab: the record itself stays as it is."""
    folder = Path("lab")
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.ipynb"
    write_bytes(path, notebook.read_bytes())
    start(folder, 0, browser=True, opened=path)
