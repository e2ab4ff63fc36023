"""What the dashboard needs of no record, made before kernels are forked: its modules, and what all dashboards do."""

from __future__ import annotations

from ..generative.rehearsal import rehearse
from . import figures, keep, live, report, settings  # noqa: F401  # what the dashboard part imports

__all__ = ["rehearse"]
