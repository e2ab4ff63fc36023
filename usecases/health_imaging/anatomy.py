"""Virtual patients: the MNI152 template deformed, with white-matter lesions of a set load. Called by the cohort.

The template is ICBM 2009a nonlinear symmetric (Fonov et al. 2009, NeuroImage 47:S102), as it lies in nilearn's wheel;
nothing is downloaded. Its licence, as nilearn passes it on: copyright 1993-2004 Louis Collins, McConnell Brain Imaging
Centre, Montreal Neurological Institute, McGill University; permission to use, copy, modify and distribute for any
purpose and without fee is granted, provided that this notice appears in all copies; it is provided "as is".

One template for all patients: training and test anatomies differ by deformation and lesions alone. Real cohorts
differ more, so the numbers of this study are an upper bound on anatomy, and a fair test of contrast only.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from .acquisition import Array
from .relaxometry import LESION, TISSUES

FIELD_OF_VIEW = 208.0  # mm, in plane; the brain with a margin (the template holds no skull)
HEIGHTS = np.arange(-40.0, 70.0, 5.0)  # mm in MNI space, 5 mm slices from the brain stem to the vertex
CENTRE = (0.0, -18.0)  # mm, x and y of the field of view's middle
_BLOCK = 2  # mm, the template is averaged to this before it is deformed


class AnatomyError(FileNotFoundError):
    """The template's files are not where nilearn's wheel should hold them."""


@lru_cache(maxsize=1)
def template() -> tuple[Array, NDArray[np.float64]]:
    """Return the tissue shares of the template and the affine from voxels to MNI millimetres.

    Returns
    -------
    fractions : ndarray of float32, shape (3, 98, 116, 94)
        Cerebrospinal fluid, grey and white matter, axes x, y, z at 2 mm.
    affine : ndarray of float64, shape (4, 4)

    Raises
    ------
    AnatomyError
        If nilearn is not installed or does not hold the files.
    """
    import nibabel as nib  # here, as the dashboard needs the rest of this module alone

    spec = find_spec("nilearn")  # found without importing it, which would cost two seconds
    folder = Path(spec.origin or "").parent / "datasets" / "data" if spec else Path("nilearn")
    maps = []
    for name in ("t1", "gm", "wm"):
        path = folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"
        if not path.exists():
            raise AnatomyError(f"the MNI152 template is missing ({path.name}): install nilearn >= 0.12")
        image = nib.load(path)
        maps.append(_average(np.asarray(image.dataobj)))
    brain, gm, wm = (maps[0] > 1).astype(np.float32), maps[1] / 255, maps[2] / 255
    affine = np.array(image.affine, dtype=float)
    affine[:3, 3] += affine[:3, :3] @ np.full(3, (_BLOCK - 1) / 2)
    affine[:3, :3] *= _BLOCK
    # Averaging 152 people blurred the borders; the cube makes them as crisp as one person's.
    sharp = np.stack([np.clip(brain - gm - wm, 0, 1), gm, wm]) ** 3
    return (brain * sharp / (sharp.sum(0) + 1e-6)).astype(np.float32), affine


def _average(volume: NDArray[np.uint8]) -> Array:
    """Average blocks of voxels: (197, 233, 189) at 1 mm becomes (98, 116, 94) at 2 mm."""
    nx, ny, nz = (n // _BLOCK for n in volume.shape)
    cropped = volume[: nx * _BLOCK, : ny * _BLOCK, : nz * _BLOCK].astype(np.float32)
    return np.asarray(cropped.reshape(nx, _BLOCK, ny, _BLOCK, nz, _BLOCK).mean((1, 3, 5)))


def _positions(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return where each voxel of a patient lies in the template, mm, shape (3, z, y, x): affine, then elastic."""
    step = FIELD_OF_VIEW / size
    inplane = (np.arange(size) - (size - 1) / 2) * step
    z, y, x = np.meshgrid(HEIGHTS, inplane + CENTRE[1], inplane + CENTRE[0], indexing="ij")
    points = np.stack([x, y, z])  # mm
    matrix = np.eye(3) + rng.normal(0.0, (0.04, 0.04, 0.03), (3, 3))  # a few degrees and per cent
    matrix[0] *= rng.choice([-1.0, 1.0])  # left for right: the template is symmetric, its deformed patients are not
    moved = np.tensordot(matrix, points, axes=1) + rng.normal(0.0, 3.0, (3, 1, 1, 1))
    waves = [np.cos(np.outer(np.arange(6), np.linspace(0.0, np.pi, n))) for n in (len(HEIGHTS), size, size)]
    elastic = np.einsum("dabc,az,by,cx->dzyx", rng.standard_normal((3, 6, 6, 6)), *waves, optimize=True)
    elastic *= 4.0 / elastic.std()  # mm; the shortest wave is about 9 cm long, so neighbours stay neighbours
    return np.asarray(moved + elastic)


def patient(size: int, rng: np.random.Generator) -> xr.Dataset:
    """Return one virtual patient without lesions, and where lesions would appear first.

    Parameters
    ----------
    size : int
        Pixels on a side of an axial slice; 64 gives 3.25 mm pixels, coarser than a clinical scan (about 1 mm).
    rng : numpy.random.Generator
        Makes the patient.

    Returns
    -------
    xarray.Dataset
        ``fraction`` (tissue, z, y, x), float32 shares of csf, gm, wm; ``score`` (z, y, x), float32: a load of so
        many mL fills the voxels of the highest scores. Coordinates z, y, x in mm.
    """
    fractions, affine = template()
    points = _positions(size, rng)
    voxels = (points - affine[:3, 3, None, None, None]) / np.diag(affine)[:3, None, None, None]
    shares = np.stack([ndimage.map_coordinates(f, voxels, order=1, mode="constant") for f in fractions])
    step = FIELD_OF_VIEW / size
    inplane = (np.arange(size) - (size - 1) / 2) * step
    return xr.Dataset(
        {
            "fraction": (("tissue", "z", "y", "x"), shares.astype(np.float32), {"units": "1"}),
            "score": (
                ("z", "y", "x"),
                lesion_score(shares, (float(HEIGHTS[1] - HEIGHTS[0]), step, step), rng),
                {"units": "1"},
            ),
        },
        coords={"tissue": list(TISSUES[:3]), "z": ("z", HEIGHTS, {"units": "mm"})}
        | {axis: (axis, inplane, {"units": "mm"}) for axis in ("y", "x")},
        attrs={"voxel_ml": step * step * float(HEIGHTS[1] - HEIGHTS[0]) / 1000},
    )


def lesion_score(shares: NDArray[np.floating], spacing: tuple[float, ...], rng: np.random.Generator) -> Array:
    """Return where lesions grow first: blobs in white matter, likelier near the ventricles (Wardlaw et al. 2013).

    Parameters
    ----------
    shares : ndarray, shape (3, ...)
        Shares of csf, gm, wm in a volume or a slice.
    spacing : tuple of float
        Size of a voxel in mm, one number a spatial axis.
    rng : numpy.random.Generator
        Makes the blobs, about 1.5 cm across.
    """
    brain = shares.sum(0) > 0.5
    depth = ndimage.distance_transform_edt(brain, sampling=spacing)
    ventricles = (shares[0] > 0.5) & (depth > 25)
    distance = ndimage.distance_transform_edt(~ventricles, sampling=spacing) if ventricles.any() else 0.0 * depth
    blobs = ndimage.gaussian_filter(rng.standard_normal(brain.shape), [6.0 / s for s in spacing])
    score = blobs / blobs.std() - distance / 15.0
    deep = ndimage.gaussian_filter(shares[2], [2.0 / s for s in spacing]) > 0.7  # not in thin folds
    return np.where((shares[2] > 0.7) & deep, score, -np.inf).astype(np.float32)


def threshold(person: xr.Dataset, load: float) -> float:
    """Return the score above which a voxel is lesion, so that the lesions of the whole brain fill ``load`` mL."""
    count = max(1, round(load / person.attrs["voxel_ml"]))
    ranked = np.sort(person["score"].values, axis=None)[::-1]
    return float(ranked[min(count, int(np.isfinite(ranked).sum())) - 1])


def with_lesions(fraction: Array, score: Array, level: float) -> tuple[Array, NDArray[np.uint8]]:
    """Put lesions where the score exceeds ``level``.

    Parameters
    ----------
    fraction : ndarray of float32, shape (3, y, x)
        Shares of csf, gm, wm.
    score : ndarray of float32, shape (y, x)
        Lesion score of the same slice.
    level : float
        From :func:`threshold`.

    Returns
    -------
    fractions : ndarray of float32, shape (4, y, x)
        Shares in the order of ``TISSUES``; a lesion's rim is part lesion, part white matter.
    label : ndarray of uint8, shape (y, x)
        0 background, else the index of the tissue + 1; lesion is what scores at least ``level``.
    """
    share = 1 / (1 + np.exp(-np.clip((score - level) / 0.15, -30.0, 30.0)))
    wm = fraction[2]
    fractions = np.stack([fraction[0], fraction[1], wm * (1 - share), wm * share]).astype(np.float32)
    label = np.where(fraction.sum(0) > 0.5, fraction.argmax(0) + 1, 0).astype(np.uint8)
    return fractions, np.where(score >= level, np.uint8(LESION), label)
