"""Own demonstrations: LeRobot, Minari, robomimic, Diffusion Policy or MCAP as a dataset of frames. Called by *Your
own data*.

What a path is, is told by its content, not by its name. Every failure is one :class:`.recording.RecordingError` line
that names the file and the remedy.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import xarray as xr

from .hdf5 import read_hdf5
from .lerobot import read_lerobot
from .mcap_log import read_mcap
from .recording import RecordingError, RecordingNotFoundError
from .replay import read_replay

__all__ = ["RecordingError", "RecordingNotFoundError", "load_demonstrations"]

_ZARR_MARKS = (".zgroup", "zarr.json")


def load_demonstrations(path: str | Path) -> xr.Dataset:
    """Read demonstrations.

    Parameters
    ----------
    path : str or Path
        A LeRobot folder, a Minari or robomimic HDF5 file (or Minari's folder), a Diffusion Policy Zarr (folder or
        zip), an MCAP file or a folder of them.

    Returns
    -------
    xarray.Dataset
        ``state`` (frame, feature), ``action`` (frame, axis), coordinates ``episode`` and ``time`` (s); attributes
        ``source`` and ``format``. Values are in the recording's own units.

    Raises
    ------
    RecordingNotFoundError
        If nothing is at ``path``.
    RecordingError
        If it is no recording, or a broken one.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise RecordingNotFoundError(
            f"there is no recording at {path}: check it; it is a path on the computer of the kernel"
        )
    return _read_folder(path) if path.is_dir() else _read_file(path)


def _read_folder(path: Path) -> xr.Dataset:
    if (path / "meta" / "info.json").exists():
        return read_lerobot(path)
    if any((path / mark).exists() for mark in _ZARR_MARKS):
        return read_replay(path)
    for inner in (path / "main_data.hdf5", path / "data" / "main_data.hdf5"):  # as Minari keeps its files
        if inner.exists():
            return read_hdf5(inner)
    if any(path.glob("*.mcap")):
        return read_mcap(path)
    raise RecordingError(
        f"{path} holds none of meta/info.json (LeRobot), zarr.json or .zgroup (Diffusion Policy), main_data.hdf5 "
        "(Minari), *.mcap: give the folder that does"
    )


def _read_file(path: Path) -> xr.Dataset:
    with path.open("rb") as file:
        head = file.read(8)
    if head == b"\x89HDF\r\n\x1a\n":
        return read_hdf5(path)
    if head == b"\x89MCAP0\r\n":
        return read_mcap(path)
    if zipfile.is_zipfile(path):
        return read_replay(path)
    raise RecordingError(
        f"{path} is neither HDF5, MCAP nor zipped Zarr by its content: export it in one of these formats"
    )
