"""What the scores say, in words, numbers and a table. Called by the template's study and dashboard parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from .evaluate import MODEL, SUMMARY, best_baseline, free_errors, gain, summary

DRIVES = {
    "perfect": "cell means of the fine model",
    "driven": "a coarse model, 12 h on its own",
    "adjusted": "the same, bias taken away",
}
METRICS = ("crps", "spread_skill", "spectrum_db", "p999", "fss", "water", "mae")

#: Which way a metric is better, by how its name begins; a ratio to the truth is best at 1.
BETTER = {
    "crps_gain": "higher",
    "crps_": "lower",
    "mae_": "lower",
    "fss_": "higher",
    "spectrum_db_": "lower",
    "water_": "lower",
}


def metrics(scores: xr.Dataset) -> dict[str, tuple[float, str]]:
    """Return values and units by metric name, such as ``crps_flow`` and, when driven, ``crps_flow_driven``.

    Parameters
    ----------
    scores : xarray.Dataset
        From :func:`.evaluate.score`, concatenated along ``drive``.
    """
    values: dict[str, tuple[float, str]] = {}
    unit = {name: SUMMARY[name][0] for name in METRICS}
    for drive in scores["drive"].values:
        at = scores.sel(drive=drive)
        over = summary(at).sel(bound="value")
        end = "" if drive == "perfect" else f"_{drive}"
        values |= {f"{k}_{MODEL}{end}": (float(over[k].sel(downscaling=MODEL)), unit[k]) for k in METRICS}
        each = {_short(m): float(over["crps"].sel(downscaling=m)) for m in over["downscaling"].values}
        values |= {f"crps_{name}{end}": (value, unit["crps"]) for name, value in each.items()}
        values[f"crps_gain{end}"] = (gain(at)[0], "1")
    errors = free_errors(scores)
    for name, end in (("as it is", "free"), ("adjusted", "free_adjusted")):
        values |= {f"{k}_{MODEL}_{end}": (float(errors[k].sel(free=name)), unit[k]) for k in ("p999", "spectrum_db")}
    return values


def better(metric: str) -> str | None:
    """Return which way a metric of :func:`metrics` is better, ``"higher"`` or ``"lower"``; None where neither is."""
    return next((way for begins, way in BETTER.items() if metric.startswith(begins)), None)


def alone(scores: xr.Dataset) -> str:
    """Return in one sentence what becomes of the climate when a coarse model with its own weather drives it."""
    errors = free_errors(scores)
    raw, mended = (errors.sel(free=name) for name in ("as it is", "adjusted"))
    return (
        f"A coarse model with weather of its own gives P99.9 {float(raw['p999']):.2f} times that of truth and a "
        f"spectrum off by at most {float(raw['spectrum_db']):.1f} dB; with its bias taken away "
        f"{float(mended['p999']):.2f} times and {float(mended['spectrum_db']):.1f} dB."
    )


def _short(name: object) -> str:
    return str(name).lower().replace(" ", "_").replace("-", "_")


def answer(scores: xr.Dataset) -> str:
    """Return the answer as Markdown computed from the scores, three sentences at most."""
    at = scores.sel(drive="perfect")
    share, low, high = gain(at)
    over = summary(at).sel(downscaling=MODEL)
    clear = low > 0 or high < 0
    verb = "are better" if clear and share > 0 else "are worse" if clear else "are not clearly better"
    said = (
        f"**The generated ensembles {verb} than the best simpler method ({best_baseline(at)}): their CRPS, "
        f"the error of a probabilistic answer, is {abs(share):.0%} {'lower' if share > 0 else 'higher'} "
        f"({min(abs(low), abs(high)):.0%} to "
        f"{max(abs(low), abs(high)):.0%}, 95 % over {at.sizes['case']} snapshots, one training).**"
        if clear
        else f"**The generated ensembles {verb} than the best simpler method ({best_baseline(at)}): "
        f"CRPS {share:+.0%} ({low:+.0%} to {high:+.0%}, 95 % over {at.sizes['case']} snapshots, one training).**"
    )
    extreme, spread = (over[k].values for k in ("p999", "spread_skill"))
    return f"{said} {_extremes(extreme)}; spread over error is {spread[0]:.2f} (1 is honest). {loss(scores)}"


def _extremes(value: np.ndarray) -> str:
    return (
        f"The rain that one point in a thousand exceeds is {value[0]:.2f} times that of truth "
        f"({value[1]:.2f} to {value[2]:.2f})"
    )


def loss(scores: xr.Dataset) -> str:
    """Return in one sentence what is lost when a coarse model drives the downscaling that ran on its own."""
    crps = scores["crps"].sel(downscaling=MODEL).mean("case")
    perfect, driven, adjusted = (float(crps.sel(drive=d)) for d in DRIVES)
    word = "loses" if driven > perfect else "gains"
    return (
        f"Driven by a coarse model that ran 12 hours on its own, it {word} {abs(driven / perfect - 1):.0%} of CRPS "
        f"({perfect:.2f} to {driven:.2f} mm/day; {adjusted:.2f} with the bias taken away)."
    )


def shown(scores: xr.Dataset, drive: str = "perfect") -> pd.DataFrame:
    """Return the table of all figures of merit with 95 % interval, a row a method."""
    over = summary(scores.sel(drive=drive))
    names = over["downscaling"].values
    cells = {
        f"{SUMMARY[k][1]} [{SUMMARY[k][0]}]": [_cell(over[k].sel(downscaling=m).values) for m in names] for k in METRICS
    }
    return pd.DataFrame(cells, index=names).rename_axis(columns=f"given: {DRIVES[drive]}")


def brief(scores: xr.Dataset) -> pd.DataFrame:
    """Return the table of the goals, values alone, so that a phone shows it: perfect input, a row a method."""
    over = summary(scores.sel(drive="perfect")).sel(bound="value")
    names = {
        "crps": "CRPS, mm/day",
        "spread_skill": "spread / skill",
        "spectrum_db": "spectrum, dB",
        "p999": "P99.9 / truth",
    }
    rows = [[f"{float(over[k].sel(downscaling=m)):.2f}" for k in names] for m in over["downscaling"].values]
    return pd.DataFrame(rows, index=over["downscaling"].values, columns=list(names.values()))


def _cell(value: np.ndarray) -> str:
    if not np.isfinite(value).all():
        return "none"
    return f"{value[0]:.2f} ({value[1]:.2f} to {value[2]:.2f})"
