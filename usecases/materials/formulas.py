"""Charge-balanced formulas over the study's ions. Called by the frames' script and by the generator's users.

A formula is a :class:`Formula`: elements, how many of each, and the charge of each. Neutrality is checked again with
SMACT (Davies et al. 2019), which knows every common oxidation state and not only the study's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from .elements import ALKALI, ANIONS, CATIONS, RADII

#: Patterns: how many of each ion, cations before anions, and the charges that balance them.
PATTERNS: dict[str, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "AX": [((1, 1), (2, -2)), ((1, 1), (1, -1))],
    "AX2": [((1, 2), (4, -2)), ((1, 2), (2, -1)), ((2, 1), (1, -2))],
    "A2X3": [((2, 3), (3, -2))],
    "AX3": [((1, 3), (3, -1))],
    "AMX2": [((1, 1, 2), (1, 3, -2))],
    "AMX3": [((1, 1, 3), (1, 2, -1)), ((1, 1, 3), (2, 4, -2)), ((3, 1, 1), (1, -2, -1))],
    "A2MX4": [((2, 1, 4), (1, 2, -1)), ((2, 1, 4), (2, 4, -2))],
    "A2MX3": [((2, 1, 3), (1, 4, -2))],
    "A2MX6": [((2, 1, 6), (1, 4, -1))],
    "A2MX2": [((2, 1, 2), (1, 2, -2))],
    "AMX": [((1, 1, 1), (3, -2, -1)), ((1, 1, 1), (2, -1, -1)), ((1, 1, 1), (1, 1, -2))],
}


class FormulaError(KeyError):
    """A formula that the study does not have; the message names it and the remedy."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would put it in quotes


@dataclass(frozen=True)
class Formula:
    """A neutral formula.

    Attributes
    ----------
    ions : tuple of (str, int, int)
        Element, number in the formula unit, charge; cations first.
    pattern : str
        Which of :data:`PATTERNS` it belongs to, such as "AMX2".
    """

    ions: tuple[tuple[str, int, int], ...]
    pattern: str

    @property
    def name(self) -> str:
        """The formula as chemists write it, such as "LiCoO2"."""
        return "".join(f"{e}{n if n > 1 else ''}" for e, n, _ in self.ions)

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements, cations first."""
        return tuple(e for e, _, _ in self.ions)

    @property
    def atoms(self) -> int:
        """How many atoms a formula unit has."""
        return sum(n for _, n, _ in self.ions)

    @property
    def charges(self) -> dict[str, int]:
        """The charge of each element."""
        return {e: q for e, _, q in self.ions}


@lru_cache(maxsize=1)
def formulas() -> tuple[Formula, ...]:
    """Return all formulas of the study in a fixed order; the first charge assignment of a composition counts."""
    found: dict[tuple[tuple[str, int], ...], Formula] = {}
    for pattern, kinds in PATTERNS.items():
        for counts, charges in kinds:
            for chosen in product(*(_candidates(q) for q in charges)):
                if len(set(chosen)) == len(chosen) and not (kinds_of_four(charges) and set(chosen) & {"Co", "Ni"}):
                    made = Formula(tuple(zip(chosen, counts, charges, strict=True)), pattern)
                    found.setdefault(tuple(sorted(zip(chosen, counts, strict=True))), made)
    return tuple(found.values())


def kinds_of_four(charges: tuple[int, ...]) -> bool:
    """Tell whether a metal of charge four stands beside one of charge two: only Ti and Mn are that there."""
    return 4 in charges and 2 in charges


def _candidates(charge: int) -> list[str]:
    """Return the elements that take this charge."""
    pool = ANIONS if charge < 0 else ALKALI if charge == 1 else CATIONS
    return [e for e in pool if charge in RADII[e]]


class _Named(dict[str, Formula]):
    def __missing__(self, name: str) -> Formula:
        some = ", ".join(list(self)[:: len(self) // 3])
        raise FormulaError(
            f"{name} is none of the study's {len(self)} formulas: choose one of by_name(), such as {some}"
        )


@lru_cache(maxsize=1)
def by_name() -> dict[str, Formula]:
    """Return the formulas by name; asked for another one, it raises :class:`FormulaError`."""
    return _Named((f.name, f) for f in formulas())


def find(counts: dict[str, int]) -> Formula | None:
    """Return the study's formula of a reduced composition, or ``None``."""
    return next((f for f in formulas() if {e: n for e, n, _ in f.ions} == counts), None)


def part(formula: Formula) -> str:
    """Return "train", "validation" or "test": by a hash of the composition, so fixed for all seeds and sizes.

    An eighth of the formulas serve tuning, a quarter the test; no frame of those is ever trained on.
    """
    key = "-".join(f"{e}{n}" for e, n in sorted((e, n) for e, n, _ in formula.ions))
    draw = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 16**8
    return "test" if draw < 0.25 else "validation" if draw < 0.375 else "train"


def neutral(counts: dict[str, int]) -> bool:
    """Tell whether SMACT finds oxidation states that balance ``counts`` and suit the electronegativities."""
    from smact.screening import smact_validity

    return bool(smact_validity("".join(f"{e}{n}" for e, n in counts.items()), use_pauling_test=True))
