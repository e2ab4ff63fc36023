"""The dashboard's controls and where they begin. Called by the template; answered by ``live``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .keep import read_chosen, read_plan
from .season import CROPS, SOILS

SOWING = np.datetime64("2001-04-20")  # the earliest that the controls offer
LATEST = 40  # days after it


def usual(outputs: Path | str) -> dict[str, Any]:
    """Return where the controls begin, by argument name of :func:`.live.respond`: as recommended, on its field."""
    plan, chosen = read_plan(outputs), read_chosen(outputs)
    start = int((np.datetime64(f"2001-{plan.day.replace('/', '-')}") - SOWING).astype(int))
    return {
        "threshold": float(5 * round(chosen["recommended"].median() / 5)), "quota": plan.quota, "water_price": 0.1,
        "price": 200.0, "depth": plan.depth, "planting": min(LATEST, max(0, 5 * round(start / 5))), "crop": plan.crop,
        "soil": plan.soil, "co2": plan.co2,
    }  # fmt: skip


def controls(outputs: Path | str, choice: Callable[..., Any], span: Callable[..., Any]) -> dict[str, Any]:
    """Return the dashboard's controls by argument name of :func:`.live.respond`.

    Parameters
    ----------
    outputs : path
        Outputs of the record, which say where the controls begin.
    choice, span : callable
        Makers of a choice and of a slider, ``genai4eu.widgets.Choice`` and ``Range``; handed in, so that the science
        needs no widgets.
    """
    begin = usual(outputs)
    return {
        "threshold": span(
            "Irrigate below", 0, 100, step=5, value=begin["threshold"], unit="% TAW",
            help="Of the water that the root zone can hold for the crop, at full canopy; 0 is rainfed.",
        ),
        "quota": span(
            "Water quota", 0, 600, step=25, value=begin["quota"], unit="mm",
            help="Most water of a season; 100 mm are 1,000 m³/ha.",
        ),
        "water_price": span(
            "Water price", 0, 1, step=0.05, value=begin["water_price"], unit="€/m³",
            help="What water and its pumping cost.",
        ),
        "price": span("Grain price", 100, 500, step=10, value=begin["price"], unit="€/t",
            help="What a tonne of dry grain earns.",),
        "depth": span(
            "Depth of an event", 5, 40, step=5, value=begin["depth"], unit="mm", help="Most water given on one day."
        ),
        "planting": span(
            "Planting", 0, LATEST, step=5, value=begin["planting"], unit="days after 20 April",
            help="When the crop is sown.",
        ),
        "crop": choice(
            "Crop", {c.capitalize(): c for c in CROPS}, value=begin["crop"], help="With AquaCrop's own parameters."
        ),
        "soil": choice(
            "Soil", {s.capitalize(): s for s in SOILS}, value=begin["soil"], help="How much water the root zone holds."
        ),
        "co2": span(
            "Carbon dioxide", 370, 700, step=10, value=begin["co2"], unit="ppm",
            help="In the air; weather stays as it is.",
        ),
    }  # fmt: skip
