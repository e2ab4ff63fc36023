"""Every method proposes crystals for the test formulas, by the same rules. Called by the study part.

The rules: a formula alone is given; each method proposes ``draws`` crystals; what is invalid or the same as an earlier
proposal for the formula is dropped, and ``tries`` of the rest are relaxed. Proposing is cheap and relaxing is not, so
relaxations are what is counted. The flow's are ranked by electrostatics (:mod:`.electrostatics`) and the first taken.
So that its share of the success can be told from the ranking's, enumeration and search stand twice: at random, as the
literature has them, and ranked alike. Substitution has a ranking of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

from ..generative.training import Progress
from .baseline import enumerate_types, search, substitute
from .data import Frame, formulas_of
from .electrostatics import ranked
from .evaluate import unique, valid
from .formulas import Formula
from .model import CrystalFlow
from .relax import Relaxed, relax_all
from .sizes import Sizes
from .train import draw

FLOW = "flow"
METHODS = (FLOW, "ion substitution", "ranked enumeration", "ranked search", "random enumeration", "random search")
RATTLE = 0.03  # Å
Proposals = dict[str, list[list[Structure]]]


def test_formulas(count: int, seed: int, kind: str = "test") -> list[Formula]:
    """Return ``count`` formulas of one part, drawn by the seed, in the order of their pattern."""
    pool = formulas_of(kind)
    picked = np.random.default_rng([seed, 11]).permutation(len(pool))[:count]
    return [pool[i] for i in sorted(picked)]


def draws(
    model: CrystalFlow, chosen: Sequence[Formula], sizes: Sizes, seed: int, progress: Progress | None = None
) -> list[list[Structure]]:
    """Return ``sizes.draws`` crystals of the flow for each formula, as they come."""
    made = []
    for i, formula in enumerate(chosen):
        made.append(draw(model, formula, sizes.draws, _seed(seed, i), sizes.sampling))
        if progress:
            progress(i + 1, len(chosen), "drawing crystals")
    return made


def propose(
    drawn: Sequence[Sequence[Structure]],
    known: Sequence[Frame],
    chosen: Sequence[Formula],
    sizes: Sizes,
    seed: int,
) -> Proposals:
    """Return by method, for each formula, the crystals to relax: valid, all different, at most ``sizes.tries``.

    Parameters
    ----------
    drawn : sequence of sequence of Structure
        From :func:`draws`.
    known : sequence of Frame
        Training frames, for ion substitution.
    chosen : sequence of Formula
        Test formulas.
    sizes : Sizes
        Sizes of the study.
    seed : int
        Seed of the random methods.
    """
    made: Proposals = {name: [] for name in METHODS}
    for i, formula in enumerate(chosen):
        rng = np.random.default_rng([seed, i, 23])
        typed, anywhere = enumerate_types(formula, sizes.draws, rng), search(formula, sizes.draws, rng)
        pools = {
            FLOW: ranked(_different(drawn[i]), formula),
            "ion substitution": _different(substitute(formula, known, sizes.draws)),
            "ranked enumeration": ranked(_different(typed), formula),
            "ranked search": ranked(_different(anywhere), formula),
            "random enumeration": _different(typed),
            "random search": _different(anywhere),
        }
        for name, pool in pools.items():
            made[name].append(pool[: sizes.tries])
    return made


def _different(some: Sequence[Structure]) -> list[Structure]:
    right = [s for s in some if valid(s)]
    return [s for s, own in zip(right, unique(right), strict=True) if own]


def check(proposed: Proposals, sizes: Sizes, progress: Progress | None = None) -> dict[str, list[list[Relaxed | None]]]:
    """Relax all proposals, each with the same number of evaluations.

    Every start is rattled a little, so that no method's symmetric saddle is taken for a minimum.
    """
    flat = [s.copy() for formulas in proposed.values() for some in formulas for s in some]
    for number, one in enumerate(flat):
        for i, vector in enumerate(np.random.default_rng([number, 31]).normal(0, RATTLE, (len(one), 3))):
            one.translate_sites([i], vector, frac_coords=False)
    ends = iter(relax_all(flat, sizes.evaluations, progress))
    return {name: [[next(ends) for _ in some] for some in formulas] for name, formulas in proposed.items()}


def _seed(seed: int, number: int) -> int:
    return 100_003 * seed + 1_009 * number
