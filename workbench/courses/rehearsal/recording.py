"""What Chromium sends in a seat, from JupyterLab's page to the first kernel. Read from ``browser.json``.

Its files are named without their versions; what this computer's JupyterLab has of them is found on its disk.
"""

from __future__ import annotations

import fnmatch
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..seat import LAB

FILE = Path(__file__).parent / "browser.json"
#: Our extension of JupyterLab, and what it asks a seat's server for.
OWN, _OURS = "genai4eu-lesson", "genai4eu/lesson/"
_STATIC, _EXTENSIONS = "static/lab/", "lab/extensions/"


@dataclass(frozen=True)
class Request:
    """One request below a seat's address.

    Attributes
    ----------
    path : str
        With ``{now}``, ``{lesson}``, ``{session}``, and so on to be filled in.
    body : str
        JSON with the same; empty where there is none.
    """

    method: str
    path: str
    body: str = ""


@dataclass(frozen=True)
class Wave:
    """Requests of which none waits for another.

    Attributes
    ----------
    pause : float
        Seconds that the browser is busy with itself before, on the participant's own computer.
    """

    pause: float
    requests: tuple[Request, ...]


@functools.cache
def recorded() -> tuple[list[Wave], list[list[Any]]]:
    """Return the waves of requests, and what is said to the kernel before the first cell."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    waves = [Wave(wave["pause"], tuple(Request(*one) for one in wave["requests"])) for wave in content["waves"]]
    return waves, content["talk"]


def own_seconds() -> float:
    """Return how long the browser was busy with itself."""
    return sum(wave.pause for wave in recorded()[0])


def present(request: Request, page: dict[str, Any]) -> str | None:
    """Return the address of a request below the seat's, as this JupyterLab has it; None where it has no such file.

    Parameters
    ----------
    page : dict
        The configuration in JupyterLab's page: where its files are, and which extensions it loads.
    """
    path = request.path
    if path.startswith(_STATIC):
        return _named(page["fullStaticUrl"], _lab(), path.removeprefix(_STATIC))
    loaded = {about["name"] for about in page["federated_extensions"]}
    if not path.startswith(_EXTENSIONS):
        return path if not path.startswith(_OURS) or OWN in loaded else None
    name = path.removeprefix(_EXTENSIONS).partition("/static/")[0]
    entry = next((e for e in page["federated_extensions"] if e["name"] == name), None)
    if entry is None:
        return None
    below = path.removeprefix(_EXTENSIONS + name + "/")
    if "remoteEntry" in below:
        return f"{page['fullLabextensionsUrl']}/{name}/{entry['load']}"
    folder = next((f for f in _extensions() if (f / name / "package.json").is_file()), None)
    return _named(f"{page['fullLabextensionsUrl']}/{name}", folder / name, below) if folder else None


def _named(address: str, folder: Path, name: str) -> str | None:
    below, _, plain = name.rpartition("/")
    found = _files(folder / below)
    match = next((f for f in found if fnmatch.fnmatchcase(f, plain)), None)
    if match is None:
        return None
    version = match.split(".")[-2] if match.count(".") > 1 else ""
    return f"{address}/{below + '/' if below else ''}{match}?v={version}"


@functools.cache
def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@functools.cache
def _lab() -> Path:
    from jupyterlab.commands import get_app_dir

    return Path(get_app_dir()) / "static"


@functools.cache
def _extensions() -> list[Path]:
    from jupyter_core.paths import jupyter_path

    return [LAB, *map(Path, jupyter_path("labextensions"))]
