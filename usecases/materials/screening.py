"""Which of many proposals to relax: those of the lowest energy as they are. Called before relaxations.

One CHGNet evaluation a proposal, which is paid for: a method that screens has as many evaluations less for its
relaxations; see :func:`allowed`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

from .relax import relax_all
from .sizes import Sizes


def screened(pools: Sequence[Sequence[Structure]], workers: int = 1) -> list[list[Structure]]:
    """Return the crystals of each pool, all of one formula, the lowest energy first and what has none last."""
    every = [one for pool in pools for one in pool]
    ends = iter(relax_all(every, 1, label="screening with CHGNet", workers=workers))
    energies = [[end.energy if (end := next(ends)) else np.inf for _ in pool] for pool in pools]
    return [[pool[i] for i in np.argsort(e, kind="stable")] for pool, e in zip(pools, energies, strict=True)]


def allowed(sizes: Sizes, screens: bool) -> int:
    """Return how many evaluations a relaxation may take, so that all methods spend at most as many on a formula."""
    spent = sizes.draws if screens else 0
    return max(1, (sizes.tries * sizes.evaluations - spent) // sizes.tries)
