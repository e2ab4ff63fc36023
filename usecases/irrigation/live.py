"""The live answer: what a threshold does to yield, water and margin over drawn years. Called by the controls.

Answered by the record's emulator over its drawn years, in some ten milliseconds; it needs neither torch nor AquaCrop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from .decide import EARLY, LATE, cvar, threshold_plan
from .emulator import Emulator
from .figures import answer_figure
from .keep import read_chosen, read_emulator, read_kept, read_plan
from .season import CROPS, SOILS, Plan

GRID = tuple(range(0, 101, 10))  # % TAW
SOWING = np.datetime64("2001-04-20")  # the earliest that the controls offer
LATEST = 40  # days after it
_M3_PER_MM = 10  # of water on a hectare


@lru_cache(maxsize=4)
def _kept(outputs: Path) -> tuple[Emulator, xr.Dataset]:
    return read_emulator(outputs), read_kept(outputs, "years.nc")


def scenario(outputs: Path | str, threshold: float, price: float, water_price: float, plan: Plan) -> dict[str, Any]:
    """Return what a setting gives, as plain data.

    Parameters
    ----------
    outputs : path
        Outputs of the record.
    threshold : float
        At full canopy [% TAW].
    price, water_price : float
        Of grain [€/t] and of water [€/m³].
    plan : Plan
        Crop, soil, depth, quota, planting and CO2.

    Returns
    -------
    dict
        ``frontier``: lists by threshold of ``water`` [mm], ``mean``, ``low``, ``high`` [t/ha] and ``margin`` [€/ha];
        ``at``: the same of the setting, with ``worst`` (mean yield of the worst tenth of years); ``best``: the
        threshold of the highest expected margin; ``title`` and ``alt`` in words; ``r2`` of the emulator's yield.
    """
    emulator, years = _kept(Path(outputs))
    settings = [*GRID, threshold]
    found = emulator.predict(years, [threshold_plan(plan, t) for t in settings])
    grain, water = found["yield"], found["irrigation"]  # (setting, year)
    margin = price * grain.mean(1) - water_price * _M3_PER_MM * water.mean(1)
    columns = {
        "threshold": np.array(settings, float), "water": water.mean(1), "mean": grain.mean(1), "margin": margin,
        "low": np.percentile(grain, 10, axis=1), "high": np.percentile(grain, 90, axis=1),
    }  # fmt: skip
    front = {name: [float(v) for v in values[:-1]] for name, values in columns.items()}
    at = {name: float(values[-1]) for name, values in columns.items()}
    at |= {"yield": at.pop("mean"), "worst": cvar(grain[-1])}
    best = int(settings[int(np.argmax(margin[:-1]))])
    return _told(
        {"frontier": front, "at": at, "best": best, "r2": float(emulator.data["r2"].sel(target="yield"))}, plan
    )


def _told(board: dict[str, Any], plan: Plan) -> dict[str, Any]:
    at, many = board["at"], len(board["frontier"]["water"])
    board["title"] = (
        f"{at['threshold']:.0f} % TAW: {at['yield']:.1f} t/ha ({at['low']:.1f} to {at['high']:.1f}) with "
        f"{at['water']:.0f} mm, margin {at['margin']:.0f} €/ha; best margin at {board['best']} %"
    )
    board["alt"] = (
        f"{board['title']}. {plan.crop.capitalize()} on {plan.soil}, quota {plan.quota:.0f} mm; yield by irrigation "
        f"for {many} thresholds with a band from the 10th to the 90th percentile of drawn years, by an emulator "
        f"of AquaCrop (R² {board['r2']:.2f} on seasons kept back)."
    )
    return board


def _plan(outputs: Path | str, **settings: Any) -> Plan:
    return replace(read_plan(outputs), early=EARLY, late=LATE, interval=0, **settings)


def respond(
    outputs: Path | str, threshold: float, quota: float, price: float, water_price: float, depth: float,
    planting: int, crop: str, soil: str, co2: float,
) -> tuple[Figure, str]:  # fmt: skip
    """Draw the frontier and the setting; ``planting`` is in days after 20 April, the rest as in :func:`scenario`."""
    date = str(SOWING + int(planting))[5:]
    plan = _plan(outputs, quota=quota, depth=depth, planting=date, crop=crop, soil=soil, co2=co2)
    return answer_figure(scenario(outputs, threshold, price, water_price, plan))


def controls(outputs: Path | str, choice: Callable[..., Any], span: Callable[..., Any]) -> dict[str, Any]:
    """Return the dashboard's controls by argument name of :func:`respond`.

    Parameters
    ----------
    outputs : path
        Outputs of the record, which say where the controls begin.
    choice, span : callable
        Makers of a choice and of a slider, ``genai4eu.widgets.Choice`` and ``Range``; handed in, so that the science
        needs no widgets.
    """
    plan, chosen = read_plan(outputs), read_chosen(outputs)
    start = int((np.datetime64(f"2001-{plan.day.replace('/', '-')}") - SOWING).astype(int))
    usual = float(5 * round(chosen["recommended"].median() / 5))
    planting = min(LATEST, max(0, 5 * round(start / 5)))
    return {
        "threshold": span(
            "Irrigate below", 0, 100, step=5, value=usual, unit="% TAW",
            help="Of the water that the root zone can hold for the crop, at full canopy; 0 is rainfed.",
        ),
        "quota": span(
            "Water quota", 0, 600, step=25, value=plan.quota, unit="mm",
            help="Most water of a season; 100 mm are 1,000 m³/ha.",
        ),
        "water_price": span(
            "Water price", 0, 1, step=0.05, value=0.1, unit="€/m³", help="What water and its pumping cost."
        ),
        "price": span("Grain price", 100, 500, step=10, value=200, unit="€/t", help="What a tonne of dry grain earns."),
        "depth": span(
            "Depth of an event", 5, 40, step=5, value=plan.depth, unit="mm", help="Most water given on one day."
        ),
        "planting": span(
            "Planting", 0, LATEST, step=5, value=planting, unit="days after 20 April", help="When the crop is sown."
        ),
        "crop": choice(
            "Crop", {c.capitalize(): c for c in CROPS}, value=plan.crop, help="With AquaCrop's own parameters."
        ),
        "soil": choice(
            "Soil", {s.capitalize(): s for s in SOILS}, value=plan.soil, help="How much water the root zone holds."
        ),
        "co2": span(
            "Carbon dioxide", 370, 700, step=10, value=plan.co2, unit="ppm", help="In the air; weather stays as it is."
        ),
    }  # fmt: skip
