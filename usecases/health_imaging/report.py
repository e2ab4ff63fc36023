"""What the scores say, in words, numbers and a table. Called by the template's study and dashboard parts."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from .evaluate import MEASURES, gain, summary
from .sites import UNSEEN_SITE

PLAIN = "classical"
#: Methods without a generative model: their name in metrics, and in words.
OTHERS = {
    "randomised": ("randomised", "domain randomisation"),
    "random forest": ("forest", "a random forest"),
    "Gaussian mixture": ("mixture", "a Gaussian mixture"),
    "real only": ("real", "the network without augmentation"),
}

#: Which way a metric is better, by how its name begins; neither is of how near synthetic scans are to real ones.
BETTER = {"dice_": "higher", "surface_dice_": "higher", "hd95_": "lower"}


def metrics(scores: xr.Dataset) -> dict[str, tuple[float, str]]:
    """Return values and units by metric name: Dice at every site, and what the outlines say at the unseen one.

    Such as ``dice_c_classical``, ``hd95_c_forest`` (mm) and, for the main mix, ``surface_dice_c_flow``.

    Parameters
    ----------
    scores : xarray.Dataset
        From :func:`.evaluate.score`, with the attribute ``main_mix``.
    """
    names = {PLAIN: PLAIN, str(scores.attrs["main_mix"]): "flow"} | {k: short for k, (short, _) in OTHERS.items()}
    values = {}
    for measure, (unit, _) in MEASURES.items():
        mean = scores[measure].mean("case")
        for site in scores["site"].values if measure == "dice" else [UNSEEN_SITE]:
            for method, short in names.items():
                name = f"{measure}_{str(site).lower()}_{short}"
                values[name] = (float(mean.sel(segmenter=method, site=site)), unit)
    return values


def better(metric: str) -> str | None:
    """Return which way a metric of :func:`metrics` is better, ``"higher"`` or ``"lower"``; None where neither is."""
    return next((way for begins, way in BETTER.items() if metric.startswith(begins)), None)


def change(scores: xr.Dataset, site: str = UNSEEN_SITE) -> tuple[str, float, float, float, float]:
    """Return what synthetic scans do at ``site``: a verb, Dice before and after, gain, half its 95 % interval."""
    mix = str(scores.attrs["main_mix"])
    difference, half = gain(scores, mix, PLAIN, site)
    before, after = (float(scores["mean"].sel(segmenter=m, site=site)) for m in (PLAIN, mix))
    verb = "do not clearly change" if abs(difference) <= half else "raise" if difference > 0 else "lower"
    return verb, before, after, difference, half


def answer(scores: xr.Dataset) -> str:
    """Return the answer as Markdown computed from the scores: what changes at C, what elsewhere, and how others do.

    Three sentences at most, because the gallery shows all of it.
    """
    verb, before, after, difference, half = change(scores)
    said = (
        f"**Synthetic scans {verb} accuracy on the unseen hospital's scanner: Dice from {before:.2f} to {after:.2f} "
        f"({difference:+z.2f} ± {half:.2f}, 95 % over {scores.sizes['case']} test patients, one training).**"
    )
    return " ".join(part for part in (said, elsewhere(scores), _compared(scores)) if part)


def elsewhere(scores: xr.Dataset) -> str:
    """Return in one sentence what clearly changes at the training sites; the price first, where there is one."""
    falls, rises = clear_changes(scores)
    words = [
        f"at {site} Dice {how} from {before:.2f} to {after:.2f}"
        for how, changed in (("falls", falls), ("rises", rises))
        for site, (before, after) in changed.items()
    ]
    if not words:
        others = [str(site) for site in scores["site"].values if site != UNSEEN_SITE]
        return f"At {' and '.join(others)} nothing clearly changes." if others else ""
    said = ("the price: " if falls and change(scores)[0] == "raise" else "") + " and ".join(words)
    return said[0].upper() + said[1:] + "."


def clear_changes(scores: xr.Dataset) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Return Dice before and after by training site: where it clearly falls, and where it clearly rises."""
    changed = {str(s): change(scores, str(s)) for s in scores["site"].values if s != UNSEEN_SITE}
    falls, rises = ({s: c[1:3] for s, c in changed.items() if c[0] == verb} for verb in ("lower", "raise"))
    return falls, rises


def _compared(scores: xr.Dataset) -> str:
    """Return in one sentence what the methods without a generative model reach at the unseen site."""
    mean = scores["mean"].sel(site=UNSEEN_SITE)
    values = {words: float(mean.sel(segmenter=m)) for m, (_, words) in OTHERS.items() if m in mean["segmenter"].values}
    there = [f"{words} {'' if i else 'reaches '}{value:.2f}" for i, (words, value) in enumerate(values.items())]
    return f"For comparison, at {UNSEEN_SITE} {', '.join(there)}; 1 is perfect." if there else ""


def shown(scores: xr.Dataset) -> pd.DataFrame:
    """Return the table of mean Dice and 95 % interval, a row a method, a column a site."""
    columns = {
        f"{s}{' (unseen)' if s == UNSEEN_SITE else ''}": _cells(scores, "dice", s) for s in scores["site"].values
    }
    return pd.DataFrame(columns, index=scores["segmenter"].values).rename_axis(columns="Dice [1]")


def outlines(scores: xr.Dataset) -> pd.DataFrame:
    """Return the table of what the outlines say at the unseen site, and in how many slices nothing was found."""
    missed = scores["missed"].sel(site=UNSEEN_SITE).sum("case").values
    columns = {
        "surface Dice [1]": _cells(scores, "surface_dice", UNSEEN_SITE),
        "HD95 [mm]": _cells(scores, "hd95", UNSEEN_SITE, 0),
        "empty": [f"{int(n)} of {scores.sizes['case']}" for n in missed],
    }
    return pd.DataFrame(columns, index=scores["segmenter"].values).rename_axis(columns=f"{UNSEEN_SITE} (unseen)")


def _cells(scores: xr.Dataset, measure: str, site: str, digits: int = 2) -> list[str]:
    """Return mean and interval of every method at a site; narrow, as a table that wraps differs between terminals."""
    over = summary(scores, measure).sel(site=site)
    ends = zip(*(over[name].values for name in ("mean", "low", "high")), strict=True)
    return [f"{mean:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})" for mean, low, high in ends]
