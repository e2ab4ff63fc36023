"""What a study leaves in its run's outputs, and how the dashboard finds it again. Called by both parts of the template.

Everything is data that other tools read: NetCDF for numbers and pictures, safetensors with JSON for segmenters::

    scores.nc              Dice, surface Dice, Hausdorff distance by method, patient and site; mean and interval of Dice
    scans.nc               the test scans, their truth, and the masks of the main flow mix and of classical training
    synthetic.nc           some synthetic labelled scans, and the distance of each to the nearest labelled one
    patient.nc             a whole scan of a patient in no set, to look around in
    explorer.nc            one patient in no other set: tissue shares, lesion score, level by load
    segmenters/NAME.*      the segmenter of every trained network, such as classical or flow-10-1
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..generative.kept import RecordError as RecordError
from ..generative.kept import read_kept as read_kept
from ..generative.kept import write_kept
from .acquisition import Array
from .anatomy import HEIGHTS, patient, threshold
from .copies import nearest_distance
from .segmenter import Segmenter, predict, save_segmenter
from .sizes import Sizes
from .volume import whole_patient

LOADS = np.arange(0.0, 51.0, 5.0)  # mL, what the explorer offers
SHOWN = 48  # synthetic scans that are kept


def predict_sites(model: Segmenter, test: xr.Dataset) -> NDArray[np.bool_]:
    """Return lesion masks (case, site, y, x) of the test scans of all sites."""
    images: Array = test["image"].values
    return predict(model, images.reshape(-1, *images.shape[2:])).reshape(images.shape)


def keep_study(
    outputs: Path,
    sizes: Sizes,
    seed: int,
    scores: xr.Dataset,
    test: xr.Dataset,
    masks: dict[str, NDArray[np.bool_]],
    labelled: xr.Dataset,
    synthetic: xr.Dataset,
    segmenters: dict[str, Segmenter],
) -> None:
    """Write everything that the dashboard part and later comparisons need into ``outputs``."""
    outputs.mkdir(parents=True, exist_ok=True)
    main = str(scores.attrs["main_mix"])
    write_kept(
        scores.assign_attrs(seed=seed, question="lesion Dice on an unseen scanner"),
        outputs / "scores.nc",
    )
    shown = {
        f"mask_{k}": (test["image"].dims, masks[m].astype(np.uint8))
        for k, m in (("mix", main), ("classical", "classical"))
    }
    write_kept(test.assign(shown), outputs / "scans.nc")
    distance = nearest_distance(synthetic, labelled)
    write_kept(synthetic.assign(distance=distance).isel(case=slice(SHOWN)), outputs / "synthetic.nc")
    write_kept(whole_patient(seed), outputs / "patient.nc")
    write_kept(explorer_patient(sizes.image, seed), outputs / "explorer.nc")
    for name, model in segmenters.items():
        save_segmenter(model, segmenter_path(outputs, name))


def explorer_patient(size: int, seed: int) -> xr.Dataset:
    """Return the middle slice of a patient whom no method met, ready for any lesion load.

    Returns
    -------
    xarray.Dataset
        ``fraction`` (tissue, y, x) and ``score`` (y, x) as in :func:`.anatomy.patient`; ``level`` (load): the score
        above which a voxel is lesion at each load in mL.
    """
    person = patient(size, np.random.default_rng([seed, 404]))
    level = [np.inf if load == 0 else threshold(person, float(load)) for load in LOADS]
    piece = person.isel(z=int(np.abs(HEIGHTS - 20).argmin()))
    finite = piece["score"].clip(min=-99.0)
    return piece.assign(score=finite, level=("load", np.clip(level, None, 99.0), {"units": "1"})).assign_coords(
        load=("load", LOADS, {"units": "mL"})
    )


def segmenter_path(outputs: Path | str, method: str) -> Path:
    """Return where the segmenter of a method lies, or would lie, in a record."""
    return Path(outputs) / "segmenters" / f"{re.sub('[^a-z0-9]+', '-', method)}.safetensors"


def stored_methods(outputs: Path | str) -> list[str]:
    """Return the methods whose segmenters a record holds, in the order of its scores."""
    names = read_kept(outputs, "scores.nc")["segmenter"].values.tolist()
    return [name for name in names if segmenter_path(outputs, name).exists()]


def predict_scan(model: Segmenter, piece: xr.DataArray) -> NDArray[np.bool_]:
    """Return the lesion mask (y, x) of one slice from :func:`.own.axial_slice`."""
    return np.asarray(predict(model, piece.values[None])[0])
