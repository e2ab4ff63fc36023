"""Own scans: DICOM files or folders and NIfTI files as labelled arrays in millimetres. Called by *Your own data*.

What a file is, is told by its content, not by its name: NIfTI by its header's size and magic (NIfTI-1 C header, field
``magic`` at byte 344), DICOM by ``DICM`` at byte 128 (PS3.10, section 7.1). Every failure is one
:class:`ScanError` line that names the file and the remedy.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray


class ScanError(ValueError):
    """A scan that cannot be used; the message names the file and the remedy."""


class ScanNotFoundError(FileNotFoundError):
    """There is no such scan; the message names the path."""


def load_scan(path: str | Path) -> xr.DataArray:
    """Read one scan.

    Parameters
    ----------
    path : str or Path
        A NIfTI file (also gzipped), a DICOM file, or a folder that holds one DICOM series.

    Returns
    -------
    xarray.DataArray
        Dimensions z, y, x (inferior to superior, posterior to anterior, left to right, as near as whole axes allow),
        float32, with coordinates in mm. DICOM values are rescaled; attribute ``units`` says to what.

    Raises
    ------
    ScanNotFoundError
        If nothing is at ``path``.
    ScanError
        If it is no scan, or a broken one.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise ScanNotFoundError(f"there is no scan at {path}: check it; it is a path on the computer of the kernel")
    if path.is_dir():
        return _read_series(path)
    with path.open("rb") as file:
        head = file.read(352)
    if _is_nifti(head) or head[:2] == b"\x1f\x8b":
        return _read_nifti(path)
    if head[128:132] == b"DICM":
        return _read_dicom([path], path)
    raise ScanError(f"{path} is neither NIfTI nor DICOM by its content: convert it with dcm2niix, or export it again")


def _is_nifti(head: bytes) -> bool:
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] == b"n+2\0"


def _read_nifti(path: Path) -> xr.DataArray:
    """Read a NIfTI-1 or -2 file, with its header checked before its values are believed."""
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    quiet = logging.getLogger("nibabel.global")  # it warns of what is about to be said in one line
    level = quiet.level
    quiet.setLevel(logging.CRITICAL + 1)
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        if not _is_nifti(data[:352]):
            raise ScanError(f"{path} holds no NIfTI image in its gzip: convert it with dcm2niix")
        if data[344:348] == b"ni1\0":
            raise ScanError(f"{path} is half of a pair of files (.hdr and .img): convert it to one .nii file")
        kind = nib.Nifti2Image if data[4:8] == b"n+2\0" else nib.Nifti1Image
        header = kind.header_class.from_fileobj(_stream(data), check=False)
        _check_header(path, header)
        image = kind.from_bytes(data)
        values = np.asarray(image.dataobj, dtype=np.float32)
    except (EOFError, OSError, zlib.error) as error:
        raise ScanError(f"{path} is cut short or damaged ({_line(error)}): copy or export it again") from None
    except (HeaderDataError, ImageFileError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, ScanError):
            raise
        raise ScanError(f"{path} has a wrong NIfTI header ({_line(error)}): export it again") from None
    finally:
        quiet.setLevel(level)
    return _to_array(path, values, np.asarray(image.affine, dtype=float), "1")


def _stream(data: bytes) -> Any:
    from io import BytesIO

    return BytesIO(data)


def _check_header(path: Path, header: Any) -> None:
    """Refuse sizes that are no sizes: nibabel itself mends a zero spacing in silence."""
    dim, pixdim = np.asarray(header["dim"], dtype=int), np.asarray(header["pixdim"], dtype=float)
    if not 2 <= dim[0] <= 7 or np.any(dim[1 : dim[0] + 1] < 1):
        raise ScanError(f"{path} has a wrong NIfTI header (dim is {dim.tolist()}): export it again")
    spacing = np.abs(pixdim[1 : min(dim[0], 3) + 1])
    if not np.all(np.isfinite(spacing)) or np.any(spacing < 1e-3):  # mm; no scanner goes below
        shown = " x ".join(f"{s:g}" for s in spacing)
        raise ScanError(f"{path} has a wrong NIfTI header (voxels of {shown} mm): set pixdim, or export it again")


def _read_series(folder: Path) -> xr.DataArray:
    """Read the one DICOM series that a folder holds."""
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and _is_dicom(f)]
    if not files:
        raise ScanError(f"the folder {folder} holds no DICOM file: give the folder of one series, or a NIfTI file")
    return _read_dicom(files, folder)


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _read_dicom(files: list[Path], name: Path) -> xr.DataArray:
    """Read the slices of one series and put them in order along the normal of the slices."""
    slices = [_dicom_slice(f) for f in files]
    series = {s.get("SeriesInstanceUID", "") for s, _ in slices}
    if len(series) > 1:
        raise ScanError(f"the folder {name} holds {len(series)} DICOM series: put each into a folder of its own")
    if len({v.shape for _, v in slices}) > 1:
        raise ScanError(f"the slices in {name} differ in size: remove the localisers, or export the series again")
    first = slices[0][0]
    rows = [float(v) for v in first.get("ImageOrientationPatient", None) or (1, 0, 0, 0, 1, 0)]
    column, row = np.array(rows[3:]), np.array(rows[:3])
    normal = np.cross(row, column)
    slices.sort(key=lambda s: float(_origin(s[0]) @ normal))
    heights = np.array([float(_origin(s) @ normal) for s, _ in slices])
    gap = _gap(name, first, heights)
    between = [float(v) for v in first.get("PixelSpacing", None) or (1.0, 1.0)]
    if not all(np.isfinite(v) and v > 0 for v in (*between, gap)):
        raise ScanError(f"{name} has a wrong spacing ({between[0]:g} x {between[1]:g} x {gap:g} mm): export it again")
    affine = np.eye(4)
    affine[:3, :3] = np.stack([row * between[1], column * between[0], normal * gap], 1)
    affine[:3, 3] = _origin(slices[0][0])
    affine[:2] *= -1  # DICOM counts to the left and back, NIfTI and we to the right and front
    volume = np.concatenate([v for _, v in slices])  # (z, y, x)
    units = str(first.get("RescaleType", "") or ("HU" if first.get("Modality") == "CT" else "1"))
    return _to_array(name, volume.transpose(2, 1, 0), affine, units)


def _gap(name: Path, first: Any, heights: NDArray[np.float64]) -> float:
    """Return the distance between slices in mm; refuse a series with a slice missing or doubled."""
    if len(heights) == 1:
        return float(first.get("SpacingBetweenSlices", None) or first.get("SliceThickness", None) or 1.0)
    gaps = np.diff(heights)
    if gaps.min() <= 0 or gaps.max() > 1.05 * gaps.min():
        raise ScanError(f"the slices in {name} are not evenly spaced, some missing or doubled: export the series again")
    return float(np.median(gaps))


def _origin(dataset: Any) -> NDArray[np.float64]:
    return np.array([float(v) for v in dataset.get("ImagePositionPatient", None) or (0, 0, 0)])


def _dicom_slice(path: Path) -> tuple[Any, NDArray[np.float32]]:
    """Return the header and the rescaled values, (frames, y, x), of one DICOM file."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        dataset = pydicom.dcmread(path)
    except (InvalidDicomError, EOFError, OSError, ValueError, KeyError) as error:
        raise ScanError(f"{path} is a damaged DICOM file ({_line(error)}): export it again") from None
    if "PixelData" not in dataset and "FloatPixelData" not in dataset and "DoubleFloatPixelData" not in dataset:
        kind = dataset.get("Modality", "no image")
        raise ScanError(
            f"{path} is a DICOM file without pixels (modality {kind}): give an image series, such as MR or CT"
        )
    if int(dataset.get("SamplesPerPixel", 1) or 1) != 1:
        raise ScanError(f"{path} is a colour DICOM image: give a greyscale series, such as MR or CT")
    try:
        pixels = np.asarray(dataset.pixel_array, dtype=np.float32)
    except Exception as error:  # noqa: BLE001  # pydicom raises many kinds here, all about the pixels of this file
        raise ScanError(
            f"the pixels of {path} cannot be read ({_line(error)}): copy or export it again, uncompressed"
        ) from None
    slope, intercept = (float(dataset.get(k, d) or d) for k, d in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)))
    return dataset, (pixels * slope + intercept).reshape(-1, *pixels.shape[-2:])


def _to_array(path: Path, values: NDArray[np.float32], affine: NDArray[np.float64], units: str) -> xr.DataArray:
    """Turn (x, y, z) or (x, y, z, t) values and an affine to RAS millimetres into the array that we hand out."""
    import nibabel as nib

    if not np.all(np.isfinite(affine)) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise ScanError(f"{path} does not say where its voxels lie (its affine is singular): export it again")
    first = np.atleast_3d(values if values.ndim <= 3 else values.reshape(*values.shape[:3], -1)[..., 0])
    image = nib.as_closest_canonical(nib.Nifti1Image(first, affine))
    data = np.asarray(image.dataobj, dtype=np.float32).transpose(2, 1, 0)
    steps, origin = np.linalg.norm(image.affine[:3, :3], axis=0), image.affine[:3, 3]
    coords = {
        axis: (axis, origin[i] + steps[i] * np.arange(data.shape[2 - i]), {"units": "mm"})
        for i, axis in enumerate("xyz")
    }
    attrs = {"units": units, "source": path.name, "orientation": "RAS", "spacing_mm": [float(s) for s in steps]}
    return xr.DataArray(data, dims=("z", "y", "x"), coords=coords, name="scan", attrs=attrs)


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def example_path() -> Path:
    """Return a small anatomical scan that nibabel ships, for those who have no scan of their own at hand."""
    import nibabel.testing

    return Path(nibabel.testing.data_path) / "anatomical.nii"
