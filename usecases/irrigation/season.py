"""A growing season in FAO's AquaCrop, and the proof that irrigation did what it was told. Called by the study.

AquaCrop (Steduto et al. 2009, Agron J 101:426; Raes et al. 2009, Agron J 101:438) in its Python version AquaCrop-OSPy
(Kelly & Foster 2021, Agric Water Manag 254:106976). Seasons are independent: each begins at field capacity.

The library ignores irrigation settings whose names it does not know, and users report seasons that stay dry without
a word: so every season is checked, see :func:`_proven`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..generative.workers import processes
from .rootzone import quick
from .weather import VARIABLES

Progress = Callable[[float, float, str], None]
#: What a crop is called here, in AquaCrop's list, and its usual planting date in the Great Plains.
CROPS = {"maize": ("MaizeChampionGDD", "05-01"), "sorghum": ("Sorghum", "05-20"), "soybean": ("Soybean", "05-15")}
SOILS = {"sandy loam": "SandyLoam", "loam": "Loam", "silt loam": "SiltLoam"}
#: What a season gives, with units.
RESULTS = {
    "yield": ("t/ha", "dry yield"),
    "irrigation": ("mm", "irrigation of the season"),
    "et": ("mm", "evapotranspiration of the season"),
    "rain": ("mm", "rain of the season"),
    "runoff": ("mm", "surface runoff"),
    "drainage": ("mm", "deep percolation"),
    "events": ("1", "irrigation events"),
    "length": ("day", "days from planting to maturity"),
    "balance": ("mm", "water that the balance does not explain"),
}
CHUNK = 10  # seasons of one AquaCrop run: setting one up takes as long as a season
WARMER = 8.0  # degC
LATEST = "12/20"  # month/day: no season goes on longer


class IrrigationError(RuntimeError):
    """Irrigation was not what the plan said; the message gives the year and what was found."""


class SeasonError(ValueError):
    """A season that AquaCrop cannot grow; the message names the remedy."""


@dataclass(frozen=True)
class Plan:
    """What is grown and how it is irrigated.

    Attributes
    ----------
    crop, soil : str
        Of :data:`CROPS` and :data:`SOILS`.
    threshold : float
        Irrigate when the root zone holds less than this share of its total available water [% TAW] while the canopy
        is full; 0 is rainfed.
    early, late : float
        The same while the canopy grows, and once it senesces, in parts of ``threshold``; at most 100 % TAW.
    interval : int
        Irrigate every so many days instead [day]; 0 goes by the threshold.
    depth : float
        Most water of an event [mm]; what the root zone lacks is applied, but not more.
    quota : float
        Most water of a season [mm].
    planting : str
        Month and day; empty takes the crop's usual date.
    co2 : float
        Carbon dioxide [ppm].
    """

    crop: str = "maize"
    soil: str = "silt loam"
    threshold: float = 0.0
    early: float = 1.0
    late: float = 1.0
    interval: int = 0
    depth: float = 25.0
    quota: float = 600.0
    planting: str = ""
    co2: float = 410.0

    def __post_init__(self) -> None:
        for name, value, known in (("crop", self.crop, CROPS), ("soil", self.soil, SOILS)):
            if value not in known:
                raise SeasonError(f"unknown {name} {value!r}: choose {', '.join(known)}")
        if not 0 <= self.threshold <= 100 or self.interval < 0 or self.depth <= 0 or self.quota < 0:
            raise SeasonError(
                f"{self} cannot be: thresholds are 0 to 100 % TAW, depths above 0 mm, quotas not negative"
            )
        if pd.isna(pd.to_datetime(f"2001/{self.day}", format="%Y/%m/%d", errors="coerce")):
            raise SeasonError(f"no crop is planted on {self.planting!r}: give month and day, as in 05-01")

    @property
    def rainfed(self) -> bool:
        """Whether no water may be given."""
        return (not self.threshold and not self.interval) or self.quota == 0

    @property
    def stages(self) -> list[float]:
        """Thresholds [% TAW] of AquaCrop's four stages: emergence, canopy growth, full canopy, senescence."""
        early, full, late = (min(100.0, self.threshold * part) for part in (self.early, 1.0, self.late))
        return [early, early, full, late]

    @property
    def day(self) -> str:
        """Planting date as AquaCrop writes it."""
        return (self.planting or CROPS[self.crop][1]).replace("-", "/")


def simulate(
    tasks: Sequence[tuple[xr.Dataset, Plan]], workers: int = 1, progress: Progress | None = None, label: str = "seasons"
) -> list[xr.Dataset]:
    """Grow every year of every task.

    Parameters
    ----------
    tasks : sequence of (xarray.Dataset, Plan)
        Weather as :func:`.weather.dataset` has it, and the plan for all of its years.
    workers : int
        Processes; what comes out does not depend on it.
    progress : callable, optional
        Called with (seasons done, seasons, label).

    Returns
    -------
    list of xarray.Dataset
        One a task, with :data:`RESULTS` by ``year``.

    Raises
    ------
    IrrigationError
        If water was given that the plan does not allow, or none though the soil fell below the threshold.
    SeasonError
        If AquaCrop cannot grow the crop in this weather.
    """
    pieces = [
        (i, weather.isel(year=slice(start, start + CHUNK)), plan)
        for i, (weather, plan) in enumerate(tasks)
        for start in range(0, weather.sizes["year"], CHUNK)
    ]
    total, done = sum(w.sizes["year"] for _, w, _ in pieces), 0
    found: list[list[pd.DataFrame]] = [[] for _ in tasks]
    for (i, weather, _), table in zip(pieces, _grown(pieces, workers), strict=True):
        found[i].append(table)
        done += weather.sizes["year"]
        if progress:
            progress(done, total, label)
    return [_labelled(pd.concat(tables), weather) for tables, (weather, _) in zip(found, tasks, strict=True)]


def _grown(pieces: Sequence[tuple[int, xr.Dataset, Plan]], workers: int) -> Iterator[pd.DataFrame]:
    jobs = [({name: w[name].values for name in VARIABLES}, w["year"].values, plan) for _, w, plan in pieces]
    if workers == 1 or len(jobs) < 2 * workers:
        yield from (grow(*job) for job in jobs)
        return
    with processes(workers) as pool:
        yield from pool.map(grow, *zip(*jobs, strict=True))


def _labelled(table: pd.DataFrame, weather: xr.Dataset) -> xr.Dataset:
    return xr.Dataset(
        {n: ("year", table[n].to_numpy(), {"units": u, "long_name": s}) for n, (u, s) in RESULTS.items()},
        coords={"year": weather["year"]},
    )


def grow(values: dict[str, Any], years: Any, plan: Plan) -> pd.DataFrame:
    """Grow some years with one AquaCrop run; a row a year. Called in worker processes.

    What has not ripened by :data:`LATEST` is harvested as it stands. aquacrop looks for its ripening in the weather
    that follows in the run, and gives up where none does: such a year is grown by itself, with a warmer copy to follow.
    """
    each = range(len(years))
    try:
        table = _grown_once(values, years, plan)
    except AssertionError:
        return pd.concat([_followed(values, years, plan, i) for i in each])
    last = (pd.Timestamp(f"2001/{LATEST}") - pd.Timestamp(f"2001/{plan.day}")).days
    rows = [_followed(values, years, plan, i) if table["length"].iloc[i] >= last else table.iloc[[i]] for i in each]
    return pd.concat(rows)


def _followed(values: dict[str, Any], years: Any, plan: Plan, i: int) -> pd.DataFrame:
    warmer = {n: np.stack([v[i], v[i] + (WARMER if n in ("tmin", "tmax") else 0)]) for n, v in values.items()}
    try:
        return _grown_once(warmer, [years[i], 0], plan).iloc[:1]
    except AssertionError as error:
        raise SeasonError(f"{plan.crop} planted on {plan.day} cannot ripen in this weather: {error}") from error


def _grown_once(values: dict[str, Any], years: Any, plan: Plan) -> pd.DataFrame:
    from aquacrop import CO2, AquaCropModel, Crop, InitialWaterContent, Soil

    weather = _chained(values)
    first, last = weather["Date"].iloc[0].year, weather["Date"].iloc[-1].year
    soil = Soil(SOILS[plan.soil])
    # Its own latest harvest is a month after the first season of a run would ripen, which cuts later ones short.
    crop = Crop(CROPS[plan.crop][0], planting_date=plan.day, harvest_date=LATEST)
    crop.YldWC = crop.YldWC or 100.0  # without one, aquacrop divides by zero for a fresh yield that is not used here
    model = AquaCropModel(
        f"{first}/{plan.day}", f"{last}/12/30", weather, soil, crop,
        InitialWaterContent(value=["FC"]), irrigation_management=_management(plan),
        co2_concentration=CO2(constant_conc=True, current_concentration=plan.co2),
    )  # fmt: skip
    with quick():
        model.run_model(till_termination=True)
    return _table(model, soil, weather, years, plan)


def _chained(values: dict[str, Any]) -> pd.DataFrame:
    """Return the years as one series of calendar days, with a dry copy of 28 February where a year has a 29th."""
    count = len(values["rain"])
    dates = pd.date_range("2001-01-01", f"{2000 + count}-12-31", freq="D")
    leap = (dates.month == 2) & (dates.day == 29)
    place = (dates.year - 2001) * 365 + np.minimum(dates.dayofyear, 366) - 1
    late = dates.is_leap_year & (dates.dayofyear >= 60)
    place = np.asarray(place - late)
    columns = {"tmin": "MinTemp", "tmax": "MaxTemp", "rain": "Precipitation", "et0": "ReferenceET"}
    table = pd.DataFrame({c: values[n].reshape(-1)[place] for n, c in columns.items()})
    table.loc[leap, "Precipitation"] = 0.0
    return table.assign(Date=dates)


def _management(plan: Plan) -> Any:
    from aquacrop import IrrigationManagement

    if plan.rainfed:
        return IrrigationManagement(irrigation_method=0)
    how: dict[str, Any] = {"MaxIrr": plan.depth, "MaxIrrSeason": plan.quota}
    how |= {"IrrInterval": plan.interval} if plan.interval else {"SMT": plan.stages}
    made = IrrigationManagement(irrigation_method=2 if plan.interval else 1, **how)
    if lost := [name for name, value in how.items() if getattr(made, name, None) != value]:
        raise IrrigationError(f"aquacrop did not take {', '.join(lost)}: its version is not one that this was made for")
    return made


def _table(model: Any, soil: Any, weather: pd.DataFrame, years: Any, plan: Plan) -> pd.DataFrame:
    """Return a row a year, each checked."""
    flux, growth, stats = model.get_water_flux(), model.get_crop_growth(), model.get_simulation_results()
    storage = model.get_water_storage().filter(like="th").to_numpy() @ (1000 * soil.profile["dz"].to_numpy())
    rain = weather["Precipitation"].to_numpy()[weather["Date"] >= pd.Timestamp(model.sim_start_time)]
    if len(stats) != len(years):
        raise SeasonError(f"AquaCrop grew {len(stats)} of {len(years)} seasons: plant {plan.crop} earlier")
    rows = []
    for number, year in enumerate(years):
        days = np.flatnonzero((flux["season_counter"] == number) & (flux["dap"] > 0))
        now = flux.iloc[days]
        sums = now[["IrrDay", "Runoff", "DeepPerc", "Es", "Tr", "CR"]].sum()
        gains = rain[days] + (now["IrrDay"] - now["Runoff"] - now["DeepPerc"] - now["Es"] - now["Tr"] + now["CR"])
        row = {
            "yield": stats["Dry yield (tonne/ha)"].iloc[number], "irrigation": sums["IrrDay"],
            "et": sums["Es"] + sums["Tr"], "rain": rain[days].sum(), "runoff": sums["Runoff"],
            "drainage": sums["DeepPerc"], "events": (now["IrrDay"] > 0).sum(), "length": len(days),
            "balance": storage[days[-1]] - storage[days[0]] - gains.iloc[1:].sum(),
        }  # fmt: skip
        fc, wp = soil.profile["th_fc"].iloc[0], soil.profile["th_wp"].iloc[0]
        held = (now["Wr"] / (1000 * growth["z_root"].iloc[days]) - wp) / (fc - wp)
        told = float(stats["Seasonal irrigation (mm)"].iloc[number])
        _proven(plan, row, told, now["IrrDay"].to_numpy(), 100 * held.to_numpy(), year)
        rows.append({name: float(value) for name, value in row.items()})
    return pd.DataFrame(rows)


def _proven(plan: Plan, row: dict[str, Any], told: float, given: Any, held: Any, year: Any) -> None:
    """Raise unless irrigation was what the plan says.

    Parameters
    ----------
    told : float
        Seasonal irrigation that AquaCrop reports [mm].
    given, held : ndarray, shape (day,)
        Irrigation [mm] and water in the root zone [% TAW] on each day of the season.
    """
    total = float(given.sum())
    wrong = ""
    if abs(total - told) > 0.01 or total > plan.quota + 0.01 or given.max() > plan.depth + 0.01:
        wrong = f"{total:.1f} mm in events of up to {given.max():.1f} mm were given, {told:.1f} mm reported"
    elif plan.rainfed and total > 0:
        wrong = f"{total:.1f} mm were given to a rainfed crop"
    elif not plan.rainfed and total == 0 and (plan.interval or (held[:-2] < min(plan.stages) - 5).sum() > 2):
        wrong = f"no water was given, though the root zone fell to {held.min():.0f} % TAW"
    elif abs(row["balance"]) > 1.0:
        wrong = f"the water balance does not close by {row['balance']:.1f} mm"
    if wrong:
        raise IrrigationError(f"season {year}: {wrong}; {plan}")
