"""The live answer: downscale the coarse weather of a chosen climate. Called by the dashboard's controls.

Needs torch and the record, neither the simulator's time nor the template. Members are drawn as they are asked for, and
remembered: going from 16 to 64 draws 48.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .exceedance import exceedance_figure
from .keep import read_kept
from .model import Downscaler, load_downscaler
from .units import VARIABLES

REGIONS = {"whole domain": (0, 0, 1, 1), "north-west": (0.5, 0, 1, 0.5), "north-east": (0.5, 0.5, 1, 1),
           "south-west": (0, 0, 0.5, 0.5), "south-east": (0, 0.5, 0.5, 1)}  # fmt: skip
_drawn: dict[tuple[Path, float, float], list[NDArray[np.float32]]] = {}


@lru_cache(maxsize=4)
def _scenarios(outputs: Path) -> xr.Dataset:
    return read_kept(outputs, "scenarios.nc")


@lru_cache(maxsize=4)
def _model(outputs: Path) -> Downscaler:
    return load_downscaler(outputs / "downscaler.safetensors")


def ensemble(outputs: Path, shear: float, moisture: float, members: int) -> NDArray[np.float32]:
    """Return members of fine rain for the coarse weather of one climate, (member, y, x) in kg m-2 s-1."""
    key = (Path(outputs), shear, moisture)
    held = _drawn.setdefault(key, [])
    if len(held) < members:
        one = _scenarios(key[0]).sel(shear=shear, moisture=moisture)[list(VARIABLES)].rename(yc="y", xc="x")
        count = members - len(held)
        batch = one.expand_dims(run=count)
        fine = _model(key[0]).downscale(batch, 1, 7 + len(held))
        held.extend(fine.values[0])
    return np.stack(held[:members])


def respond(
    outputs: Path | str, threshold: float, members: int, moisture: float, shear: float, level: float, region: str
) -> tuple[Figure, str]:
    """Draw the chance of heavy rain and its rarity.

    Parameters
    ----------
    outputs : path
        Outputs of the record.
    threshold : float
        Rain in mm/day whose chance is mapped.
    members : int
        Members of the ensemble.
    moisture, shear : float
        Climate, as shares of the standard one; those that the record holds.
    level : float
        Rarity of the rain that is named: one point in so many.
    region : str
        One of :data:`REGIONS`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        What it shows, in words.
    """
    at = _scenarios(Path(outputs)).sel(shear=shear, moisture=moisture)
    drawn = ensemble(Path(outputs), shear, moisture, int(members))
    points = drawn.shape[-1]
    south, west, north, east = (int(v * points) for v in REGIONS[region])
    box = (slice(south, north), slice(west, east))
    side = float(at["x"][1] - at["x"][0]) * points
    return exceedance_figure(
        at["pr"].values, at["truth"].values, drawn, float(threshold), box, region.capitalize(), float(level), side
    )


def controls(outputs: Path | str, choice: Callable[..., Any], span: Callable[..., Any]) -> dict[str, Any]:
    """Return the dashboard's controls by argument name of :func:`respond`.

    Parameters
    ----------
    outputs : path
        Outputs of the record.
    choice, span : callable
        Makers of a choice and of a slider, ``genai4eu.widgets.Choice`` and ``Range``; handed in, so that the science
        needs no widgets.
    """
    held = _scenarios(Path(outputs))
    percent, shears = (
        {f"{v - 1:+.0%}" if v != 1 else "standard": v for v in held[axis].values.tolist()}
        for axis in ("moisture", "shear")
    )
    return {
        "threshold": span(
            "Rain threshold", 5, 80, step=5, value=20, unit="mm/day", help="Rain whose chance is mapped."
        ),
        "moisture": choice(
            "Moisture supply", percent, value=1.0, help="Evaporation: another climate, its own weather."
        ),
        "members": span("Members", 4, 64, step=4, value=16, help="Fine fields drawn for the same coarse weather."),
        "shear": choice("Wind shear", shears, value=1.0, help="Strength of the jet that feeds the storms."),
        "level": choice(
            "Return level",
            {f"1 point in {n}": float(n) for n in (10, 100, 1000)},
            value=100.0,
            help="How rare the rain is that the title names.",
        ),
        "region": choice(
            "Region", {name: name for name in REGIONS}, help="Where rarity is counted; the box on the map."
        ),
    }
