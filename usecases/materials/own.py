"""An own crystal under the same physics check as the proposed ones. Called by *Your own data*."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pymatgen.core import Structure

from .elements import ELEMENTS
from .evaluate import displacement, framework, novel
from .formulas import Formula, find
from .hull import whole_hull
from .records import CrystalError, solid
from .relax import relax

MOST = 40  # atoms of a primitive cell, what a relaxation of some seconds allows


def first(crystals: Sequence[Structure]) -> Structure:
    """Return the first crystal of a file, which is the one that is judged, once it is sure that it can be.

    Called before any training, so that nothing is lost by a file that cannot be used.

    Raises
    ------
    CrystalError
        As :func:`judge` does, without a relaxation.
    """
    _cell(crystals[0])
    return crystals[0]


def judge(structure: Structure, evaluations: int = 60) -> tuple[Structure, pd.DataFrame]:
    """Relax a crystal and say how it stands to the hull.

    Parameters
    ----------
    structure : Structure
        From :func:`.readers.load_crystals`.
    evaluations : int
        CHGNet evaluations that the relaxation may take.

    Returns
    -------
    relaxed : Structure
        Primitive cell in Å.
    facts : pandas.DataFrame
        One row: which crystal of its file, energy above the hull (eV/atom), the phases at the hull, displacement (Å),
        voltage (V), known or not.

    Raises
    ------
    CrystalError
        If the hull knows one of its elements not, it is no solid, the cell is too large, or it falls apart.
    """
    source, cell = _source(structure), _cell(structure)
    end = relax(cell, evaluations)
    if end is None:
        raise CrystalError(f"{source} fell apart when relaxed: look at its distances and lengths in a viewer")
    hull, composition = whole_hull(), cell.composition
    formula = find({e.symbol: int(n) for e, n in composition.reduced_composition.items()})
    facts = {
        "crystal": f"{structure.properties.get('place', '1 of 1')} in {source}",
        "above the hull [eV/atom]": round(hull.above(composition, end.energy), 3),
        "phases at the hull": hull.decay(composition),
        "displacement [Å]": round(displacement(cell, end.structure), 3),
        "voltage vs Li [V]": round(hull.voltage(composition, end.energy), 2),
        "structure type": "" if formula is None else _type(end.structure, formula),
        "among the frames": "no" if novel(end.structure) else "yes",
        "converged": "yes" if end.converged else "no",
    }  # fmt: skip
    return end.structure, pd.DataFrame([facts], index=[composition.reduced_formula])


def _source(structure: Structure) -> str:
    return str(structure.properties.get("source", "the crystal"))


def _cell(structure: Structure) -> Structure:
    """Return the primitive cell, small enough and of known elements."""
    source = _source(structure)
    solid(structure, source)
    strange = sorted({e.symbol for e in structure.composition.elements} - set(ELEMENTS))
    if strange:
        raise CrystalError(f"{source} has {', '.join(strange)}; the hull knows {', '.join(ELEMENTS)} alone: "
                           "make frames with more elements (make_frames)")  # fmt: skip
    cell = structure.get_primitive_structure()
    if len(cell) > MOST:
        raise CrystalError(
            f"{source} has {len(cell)} atoms in its primitive cell, more than {MOST}: give a smaller one"
        )
    return cell


def _type(structure: Structure, formula: Formula) -> str:
    return framework(structure, formula, unseen=False) or framework(structure, formula, unseen=True)
