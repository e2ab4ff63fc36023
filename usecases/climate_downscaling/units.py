"""Physical units: of the dimensionless model, and of what archives call the same field. Called by data and readers.

The model's scales: deformation radius 450 km, mean shear 15 m/s, hence a time unit of 8 h 20 min. Thickness becomes a
temperature between 750 and 250 hPa by thermal wind balance; the rain of the standard climate is 3 mm/day in the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .simulator import EVAPORATION, SPACING

RADIUS = 450e3  # m, deformation radius of a two-layer mid-latitude troposphere
WIND = 15.0  # m s-1
TIME = RADIUS / WIND  # s
DAY = 86_400.0  # s
RAIN = 3.0 / DAY / EVAPORATION  # kg m-2 s-1 for one unit of condensation
WATER = RAIN * TIME  # kg m-2 for one unit of moisture
WARMTH = 1e-4 * WIND * RADIUS / (287.0 * math.log(3.0))  # K for one unit of thickness: f U L / (R ln(750/250))
SPACING_KM = SPACING * RADIUS / 1000


@dataclass(frozen=True)
class Variable:
    """A predictor, by its name and unit in CMIP.

    Attributes
    ----------
    units, standard_name, long_name : str
        As the CF conventions write them.
    scale : float
        Units for one dimensionless unit of the model.
    """

    units: str
    standard_name: str
    long_name: str
    scale: float


#: What the downscaling sees, in the order in which the networks see it. Rain is first.
VARIABLES = {
    "pr": Variable("kg m-2 s-1", "precipitation_flux", "precipitation", RAIN),
    "prw": Variable("kg m-2", "atmosphere_mass_content_of_water_vapor", "water vapour path, anomaly", WATER),
    "ta": Variable("K", "air_temperature", "temperature of the layer from 750 to 250 hPa, anomaly", WARMTH),
    "ua": Variable("m s-1", "eastward_wind", "eastward wind at 750 hPa", WIND),
    "va": Variable("m s-1", "northward_wind", "northward wind at 750 hPa", WIND),
}


def mm_per_day(flux: float) -> float:
    """Return a rain flux in kg m-2 s-1 as mm/day: a kilogram of water on a square metre is a millimetre."""
    return flux * DAY
