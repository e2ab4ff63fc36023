"""What a sweep is asked to do: a plan that all its runs share, and their points. Nothing of it is made yet.

Called by ``sweep``; the command line shows it with ``--dry-run``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..runs.plan import Limits, Plan, plan
from .points import Axes, Points, points_of

_NONE = Limits()


@dataclass(frozen=True)
class Request:
    """A sweep that may start: checked, and nothing of it made.

    Attributes
    ----------
    plan : Plan
        What the runs have in common; each adds its point to the given values.
    points : Points
        The values of every run.
    """

    plan: Plan
    points: Points

    @property
    def id(self) -> str:
        """The sweep's id: the same notebook, points and target have the same."""
        return f"sweep-{stem(self.plan.source.name)}-{self._digest()[:8]}"

    def _digest(self) -> str:
        points = sorted(json.dumps(point, sort_keys=True) for point in self.points.points)
        what = hashlib.sha256(self.plan.source.content)
        what.update(json.dumps([self.plan.target.name, points]).encode())
        return what.hexdigest()

    def about(self) -> dict[str, Any]:
        """Return what ``sweep.json`` says of it, each run's state aside."""
        return {
            "id": self.id,
            **{k: v for k, v in self.plan.about().items() if k not in ("given", "sweep", "resumes")},
            "varied": self.points.varied,
        }


def stem(name: str) -> str:
    """Return a template's or notebook's name as ids have it."""
    return Path(name).stem.lower().replace("_", "-").replace(" ", "-") or "run"


def request(name: str | Path, axes: Axes, on: str | None = None, limits: Limits = _NONE) -> Request:
    """Check all that can be checked of a sweep; touch nothing, start nothing.

    Raises
    ------
    WorkbenchError, KernelsError
        Naming all faults at once: an unknown template, parameter or target, values that are not allowed.
    """
    made = plan(name, on=on, limits=limits)
    return Request(made, points_of(made.source.schema, axes))
