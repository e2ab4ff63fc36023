"""The run context: what a notebook's cells see of the run they belong to. Called by notebooks, on the kernel's side.

The kernel-side folder, the record and the published bundle have the same layout, so that the dashboard part
works on any of the three::

    outputs/         what the study part keeps
    metrics.json     {name: {"value": …, "unit": …}}
    parameters.json  {name: value}

Metrics and progress travel to whoever runs the notebook as display messages, so nothing assumes a shared disk.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import platformdirs

from ..errors import WorkbenchError
from . import kernel_inputs
from .checkpoints import Checkpoints, State
from .files import write_json

METRIC_MIME = "application/vnd.genai4eu.metric+json"
PROGRESS_MIME = "application/vnd.genai4eu.progress+json"
#: Names the kernel-side folder of the current run; set by the engine's first, silent request.
RUN_DIR_VARIABLE = "GENAI4EU_RUN_DIR"
#: Names the published bundle; set by the live tier for the dashboard part alone.
BUNDLE_VARIABLE = "GENAI4EU_BUNDLE"


def _display(mime: str, data: dict[str, Any], text: str, display_id: str, update: bool) -> None:
    """Publish one message of our MIME type, with plain text beside it for tools that do not know the type."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:  # a plain script: nobody listens on iopub
        return
    display({mime: data, "text/plain": text}, raw=True, display_id=display_id, update=update)


@dataclass
class CurrentRun:
    """The run that the calling cell belongs to.

    Attributes
    ----------
    folder : Path
        Folder on the kernel's side. Everything below ``folder / "outputs"`` is brought home into the record.
    """

    folder: Path
    _shown: set[str] = field(default_factory=set, repr=False)
    _started: dict[str, float] = field(default_factory=dict, repr=False)

    @property
    def outputs(self) -> Path:
        """Folder whose files are kept in the record; made on first use."""
        path = self.folder / "outputs"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def metric(
        self, name: str, value: float, unit: str = "1", better: Literal["higher", "lower"] | None = None
    ) -> None:
        """Record a number of the result.

        Parameters
        ----------
        name : str
            Name within the run; a later value replaces an earlier one.
        value : float
            A finite number, or NaN where the metric is undefined.
        unit : str
            Unit symbol, ``"1"`` for a dimensionless number.
        better : str, optional
            ``"higher"`` or ``"lower"``, where one of them is: comparisons call a run better or worse only then.

        Raises
        ------
        WorkbenchError
            If ``value`` is not a number, or ``better`` something else.
        """
        if better not in (None, "higher", "lower"):
            raise WorkbenchError(f"metric {name!r}: better is 'higher' or 'lower', not {better!r}")
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise WorkbenchError(f"metric {name!r} must be a number, not {value!r}: pass float(...)") from None
        shown = None if math.isnan(number) else number  # JSON has no NaN
        metrics = read_json(self.folder / "metrics.json")
        about = {"value": shown, "unit": unit} | ({"better": better} if better else {})
        metrics[name] = about
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "metrics.json", metrics, durable=False)
        text = f"{name} = {number:.4g}" + ("" if unit == "1" else f" {unit}")
        self._publish(METRIC_MIME, {"name": name, **about}, text, f"metric-{name}")

    def input(self, path: str | Path) -> Path:
        """Note a file or folder that the run reads: the record holds its size and SHA-256.

        Parameters that are paths are noted without this.

        Returns
        -------
        Path
            The same path, to be opened.

        Raises
        ------
        WorkbenchError
            If there is no such file or folder.
        """
        if kernel_inputs.describe(str(path)) is None:
            raise WorkbenchError(f"there is no input {path}: check the path on the computer where the kernel runs")
        self.folder.mkdir(parents=True, exist_ok=True)
        kernel_inputs.note(str(self.folder), {str(path): ""})
        return Path(path)

    def progress(self, done: float, total: float, label: str = "") -> None:
        """Say how far a long cell has come.

        Parameters
        ----------
        done, total : float
            Work done and work in all, in any one unit; ``0 <= done <= total``.
        label : str
            What is being done, such as ``"training the flow"``.
        """
        begun = self._started.setdefault(label, time.monotonic())
        remaining = (time.monotonic() - begun) * (total - done) / done if done else None
        text = f"{label} {done:g}/{total:g}" + ("" if remaining is None else f", about {remaining:.0f} s to go")
        data = {"label": label, "done": done, "total": total, "remaining": remaining}
        self._publish(PROGRESS_MIME, data, text.strip(), f"progress-{label}")
        if done >= total:
            self._started.pop(label, None)

    def checkpoint(self, name: str, state: State | Callable[[], State]) -> bool:
        """Keep a state that a later attempt can go on from; it outlives the kernel.

        Parameters
        ----------
        name : str
            What it is the state of; a later one replaces an earlier one of this name, whole or not at all.
        state : dict or bytes, or callable
            Numbers, texts, bytes, arrays and tensors, in dicts and lists. A callable returns them: it is called where
            it is time for another checkpoint (after 30 s, ``GENAI4EU_CHECKPOINT_SECONDS``, or longer where keeping one
            takes more than a twentieth of that), so that it may be offered as often as one likes.

        Returns
        -------
        bool
            Whether it was kept.

        Raises
        ------
        WorkbenchError
            If the state holds something else, or the disk does not take it.
        """
        return self._checkpoints.keep(name, state)

    def restore(self, name: str) -> State | None:
        """Return the state that an earlier attempt of this run kept under ``name``; ``None`` where there is none.

        In plain JupyterLab or a script only where ``GENAI4EU_RESUME=1`` is set, so that nothing old is taken for new.
        """
        return self._checkpoints.find(name)

    @cached_property
    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(self.folder, scratch=not os.environ.get(RUN_DIR_VARIABLE))

    def _publish(self, mime: str, data: dict[str, Any], text: str, display_id: str) -> None:
        _display(mime, data, text, display_id, update=display_id in self._shown)
        self._shown.add(display_id)


@dataclass(frozen=True)
class OpenRun:
    """A run as the dashboard part reads it: from the published bundle, the current run, or the scratch folder."""

    folder: Path

    @property
    def outputs(self) -> Path:
        """Folder with what the study part kept."""
        return self.folder / "outputs"

    @property
    def metrics(self) -> dict[str, float]:
        """Metric values by name; NaN where undefined."""
        stored = read_json(self.folder / "metrics.json")
        return {name: math.nan if m["value"] is None else m["value"] for name, m in stored.items()}

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameter values by name, as the run resolved them."""
        return read_json(self.folder / "parameters.json")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; an absent file is an empty one."""
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _scratch() -> Path:
    """Return the scratch folder of this notebook: the same for both of its parts, kernel after kernel."""
    named = os.environ.get("GENAI4EU_SCRATCH")
    base = Path(named) if named else platformdirs.user_cache_path("genai4eu") / "scratch"
    notebook = os.environ.get("JPY_SESSION_NAME") or str(Path.cwd())
    return base / hashlib.sha256(notebook.encode()).hexdigest()[:16]


_current: dict[Path, CurrentRun] = {}


def current_run() -> CurrentRun:
    """Return the run that this kernel executes; in plain JupyterLab or a script, a scratch folder that acts as one."""
    named = os.environ.get(RUN_DIR_VARIABLE)
    folder = Path(named) if named else _scratch()
    return _current.setdefault(folder, CurrentRun(folder))


def before_visitors() -> bool:
    """Tell whether this kernel shows a published bundle to visitors, in whose hands is nothing of the workbench."""
    return bool(os.environ.get(BUNDLE_VARIABLE))


def open_run() -> OpenRun:
    """Return the run to show: the published bundle, else the current run even unsealed, else the scratch folder.

    Raises
    ------
    WorkbenchError
        If none of the three holds anything yet.
    """
    for variable in (BUNDLE_VARIABLE, RUN_DIR_VARIABLE):
        if os.environ.get(variable):
            return OpenRun(Path(os.environ[variable]))
    folder = _scratch()
    if not (folder / "outputs").exists():
        raise WorkbenchError("there is no run to show yet: run the study part of this notebook first")
    return OpenRun(folder)
