"""What the scores say, in words, numbers and a table. Called by the template's study and dashboard parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from .evaluate import MAIN, gain, wilson

FEW = 20  # clean passes in repeated episodes, below which nothing is said about ways
BASELINES = ("nearest neighbour", "perceptron", "mixture")
PERCEPTRON = "perceptron"
NAMED = {
    "nearest neighbour": "the nearest neighbour",
    "perceptron": "the perceptron",
    "mixture": "the Gaussian mixture",
}
SHORT = {
    "nearest neighbour": "neighbour",
    "perceptron": "perceptron",
    "mixture": "mixture",
    MAIN: MAIN,
    "expert": "expert",
}

#: Which way a metric is better, by how its name begins. An entropy says how policies choose, not how well.
BETTER = {"success_": "higher", "collision_": "lower", "decision_ms": "lower"}


def metrics(scores: xr.Dataset) -> dict[str, float]:
    """Return rates and entropies by metric name, such as ``success_flow`` and ``collision_perceptron``.

    Parameters
    ----------
    scores : xarray.Dataset
        From :func:`.evaluate.score`.
    """
    named = {
        "success": "success_rate",
        "collision": "collision_rate",
        "entropy": "entropy",
        "start_entropy": "start_entropy",
    }
    return {
        f"{metric}_{short}": float(scores[variable].sel(policy=policy))
        for policy, short in SHORT.items()
        for metric, variable in named.items()
        if policy in scores["policy"].values
    }


def better(metric: str) -> str | None:
    """Return which way a metric of :func:`metrics` is better, ``"higher"`` or ``"lower"``; None where neither is."""
    return next((way for begins, way in BETTER.items() if metric.startswith(begins)), None)


def decision_metrics(times: dict[str, float]) -> dict[str, float]:
    """Return times a decision [ms] by metric name, ``decision_ms`` being the flow's.

    They are told apart from the scores because they belong to the computer: the template declares them so, and a
    verification sets them aside.
    """
    return {"decision_ms" if policy == MAIN else f"decision_ms_{SHORT[policy]}": t for policy, t in times.items()}


def unit(metric: str) -> str:
    """Return the unit of a metric of :func:`metrics` or :func:`decision_metrics`; rates have "1"."""
    return "bit" if "entropy" in metric else "ms" if metric.startswith("decision_ms") else "1"


def rate(scores: xr.Dataset, policy: str, what: str = "success") -> tuple[float, float, float]:
    """Return a policy's rate with the limits of Wilson's 95 % interval."""
    at = scores.sel(policy=policy)
    value, low, high = (float(at[f"{what}_{part}"]) for part in ("rate", "low", "high"))
    return value, low, high


def percent(value: float) -> str:
    """Return ``0.873`` as ``"87 %"``."""
    return f"{100 * value:.0f} %"


def best_baseline(scores: xr.Dataset) -> str:
    """Return the baseline with the most successes: who the policy must beat."""
    rates = scores["success_rate"].sel(policy=[b for b in BASELINES if b in scores["policy"].values])
    return str(rates["policy"].values[int(np.argmax(rates.values))])


def answer(scores: xr.Dataset) -> str:
    """Return the answer as Markdown, computed from the scores. Three sentences at most: the gallery shows all of it."""
    done, low, high = rate(scores, MAIN)
    hit = rate(scores, MAIN, "collision")
    shown = int(scores.attrs["demonstrations"])
    said = (
        f"**After {shown} demonstrations the flow policy carries the cube around the zone in {percent(done)} of "
        f"{scores.sizes['episode']} new placements ({percent(low)} to {percent(high)}) and enters the zone in "
        f"{percent(hit[0])} ({percent(hit[1])} to {percent(hit[2])}).**"
    )
    return f"{said} {ways(scores)} {compared(scores)}"


def ways(scores: xr.Dataset) -> str:
    """Return in one sentence whether both ways around the zone are kept."""
    bits, one = float(scores["start_entropy"].sel(policy=MAIN)), scores.sel(policy=MAIN)
    if np.isnan(bits) or _clean(one) < FEW:
        return "Too few episodes passed the zone to tell whether both ways are kept."
    kept = (
        "keeps both ways around it" if bits >= 0.9 else "uses both ways unevenly" if bits >= 0.4 else "has one way only"
    )
    return f"From one and the same start it {kept} (entropy {bits:.2f} of 1 bit)."


def compared(scores: xr.Dataset) -> str:
    """Return in one sentence how the best baseline and the perceptron do."""
    best = best_baseline(scores)
    difference, half = gain(scores, MAIN, best)
    other, bits = percent(rate(scores, best)[0]), float(scores["start_entropy"].sel(policy=best))
    points = f"{abs(100 * difference):.0f} ± {100 * half:.0f} points {'fewer' if difference > 0 else 'more'}"
    how = "no clear difference" if abs(difference) <= half else points
    ways_kept = "" if np.isnan(bits) else f", entropy {bits:.2f} from one start"
    return (
        f"The best of the others, {NAMED[best]}, succeeds in {other} ({how}{ways_kept}); a perceptron, which averages "
        f"left and right, enters the zone in {percent(rate(scores, PERCEPTRON, 'collision')[0])}."
    )


def shown(scores: xr.Dataset) -> pd.DataFrame:
    """Return the table, a row a policy: success, collision with 95 % intervals, entropies, jerk."""
    names = [str(p) for p in scores["policy"].values]
    columns = {f"{what} [1]": [_interval(*rate(scores, p, what)) for p in names] for what in ("success", "collision")}
    columns["entropy [bit]"] = [_bits(scores, "entropy", p) for p in names]
    columns["entropy, same start [bit]"] = [_bits(scores, "start_entropy", p) for p in names]
    columns["jerk [m/s³]"] = [f"{float(scores['jerk'].sel(policy=p).mean()):.0f}" for p in names]
    return pd.DataFrame(columns, index=names)


def brief(scores: xr.Dataset) -> pd.DataFrame:
    """Return the table that a phone has room for: success, collision, and the entropy from one and the same start.

    The entropy of few clean passes says nothing, and is left out.
    """
    table = shown(scores).iloc[:, [0, 1, 3]].set_axis(["success", "collision", "entropy [bit]"], axis=1)
    for policy in table.index:
        if _clean(scores.sel(policy=policy)) < FEW:
            table.loc[policy, "entropy [bit]"] = "too few passed"
    return table


def _clean(one: xr.Dataset) -> int:
    """Return how many of a policy's repeated episodes passed the zone without entering it."""
    return int(((one["again_side"] != 0) & (one["again_collision"] == 0)).sum())


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _bits(scores: xr.Dataset, name: str, policy: str) -> str:
    value = float(scores[name].sel(policy=policy))
    return "none passed" if np.isnan(value) else f"{value:.2f}"


def blurred(judged: dict[str, xr.Dataset]) -> pd.DataFrame:
    """Return the table of success and collision with 95 % intervals; outcomes by policy from ``try_blurred``."""

    def cell(values: xr.DataArray) -> str:
        return _interval(float(values.mean()), *wilson(int(values.sum()), values.size))

    rows = {name: {f"{what} [1]": cell(o[what]) for what in ("success", "collision")} for name, o in judged.items()}
    return pd.DataFrame(rows).T
