"""Labelled and test slices of virtual patients, scanned at the sites. Called by the template and the tests.

Labelled slices come from sites A and B, half each. Test patients are others, and each is scanned at all three
sites, so that differences between sites are differences of scanners alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from .acquisition import acquire
from .anatomy import HEIGHTS, patient, threshold, with_lesions
from .relaxometry import LESION, TISSUES
from .sites import DEVELOPMENT, SITES, TRAINING_SITES

Progress = Callable[[float, float, str], None]
SPLITS = ("labelled", "test", "dashboard", "validation")
LOADS = (5.0, 40.0)  # mL in the whole brain, the range of moderate to severe disease
_CENTRAL = (HEIGHTS >= -5) & (HEIGHTS <= 40)  # mm; slices at the ventricles and above


def no_progress(done: float, total: float, label: str) -> None:
    """Take no notice: what ``progress`` arguments are called with is work done, work in all, and what is being done."""


def _rng(seed: int, split: str, case: int) -> np.random.Generator:
    return np.random.default_rng([seed, SPLITS.index(split), case])


def _pick_slice(person: xr.Dataset, level: float, rng: np.random.Generator) -> int:
    """Return the index of a central slice that has lesions, at random; Dice has no meaning where there are none."""
    counts = (person["score"].values >= level).sum((1, 2)) * _CENTRAL
    least = 16 * (person.sizes["x"] / 64) ** 2  # pixels: 1.4 cm2
    usable = np.flatnonzero(counts >= least)
    return int(rng.choice(usable)) if usable.size else int(counts.argmax())


def cohort(
    split: str, cases: int, size: int, seed: int, sites: tuple[str, ...], progress: Progress = no_progress
) -> xr.Dataset:
    """Make one slice of each of many patients, scanned at every one of ``sites``.

    Parameters
    ----------
    split : {"labelled", "test", "dashboard", "validation"}
        Patients of different splits are different; development looks at validation patients.
    cases : int
        Number of patients.
    size : int
        Pixels on a side.
    seed : int
        The same seed gives the same patients and the same scans.
    sites : tuple of str
        Letters of the sites.

    Returns
    -------
    xarray.Dataset
        ``image`` (case, site, y, x), float32, normalised signal; ``label`` (case, y, x), uint8; ``lesion_load``
        (case) in mL; coordinates y and x in mm, z (case) in mm.
    """
    images, labels, loads, heights = [], [], [], []
    scanners = [(SITES | DEVELOPMENT)[letter] for letter in sites]
    for case in range(cases):
        rng = _rng(seed, split, case)
        person, load = patient(size, rng), float(rng.uniform(*LOADS))
        level = threshold(person, load)
        z = _pick_slice(person, level, rng)
        fractions, label = with_lesions(person["fraction"].values[:, z], person["score"].values[z], level)
        images.append([acquire(fractions, s.protocol, rng, s.noise, s.bias) for s in scanners])
        labels.append(label)
        loads.append(load)
        heights.append(HEIGHTS[z])
        progress(case + 1, cases, f"virtual patients, {split}")
    return xr.Dataset(
        {
            "image": (("case", "site", "y", "x"), np.array(images), {"units": "1", "long_name": "normalised signal"}),
            "label": (("case", "y", "x"), np.array(labels), {"flag_values": [0, 1, 2, 3, 4]}),
            "lesion_load": ("case", np.array(loads), {"units": "mL", "long_name": "lesion load of the whole brain"}),
        },
        coords={"site": list(sites), "z": ("case", np.array(heights), {"units": "mm"}), "y": person.y, "x": person.x},
        attrs={"flag_meanings": " ".join(("background", *TISSUES)), "lesion": LESION, "split": split, "seed": seed},
    )


def labelled_slices(cases: int, size: int, seed: int, progress: Progress = no_progress) -> xr.Dataset:
    """Return the labelled slices that every method gets: each patient scanned once, at A or B in turn.

    Returns
    -------
    xarray.Dataset
        ``image`` (case, y, x), ``label`` (case, y, x), ``lesion_load`` (case), ``site`` (case).
    """
    return one_site_each(cohort("labelled", cases, size, seed, TRAINING_SITES, progress))


def one_site_each(scans: xr.Dataset) -> xr.Dataset:
    """Return every patient as scanned at one of the training sites, in turn: ``image`` becomes (case, y, x)."""
    where = xr.DataArray(np.arange(scans.sizes["case"]) % len(TRAINING_SITES), dims="case")
    return scans.sel(site=list(TRAINING_SITES)).isel(site=where)
