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
    """Return the answer in one sentence, and how simpler methods compare, as Markdown computed from the scores."""
    verb, before, after, difference, half = change(scores)
    mean = scores["mean"].sel(site=UNSEEN_SITE)
    others = {m: float(mean.sel(segmenter=m)) for m in ("randomised", "random forest") if m in mean["segmenter"].values}
    compared = ", ".join(f"{name} {value:.2f}" for name, value in others.items())
    return (
        f"**Synthetic scans {verb} accuracy on the unseen hospital's scanner: Dice from {before:.2f} to {after:.2f} "
        f"({difference:+z.2f} ± {half:.2f}, 95 % over {scores.sizes['case']} test patients, one training).** "
        f"For comparison, at the same site: {compared}. Dice is 1 where every lesion pixel is found and no other."
    )


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
