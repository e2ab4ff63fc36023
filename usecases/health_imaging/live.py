"""The live answer: scan a patient at a site, segment it with a stored segmenter. Called by the dashboard's controls.

Needs torch, but neither MONAI nor the template: everything comes from the record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .acquisition import Array, acquire
from .anatomy import with_lesions
from .evaluate import dice, main_mix
from .figures import draw_answer
from .keep import read_kept, segmenter_path, stored_methods
from .relaxometry import LESION
from .segmenter import Segmenter, load_segmenter, predict
from .sites import SITES, UNSEEN_SITE

#: What the control calls the methods without a generator.
DESCRIBED = {"real only": "real slices only", "classical": "augmented slices", "randomised": "randomised slices"}


@lru_cache(maxsize=4)
def _patient(outputs: Path) -> xr.Dataset:
    return read_kept(outputs, "explorer.nc")


@lru_cache(maxsize=32)
def _segmenter(outputs: Path, method: str) -> Segmenter:
    return load_segmenter(segmenter_path(outputs, method))


def simulate(outputs: Path, site: str, load: float, noise: float) -> tuple[Array, NDArray[np.bool_]]:
    """Scan the record's patient.

    Parameters
    ----------
    outputs : Path
        Outputs of the record.
    site : str
        Letter of the site.
    load : float
        Lesion load of the whole brain in mL; the nearest stored one is taken.
    noise : float
        Noise in per cent of the brightest tissue.

    Returns
    -------
    image : ndarray of float32, shape (y, x)
    truth : ndarray of bool, shape (y, x)
    """
    person = _patient(Path(outputs))
    level = float(person["level"].sel(load=load, method="nearest"))
    fractions, label = with_lesions(person["fraction"].values, person["score"].values, level)
    rng = np.random.default_rng(0)  # the same person and the same noise pattern, whatever the controls say
    return acquire(fractions, SITES[site].protocol, rng, noise, SITES[site].bias), label == LESION


def respond(outputs: Path | str, site: str, load: float, noise: float, method: str) -> tuple[Figure, str]:
    """Draw the simulated slice with the truth and with what a stored segmenter finds.

    Parameters
    ----------
    outputs : path
        Outputs of the record.
    site : str
        "A", "B" or "C".
    load : float
        Lesion load of the whole brain in mL.
    noise : float
        Noise in per cent of the brightest tissue.
    method : str
        Which stored segmenter, by its name in the scores, such as "flow 10:1".

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        What it shows, in words.
    """
    image, truth = simulate(Path(outputs), site, load, noise)
    found = predict(_segmenter(Path(outputs), method), image[None])[0]
    return draw_answer(image, truth, found, float(dice(found, truth)), SITES[site].description, method)


def controls(outputs: Path | str, choice: Callable[..., Any], span: Callable[..., Any]) -> dict[str, Any]:
    """Return the dashboard's controls by argument name of :func:`respond`.

    Parameters
    ----------
    outputs : path
        Outputs of the record: only what it stores can be chosen.
    choice, span : callable
        Makers of a choice and of a slider, ``genai4eu.widgets.Choice`` and ``Range``; handed in, so that the science
        needs no widgets.
    """
    methods = stored_methods(outputs)
    mix = main_mix(methods).removeprefix("flow ")
    sites = {f"{s.name}: {s.description}": s.name for s in SITES.values()}
    return {
        "site": choice(
            "Site", sites, value=UNSEEN_SITE, help="Whose scanner takes the picture; C was never trained on."
        ),
        "load": span("Lesion load", 0, 50, step=5, value=25, unit="mL", help="Volume of all lesions in the brain."),
        "method": choice(
            "Trained with",
            {DESCRIBED.get(m, m.removeprefix("flow ") + " synthetic"): m for m in methods},
            value=main_mix(methods),
            help=f"Which stored segmenter looks at it; {mix} synthetic is {mix.split(':')[0]} AI-generated slices "
            "for each real one.",
        ),
        "noise": span("Noise", 0, 15, step=1, value=5, unit="%", help="Of the brightest tissue; 3 to 5 % is usual."),
    }
