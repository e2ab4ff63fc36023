"""Figures and words of the course on medical imaging, each figure with its alternative text. Called by its lessons.

As :mod:`.figures`, every figure comes as ``(Figure, alt)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .acquisition import Protocol, signal
from .compare import table
from .evaluate import dice, gain
from .figures import MARKS, Drawn, _slice
from .labels import contrast_map
from .relaxometry import LESION
from .sites import SITES, UNSEEN_SITE

#: What my_result.ipynb compares.
ALONE, BOTH = "real only", "real and synthetic"


def _head(fig: Figure, text: str) -> None:
    fig.suptitle(text, x=0.01, ha="left", fontweight="bold", fontsize=12)


def tool_figure(test: xr.Dataset, masks: NDArray[np.bool_]) -> Drawn:
    """Show what a tool finds in the patient with most lesions at every site, beside the truth.

    Parameters
    ----------
    test : xarray.Dataset
        From :func:`.data.cohort`.
    masks : ndarray of bool, shape (case, site, y, x)
        What the tool calls lesion.
    """
    truth = test["label"].values == LESION
    case = int(truth.sum((1, 2)).argmax())
    mean = dice(masks, truth[:, None]).mean(0)
    names = [str(site) for site in test["site"].values]
    fig = Figure(figsize=(6.4, 2.8), layout="constrained")
    for axes, name, found, value in zip(
        np.atleast_1d(fig.subplots(1, len(names))), names, masks[case], mean, strict=True
    ):
        _slice(axes, test["image"].sel(site=name).values[case], truth[case], found)
        axes.set_title(f"{name}: mean Dice {value:.2f}", fontsize=11)
    best, worst = names[int(mean.argmax())], names[int(mean.argmin())]
    _head(fig, f"One tool, three scanners: best at {best}, worst at {worst} (blue truth, orange found)")
    means = ", ".join(f"{name} {value:.2f}" for name, value in zip(names, mean, strict=True))
    return fig, (
        f"The tool does best at {best} and worst at {worst}; one patient's slice at each site, truth in solid "
        f"blue, what the tool finds in dashed orange; mean Dice over {len(truth)} patients, from 0 to 1: {means}."
    )


def inversion_figure(field: float = 3.0, tr: float = 11000.0, te: float = 125.0) -> Drawn:
    """Show each tissue's brightness against the inversion time of a FLAIR scan."""
    times = np.arange(1000.0, 4001.0, 50.0)
    levels = np.stack([np.abs(signal(Protocol("flair", field, tr, te, ti=float(t))).values) for t in times])
    null = float(times[levels[:, 0].argmin()])
    fig = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = fig.subplots()
    for name, column in (("fluid", 0), ("lesion", 3), ("white matter", 2)):
        axes.plot(times, levels[:, column])
        axes.annotate(name, (times[-1], levels[-1, column]), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set(xlabel="inversion time TI [ms]", ylabel="brightness [1]", xlim=(1000, 4000), ylim=(0, None))
    _head(fig, f"Fluid vanishes at one inversion time, near {null:.0f} ms")
    return fig, (
        f"The brightness of fluid falls to zero near an inversion time of {null:.0f} ms and rises again, while lesions "
        "grow brighter all along and white matter stays low; three lines, 1000 to 4000 ms, brightness 0 to 0.5."
    )


def rest_figure(real: xr.Dataset, case: int = 0) -> Drawn:
    """Show a labelled slice, what the signal equation predicts for its labels, and what is left for the flow."""
    one = real.isel(case=case)
    foretold = contrast_map(one["label"].values, SITES[str(one["site"].item())].protocol)
    panels = {"scan": one["image"].values, "signal equation": foretold, "rest": one["image"].values - foretold}
    fig = Figure(figsize=(6.4, 2.7), layout="constrained")
    for axes, (name, image) in zip(fig.subplots(1, 3), panels.items(), strict=True):
        _slice(axes, image)
        axes.set_title(name, fontsize=11)
    _head(fig, "The equation foretells the contrast, the flow learns the rest")
    return fig, (
        "The signal equation predicts the scan's contrast as flat tissues; the rest, scan minus prediction, holds "
        "blurred borders, shading and noise; three slices of one simulated patient."
    )


def planted(synthetic: xr.Dataset, real: xr.Dataset, seed: int = 0, count: int = 12) -> xr.Dataset:
    """Return some synthetic scans, one of which is a labelled scan with a little noise: a copy to be found."""
    rng = np.random.default_rng(seed)
    found = synthetic[["image", "label"]].isel(case=slice(count)).copy(deep=True)
    where, whose = int(rng.integers(count)), int(rng.integers(real.sizes["case"]))
    noise = 0.1 * rng.standard_normal(real["image"].shape[1:])
    found["image"][where] = real["image"].values[whose] + noise
    found["label"][where] = real["label"].values[whose]
    return found


def mirrored(scans: xr.Dataset) -> xr.Dataset:
    """Return scans whose pictures are turned left for right."""
    return scans.assign(image=scans["image"].copy(data=scans["image"].values[..., ::-1]))


def shown(runs: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Return Dice over runs as a table of words: a row a method, a column a site, mean ± half of the 95 % interval."""
    found = table(runs)

    def cell(method: str, site: str) -> str:
        return f"{found.loc[method, (site, 'mean')]:.2f} ± {found.loc[method, (site, 'half')]:.2f}"

    cells = {site: [cell(method, site) for method in found.index] for site in found.columns.unique(0)}
    return pd.DataFrame(cells, index=found.index).rename_axis(columns="Dice [1]")


def differences_figure(found: pd.DataFrame, site: str) -> Drawn:
    """Show how far the flow's mix is from every other method at a site, over runs.

    Parameters
    ----------
    found : pandas.DataFrame
        From :func:`.compare.paired`.
    """
    fig = Figure(figsize=(6.4, 0.45 * len(found) + 1.4), layout="constrained")
    axes = fig.subplots()
    rows = np.arange(len(found))
    seeds = found.drop(columns=["mean", "half"])
    for run in seeds:
        axes.plot(seeds[run], rows, "o", color="#7a8794", markersize=4)
    axes.errorbar(found["mean"], rows, xerr=found["half"], fmt="D", color=MARKS[site][0], markersize=7)
    axes.axvline(0, color="#33404d", linewidth=1)
    axes.set_yticks(rows, [f"against {name}" for name in found.index])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlabel("difference of Dice [1]\nmean, 95 % interval; grey: each seed")
    clear = [str(n) for n, row in found.iterrows() if abs(row["mean"]) > row["half"]]
    _head(fig, f"Flow 10:1 at {site}: {len(clear)} of {len(found)} differences are clear")
    cells = "; ".join(f"{n} {row['mean']:+.2f} ± {row['half']:.2f}" for n, row in found.iterrows())
    return fig, (
        f"At {site}, {len(clear)} of {len(found)} differences between the flow's mix and another method are clear of "
        f"zero; dots with 95 % intervals over {seeds.shape[1]} seeds, Dice -1 to 1: {cells}."
    )


def result_figure(scores: xr.Dataset) -> Drawn:
    """Show mean Dice and interval of both forests of my_result.ipynb at every site."""
    fig = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = fig.subplots()
    sites = [str(s) for s in scores["site"].values]
    for shift, name in ((-0.12, ALONE), (0.12, BOTH)):
        mean, low, high = (scores[k].sel(segmenter=name).values for k in ("mean", "low", "high"))
        axes.errorbar(
            np.arange(len(sites)) + shift, mean, yerr=[mean - low, high - mean], fmt="os"[shift > 0], label=name
        )
    axes.set_xticks(range(len(sites)), [f"{s} (unseen)" if s == UNSEEN_SITE else s for s in sites])
    axes.set(xlabel="hospital; mean and 95 % interval over patients", ylabel="Dice [1]", ylim=(-0.03, 1))
    axes.legend(loc="upper right")
    _head(fig, f"Synthetic scans {change(scores)[0]} the forest's Dice at {UNSEEN_SITE}")
    means = "; ".join(
        f"{n}: " + ", ".join(f"{s} {float(scores['mean'].sel(segmenter=n, site=s)):.2f}" for s in sites)
        for n in (ALONE, BOTH)
    )
    return fig, f"{fig.get_suptitle()}; dots with 95 % intervals over patients, Dice from 0 to 1: {means}."


def change(scores: xr.Dataset) -> tuple[str, float, float]:
    """Return what synthetic scans do to the forest at the unseen site: a verb, the gain, half its 95 % interval."""
    difference, half = gain(scores, BOTH, ALONE, UNSEEN_SITE)
    verb = "do not clearly change" if abs(difference) <= half else "raise" if difference > 0 else "lower"
    return verb, difference, half


_SAID = {
    "en": (
        "raise", "lower", "do not clearly change",
        "Synthetic scans {verb} a random forest's Dice at the unseen hospital: {gain} ± {half} "
        "(95 % over {cases} simulated patients, one training).",
    ),
    "nl": (
        "verhogen", "verlagen", "veranderen",
        "Synthetische scans {verb} de Dice van een random forest in het nieuwe ziekenhuis{not_}: {gain} ± {half} "
        "(95 % over {cases} gesimuleerde patiënten, één training).",
    ),
    "de": (
        "erhöhen", "senken", "ändern",
        "Synthetische Scans {verb} den Dice eines Random Forest in der neuen Klinik{not_}: {gain} ± {half} "
        "(95 % über {cases} simulierte Patienten, ein Training).",
    ),
    "fr": (
        "augmentent", "réduisent", "ne changent pas nettement",
        "Les images synthétiques {verb} le Dice d’une forêt aléatoire dans le nouvel hôpital : {gain} ± {half} "
        "(95 % sur {cases} patients simulés, un seul entraînement).",
    ),
}  # fmt: skip
_NOT = {"nl": " niet duidelijk", "de": " nicht eindeutig"}


def result_alts(scores: xr.Dataset, english: str) -> dict[str, str]:
    """Return the alternative text of :func:`result_figure` by language, the given English one first."""
    kind = {
        "nl": "Punten met 95 %-intervallen over patiënten, Dice van 0 tot 1.",
        "de": "Punkte mit 95-%-Intervallen über Patienten, Dice von 0 bis 1.",
        "fr": "Points avec intervalles à 95 % sur les patients, Dice de 0 à 1.",
    }
    said = result_words(scores)
    return {"en": english, **{name: f"{said[name]} {words}" for name, words in kind.items()}}


def result_words(scores: xr.Dataset) -> dict[str, str]:
    """Return what my_result.ipynb found, in a sentence by language, English first."""
    verb, difference, half = change(scores)
    which = ("raise", "lower", "do not clearly change").index(verb)
    told = {}
    for name, (*verbs, sentence) in _SAID.items():
        numbers = f"{difference:+z.2f}", f"{half:.2f}"
        gained, wide = numbers if name == "en" else (number.replace(".", ",") for number in numbers)
        told[name] = sentence.format(
            verb=verbs[which],
            gain=gained,
            half=wide,
            cases=scores.sizes["case"],
            not_=_NOT.get(name, "") if which == 2 else "",
        )
    return told
