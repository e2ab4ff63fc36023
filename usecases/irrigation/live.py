"""The live answer: what a threshold does to yield, water and margin over drawn years. Called by the board's controls.

Answered by the record's emulator over its drawn years, in some ten milliseconds; it needs neither torch nor AquaCrop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from .decide import EARLY, LATE, cvar, threshold_plan
from .emulator import TARGETS, Emulator
from .figures import answer_figure
from .keep import read_emulator, read_kept, read_plan
from .season import Plan
from .settings import SOWING

GRID = tuple(range(0, 101, 10))  # % TAW
_M3_PER_MM = 10  # of water on a hectare


@lru_cache(maxsize=4)
def _kept(outputs: Path) -> tuple[Emulator, xr.Dataset]:
    return read_emulator(outputs), read_kept(outputs, "years.nc")


def table(
    outputs: Path | str, threshold: float, price: float, water_price: float, plan: Plan
) -> dict[str, list[float]]:
    """Return what every threshold gives, as plain columns; arguments as in :func:`scenario`.

    Returns
    -------
    dict
        ``threshold`` [% TAW], rising, the setting's among them; ``yield`` [t/ha], ``irrigation`` [mm] and ``margin``
        [€/ha], means over drawn years, each with its 10th and 90th percentile in ``_low`` and ``_high``; ``worst``,
        mean yield of the worst tenth of years.
    """
    emulator, years = _kept(Path(outputs))
    settings = sorted({*map(float, GRID), float(threshold)})
    found = emulator.predict(years, [threshold_plan(plan, t) for t in settings])  # (setting, year)
    found["margin"] = price * found["yield"] - water_price * _M3_PER_MM * found["irrigation"]
    columns = {"threshold": np.array(settings), "worst": np.array([cvar(grain) for grain in found["yield"]])}
    for name in ("yield", "irrigation", "margin"):
        low, high = np.percentile(found[name], [10, 90], axis=1)
        columns |= {name: found[name].mean(1), f"{name}_low": low, f"{name}_high": high}
    return {name: [float(v) for v in values] for name, values in columns.items()}


def scenario(outputs: Path | str, threshold: float, price: float, water_price: float, plan: Plan) -> dict[str, Any]:
    """Return what a setting gives, as plain data with words.

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
        ``table``: from :func:`table`; ``at``: the row of the setting; ``best``: the threshold of the highest expected
        margin; ``title`` and ``alt`` in words; ``r2`` of the emulator's yield.
    """
    columns = table(outputs, threshold, price, water_price, plan)
    row = columns["threshold"].index(float(threshold))
    best = columns["threshold"][int(np.argmax(columns["margin"]))]
    at = {name: values[row] for name, values in columns.items()}
    return _told({"table": columns, "at": at, "best": best, "r2": r2(outputs)}, plan)


def r2(outputs: Path | str) -> float:
    """Return how well the emulator foresees AquaCrop's yield on seasons kept back."""
    return float(_kept(Path(outputs))[0].data["r2"].sel(target="yield"))


def _told(board: dict[str, Any], plan: Plan) -> dict[str, Any]:
    at, many = board["at"], len(board["table"]["threshold"])
    board["title"] = (
        f"{at['threshold']:.0f} % TAW: {at['yield']:.1f} t/ha ({at['yield_low']:.1f} to {at['yield_high']:.1f}) with "
        f"{at['irrigation']:.0f} mm, margin {at['margin']:.0f} €/ha; best margin at {board['best']:.0f} %"
    )
    board["alt"] = (
        f"{board['title']}. {plan.crop.capitalize()} on {plan.soil}, quota {plan.quota:.0f} mm; bars of yield, "
        f"irrigation and margin, and yield by irrigation for {many} thresholds, with spreads from the 10th to the 90th "
        f"percentile of drawn years, by an emulator of AquaCrop (R² {board['r2']:.2f} on seasons kept back)."
    )
    return board


def _plan(outputs: Path | str, **settings: Any) -> Plan:
    return replace(read_plan(outputs), early=EARLY, late=LATE, interval=0, **settings)


def scenarios(
    outputs: Path | str, threshold: float, quota: float, price: float, water_price: float, depth: float,
    planting: int, crop: str, soil: str, co2: float,
) -> dict[str, list[float]]:  # fmt: skip
    """Answer a board's controls with :func:`table`; ``planting`` is in days after 20 April."""
    date = str(SOWING + int(planting))[5:]
    plan = _plan(outputs, quota=quota, depth=depth, planting=date, crop=crop, soil=soil, co2=co2)
    return table(outputs, threshold, price, water_price, plan)


def gap(outputs: Path | str) -> tuple[int, float, float]:
    """Return where the emulator is farthest from AquaCrop: threshold [% TAW], its mean yield and AquaCrop's [t/ha].

    The frontier is the record's, for its own field and drawn years; what is off on average matters more than the error
    of a single season. It ends at the highest threshold that was grown; beyond it nothing is compared.
    """
    emulator, years = _kept(Path(outputs))
    frontier = read_kept(Path(outputs), "decision.nc")
    thresholds, real = frontier["threshold"].values, frontier["drawn_yield"].values
    found = emulator.predict(years, [threshold_plan(_plan(outputs), float(t)) for t in thresholds])["yield"].mean(1)
    worst = int(np.abs(found - real).argmax())
    return int(thresholds[worst]), float(found[worst]), float(real[worst])


def board(outputs: Path | str, outcome: Callable[..., Any]) -> dict[str, Any]:
    """Return what a board of scenarios needs; its keys are arguments of ``genai4eu.widgets.ScenarioBoard``.

    Parameters
    ----------
    outputs : path
        Outputs of the record.
    outcome : callable
        Maker of an outcome, ``genai4eu.widgets.Outcome``; handed in, so that the science needs no widgets.
    """
    emulator, drawn = _kept(Path(outputs))
    threshold, ours, real = gap(outputs)
    where = f"at {threshold} % TAW" if threshold else "without irrigation"
    grown = int(read_kept(Path(outputs), "decision.nc")["threshold"].max())
    years, miss = drawn.sizes["year"], {str(t): float(emulator.data["rmse"].sel(target=t)) for t in TARGETS}
    return {
        "scenarios": partial(scenarios, outputs), "along": "threshold", "axes": ("irrigation", "yield"),
        "outcomes": {
            "yield": outcome("Dry yield", "t/ha", 1), "irrigation": outcome("Irrigation", "mm"),
            "margin": outcome("Margin", "€/ha"),
        },
        "best": "margin", "spread": "10th to 90th percentile of years",
        "note": f"Answered by an emulator of AquaCrop over {years} AI-generated years; for a single season kept back "
        f"it is off by {miss['yield']:.1f} t/ha and {miss['irrigation']:.0f} mm (root mean square). On average, up to "
        f"{grown} % TAW, it is farthest from AquaCrop {where}: {ours:.1f} instead of {real:.1f} t/ha for the run's own "
        f"field; averages of higher thresholds were not compared. "
        "Margin is grain sold less water paid.",
    }  # fmt: skip


def respond(
    outputs: Path | str, threshold: float, quota: float, price: float, water_price: float, depth: float,
    planting: int, crop: str, soil: str, co2: float,
) -> tuple[Figure, str]:  # fmt: skip
    """Draw the setting and the frontier; ``planting`` is in days after 20 April, the rest as in :func:`scenario`."""
    date = str(SOWING + int(planting))[5:]
    plan = _plan(outputs, quota=quota, depth=depth, planting=date, crop=crop, soil=soil, co2=co2)
    return answer_figure(scenario(outputs, threshold, price, water_price, plan))
