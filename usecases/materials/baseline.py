"""What chemists did before generative models, on the same frames and with as many relaxations. Called by the study
part.

* **ion substitution**: take a stable training crystal and exchange its ions for the most similar ones that make the
  wanted formula, by the data-mined probabilities of Hautier et al. 2011 (Inorg. Chem. 50:656), which pymatgen ships;
* **random enumeration**: put the wanted ions on a random training structure type, in any order that the numbers allow
  (Szymanski & Bartel 2025, Mater. Horiz., use it as the floor). Only the choice is random: sites and cells are those of
  known types, and the hull of the study holds nothing else, so it is a high floor;
* **random search**: put ions at random into a random cell of sensible volume, none too close (AIRSS, Pickard & Needs
  2011, J. Phys. Condens. Matter 23:053201): random in sites and cell as well, it knows no structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations

import numpy as np
from pymatgen.core import Lattice, Species, Structure

from .data import Frame
from .elements import radius
from .formulas import Formula
from .hull import CUTOFF, training_hull
from .prototypes import PROTOTYPES, TEST_PROTOTYPES, decorate, role_counts, touching

CLOSEST = 0.75  # of the sum of radii, for opposite ions in a random cell
MOST_ATOMS = 12


@lru_cache(maxsize=1)
def _chances() -> object:
    from pymatgen.analysis.structure_prediction.substitution_probability import SubstitutionProbability

    return SubstitutionProbability()


@lru_cache(maxsize=4096)
def likeness(a: tuple[str, int], b: tuple[str, int]) -> float:
    """Return the data-mined probability that ion ``a`` (element, charge) takes the place of ``b``."""
    return float(_chances().prob(Species(*a), Species(*b)))  # type: ignore[attr-defined]


def substitute(formula: Formula, known: Sequence[Frame], count: int) -> list[Structure]:
    """Return the ``count`` most promising substitutions, one a structure type as long as there are types.

    Parameters
    ----------
    formula : Formula
        What is wanted.
    known : sequence of Frame
        Training frames; parents are those within 0.1 eV/atom of the training frames' hull.
    count : int
        How many crystals.

    Returns
    -------
    list of Structure
        Scaled so that ions touch; fewer than ``count`` where no parent has this pattern.
    """
    hull, scored = training_hull(), []
    for frame in known:
        parent = frame.ionic
        if parent is None or parent.pattern != formula.pattern:
            continue
        if hull.above(frame.structure.composition, frame.energy) > CUTOFF:
            continue
        for order in _exchanges(parent, formula):
            chance = 1.0
            for new, old in order.items():
                chance *= likeness((new, formula.charges[new]), (old, parent.charges[old]))
            scored.append((chance, frame, {old: new for new, old in order.items()}))
    scored.sort(key=lambda s: (-s[0], s[1].formula, s[1].prototype))
    seen: dict[str, int] = {}
    for rank, (_, frame, _) in enumerate(scored):
        seen.setdefault(frame.prototype, rank)
    first = sorted(seen.values())
    chosen = first + [i for i in range(len(scored)) if i not in set(first)]
    return [_exchanged(scored[i][1], scored[i][2], formula) for i in chosen[:count]]


def _exchanges(parent: Formula, formula: Formula) -> list[dict[str, str]]:
    """Return every way to give each new ion the place of an old one of the same number and sign."""
    new, ways = formula.ions, []
    for old in permutations(parent.ions):
        if all(a[1] == b[1] and a[2] * b[2] > 0 for a, b in zip(new, old, strict=True)):
            ways.append({a[0]: b[0] for a, b in zip(new, old, strict=True)})
    return ways


def _exchanged(frame: Frame, new: dict[str, str], formula: Formula) -> Structure:
    made = Structure(
        frame.structure.lattice, [new[site.specie.symbol] for site in frame.structure], frame.structure.frac_coords
    )
    made.scale_lattice(made.volume * touching(made, formula.charges) ** 3)
    return made


def enumerate_types(formula: Formula, count: int, rng: np.random.Generator) -> list[Structure]:
    """Return ions on random training structure types, in random order among equal numbers.

    Charge-balanced, as the formula is; nothing is known of which ion likes which site.
    """
    names = [n for n, p in PROTOTYPES.items() if p.pattern == formula.pattern and n not in TEST_PROTOTYPES]
    ways = [
        (name, dict(zip(role_counts(name), order, strict=True)))
        for name in names
        for order in permutations(formula.elements)
        if len(order) == len(role_counts(name)) and _fits(name, formula, order)
    ]
    picks = rng.permutation(len(ways))
    return [decorate(*_way(ways[picks[i % len(ways)]], formula)) for i in range(count if ways else 0)]


def _way(way: tuple[str, dict[str, str]], formula: Formula) -> tuple[str, Formula, dict[str, str]]:
    return way[0], formula, way[1]


def _fits(name: str, formula: Formula, order: Sequence[str]) -> bool:
    counts = {e: n for e, n, _ in formula.ions}
    roles = role_counts(name)
    units = sum(roles.values()) / formula.atoms
    return all(counts[e] * units == n for e, n in zip(order, roles.values(), strict=True))


def search(formula: Formula, count: int, rng: np.random.Generator) -> list[Structure]:
    """Return random cells of one or two formula units, in which no two ions are too close.

    Volumes lie within 25 % of the mean of the training frames' for these ions; see :func:`volume_of`.
    """
    units = [u for u in (1, 2) if u * formula.atoms <= MOST_ATOMS] or [1]
    return [_random_cell(formula, units[i % len(units)], rng) for i in range(count)]


def volume_of(formula: Formula) -> float:
    """Return a sensible volume of a formula unit in Å³: that of spheres of the ions' radii, packed to 60 %."""
    return sum(n * 4 / 3 * np.pi * radius(e, q) ** 3 for e, n, q in formula.ions) / 0.6


def _random_cell(formula: Formula, units: int, rng: np.random.Generator) -> Structure:
    elements = [e for e, n, _ in formula.ions for _ in range(n * units)]
    charges = formula.charges
    for attempt in range(400):
        lengths, angles = rng.uniform(0.7, 1.4, 3), rng.uniform(60, 120, 3)
        if angles.sum() > 350 or 2 * angles.max() > angles.sum() - 5:
            continue
        volume = volume_of(formula) * units * rng.uniform(0.75, 1.25)
        lattice = Lattice.from_parameters(*lengths, *angles).scale(volume)
        made = Structure(lattice, elements, rng.random((len(elements), 3)))
        # a crowded cell may never satisfy the first wish: it is eased a little with every hundred attempts
        if min(lattice.abc) > 2.0 and touching(made, charges) * (CLOSEST - 0.1 * (attempt // 100)) < 1:
            return made
    return made
