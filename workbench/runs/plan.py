"""The plan of a run: all that can be known before anything is made or started. For the runner, jobs and sweeps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genai4eu.kernels import local, targets
from genai4eu.kernels.errors import KernelsError

from .. import catalogue
from ..errors import WorkbenchError
from ..values import leaves
from . import syntax
from .record import Record

#: Further attempts that a run may have.
MOST_RETRIES = 20


def _number(value: object) -> bool:
    """Tell whether a value is a real number; ``True`` is none, and neither is what is not finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Limits:
    """What a run may take.

    Attributes
    ----------
    timeout : float or None
        Seconds for the whole run, all attempts together.
    cell_timeout : int or None
        Seconds for one cell.
    retries : int
        Further attempts after one that died or was preempted; never after one that failed.
    """

    timeout: float | None = None
    cell_timeout: int | None = None
    retries: int = 0

    def __post_init__(self) -> None:
        """Hold each to what it may be.

        Raises
        ------
        WorkbenchError
            Naming the limit, its value and what it takes.
        """
        for name in ("timeout", "cell_timeout"):
            value = getattr(self, name)
            if value is not None and not (_number(value) and value > 0):
                raise WorkbenchError(f"{name} cannot be {value!r}: it takes seconds, more than 0")
        if not (_number(self.retries) and 0 <= self.retries <= MOST_RETRIES and self.retries == int(self.retries)):
            raise WorkbenchError(f"retries cannot be {self.retries!r}: it takes a whole number in 0..{MOST_RETRIES}")


@dataclass(frozen=True)
class Plan:
    """One run that may start: checked, and nothing of it made yet.

    Attributes
    ----------
    source : Source
        The template or notebook.
    notebook : dict
        Its content, valid, with an id in every cell.
    given : dict
        The parameter values that were given, as they are injected.
    target : Target
        Where the kernel runs.
    asked : str or None
        The kernelspec that was asked for, by the caller or by the notebook; ``None`` where neither did.
    sweep, resumes, verifies : str or None
        Id of the sweep that it is a part of, of the run that it goes on with, of the run that it repeats as a proof.
    """

    source: catalogue.Source
    notebook: dict[str, Any]
    given: dict[str, Any]
    target: targets.Target
    limits: Limits = Limits()
    asked: str | None = None
    sweep: str | None = None
    resumes: str | None = None
    verifies: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Values of all parameters."""
        return self.source.schema.resolved(self.given)

    @property
    def paths(self) -> dict[str, str]:
        """The paths among the parameter values: the parameters' names by path."""
        known = self.source.schema.parameters
        named = {k: v for k, v in self.parameters.items() if k in known and Path in set(leaves(known[k].type))}
        lists = {k: v if isinstance(v, list) else [v] for k, v in named.items()}
        return {v: k for k, values in lists.items() for v in values if isinstance(v, str) and v}

    @property
    def project(self) -> Path:
        """The folder of the user's project: that of the notebook; of a shipped template, where the run is started."""
        return self.source.path.absolute().parent if self.source.path is not None else Path.cwd()

    @property
    def here(self) -> bool:
        """Whether the kernel runs on this computer."""
        return self.target.gateway is None and self.target.slurm is None

    @property
    def in_place(self) -> Path | None:
        """The folder of a notebook of one's own, in which its kernel runs as JupyterLab's would; else ``None``."""
        return self.source.path.parent if self.source.path is not None and self.here else None

    def about(self) -> dict[str, Any]:
        """Return what ``run.json`` says of the plan, and what ``plan_of`` needs to make it again."""
        usecase = self.source.usecase
        return {
            "template": self.source.name,
            "title": self.source.title,
            "notebook": str(self.source.path) if self.source.path else None,
            "usecase": usecase.name if usecase else None,
            "usecase_version": usecase.version if usecase else None,
            "sector": usecase.sector if usecase else None,
            "target": self.target.name,
            "kernel": {"asked": self.asked, "used": self.target.name, "warm": None},
            "given": self.given,
            "limits": asdict(self.limits),
            "sweep": self.sweep,
            "resumes": self.resumes,
            "verifies": self.verifies,
        }


def plan(
    name: str | Path,
    *,
    on: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    limits: Limits = Limits(),
    sweep: str | None = None,
    resumes: str | None = None,
) -> Plan:
    """Check all that can be checked of a run; touch nothing, start nothing.

    Parameters
    ----------
    name : str or Path
        Name of a template, or path of a notebook.
    on : str, optional
        Target, as ``genai4eu targets`` lists them; this computer by default.
    parameters : mapping, optional
        Parameter values by name.

    Raises
    ------
    WorkbenchError, KernelsError
        For an unknown template, parameter or target, a value that is not allowed, a gateway that does not answer.
    """
    source = catalogue.source(name)
    given = source.schema.validate(parameters or {})
    notebook = valid(source)
    asked = on or _kernel(notebook)
    target = _target(asked, source.name if on is None else "")
    if target.name == local.NAME:  # another interpreter may read what this one does not
        syntax.check(notebook["cells"], source.name)
    return Plan(source, notebook, given, target, limits, asked, sweep, resumes)


def plan_of(record: Record, on: str | None = None) -> Plan:
    """Return the plan of a run that was created before, maybe on another computer. Called by jobs, resume and verify.

    Parameters
    ----------
    on : str, optional
        Another target than the recorded one.

    Raises
    ------
    WorkbenchError, KernelsError
        If the record is damaged, or its target cannot be reached from here.
    """
    info = record.info
    path = Path(info["notebook"]) if info.get("notebook") else None
    content = (record.folder / "input.ipynb").read_bytes()
    usecase = catalogue.usecase(info["usecase"]) if info["usecase"] else None
    source = catalogue.Source(info["template"], content, usecase, path)
    given = source.schema.validate(info["given"])
    asked = on or info["kernel"]["asked"]
    limits = Limits(**info["limits"])
    return Plan(
        source, valid(source), given, _target(on or info["target"], ""), limits, asked, info["sweep"], info["resumes"]
    )


def valid(source: catalogue.Source) -> dict[str, Any]:
    """Return the notebook, with ids where cells lack them; refuse what papermill could not read."""
    import nbformat
    from nbformat.validator import MissingIDFieldWarning, normalize

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingIDFieldWarning)  # giving the ids is what this does
            _, notebook = normalize(nbformat.from_dict(source.notebook))
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        fault = str(error).splitlines()[0]
        raise WorkbenchError(
            f"{source.name} is not a valid notebook ({fault}): open and save it once in JupyterLab"
        ) from None
    made: dict[str, Any] = notebook
    return made


def _target(asked: str | None, notebook: str) -> targets.Target:
    """Return the target, after asking whether it can be reached.

    A kernelspec of this very interpreter, as most notebooks name one, is served by the warm kernels of ``genai4eu``.
    """
    local.ensure()
    if asked is None or local.stands_for(asked):
        asked = local.NAME
    try:
        target = targets.find(asked)
    except KernelsError as error:
        if not notebook:
            raise
        said = f"{notebook} asks for the kernel {asked!r}, which is not known here"
        raise WorkbenchError(f"{said}: choose another with --on; --on {local.NAME} is this computer") from error
    if target.language not in ("python", ""):
        raise WorkbenchError(f"the kernel {target.name} runs {target.language}: a run needs Python, choose with --on")
    targets.check(target)
    return target


def _kernel(notebook: Mapping[str, Any]) -> str | None:
    """Return the kernelspec that the notebook names."""
    name = notebook.get("metadata", {}).get("kernelspec", {}).get("name")
    return str(name) if name else None
