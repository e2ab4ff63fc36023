"""Own scans: DICOM files or folders and NIfTI files as labelled arrays in millimetres. Called by *Your own data*.

What a file is, is told by its content, not by its name: NIfTI by its header's magic, DICOM by ``DICM`` at byte 128
(PS3.10, section 7.1). Every failure is one :class:`.scan.ScanError` line that names the file and the remedy.
"""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from .dicom import read_dicom, read_series
from .nifti import is_nifti, read_nifti
from .scan import ScanError, ScanNotFoundError

__all__ = ["ScanError", "ScanNotFoundError", "example_path", "load_scan"]


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
        return read_series(path)
    with path.open("rb") as file:
        head = file.read(352)
    if is_nifti(head) or head[:2] == b"\x1f\x8b":
        return read_nifti(path)
    if head[128:132] == b"DICM":
        return read_dicom([path], path)
    raise ScanError(f"{path} is neither NIfTI nor DICOM by its content: convert it with dcm2niix, or export it again")


def example_path() -> Path:
    """Return a small anatomical scan that nibabel ships, for those who have no scan of their own at hand."""
    import nibabel.testing

    return Path(nibabel.testing.data_path) / "anatomical.nii"
