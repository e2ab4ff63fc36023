"""A whole virtual patient to look around in: all slices of a scan, and where the lesions are. Called by the template.

The study works on single slices; this is the patient they are cut from, scanned at once as a volume.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from .acquisition import normalise, signal, smooth_field
from .anatomy import HEIGHTS, patient, threshold, with_lesions
from .figures import FOUND, Drawn
from .relaxometry import LESION
from .sites import SITES

SIZE = 104  # pixels on a side, 2 mm each: as fine as the template is kept
WINDOW = (-3.0, 4.0)  # standard deviations from the brain's mean, drawn black and white
LOAD = 25.0  # mL, moderate disease


def whole_patient(seed: int, site: str = "A", load: float = LOAD, size: int = SIZE) -> xr.Dataset:
    """Scan a patient whom no method met.

    Parameters
    ----------
    seed : int
        Makes the patient, the lesions and the noise.
    site : str
        Letter of the site whose scanner is simulated.
    load : float
        Lesions of the whole brain in mL.
    size : int
        Pixels on a side of a slice.

    Returns
    -------
    xarray.Dataset
        ``image`` (z, y, x), float32, signal normalised over the brain; ``lesion`` (z, y, x), uint8, 0 or 1; coordinates
        in mm; ``load`` and ``place`` (where the site is) in ``attrs``.
    """
    rng = np.random.default_rng([seed, 405])
    person = patient(size, rng)
    fractions, label = with_lesions(person["fraction"].values, person["score"].values, threshold(person, load))
    tissue = signal(SITES[site].protocol, rng).values  # once: these are one person's relaxation times
    rise = np.linspace(0, 1, len(HEIGHTS))[:, None, None]
    field = (1 - rise) * smooth_field(rng, size) + rise * smooth_field(rng, size)
    clean = np.tensordot(tissue, fractions, axes=1) * (1 + SITES[site].bias / 200 * field)
    real, imaginary = SITES[site].noise / 100 * np.abs(tissue).max() * rng.standard_normal((2, *clean.shape))
    image = normalise(np.hypot(clean + real, imaginary), label > 0)
    where = ("z", "y", "x")
    found = {"image": (where, image, {"units": "1"}), "lesion": (where, (label == LESION).astype(np.uint8))}
    attrs = {"load": float((label == LESION).sum() * person.attrs["voxel_ml"]), "place": SITES[site].description}
    return xr.Dataset(found, coords={axis: person[axis] for axis in where}, attrs=attrs)


def viewed(person: xr.Dataset) -> dict[str, Any]:
    """Return what a viewer of volumes needs; its keys are the arguments of ``genai4eu.widgets.VolumeViewer``."""
    return {
        "volume": person["image"], "labels": person["lesion"], "names": {1: "lesion"}, "name": "signal",
        "alt": planes_figure(person)[1], "window": WINDOW,
    }  # fmt: skip


def planes_figure(person: xr.Dataset) -> Drawn:
    """Show three planes through the slice with most lesions, which are outlined; what a page without scripts shows."""
    image, lesion = person["image"], person["lesion"].values > 0
    at = {
        axis: int(lesion.sum(tuple(i for i in range(3) if i != k)).argmax()) for k, axis in enumerate(("z", "y", "x"))
    }
    fig = Figure(figsize=(6.4, 2.7), layout="constrained")
    names = {"z": "axial", "y": "coronal", "x": "sagittal"}
    for axes, (axis, name) in zip(fig.subplots(1, 3), names.items(), strict=True):
        piece, mask = image.isel({axis: at[axis]}), person["lesion"].isel({axis: at[axis]}).values > 0
        down, across = piece.dims
        half = {d: float(abs(piece[d][1] - piece[d][0])) / 2 for d in piece.dims}
        extent = [piece[d].values[i] + s * half[d] for d in (across, down) for i, s in ((0, -1), (-1, 1))]
        axes.imshow(piece.values, cmap="gray", vmin=WINDOW[0], vmax=WINDOW[1], origin="lower", extent=extent)
        if mask.any():
            axes.contour(piece[across], piece[down], mask, [0.5], colors=FOUND, linewidths=1.2)
        axes.set(xticks=[], yticks=[], facecolor="black")
        axes.set_title(f"{name}, {axis} = {float(person[axis][at[axis]]):.0f} mm", fontsize=11)
        axes.spines[:].set_visible(False)
    low, high = (float(v) for v in person["z"].values[[0, -1]])
    title = f"One virtual patient: {person.attrs['load']:.0f} mL of lesions, {low:.0f} to {high:.0f} mm of height"
    fig.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return fig, (
        f"{title}, bright around the ventricles, outlined in orange; axial, coronal and sagittal slice of a simulated "
        f"scan at {person.attrs['place']}."
    )
