"""NIfTI-1 and NIfTI-2 files, with the header checked before its values are believed. Called by :mod:`.readers`.

Offsets and fields are those of the NIfTI-1.1 header (https://nifti.nimh.nih.gov/nifti-1).
"""

from __future__ import annotations

import gzip
import logging
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .scan import ScanError, first_line, to_array


def is_nifti(head: bytes) -> bool:
    """Return whether the first bytes of a file are a NIfTI header, in one file or half of a pair."""
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] == b"n+2\0"


def read_nifti(path: Path) -> xr.DataArray:
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
        if not is_nifti(data[:352]):
            raise ScanError(f"{path} holds no NIfTI image in its gzip: convert it with dcm2niix")
        if data[344:348] == b"ni1\0":
            raise ScanError(f"{path} is half of a pair of files (.hdr and .img): convert it to one .nii file")
        kind = nib.Nifti2Image if data[4:8] == b"n+2\0" else nib.Nifti1Image
        header = kind.header_class.from_fileobj(BytesIO(data), check=False)
        _check_header(path, header)
        scale = _millimetres(path, header)
        image = kind.from_bytes(data)
        _check_values(path, image.header)
        with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold is refused below in one line
            values = np.asarray(image.dataobj, dtype=np.float32)
    except (EOFError, OSError, zlib.error) as error:
        raise ScanError(f"{path} is cut short or damaged ({first_line(error)}): copy or export it again") from None
    except (HeaderDataError, ImageFileError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, ScanError):
            raise
        raise ScanError(f"{path} has a wrong NIfTI header ({first_line(error)}): export it again") from None
    finally:
        quiet.setLevel(level)
    if values.ndim > 3 and values[0, 0, 0].size > 1:
        count = values[0, 0, 0].size
        raise ScanError(f"{path} holds {count} volumes: give a file with one, as nibabel.funcs.four_to_three makes")
    affine = np.diag([scale] * 3 + [1.0]) @ np.asarray(image.affine, dtype=float)
    return to_array(path, values.reshape(values.shape[:3]), affine, "1")


def _millimetres(path: Path, header: Any) -> float:
    """Return how many mm the header's unit of length is; where it names none, mm is usual."""
    code = int(header["xyzt_units"]) & 0x07
    if code not in (0, 1, 2, 3):
        raise ScanError(f"{path} has a wrong NIfTI header (unit of length {code}): set xyzt_units, or export it again")
    return {1: 1000.0, 3: 1e-3}.get(code, 1.0)


def _check_header(path: Path, header: Any) -> None:
    """Refuse sizes that are no sizes: nibabel itself mends a zero spacing in silence."""
    dim, pixdim = np.asarray(header["dim"], dtype=int), np.asarray(header["pixdim"], dtype=float)
    if not 2 <= dim[0] <= 7 or np.any(dim[1 : dim[0] + 1] < 1):
        raise ScanError(f"{path} has a wrong NIfTI header (dim is {dim.tolist()}): export it again")
    spacing = np.abs(pixdim[1 : min(dim[0], 3) + 1])
    if not np.all(np.isfinite(spacing)) or np.any(spacing < 1e-6):  # nibabel takes 1 in its place
        shown = " x ".join(f"{s:g}" for s in spacing)
        raise ScanError(f"{path} has a wrong NIfTI header (voxels of {shown} mm): set pixdim, or export it again")


def _check_values(path: Path, header: Any) -> None:
    """Refuse values that are no single real numbers, such as complex ones and colours."""
    kind = header.get_data_dtype().kind
    if kind == "c":
        raise ScanError(f"{path} holds complex values: export their magnitude")
    if kind not in "iuf":
        raise ScanError(f"{path} holds colours, not signal: export it in grey values")
