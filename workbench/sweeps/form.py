"""A sweep as a YAML file says it. Called by the command line.

::

    template: climate            # or a notebook, relative to this file
    target: genai4eu             # these may be left out, or be said on the command line
    jobs: 4
    per_task: 10                 # on Slurm
    timeout: 1h                  # or seconds
    best: skill:max
    parameters:                  # the same for all
      profile: smoke
    grid:                        # each with each
      lr: [1e-3, 1e-4]
      seed: 0..4
    zip:                         # walked together
      width: [64, 128]
      depth: [2, 4]
    list:                        # points named one by one
      - {schedule: linear}
      - {schedule: cosine, warmup: 10}
    sample:                      # drawn at random
      number: 20
      seed: 1
      parameters: {dropout: uniform, decay: "log:1e-6..1e-2"}

Where there are several of grid, zip, list and sample, every point of one meets every point of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pydantic
import yaml

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway.spans import seconds

from ..errors import WorkbenchError
from ..parameter_file import Strict, reason
from ..runs.plan import Limits
from .points import Axes

_NONE = Limits()


@dataclass(frozen=True)
class Form:
    """All that a sweep is asked with."""

    template: str
    axes: Axes
    target: str | None = None
    jobs: int | None = None
    per_task: int = 1
    limits: Limits = _NONE
    best: str | None = None

    def with_(self, **given: Any) -> Form:
        """Return the form with what was said beside it; ``None`` says nothing."""
        said = {name: value for name, value in given.items() if value is not None}
        limits = replace(self.limits, **{n: said.pop(n) for n in ("timeout", "cell_timeout", "retries") if n in said})
        return replace(self, limits=limits, **said)


class _Sample(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    number: int = pydantic.Field(ge=1)
    seed: int = 0
    parameters: dict[str, Any]


class _File(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    template: str
    target: str | None = None
    jobs: int | None = pydantic.Field(None, ge=1)
    per_task: int = pydantic.Field(1, ge=1)
    timeout: float | str | None = None
    cell_timeout: int | None = pydantic.Field(None, ge=1)
    retries: int = pydantic.Field(0, ge=0, le=20)
    best: str | None = None
    parameters: dict[str, Any] = {}
    grid: dict[str, Any] = {}
    zip: dict[str, Any] = {}
    listed: list[dict[str, Any]] = pydantic.Field([], alias="list")
    sample: _Sample | None = None


def read_form(path: Path) -> Form:
    """Read a file.

    Raises
    ------
    WorkbenchError
        If there is none, it is not YAML, or says something unknown.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=Strict)  # a SafeLoader
        if not isinstance(content, dict):
            raise WorkbenchError(f"{path} is no sweep: write one 'name: value' a line, as in template: health-imaging")
        said = _File.model_validate(content)
    except OSError as error:
        raise WorkbenchError(f"{path} cannot be read ({error.strerror}): check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise WorkbenchError(f"{path} is not YAML: {reason(error)}") from None
    except pydantic.ValidationError as error:
        raise WorkbenchError(f"{path}: " + "; ".join(map(_fault, error.errors()))) from None
    twice = sorted({*said.parameters} & {name for point in said.listed for name in point})
    if twice:
        raise WorkbenchError(
            f"{path}: parameter {twice[0]!r} is both in parameters and in list: leave it in one of them"
        )
    own = {name: getattr(said, name) for name in ("target", "jobs", "per_task", "best")}
    return Form(_template(said.template, path), _axes(said), limits=_limits(said, path), **own)


def _fault(error: Any) -> str:
    where = ".".join(map(str, error["loc"])) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{where} is not known: a sweep has {', '.join(f.alias or n for n, f in _File.model_fields.items())}"
    return f"{where}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _axes(said: _File) -> Axes:
    points = [{**said.parameters, **point} for point in said.listed or [{}]]
    sample = said.sample
    axes = Axes(said.grid, said.zip, points if points != [{}] else ())
    return replace(axes, sample=sample.parameters, number=sample.number, seed=sample.seed) if sample else axes


def _limits(said: _File, path: Path) -> Limits:
    try:
        timeout = seconds(said.timeout) if isinstance(said.timeout, str) else said.timeout
        return Limits(timeout, said.cell_timeout, said.retries)
    except (WorkbenchError, KernelsError) as error:
        raise WorkbenchError(f"{path}: {error}") from None


def _template(name: str, path: Path) -> str:
    """Return the notebook beside the file, where the name looks like one."""
    return str(path.parent / name) if name.endswith(".ipynb") or "/" in name else name
