"""The live answer: scan a patient at a site, segment it with a stored segmenter. Called by the dashboard's controls.

Needs torch, but neither MONAI nor the template: everything comes from the record.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .acquisition import Array, acquire
from .anatomy import with_lesions
from .evaluate import dice
from .figures import draw_answer
from .keep import read_kept
from .relaxometry import LESION
from .segmenter import Segmenter, load_segmenter, predict
from .sites import SITES


@lru_cache(maxsize=4)
def _patient(outputs: Path) -> xr.Dataset:
    return read_kept(outputs, "explorer.nc")


@lru_cache(maxsize=32)
def _segmenter(outputs: Path, ratio: int) -> Segmenter:
    return load_segmenter(outputs / "segmenters" / f"flow-{ratio}.safetensors")


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


def respond(outputs: Path | str, site: str, load: float, noise: float, ratio: int) -> tuple[Figure, str]:
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
    ratio : int
        Which stored segmenter: synthetic slices for each labelled one.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        What it shows, in words.
    """
    image, truth = simulate(Path(outputs), site, load, noise)
    found = predict(_segmenter(Path(outputs), ratio), image[None])[0]
    return draw_answer(image, truth, found, float(dice(found, truth)), SITES[site].description, ratio)
