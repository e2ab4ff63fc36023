"""What the scores say, in words, numbers and a table. Called by the template's study and dashboard parts."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from .evaluate import gain
from .propose import FLOW, METHODS
from .relax import FORCE

WIDEST = 0.3  # width of an interval of a difference, above which "about as often" is not said
SHORT = dict(
    zip(
        METHODS,
        ("flow", "substitution", "screened_enumeration", "unscreened_flow", "enumeration", "search"),
        strict=True,
    )
)

#: Which way a metric is better, by how its name begins.
BETTER = {"stable_": "higher", "new_": "higher", "valid_": "higher", "unique_": "higher", "moved_": "lower"}


def metrics(scores: xr.Dataset) -> dict[str, float]:
    """Return the numbers of a run by metric name, such as ``stable_flow`` and ``moved_flow``.

    Parameters
    ----------
    scores : xarray.Dataset
        From :func:`.evaluate.score`, with the attributes ``valid`` and ``unique``.
    """
    told = {f"stable_{SHORT[m]}": float(scores["stable"].sel(proposer=m)) for m in METHODS}
    told |= {f"new_{SHORT[m]}": float(scores["new"].sel(proposer=m)) for m in METHODS}
    told |= {f"moved_{SHORT[m]}": moved(scores, m) for m in METHODS}
    return told | {f"{name}_flow": float(scores.attrs[name]) for name in ("valid", "unique")}


def better(metric: str) -> str | None:
    """Return which way a metric of :func:`metrics` is better, ``"higher"`` or ``"lower"``; None where neither is."""
    return next((way for begins, way in BETTER.items() if metric.startswith(begins)), None)


def unit(metric: str) -> str:
    """Return the unit of a metric of :func:`metrics`; shares have "1"."""
    return "Å" if metric.startswith("moved_") else "1"


def moved(scores: xr.Dataset, method: str) -> float:
    """Return the median displacement in Å between a proposal and what it relaxes to."""
    return float(scores["moved"].sel(proposer=method).median())


def verdict(scores: xr.Dataset, baseline: str) -> str:
    """Return "more often than", "less often than" or "about as often as": the flow beside a baseline, by interval.

    An interval that holds zero and is wider than 30 points tells nothing: too few formulas.
    """
    _, low, high = gain(scores, FLOW, baseline)
    if low > 0 or high < 0:
        return "more often than" if low > 0 else "less often than"
    return "about as often as" if high - low <= WIDEST else "neither surely more nor surely less often than"


def answer(scores: xr.Dataset) -> str:
    """Return the answer as Markdown computed from the scores, four sentences at most."""
    at = scores.sel(proposer=FLOW)
    share = {m: f"{100 * float(scores['stable'].sel(proposer=m)):.0f} %" for m in METHODS}
    low, high = (f"{100 * float(at[f'stable_{end}']):.0f}" for end in ("low", "high"))
    said = (
        f"**Of the flow's tries at formulas it never saw, {share[FLOW]} end within "
        f"{scores.attrs['cutoff']:.1f} eV/atom of the CHGNet hull (95 % interval {low} to {high} %, "
        f"{scores.sizes['formula']} formulas, one training).**"
    )
    chance, habit = (verdict(scores, m) for m in ("random enumeration", "ion substitution"))
    others = (
        f"With as many relaxations, random enumeration reaches {share['random enumeration']}, random search "
        f"{share['random search']}, and ion substitution {share['ion substitution']}: the flow is right {chance} "
        f"enumeration and {habit} substitution."
    )
    helped = (
        f"Without screening its proposals by energy the flow reaches {share['unscreened flow']}; with it, enumeration "
        f"reaches {share['screened enumeration']}."
    )
    fresh = f"{100 * float(at['new']):.0f} % of its tries are that stable in a structure type it was never shown."
    return f"{said} {others} {helped} {fresh}"


def finding(scores: xr.Dataset) -> str:
    """Return the main figure's title: what the flow reaches beside chance, in few words computed from the scores."""
    share = {m: 100 * float(scores["stable"].sel(proposer=m)) for m in METHODS}
    best = max(METHODS, key=lambda m: share[m])
    chance = (
        f"{share[FLOW]:.0f} % of the flow's crystals are near the hull, {share['random enumeration']:.0f} % by chance"
    )
    return chance if best in (FLOW, "random enumeration") else f"{chance}, {share[best]:.0f} % by {best}"


def shown(scores: xr.Dataset) -> pd.DataFrame:
    """Return the table of results, a row a method; narrow, because a phone shows it."""
    rows = {}
    for m in METHODS:
        at = scores.sel(proposer=m)
        low, high = (100 * float(at[f"stable_{end}"]) for end in ("low", "high"))
        rows[m] = {
            "near [%]": f"{100 * float(at['stable']):.0f} ({low:.0f}-{high:.0f})",
            "new [%]": f"{100 * float(at['new']):.0f}",
        }
    return pd.DataFrame(rows).T


def details(scores: xr.Dataset) -> pd.DataFrame:
    """Return what else is known of each method's relaxations: energies, displacements, and how many settled."""
    rows = {}
    for m in METHODS:
        at = scores.sel(proposer=m)
        told = float((at["force"] <= FORCE).sum() / at["force"].notnull().sum().clip(min=1))
        rows[m] = {
            "median above the hull [eV/atom]": f"{float(at['above'].median()):.3f}",
            "median displacement [Å]": f"{moved(scores, m):.2f}",
            "settled [%]": f"{100 * told:.0f}",
            "relaxed": int(at["relaxed"]),
        }
    return pd.DataFrame(rows).T


def candidates(scores: xr.Dataset, count: int = 5) -> pd.DataFrame:
    """Return the flow's proposals nearest to the hull that hold lithium and a metal to oxidise, with their voltage.

    Below 0 V a crystal would give its lithium away as metal: no battery material, so it is left out.
    """
    table = scores.sel(proposer=FLOW)[["above", "volts", "moved", "known"]].to_dataframe().reset_index()
    best = table[table["volts"] > 0].sort_values("above").drop_duplicates("formula").head(count)
    named = best.set_index("formula")[["above", "volts", "moved", "known"]].round({"above": 3, "volts": 2, "moved": 2})
    titles = ["above the hull [eV/atom]", "voltage vs Li [V]", "displacement [Å]", "training type it matches"]
    named.columns = pd.Index(titles)
    return named
