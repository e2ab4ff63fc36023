"""Which of many proposals to relax: the lowest electrostatic energy of formal charges. Called before relaxations.

The Ewald sum of point charges (as pymatgen's orderings use it), at the size at which the ions touch: crowded or like
charges cost energy, so cells that are nonsense come last. It asks no potential and no frame, and takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Structure

from .formulas import Formula
from .prototypes import touching


def electrostatic(structure: Structure, formula: Formula) -> float:
    """Return the Ewald energy in eV/atom of a crystal of formal charges, scaled so that its ions touch.

    Lengths scale the energy inversely, so the crystal itself need not be scaled.
    """
    charged = structure.copy().add_oxidation_state_by_element(formula.charges)
    return float(EwaldSummation(charged).total_energy) / len(structure) / touching(structure, formula.charges)


def ranked(some: Sequence[Structure], formula: Formula) -> list[Structure]:
    """Return crystals of one formula, the lowest electrostatic energy first."""
    return [some[i] for i in np.argsort([electrostatic(s, formula) for s in some], kind="stable")]
