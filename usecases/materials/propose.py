"""Every method proposes crystals for the test formulas, by the same rules. Called by the study part.

The rules: a formula alone is given; each method proposes ``draws`` crystals; what is invalid or the same as an earlier
proposal for the formula is dropped, and ``tries`` of the rest are relaxed. All spend as many relaxations and, at most,
as many CHGNet evaluations on a formula. The flow screens (:mod:`.screening`): it relaxes the proposals of lowest energy
and pays for their energies with shorter relaxations. So that its share of the success can be told from the
screening's, it stands beside itself without, and random enumeration beside itself with it. Substitution has a ranking
of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

from ..generative.training import Progress
from .baseline import enumerate_types, search, substitute
from .data import Frame, formulas_of
from .evaluate import unique, valid
from .formulas import Formula
from .hull import CUTOFF
from .model import CrystalFlow
from .relax import Relaxed, relax_all
from .screening import allowed, screened
from .sizes import Sizes
from .train import draw

FLOW = "flow"
SCREENED = (FLOW, "screened enumeration")
METHODS = (
    FLOW, "ion substitution", "screened enumeration", "unscreened flow", "random enumeration", "random search",
)  # fmt: skip
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
    """Return ``sizes.draws`` crystals of the flow for each formula, as they come.

    They are asked for energies from the hull up to the cutoff: asked for the hull alone, the flow repeats itself.
    """
    made, asked = [], np.linspace(0, CUTOFF, sizes.draws).tolist()
    for i, formula in enumerate(chosen):
        made.append(draw(model, formula, sizes.draws, _seed(seed, i), sizes.sampling, above=asked))
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
        pools = {
            "unscreened flow": drawn[i],
            "ion substitution": substitute(formula, known, sizes.draws),
            "random enumeration": enumerate_types(formula, sizes.draws, rng),
            "random search": search(formula, sizes.draws, rng),
        }
        for name, pool in pools.items():
            made[name].append(_different(pool))
    for name, raw in zip(SCREENED, ("unscreened flow", "random enumeration"), strict=True):
        made[name] = screened(made[raw], sizes.workers)
    return {name: [pool[: sizes.tries] for pool in pools] for name, pools in made.items()}


def _different(some: Sequence[Structure]) -> list[Structure]:
    right = [s for s in some if valid(s)]
    return [s for s, own in zip(right, unique(right), strict=True) if own]


def check(proposed: Proposals, sizes: Sizes, progress: Progress | None = None) -> dict[str, list[list[Relaxed | None]]]:
    """Relax all proposals; a formula gets the same number of evaluations by every method, screening included.

    Every start is rattled a little, so that no method's symmetric saddle is taken for a minimum.
    """
    flat = [s.copy() for formulas in proposed.values() for some in formulas for s in some]
    most = [allowed(sizes, name in SCREENED) for name, formulas in proposed.items() for some in formulas for _ in some]
    for number, one in enumerate(flat):
        for i, vector in enumerate(np.random.default_rng([number, 31]).normal(0, RATTLE, (len(one), 3))):
            one.translate_sites([i], vector, frac_coords=False)
    ends = iter(relax_all(flat, most, progress, workers=sizes.workers))
    return {name: [[next(ends) for _ in some] for some in formulas] for name, formulas in proposed.items()}


def _seed(seed: int, number: int) -> int:
    return 100_003 * seed + 1_009 * number
