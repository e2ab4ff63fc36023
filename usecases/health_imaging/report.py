"""What the scores say, in words, numbers and a table. Called by the template's study and dashboard parts."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from .evaluate import gain
from .sites import UNSEEN_SITE

PLAIN = "classical"


def metrics(scores: xr.Dataset) -> dict[str, float]:
    """Return the mean Dice by metric name, such as ``dice_c_classical`` and, for the main mix, ``dice_c_flow``.

    Parameters
    ----------
    scores : xarray.Dataset
        From :func:`.evaluate.score`, with the attribute ``main_mix``.
    """
    names = {PLAIN: PLAIN, "flow": scores.attrs["main_mix"], "randomised": "randomised", "forest": "random forest"}
    mean = scores["mean"]
    return {
        f"dice_{str(site).lower()}_{short}": float(mean.sel(segmenter=method, site=site))
        for site in scores["site"].values
        for short, method in names.items()
    }


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
    names = {"randomised": "domain randomisation", "random forest": "a random forest"}
    values = {name: float(mean.sel(segmenter=m)) for m, name in names.items() if m in mean["segmenter"].values}
    there = [f"{name} {'' if i else 'reaches '}{value:.2f}" for i, (name, value) in enumerate(values.items())]
    return f"For comparison, {' and '.join(there)} at {UNSEEN_SITE}; 1 is perfect." if there else ""


def shown(scores: xr.Dataset) -> pd.DataFrame:
    """Return the table of mean Dice and 95 % interval, a row a method, a column a site."""
    cells = {
        f"{site}{' (unseen)' if site == UNSEEN_SITE else ''}": [
            f"{float(at['mean']):.2f} ({float(at['low']):.2f} to {float(at['high']):.2f})"
            for at in (scores.sel(segmenter=method, site=site) for method in scores["segmenter"].values)
        ]
        for site in scores["site"].values
    }
    return pd.DataFrame(cells, index=scores["segmenter"].values).rename_axis(columns="Dice [1]")
