"""Seasons: AquaCrop's own numbers, irrigation that did what it was told, and independence of each season."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest
import xarray as xr

from genai4eu.usecases.irrigation import decide, season
from genai4eu.usecases.irrigation.data import TARGET, data_folder, station
from genai4eu.usecases.irrigation.rootzone import quick
from genai4eu.usecases.irrigation.season import IrrigationError, Plan, SeasonError, simulate


def test_a_day_that_is_none_is_refused() -> None:
    for day in ("31/02", "02-30", "May"):
        with pytest.raises(SeasonError, match=f"no crop is planted on '{day}': give month and day"):
            Plan(planting=day)
    assert Plan(planting="05-20").day == "05/20"


@pytest.fixture(scope="module")
def champion() -> xr.Dataset:
    return station(TARGET).sel(year=[1982, 2002])


def test_the_quick_root_zone_gives_aquacrops_numbers_bit_by_bit() -> None:
    from aquacrop import AquaCropModel, Crop, InitialWaterContent, IrrigationManagement, Soil
    from aquacrop.utils import prepare_weather

    weather = prepare_weather(str(data_folder() / "tunis_climate.txt"))

    def run() -> AquaCropModel:
        model = AquaCropModel(
            "1990/04/01", "1990/11/30", weather, Soil("SandyLoam"), Crop("Maize", planting_date="04/01"),
            InitialWaterContent(value=["FC"]), irrigation_management=IrrigationManagement(1, SMT=[60] * 4),
        )  # fmt: skip
        model.run_model(till_termination=True)
        return model

    own = run()
    with quick():
        mine = run()
    for table in ("get_water_flux", "get_water_storage", "get_crop_growth"):
        pd.testing.assert_frame_equal(getattr(own, table)(), getattr(mine, table)(), check_exact=True)
    from aquacrop.solution import irrigation, root_zone_water

    assert irrigation.root_zone_water is root_zone_water.root_zone_water  # put back


def test_water_is_neither_made_nor_lost_and_thresholds_rule(champion: xr.Dataset) -> None:
    plans = [decide.threshold_plan(Plan(), t) for t in (0, 40, 70)]
    grown = simulate([(champion, p) for p in plans])
    for one in grown:
        assert abs(one["balance"]).max() < 1e-6
        assert one["irrigation"].attrs["units"] == "mm"
    water = [float(g["irrigation"].mean()) for g in grown]
    grain = [float(g["yield"].mean()) for g in grown]
    assert water[0] == 0
    assert water == sorted(water)
    assert grain[1] > grain[0] + 1
    decide.assert_responds({0: grown[0], 70: grown[2]})


def test_a_quota_and_a_depth_are_kept(champion: xr.Dataset) -> None:
    (grown,) = simulate([(champion, decide.threshold_plan(Plan(quota=60, depth=20), 80))])
    assert grown["irrigation"].values == pytest.approx([60] * 2)
    assert bool((grown["events"] >= 3).all())


def test_a_season_depends_on_no_other_season_of_its_run(champion: xr.Dataset) -> None:
    """2002 is hot: aquacrop would harvest the cool 1982 early if it came later in the same run."""
    plan = decide.threshold_plan(Plan(), 50)
    (forward,), (backward,) = (simulate([(w, plan)]) for w in (champion, champion.isel(year=slice(None, None, -1))))
    (alone,) = simulate([(champion.sel(year=[1982]), plan)])
    xr.testing.assert_equal(forward, backward.sortby("year"))
    xr.testing.assert_equal(forward.sel(year=[1982]), alone)


def test_a_crop_that_does_not_ripen_is_harvested_as_it_stands(champion: xr.Dataset) -> None:
    cool = champion.assign({n: champion[n] - 3 for n in ("tmin", "tmax")})
    plan = Plan(planting="05-31", threshold=50)
    (grown,) = simulate([(cool, plan)])
    (alone,) = simulate([(cool.sel(year=[2002]), plan)])
    assert float(grown["length"].max()) == 203
    xr.testing.assert_equal(grown.sel(year=[2002]), alone)
    with pytest.raises(SeasonError, match="maize planted on 05/31 cannot ripen"):
        simulate([(champion.assign({n: champion[n] - 25 for n in ("tmin", "tmax")}), plan)])


@pytest.mark.slow
def test_processes_change_nothing(champion: xr.Dataset) -> None:
    tasks = [(champion.isel(year=[i % 2]), decide.threshold_plan(Plan(), 40)) for i in range(4)]
    for one, other in zip(simulate(tasks, 1), simulate(tasks, 2), strict=True):
        xr.testing.assert_equal(one, other)


@pytest.mark.slow
def test_a_killed_study_leaves_no_worker_running() -> None:
    code = (
        "import time; from genai4eu.usecases.irrigation import data, season\n"
        "w = data.station('tunis').isel(year=slice(10))\n"
        "tell = lambda *_: print('one', flush=True)\n"
        "season.simulate([(w, season.Plan())] * 200, 2, tell)"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True) as study:
        assert study.stdout is not None
        assert study.stdout.readline() == "one\n"
        workers = [
            p for p in psutil.Process(study.pid).children(recursive=True) if "popen_loky" in " ".join(p.cmdline())
        ]
        assert len(workers) == 2
        study.kill()
    assert not psutil.wait_procs(workers, timeout=20)[1]


def test_irrigation_that_is_silently_lost_is_noticed(champion: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from aquacrop import IrrigationManagement

    plan = decide.threshold_plan(Plan(), 60)
    monkeypatch.setattr(season, "_management", lambda _plan: IrrigationManagement(irrigation_method=0))
    with pytest.raises(IrrigationError, match=r"season 1982: no water was given, though the root zone fell to"):
        simulate([(champion, plan)])
    monkeypatch.setattr(season, "_management", lambda _plan: IrrigationManagement(1, SMT=[60] * 4, MaxIrr=40))
    with pytest.raises(IrrigationError, match=r"in events of up to 40\.0 mm were given"):
        simulate([(champion, plan)])


def test_a_setting_that_aquacrop_does_not_know_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    import aquacrop

    class Deaf(aquacrop.IrrigationManagement):  # type: ignore[misc]
        def __init__(self, **settings: object) -> None:
            super().__init__(**{n: v for n, v in settings.items() if n != "SMT"})

    monkeypatch.setattr(aquacrop, "IrrigationManagement", Deaf)
    with pytest.raises(IrrigationError, match="aquacrop did not take SMT"):
        season._management(Plan(threshold=50))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": "bananas"}, "unknown crop 'bananas': choose maize, sorghum, soybean"),
        ({"soil": "moon"}, "unknown soil 'moon'"),
        ({"threshold": 120.0}, "thresholds are 0 to 100 % TAW"),
        ({"depth": 0.0}, "depths above 0 mm"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(SeasonError, match=message):
        Plan(**settings)  # type: ignore[arg-type]


def _grown(water: list[float], grain: list[float]) -> xr.Dataset:
    return xr.Dataset({"irrigation": ("year", water), "yield": ("year", grain), "et": ("year", [500.0] * len(water))})


def test_the_recommendation_is_the_least_water_at_equal_yield() -> None:
    grown = {30: _grown([100, 100], [9, 9]), 50: _grown([200, 200], [11.95, 12]), 70: _grown([300, 300], [12, 12.1])}
    assert decide.recommend(grown, 12.05) == 50
    assert decide.recommend(grown, 20.0) == 70  # none reaches it: the highest yield
    with pytest.raises(IrrigationError, match="irrigation ignored the threshold: 300 mm at 30, 100 mm at 70"):
        decide.assert_responds({30: grown[70], 70: grown[30]})


def test_savings_by_hand() -> None:
    table = decide.savings(_grown([150, 250], [10, 11]), _grown([200, 300], [10, 10]))
    assert table.loc["water", "mean"] == pytest.approx(20)
    assert table.loc["yield", "mean"] == pytest.approx(5)
    assert table.loc["water", "low"] <= 20 <= table.loc["water", "high"]
    assert decide.cvar(np.arange(1.0, 21)) == 1.5


def test_stages_follow_the_threshold() -> None:
    assert decide.threshold_plan(Plan(), 40).stages == [60, 60, 40, 20]
    assert decide.threshold_plan(Plan(), 80).stages == [100, 100, 80, 40]
    assert replace(Plan(), threshold=50.0, quota=0.0).rainfed
