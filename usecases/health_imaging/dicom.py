"""DICOM files and series: order, spacing and place from the headers, values rescaled. Called by :mod:`.readers`.

Attributes are those of the image plane and modality LUT modules (DICOM PS3.3, C.7.6.2 and C.11.1).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .scan import ScanError, first_line, to_array


def read_series(folder: Path) -> xr.DataArray:
    """Read the one DICOM series that a folder holds."""
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and _is_dicom(f)]
    if not files:
        raise ScanError(f"the folder {folder} holds no DICOM file: give the folder of one series, or a NIfTI file")
    return read_dicom(files, folder)


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_dicom(files: list[Path], name: Path) -> xr.DataArray:
    """Read the slices of one series and put them in order along the normal of the slices."""
    slices = [_dicom_slice(f) for f in files]
    series = {s.get("SeriesInstanceUID", "") for s, _ in slices}
    if len(series) > 1:
        raise ScanError(f"the folder {name} holds {len(series)} DICOM series: put each into a folder of its own")
    if len({v.shape for _, v in slices}) > 1:
        raise ScanError(f"the slices in {name} differ in size: remove the localisers, or export the series again")
    row, column, between = _plane(name, [s for s, _ in slices])
    normal = np.cross(row, column)
    slices.sort(key=lambda s: float(_origin(s[0]) @ normal))
    heights = np.array([float(_origin(s) @ normal) for s, _ in slices])
    first = slices[0][0]
    gap = _gap(name, first, heights)
    if not all(np.isfinite(v) and v > 0 for v in (*between, gap)):
        raise ScanError(f"{name} has a wrong spacing ({between[0]:g} x {between[1]:g} x {gap:g} mm): export it again")
    affine = np.eye(4)
    affine[:3, :3] = np.stack([row * between[1], column * between[0], normal * gap], 1)
    affine[:3, 3] = _origin(slices[0][0])
    affine[:2] *= -1  # DICOM counts to the left and back, NIfTI and we to the right and front
    volume = np.concatenate([v for _, v in slices])  # (z, y, x)
    units = str(first.get("RescaleType", "") or ("HU" if first.get("Modality") == "CT" else "1"))
    return to_array(name, volume.transpose(2, 1, 0), affine, units)


def _plane(name: Path, headers: list[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], list[float]]:
    """Return the directions of a row and of a column, and the spacing in mm, which all slices must share."""
    needed = ("PixelSpacing", "ImageOrientationPatient", *(("ImagePositionPatient",) if len(headers) > 1 else ()))
    for header in headers:
        lacking = [k for k in needed if header.get(k, None) in (None, "")]
        if lacking:
            raise ScanError(f"{header.filename} has no {lacking[0]} in its header: export it again with its geometry")
    planes = np.array([_numbers(h, "ImageOrientationPatient", (1, 0, 0, 0, 1, 0)) for h in headers])
    spacings = np.array([_numbers(h, "PixelSpacing", (1.0, 1.0)) for h in headers])
    plane, spacing = np.median(planes, 0), np.median(spacings, 0)  # of most slices, so that the odd one is named
    odd = (abs(planes - plane).max(1) > 0.01) | (abs(spacings - spacing).max(1) > 0.01 * spacing.max())
    if odd.any():
        other = headers[int(odd.argmax())].filename
        raise ScanError(f"{name} mixes orientations or spacings ({other} differs): remove the localisers")
    row, column = planes[0].reshape(2, 3)
    if max(abs(np.linalg.norm(row) - 1), abs(np.linalg.norm(column) - 1), abs(row @ column)) > 0.01:
        raise ScanError(f"{name} has a wrong ImageOrientationPatient (no unit vectors at right angles): export it anew")
    return row, column, [float(v) for v in spacings[0]]


def _gap(name: Path, first: Any, heights: NDArray[np.float64]) -> float:
    """Return the distance between slices in mm; refuse a series with a slice missing or doubled."""
    if len(heights) == 1:
        return _number(first, "SpacingBetweenSlices", 0.0) or _number(first, "SliceThickness", 1.0) or 1.0
    gaps = np.diff(heights)
    if gaps.min() <= 0 or gaps.max() > 1.05 * gaps.min():
        raise ScanError(f"the slices in {name} are not evenly spaced, some missing or doubled: export the series again")
    return float(np.median(gaps))


def _origin(dataset: Any) -> NDArray[np.float64]:
    return np.array(_numbers(dataset, "ImagePositionPatient", (0, 0, 0)))


def _number(dataset: Any, keyword: str, default: float) -> float:
    return _numbers(dataset, keyword, (default,))[0]


def _numbers(dataset: Any, keyword: str, default: tuple[float, ...]) -> list[float]:
    """Return the numbers of an attribute, as many as the default has; the default where it is absent or empty."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of what is said below in one line
            value = dataset.get(keyword, None)
            several = np.ndim(value) > 0
            values = [float(v) for v in (value if several else [value])] if value not in (None, "") else []
    except (ValueError, TypeError) as error:
        raise _wrong(dataset, keyword, first_line(error)) from None
    if values and (len(values) != len(default) or not np.all(np.isfinite(values))):
        raise _wrong(dataset, keyword, f"{values} where {len(default)} finite numbers belong")
    return values or list(default)


def _wrong(dataset: Any, keyword: str, what: str) -> ScanError:
    return ScanError(f"{dataset.filename} has a wrong {keyword} in its header ({what}): export it again")


def _dicom_slice(path: Path) -> tuple[Any, NDArray[np.float32]]:
    """Return the header and the rescaled values, (frames, y, x), of one DICOM file."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        dataset = pydicom.dcmread(path)
    except (InvalidDicomError, EOFError, OSError, ValueError, KeyError) as error:
        raise ScanError(f"{path} is a damaged DICOM file ({first_line(error)}): export it again") from None
    if "PixelData" not in dataset and "FloatPixelData" not in dataset and "DoubleFloatPixelData" not in dataset:
        raise _without_pixels(path, dataset)
    if _number(dataset, "NumberOfFrames", 1) > 1 or "SharedFunctionalGroupsSequence" in dataset:
        raise ScanError(f"{path} is a multi-frame (enhanced) DICOM image: convert it to NIfTI with dcm2niix")
    if _number(dataset, "SamplesPerPixel", 1) != 1:
        raise ScanError(f"{path} is a colour DICOM image: give a greyscale series, such as MR or CT")
    try:
        pixels = np.asarray(dataset.pixel_array, dtype=np.float32)
    except Exception as error:  # noqa: BLE001  # pydicom raises many kinds here, all about the pixels of this file
        raise ScanError(
            f"the pixels of {path} cannot be read ({first_line(error)}): copy or export it again, uncompressed"
        ) from None
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":  # the least value is the brightest: PS3.3 C.7.6.3.1.2
        pixels = _brightest(dataset) - pixels
    slope, intercept = _number(dataset, "RescaleSlope", 1.0) or 1.0, _number(dataset, "RescaleIntercept", 0.0)
    with np.errstate(over="ignore"):  # infinities are refused, with a line of their own
        return dataset, (pixels * slope + intercept).reshape(-1, *pixels.shape[-2:])


def _brightest(dataset: Any) -> float:
    """Return the stored value that an inverted picture's 0 turns into, the same for all slices of a series."""
    signed = _number(dataset, "PixelRepresentation", 0) == 1
    return -1.0 if signed else 2.0 ** _number(dataset, "BitsStored", 16) - 1


def _without_pixels(path: Path, dataset: Any) -> ScanError:
    """Tell a file that ends before its pixels from one that never had any; only a directory may lack a SOP class."""
    cut = "SOPClassUID" not in dataset and "DirectoryRecordSequence" not in dataset
    if cut or "Image Storage" in getattr(dataset.get("SOPClassUID"), "name", ""):
        return ScanError(f"{path} is cut short before its pixels: copy or export it again")
    kind = dataset.get("Modality", "no image")
    return ScanError(f"{path} is a DICOM file without pixels (modality {kind}): give an image series, such as MR or CT")
