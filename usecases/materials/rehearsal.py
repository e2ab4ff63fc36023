"""What the dashboard needs of no record, made before kernels are forked: modules, CHGNet, the hull."""

from __future__ import annotations

from ..generative.rehearsal import rehearse as rehearse_all
from . import figures, keep, live, report  # noqa: F401  # what the dashboard part imports
from .data import frames
from .evaluate import valid
from .hull import whole_hull
from .physics import chgnet


def rehearse() -> None:
    """Load the potential and the hull, and ask them for a shipped crystal."""
    rehearse_all()
    chgnet()
    known = frames()[0].structure
    valid(known)
    whole_hull().energy(known.composition)
