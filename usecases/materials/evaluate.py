"""How good proposed crystals are, with uncertainty. Called by the study part and by whoever compares runs.

Validity, uniqueness and novelty are those of CDVAE (Xie et al. 2022, ICLR) and MatterGen (Zeni et al. 2025, Nature
639:624), with pymatgen's ``StructureMatcher``; energies above the hull are those of :mod:`.hull` after a relaxation
with the same number of evaluations for every method. Every method has as many tries at a formula; a try for which
it has no proposal (invalid, repeated, or no parent to substitute in) fails. Intervals are a percentile bootstrap over
formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from .data import frames
from .formulas import Formula, neutral
from .hull import CUTOFF, whole_hull
from .prototypes import PROTOTYPES, TEST_PROTOTYPES
from .records import DENSEST, LIGHTEST, NEAREST
from .relax import Relaxed

RESAMPLES = 2000
Z = 1.959964  # standard deviations of a normal that leave 5 % outside


@lru_cache(maxsize=1)
def matcher() -> StructureMatcher:
    """Return pymatgen's matcher at its usual tolerances, which the literature uses."""
    return StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5)


def valid(structure: Structure) -> bool:
    """Tell whether all atoms, images included, keep 0.5 Å, the volume is one of a solid, and SMACT finds it neutral."""
    shortest = min(structure.lattice.abc)
    if not np.isfinite(structure.lattice.matrix).all() or not DENSEST < structure.volume / len(structure) < LIGHTEST:
        return False
    apart = structure.distance_matrix[np.triu_indices(len(structure), 1)]
    counts = {e.symbol: int(n) for e, n in structure.composition.items()}
    return bool(shortest > NEAREST and (apart > NEAREST).all() and _neutral(tuple(sorted(counts.items()))))


@lru_cache(maxsize=4096)
def _neutral(counts: tuple[tuple[str, int], ...]) -> bool:
    return neutral(dict(counts))


def unique(structures: Sequence[Structure]) -> NDArray[np.bool_]:
    """Tell of each crystal whether it differs from all before it."""
    first: list[Structure] = []
    told = []
    for one in structures:
        told.append(not any(_same(one, other) for other in first))
        if told[-1]:
            first.append(one)
    return np.array(told, bool)


def _same(a: Structure, b: Structure) -> bool:
    return a.composition.reduced_formula == b.composition.reduced_formula and bool(matcher().fit(a, b))


def novel(structure: Structure) -> bool:
    """Tell whether no frame of the same formula matches; all parts count, so known to the hull is not novel."""
    name = structure.composition.reduced_formula
    return not any(_same(structure, other) for other in _by_formula().get(name, ()))


@lru_cache(maxsize=1)
def _by_formula() -> dict[str, list[Structure]]:
    found: dict[str, list[Structure]] = {}
    for frame in frames():
        found.setdefault(frame.structure.composition.reduced_formula, []).append(frame.structure)
    return found


def framework(structure: Structure, formula: Formula, unseen: bool) -> str:
    """Return the structure type that a crystal matches, whatever its elements, or "" for none.

    Parameters
    ----------
    structure : Structure
        Relaxed or not.
    formula : Formula
        Gives the pattern.
    unseen : bool
        Compare with the test types only, else with the training types only.
    """
    names = [n for n, p in PROTOTYPES.items() if p.pattern == formula.pattern and (n in TEST_PROTOTYPES) == unseen]
    for name in names:
        for other in _typical(name):
            if matcher().fit_anonymous(structure, other):
                return name
    return ""


@lru_cache(maxsize=128)
def _typical(name: str) -> list[Structure]:
    """Return a few relaxed frames of a structure type, spread over its formulas."""
    found = [frame.structure for frame in frames() if frame.prototype == name]
    return found[:: max(1, len(found) // 3)][:3]


def displacement(start: Structure, end: Structure) -> float:
    """Return the root mean square displacement in Å of a relaxation, without a common drift, in the relaxed cell."""
    way = end.frac_coords - start.frac_coords
    way -= np.round(way)
    way -= way.mean(0)
    return float(np.sqrt((end.lattice.get_cartesian_coords(way) ** 2).sum(1).mean()))


def score(
    proposed: dict[str, list[list[Structure]]], relaxed: dict[str, list[list[Relaxed | None]]], chosen: list[Formula]
) -> xr.Dataset:
    """Score every method on the test formulas.

    Parameters
    ----------
    proposed : dict of str to list of list of Structure
        By method, for each formula the crystals that were relaxed.
    relaxed : dict of str to list of list of (Relaxed or None)
        What became of them.
    chosen : list of Formula
        The test formulas.

    Returns
    -------
    xarray.Dataset
        By method, formula and try: ``above`` (eV/atom above the hull, NaN for what fell apart), ``volts`` (V),
        ``moved`` (Å), ``force`` (eV/Å), ``known`` (training structure type, "" for none). By method: ``stable``,
        ``stable_low``, ``stable_high`` (share of tries that end below the cutoff; one without a proposal does not),
        ``new`` (share that is stable and matches no training type), ``relaxed`` (how many relaxations were made).
    """
    methods, tries = list(proposed), max(len(t) for m in proposed.values() for t in m)
    size = (len(methods), len(chosen), tries)
    above, volts, moved, force = (np.full(size, np.nan) for _ in range(4))
    known = np.full(size, "", dtype=object)
    hull = whole_hull()
    for i, method in enumerate(methods):
        for j, formula in enumerate(chosen):
            for k, (start, end) in enumerate(zip(proposed[method][j], relaxed[method][j], strict=True)):
                if end is None:
                    continue
                composition = end.structure.composition
                above[i, j, k] = hull.above(composition, end.energy)
                volts[i, j, k] = hull.voltage(composition, end.energy)
                moved[i, j, k], force[i, j, k] = displacement(start, end.structure), end.force
                known[i, j, k] = framework(end.structure, formula, unseen=False)
    dims = ("proposer", "formula", "try")
    stable = above < CUTOFF
    low, high = bootstrap(stable.mean(2))
    fresh = stable & (known == "")
    return xr.Dataset(
        {
            "above": (dims, above, {"units": "eV/atom", "long_name": "energy above the CHGNet hull"}),
            "volts": (dims, volts, {"units": "V", "long_name": "average voltage against lithium"}),
            "moved": (dims, moved, {"units": "angstrom", "long_name": "displacement in the relaxation"}),
            "force": (dims, force, {"units": "eV/angstrom", "long_name": "largest force left"}),
            "known": (dims, known.astype(str), {"long_name": "training structure type that it matches"}),
            "stable": ("proposer", stable.mean((1, 2)), {"units": "1"}),
            "stable_low": ("proposer", low, {"units": "1"}),
            "stable_high": ("proposer", high, {"units": "1"}),
            "new": ("proposer", fresh.mean((1, 2)), {"units": "1"}),
            "relaxed": ("proposer", [sum(map(len, relaxed[m])) for m in methods], {"units": "1"}),
        },
        coords={"proposer": methods, "formula": [f.name for f in chosen]},
        attrs={"cutoff": CUTOFF, "tries": tries},
    )


def bootstrap(
    values: NDArray[np.float64], seed: int = 0, differences: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % interval of the mean over axis 1 (formulas) of ``values`` (proposer, formula).

    Where all n formulas have the same value, resampling would give an interval without width: instead, up to the share
    of formulas that may differ though n did not (Wilson's limit for none of n) is allowed for on both sides, and the
    result is kept within what shares (0 to 1) or their differences (-1 to 1) can be.
    """
    count = values.shape[1]
    picks = np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))
    low, high = np.percentile(np.nanmean(values[:, picks], 2), [2.5, 97.5], axis=1)
    alike, unseen = np.ptp(values, 1) == 0, Z**2 / (count + Z**2)
    least = -1.0 if differences else 0.0
    return (
        np.where(alike, np.maximum(values[:, 0] - unseen, least), low),
        np.where(alike, np.minimum(values[:, 0] + unseen, 1.0), high),
    )


def gain(scores: xr.Dataset, method: str, baseline: str) -> tuple[float, float, float]:
    """Return how much larger the stable share of ``method`` is, paired by formula, and its 95 % interval."""
    share = (scores["above"] < scores.attrs["cutoff"]).mean("try")
    difference = (share.sel(proposer=method) - share.sel(proposer=baseline)).values
    low, high = bootstrap(difference[None], differences=True)
    return float(difference.mean()), float(low[0]), float(high[0])


def drawn(draws: Iterable[Sequence[Structure]]) -> dict[str, float]:
    """Return the shares of valid and, among those of one formula, of unique crystals, before any relaxation."""
    told = [([valid(s) for s in some], unique(some)) for some in draws]
    return {
        "valid": float(np.mean(np.concatenate([v for v, _ in told]))),
        "unique": float(np.mean(np.concatenate([u for _, u in told]))),
    }


def table(runs: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Compare methods over runs that differ in their seed.

    Parameters
    ----------
    runs : sequence of xarray.Dataset
        Results of :func:`score`, one a run.

    Returns
    -------
    pandas.DataFrame
        A row a method: mean and standard deviation over runs of the stable share, the share that is stable in no
        training type, and the median displacement in Å (NaN deviation for a single run).
    """
    columns: dict[tuple[str, str], pd.Series] = {}
    for name, values in (
        ("stable", [r["stable"] for r in runs]),
        ("stable and new type", [r["new"] for r in runs]),
        ("moved [Å]", [r["moved"].median(("formula", "try")) for r in runs]),
    ):
        stacked = xr.concat(values, "run", join="exact")
        columns[(name, "mean")] = stacked.mean("run").to_series()
        columns[(name, "sd")] = (stacked.std("run", ddof=1) if len(runs) > 1 else stacked[0] * np.nan).to_series()
    return pd.DataFrame(columns)
