"""How good a policy is, with its uncertainty. Called by the study part and by whoever compares runs.

*Success* is strict: the cube ends within 5 cm of its goal and neither it nor the tool was ever in the zone.
*Collision* is the share of episodes in which one of them was. Rates have Wilson's interval (Wilson 1927, JASA
22:209). The
*behaviour entropy* in bits (D3IL, Jia et al. 2024, arXiv:2402.14606) tells whether both ways around the zone are
used: 1 is half and half, 0 is one way only. It is taken over clean passes of all test episodes, and for one start at
a time over repeated episodes, which is the stricter: only who can do both from the same place scores there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from .environment import CUBE, GOAL, REACHED, STEP, ZONE
from .rollout import Policy

Array = NDArray[np.float64]
MAIN, RESAMPLES = "flow", 2000


def outcomes(done: xr.Dataset) -> xr.Dataset:
    """Judge episodes.

    Parameters
    ----------
    done : xarray.Dataset
        From :func:`.rollout.run_policy`.

    Returns
    -------
    xarray.Dataset
        By episode: ``success``, ``collision`` and ``placed`` (bool); ``clearance`` (m), the least distance of tool or
        cube to the zone's surface; ``side``, 1 left, -1 right, 0 never past the zone; ``jerk`` (m/s³), root mean
        square of the tool.
    """
    states = done["state"].values
    tool, cube, zone = states[..., 0:2], states[..., 3:5], states[..., ZONE]
    apart = np.minimum(np.linalg.norm(tool - zone, axis=-1), np.linalg.norm(cube - zone, axis=-1))
    clearance = apart.min(1) - states[:, 0, -1]
    placed = np.linalg.norm(states[:, -1, CUBE] - states[:, -1, GOAL], axis=-1) < REACHED
    jerk = np.diff(states[..., 0:3], n=3, axis=1) / STEP**3
    values = {
        "success": placed & (clearance >= 0),
        "collision": clearance < 0,
        "placed": placed,
        "clearance": clearance,
        "side": sides(states),
        "jerk": np.sqrt((jerk**2).sum(-1).mean(1)),
    }
    units = {"clearance": "m", "jerk": "m s-3"}
    return xr.Dataset({name: ("episode", v, {"units": units.get(name, "1")}) for name, v in values.items()})


def sides(states: Array) -> NDArray[np.int64]:
    """Return on which side of the zone the cube was carried past it: 1 left, -1 right, 0 not at all.

    Parameters
    ----------
    states : ndarray, shape (episode, time, 16)
    """
    start, zone = states[:, 0, 3:5], states[:, 0, ZONE]
    along = states[:, 0, 10:12] - start
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    off = states[..., 3:5] - zone[:, None]
    ahead = (off * along[:, None]).sum(-1) > 0
    first = ahead.argmax(1)
    across = np.take_along_axis(along[:, None, 0] * off[..., 1] - along[:, None, 1] * off[..., 0], first[:, None], 1)
    return np.where(ahead.any(1), np.sign(across[:, 0]), 0).astype(np.int64)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a rate of ``hits`` in ``count``."""
    z, p = 1.959964, hits / count
    middle = (p + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(p * (1 - p) / count + z**2 / (4 * count**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def entropy(passed: NDArray[np.int64]) -> float:
    """Return the entropy in bits of left (1) against right (-1) among ``passed``; NaN where nothing passed."""
    ways = passed[passed != 0]
    if not ways.size:
        return float("nan")
    p = (ways > 0).mean()
    return float(sum(-q * np.log2(q) for q in (p, 1 - p) if 0 < q < 1))


def start_entropy(side: NDArray[np.int64], collision: NDArray[np.bool_]) -> float:
    """Return the mean over starts of the entropy among clean passes from the same start (D3IL).

    Parameters
    ----------
    side, collision : ndarray, shape (start, repeat)
        From :func:`outcomes`. Starts with fewer than two clean passes tell nothing and are left out.
    """
    clean = np.where(collision, 0, side)
    each = [entropy(row) for row in clean if np.count_nonzero(row) > 1]
    return float(np.mean(each)) if each else float("nan")


def score(tested: dict[str, xr.Dataset], repeated: dict[str, xr.Dataset], starts: int) -> xr.Dataset:
    """Score every policy.

    Parameters
    ----------
    tested : dict of str to xarray.Dataset
        Test episodes by policy, the same tasks in the same order.
    repeated : dict of str to xarray.Dataset
        Episodes from the same few starts, start by start.
    starts : int
        How many starts there are.

    Returns
    -------
    xarray.Dataset
        :func:`outcomes` by (policy, episode); rates ``success_rate``, ``collision_rate`` with ``_low`` and ``_high``
        (policy), their Wilson interval; ``entropy`` and ``start_entropy`` in bits; ``again_*`` (policy, start, repeat).
    """
    names = xr.DataArray(list(tested), dims="policy", name="policy")
    each = xr.concat([outcomes(d) for d in tested.values()], names)
    scores = each.assign(_rates(each, "success") | _rates(each, "collision"))
    again = {name: outcomes(d) for name, d in repeated.items()}
    kinds, dims = ("side", "collision", "success"), ("policy", "start", "repeat")
    folded = {k: np.stack([again[n][k].values.reshape(starts, -1) for n in tested]) for k in kinds}
    clean = np.where(each["collision"], 0, each["side"])
    by_start = [start_entropy(s, c) for s, c in zip(folded["side"], folded["collision"], strict=True)]
    bits = {"units": "bit"}
    return scores.assign({f"again_{k}": (dims, values) for k, values in folded.items()}).assign(
        entropy=("policy", [entropy(row) for row in clean], bits), start_entropy=("policy", by_start, bits)
    )


def _rates(each: xr.Dataset, what: str) -> dict[str, tuple[str, list[float], dict[str, str]]]:
    hits, count = each[what].sum("episode").values, each.sizes["episode"]
    low, high = zip(*(wilson(int(h), count) for h in hits), strict=True)
    values = {"rate": (hits / count).tolist(), "low": list(low), "high": list(high)}
    return {f"{what}_{k}": ("policy", v, {"units": "1"}) for k, v in values.items()}


def gain(scores: xr.Dataset, method: str, baseline: str, what: str = "success") -> tuple[float, float]:
    """Return how much higher ``method``'s rate is, paired by placement, and half its 95 % bootstrap interval."""
    each = scores[what].astype(float)
    difference = (each.sel(policy=method) - each.sel(policy=baseline)).values
    picks = np.random.default_rng(0).integers(len(difference), size=(RESAMPLES, len(difference)))
    low, high = np.percentile(difference[picks].mean(1), [2.5, 97.5])
    return float(difference.mean()), float(high - low) / 2


def decision_time(policy: Policy, history: Array, count: int = 30) -> float:
    """Return the median time in ms that one decision for one robot takes, the first ones left out.

    Parameters
    ----------
    policy : Policy
        On its device.
    history : ndarray, shape (1, 2, 16)
        What it decides on.
    """
    rng, times = np.random.default_rng(0), []
    for _ in range(count + 5):
        begun = time.perf_counter()
        policy.plan(history, rng)
        times.append(1000 * (time.perf_counter() - begun))
    return float(np.median(times[5:]))


def decision_times(policies: dict[str, Policy], done: xr.Dataset) -> dict[str, float]:
    """Return :func:`decision_time` of every policy by name, at a state in the middle of the first of some episodes."""
    history = done["state"].values[:1, 12:14]
    return {name: decision_time(policy, history) for name, policy in policies.items()}


def table(runs: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Compare policies over runs that differ in their seed.

    Returns
    -------
    pandas.DataFrame
        A row a policy; mean over runs of success, collision and both entropies, with half of Student's 95 % interval
        (NaN for a single run).
    """
    from scipy.stats import t

    columns: dict[tuple[str, str], pd.Series] = {}
    for name in ("success_rate", "collision_rate", "entropy", "start_entropy", "jerk"):
        stacked = xr.concat([r[name].mean("episode") if name == "jerk" else r[name] for r in runs], "run", join="exact")
        columns[(name, "mean")] = stacked.mean("run").to_series()
        wide = t.ppf(0.975, max(len(runs) - 1, 1)) / np.sqrt(len(runs))
        spread = stacked.std("run", ddof=1) if len(runs) > 1 else stacked.isel(run=0) * np.nan
        columns[(name, "±")] = (wide * spread).to_series()
    return pd.DataFrame(columns).reindex(runs[0]["policy"].values)
