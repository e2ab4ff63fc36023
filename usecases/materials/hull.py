"""The convex hull of CHGNet energies, and lithium's voltage on it. Called by the study and the live answer.

The hull (Ong et al. 2008, Chem. Mater. 20:1798) holds the shipped frames and nothing else: phases that no frame shows
are missing, so "below 0.1 eV/atom" means: of what was enumerated here, by CHGNet.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from .data import Frame, frames
from .elements import MOST_CHARGE, RADII, REDOX

CUTOFF = 0.1  # eV/atom, fixed before any result was looked at


class Hull:
    """The hull of a set of frames.

    Parameters
    ----------
    known : iterable of Frame
        Must hold every element that is asked for.
    """

    def __init__(self, known: Iterable[Frame]) -> None:
        best: dict[str, PDEntry] = {}
        for frame in known:
            composition = frame.structure.composition.reduced_composition
            key = composition.reduced_formula
            entry = PDEntry(composition, frame.energy * composition.num_atoms, name=f"{key} {frame.prototype}")
            if key not in best or entry.energy_per_atom < best[key].energy_per_atom:
                best[key] = entry
        self.entries = list(best.values())
        self._systems: dict[frozenset[str], PhaseDiagram] = {}

    def _system(self, composition: Composition) -> PhaseDiagram:
        elements = frozenset(e.symbol for e in composition.elements)
        if elements not in self._systems:
            inside = [e for e in self.entries if {x.symbol for x in e.composition.elements} <= elements]
            self._systems[elements] = PhaseDiagram(inside)
        return self._systems[elements]

    def energy(self, composition: Composition) -> float:
        """Return the energy of the hull in eV/atom."""
        return float(self._system(composition).get_hull_energy_per_atom(composition))

    def above(self, composition: Composition, energy: float) -> float:
        """Return how far ``energy`` (eV/atom) lies above the hull, in eV/atom; below zero is better than all known."""
        return energy - self.energy(composition)

    def decay(self, composition: Composition) -> str:
        """Return the phases into which the hull splits a composition, such as "LiF + MgF2"."""
        parts = self._system(composition).get_decomposition(composition)
        return " + ".join(sorted(entry.composition.reduced_formula for entry in parts))

    def voltage(self, composition: Composition, energy: float) -> float:
        """Return the average voltage against lithium metal of taking all lithium out, in V.

        What is left has the energy of the hull at its composition: it may turn into its best phases, so this is an
        equilibrium average (Aydinol et al. 1997, Phys. Rev. B 56:1354), not a curve and not a topotactic value.

        Returns
        -------
        float
            NaN without lithium, or where what is left would need a metal charged beyond four: titanium of charge four
            has nothing to give.
        """
        lithium = composition["Li"]
        rest = Composition({e: n for e, n in composition.items() if e.symbol != "Li"})
        if not lithium or not _can_give(rest):
            return float("nan")
        metal = self.energy(Composition("Li"))
        whole = energy * composition.num_atoms
        return float(-(whole - self.energy(rest) * rest.num_atoms - lithium * metal) / lithium)


def _can_give(rest: Composition) -> bool:
    """Tell whether the redox metals of a composition without lithium balance it at a charge of four or less."""
    metals = sum(n for e, n in rest.items() if e.symbol in REDOX)
    others = sum(n * min(RADII[e.symbol]) for e, n in rest.items() if e.symbol not in REDOX)
    return bool(metals) and -others <= MOST_CHARGE * metals


@lru_cache(maxsize=1)
def whole_hull() -> Hull:
    """Return the hull of all frames, which only scores are measured against."""
    return Hull(frames())


@lru_cache(maxsize=1)
def training_hull() -> Hull:
    """Return the hull of what may be learnt from, and of the elements: it tells training how good its frames are."""
    return Hull(f for f in frames() if f.part == "train" or f.ionic is None)
