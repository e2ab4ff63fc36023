"""The record of a run: a folder that holds all there is to know of it, and is a valid RO-Crate once it is sealed.

Files are replaced by rename, one by one; ``ro-crate-metadata.json`` comes last, so a folder with it is whole.
Called by the runner, the store and the dashboards.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydantic

from ..errors import WorkbenchError
from .energy import energy_sentence
from .files import write_json
from .presence import gone

CRATE = "ro-crate-metadata.json"
#: What the record of a run says that nobody could finish.
GONE = "the process that ran it ended before it could finish"


class _Run(pydantic.BaseModel):
    """What every ``run.json`` says."""

    id: str
    template: str
    title: str
    usecase: str | None
    usecase_version: str | None
    status: str
    started: str
    ended: str | None
    duration: float | None
    target: str
    kernel_id: str | None
    cells: list[dict[str, Any]]
    error: str | None


class _Metric(pydantic.BaseModel):
    """One metric; ``None`` where it is undefined."""

    value: float | None
    unit: str


_RUN: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(_Run)
_METRICS: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(dict[str, _Metric])


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id(name: str) -> str:
    """Return a run id that sorts by time and can be read aloud."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{name}-{secrets.token_hex(2)}"


@dataclass(frozen=True)
class Record:
    """One run's folder."""

    folder: Path

    @property
    def id(self) -> str:
        """The run's id: its folder's name."""
        return self.folder.name

    @property
    def sealed(self) -> bool:
        """Whether the record is whole and final."""
        return (self.folder / CRATE).is_file()

    @property
    def notebook_path(self) -> Path:
        """The executed notebook."""
        return self.folder / "notebook.ipynb"

    @property
    def outputs(self) -> Path:
        """What the study part kept."""
        return self.folder / "outputs"

    @property
    def info(self) -> dict[str, Any]:
        """What ``run.json`` says; a run whose runner is gone reads as ``died``, one of a Slurm job as Slurm says.

        Why a job is still in the queue stands under ``waits``, which is in no file.

        Raises
        ------
        WorkbenchError
            If the file is missing or damaged.
        """
        info = self.checked("run.json", _RUN)
        if info["status"] in ("pending", "running") and info.get("job"):
            from .fate import fate

            if found := fate(info, self.folder):
                info |= {"status": found.status, "error" if found.over else "waits": found.sentence}
        elif info["status"] == "running" and gone(info):
            info["status"], info["error"] = "died", GONE
        return info

    @property
    def running(self) -> bool:
        """Whether the run may still go on, or begin: nobody else may touch it then."""
        try:
            return not self.sealed and self.info["status"] in ("pending", "running")
        except WorkbenchError:
            return False  # damaged

    @property
    def energy(self) -> dict[str, Any]:
        """What the run used: joules, and how they were found; empty where the record says nothing."""
        return self.read("energy.json") if (self.folder / "energy.json").exists() else {}

    @property
    def energy_sentence(self) -> str:
        """The energy in words: the figure, and whether it was measured or is an estimate."""
        return energy_sentence(self.energy)

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameter values by name."""
        return self.read("parameters.json")

    @property
    def metrics(self) -> dict[str, Any]:
        """Metrics by name, each with ``value`` and ``unit``; none before the first is there."""
        return self.checked("metrics.json", _METRICS) if (self.folder / "metrics.json").exists() else {}

    def read(self, name: str) -> dict[str, Any]:
        """Read one of the record's JSON files."""
        path = self.folder / name
        try:
            if path.exists() and not path.is_file():  # a pipe would keep its reader waiting for ever
                raise WorkbenchError(f"record {self.id}: {name} is no file, run again")
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise WorkbenchError(f"record {self.id} has no {name}: it is incomplete, run again") from None
        except OSError as error:
            raise WorkbenchError(f"record {self.id}: {name} cannot be read ({error.strerror})") from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise WorkbenchError(f"record {self.id}: {name} is damaged, run again") from None
        if not isinstance(content, dict):
            raise WorkbenchError(f"record {self.id}: {name} is damaged, run again")
        return content

    def checked(self, name: str, shape: pydantic.TypeAdapter[Any]) -> dict[str, Any]:
        """Read one of the record's JSON files and hold it to its shape."""
        content = self.read(name)
        try:
            shape.validate_python(content)
        except pydantic.ValidationError as error:
            fault = ".".join(map(str, error.errors()[0]["loc"]))
            raise WorkbenchError(f"record {self.id}: {name} is damaged ({fault}), run again") from None
        return content

    def write(self, name: str, content: Any, durable: bool = False) -> None:
        """Write one of the record's JSON files, whole or not at all; a sealed record is left as it is.

        Parameters
        ----------
        durable : bool
            Whether to wait until the disk has it, as for how a run ended; each wait costs a run milliseconds.

        Raises
        ------
        WorkbenchError
            If the record is sealed.
        """
        if self.sealed:
            raise WorkbenchError(f"record {self.id} is sealed: it cannot be changed, start another run")
        write_json(self.folder / name, content, durable)

    def _repr_html_(self) -> str:
        """Show the run in a notebook as on its page: how it ended, metrics, parameters."""
        from .view import page

        return page(self, brief=True).fragment

    def _repr_markdown_(self) -> str:
        """Show the run in a notebook: how it ended, and its metrics."""
        about = self.summary()
        rows = [f"| {n} | {_number(m['value'])} | {m['unit']} |" for n, m in self.metrics.items()]
        why = f": {about['error']}" if about["error"] else ""
        head = f"**{about['status']}{why}** · `{self.id}` on `{about['target']}`, {about['duration'] or 0:.0f} s"
        return "\n".join([head, "", "| metric | value | unit |", "|---|---|---|", *rows])

    def summary(self) -> dict[str, Any]:
        """Return what a list of runs shows of this one."""
        info = self.info
        kept = ("id", "template", "title", "status", "target", "kernel_id", "started", "duration", "error",
                "resumes", "verifies")  # fmt: skip
        metrics = self.metrics
        return {
            **{k: info.get(k) for k in (*kept, "waits")},
            "parameters": self.parameters,
            "metrics": {name: metric["value"] for name, metric in metrics.items()},
            # most have neither, and a list may be of ten thousand runs
            "units": {name: metric["unit"] for name, metric in metrics.items() if metric["unit"] != "1"},
            "better": {name: metric["better"] for name, metric in metrics.items() if metric.get("better")},
            "sealed": self.sealed,
        }

    def readable(self) -> dict[str, Any]:
        """Return the summary; of a record that cannot be read, one that says so and does not hide the others."""
        try:
            return self.summary()
        except WorkbenchError as error:
            names = ("template", "title", "target", "kernel_id", "started", "duration", "waits", "resumes", "verifies")
            unknown = dict.fromkeys(names)
            about = {"id": self.id, "status": "damaged", "error": str(error), "sealed": False}
            return {**unknown, **about, "parameters": {}, "metrics": {}, "units": {}, "better": {}}


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
