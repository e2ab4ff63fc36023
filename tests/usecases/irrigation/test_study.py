"""The study: scores, record, live answer, and the same bits for the same seed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.text import Text

from genai4eu.usecases.irrigation import evaluate, figures, keep, live, report, settings
from genai4eu.usecases.irrigation.season import Plan
from genai4eu.widgets import use_style

from ..checks import imported_by


def test_crps_by_hand() -> None:
    one, truth = np.array([1.0]), np.array([3.0])
    assert evaluate.crps(one, truth).tolist() == [2.0]
    assert evaluate.crps(np.array([0.0, 2.0]), np.array([1.0])).tolist() == [0.5]  # 1 - (0 + 2 + 2 + 0) / 4 / 2
    assert evaluate.crps(np.array([0.0, 2.0]), np.array([1.0]), fair=True).tolist() == [0.0]


def test_crps_is_lowest_for_the_true_distribution() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(10, 2, 3000)
    scores = {s: evaluate.crps(rng.normal(10, s, 2000), truth).mean() for s in (1.0, 2.0, 4.0)}
    assert min(scores, key=lambda s: scores[s]) == 2.0
    assert scores[2.0] == pytest.approx(2 / np.sqrt(np.pi), rel=0.05)  # of a normal in its own standard deviation


@pytest.mark.slow
def test_no_fold_learns_from_a_year_that_it_is_judged_on(study: SimpleNamespace) -> None:
    for k, (learn, test) in enumerate(study.drawn.folds):
        assert not set(learn) & set(test)
        drawn = study.drawn.years["year bootstrap"][k]
        assert set(drawn["from_year"].values) <= set(learn)
        assert len(study.drawn.flows[k].months.values) == len(learn)
    judged = sorted(int(y) for y in study.judged.yields["year"].values)
    assert judged == study.weather["year"].values.tolist()


@pytest.mark.slow
def test_the_study_judges_every_method_with_units(study: SimpleNamespace) -> None:
    assert set(study.judged.yields["generator"].values) == {"flow", "WGEN", "year bootstrap"}
    assert study.judged.yields["crps"].attrs["units"] == "t/ha"
    assert set(study.judged.held) >= {"recommended", "weekly calendar", "tuned calendar", "rainfed"}
    assert float(study.judged.held["rainfed"]["irrigation"].max()) == 0
    assert float(study.judged.held["weekly calendar"]["irrigation"].max()) <= 400
    assert set(study.judged.chosen["recommended"]) <= set(study.sizes.thresholds)
    decision = keep.read_kept(study.outputs, "decision.nc")
    numbers = report.metrics(study.table, study.judged.yields, decision)
    assert {"ratio_p99", "ratio_annual_sd", "crps_flow", "water_saved_weekly"} <= numbers.keys()
    assert all(np.isfinite(v) for v, _ in numbers.values())
    units = {n.split("_")[0]: unit for n, (_, unit) in numbers.items()}
    assert units == {"ratio": "1", "crps": "t/ha", "water": "%", "yield": "%"}


@pytest.mark.slow
def test_each_fold_is_held_against_its_own_held_out_years(study: SimpleNamespace) -> None:
    table = evaluate.fold_table(study.drawn)
    assert table.columns.tolist()[:4] == ["held-out", "low", "high", "training years"]
    for k, (learn, test) in enumerate(study.drawn.folds):
        for column, weather in (
            ("held-out", study.weather.sel(year=test)),
            ("training years", study.weather.sel(year=learn)),
            ("flow", study.drawn.years["flow"][k]),
        ):
            assert table.loc[("annual_sd", k + 1), column] == pytest.approx(weather["rain"].sum("day").std(ddof=1))
    assert (table["low"] < table["high"]).all()
    shown = report.folds_shown(table)
    ratio = table.loc[("p99", 1), "training years"] / table.loc[("p99", 1), "held-out"]
    assert shown.loc[("p99 [mm/day]", 1), "training years"] == f"× {ratio:.2f}"


@pytest.mark.slow
def test_what_is_held_against_the_record_is_not_called_held_out(study: SimpleNamespace) -> None:
    assert study.table.columns[0] == "record"
    fig, alt = figures.weather_figure(study.table)
    words = " ".join([alt, *(t.get_text() for t in fig.findobj(Text)), *report.weather_shown(study.table).columns])
    assert "of the record" in words and "held-out" not in words


@pytest.mark.slow
def test_drawn_weather_is_weather(study: SimpleNamespace) -> None:
    for method in ("flow", "flow, not calibrated", "WGEN"):
        made = study.drawn.pooled(method)
        assert made.sizes == {"year": study.sizes.folds * study.sizes.years, "day": 365}
        assert bool((made["tmin"] <= made["tmax"]).all())
        assert float(made["rain"].min()) >= 0
        assert np.isfinite(made["et0"]).all()


@pytest.mark.slow
def test_the_emulator_knows_what_it_was_shown(study: SimpleNamespace) -> None:
    one = study.fast.data
    assert set(one["target"].values) == {"yield", "irrigation"}
    plans = [Plan(threshold=t, quota=q) for t, q in ((0.0, 600.0), (60.0, 50.0))]
    found = study.fast.predict(study.drawn.pooled("flow"), plans)
    assert found["yield"].shape == (2, study.sizes.folds * study.sizes.years)
    assert found["irrigation"][0].max() == 0
    assert found["irrigation"][1].max() <= 50
    assert found["yield"].min() >= 0
    plans = [Plan(threshold=t, quota=q) for t, q in ((0.0, 600.0), (60.0, 0.0), (100.0, 0.0), (0.0, 50.0))]
    dry = study.fast.predict(study.drawn.pooled("flow"), plans)["yield"]
    np.testing.assert_array_equal(dry, np.broadcast_to(dry[0], dry.shape), "no water is no water, whatever the plan")
    weather, plan, season = next(one for one in study.judged.shown if one[1].rainfed)
    mine, truth = study.fast.predict(weather, [plan])["yield"].mean(), float(season["yield"].mean())
    assert abs(mine - truth) < 0.5, "the study's own rainfed seasons are among what it learns from"


@pytest.mark.slow
def test_the_record_is_small_and_answers_live(study: SimpleNamespace) -> None:
    assert sum(p.stat().st_size for p in study.outputs.rglob("*") if p.is_file()) < 3e6
    assert keep.read_plan(study.outputs) == Plan(quota=400.0)
    fig, alt = live.respond(study.outputs, 50, 300, 0.1, 200, 25, 10, "maize", "silt loam", 410)
    assert fig.get_suptitle().startswith("50 % TAW:")
    assert "emulator of AquaCrop" in alt
    assert "quota 300 mm" in alt


@pytest.mark.slow
def test_controls_offer_what_the_record_says(study: SimpleNamespace) -> None:
    from genai4eu.widgets import Choice, Range

    found = settings.controls(study.outputs, Choice, Range)
    assert list(found)[:3] == ["threshold", "quota", "water_price"]
    assert found["quota"].value == 400.0
    live.respond(study.outputs, **{name: control.widget().value for name, control in found.items()})


@pytest.mark.slow
def test_a_board_is_answered_by_the_emulator(study: SimpleNamespace) -> None:
    from genai4eu.widgets import Choice, Outcome, Range, ScenarioBoard

    board = ScenarioBoard(
        **live.board(study.outputs, Outcome), controls=settings.controls(study.outputs, Choice, Range)
    )
    assert board.error is None
    assert board.values == settings.usual(study.outputs)
    drawn = board._picture
    assert [bar["label"] for bar in drawn.bars] == ["Dry yield", "Irrigation", "Margin"]
    threshold, ours, real = live.gap(study.outputs)
    frontier = keep.read_kept(study.outputs, "decision.nc")
    assert real == pytest.approx(float(frontier["drawn_yield"].sel(threshold=threshold)))
    assert f"{ours:.1f} instead of {real:.1f} t/ha for the run's own field" in drawn.words["note"]
    grown = int(frontier["threshold"].max())
    assert f"up to {grown} % TAW" in drawn.words["note"] and grown < board._widgets["threshold"].max
    assert "averages of higher thresholds were not compared" in drawn.words["note"]
    before = drawn.bars[2]["value"]
    board._widgets["water_price"].value = 1.0
    water = drawn.bars[1]["value"]
    assert drawn.bars[2]["value"] == pytest.approx(before - 0.9 * 10 * water)
    board._widgets["threshold"].value = 35  # between two of the frontier's points
    assert drawn.points[drawn.chosen]["at"] == 35 and len(drawn.points) == len(live.GRID) + 1
    board._widgets["quota"].value = 0
    assert drawn.bars[1]["value"] == 0 and board.error is None


@pytest.mark.slow
def test_the_margin_is_grain_less_water(study: SimpleNamespace) -> None:
    at = live.scenario(study.outputs, 50, 200.0, 0.5, Plan())["at"]
    assert at["margin"] == pytest.approx(200 * at["yield"] - 0.5 * 10 * at["irrigation"])
    assert at["yield_low"] <= at["yield"] <= at["yield_high"]


@pytest.mark.slow
def test_every_figure_has_words_from_the_numbers(study: SimpleNamespace) -> None:
    decision = keep.read_kept(study.outputs, "decision.nc")
    chosen = keep.read_chosen(study.outputs)
    with rc_context():
        use_style()
        for fig, alt in (
            figures.station_figure(study.weather),
            figures.years_figure(study.weather, study.drawn.years["flow"][0]),
            figures.weather_figure(study.table),
            figures.yields_figure(study.judged.yields),
            figures.decision_figure(decision, chosen),
            figures.failures_figure(decision),
        ):
            assert fig.get_suptitle()
            assert len(alt) > 40
            fig.draw_without_rendering()
            shrunk = 288 / (fig.get_figwidth() * 72)  # pixels a point, on a phone
            assert min(float(t.get_fontsize()) for t in fig.findobj(Text) if t.get_text()) * shrunk >= 6
    said = report.answer(decision, chosen)
    assert f"{report.saved(decision).loc['water', 'mean']:.0f} %" in said


@pytest.mark.slow
def test_the_answer_follows_the_numbers(study: SimpleNamespace) -> None:
    decision, chosen = keep.read_kept(study.outputs, "decision.nc"), keep.read_chosen(study.outputs)
    weekly = decision["irrigation"].sel(policy="weekly calendar")
    for part, word in ((0.7, "saves water"), (1.0, "does not clearly save")):
        water = decision["irrigation"].copy()
        water.loc[{"policy": "recommended"}] = part * weekly
        said = report.answer(decision.assign(irrigation=water), chosen)
        assert word in said
    assert "30 %" in report.answer(
        decision.assign(irrigation=water.where(water["policy"] != "recommended", 0.7 * weekly)), chosen
    )


def test_a_missing_record_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(keep.RecordError, match=r"the record has no decision.nc .*run the study part"):
        keep.read_kept(tmp_path, "decision.nc")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(study: SimpleNamespace, tmp_path: Path) -> None:
    again = study.make(tmp_path / "outputs")
    for method in study.drawn.years:
        xr.testing.assert_identical(again.drawn.pooled(method), study.drawn.pooled(method))
    xr.testing.assert_identical(again.judged.yields, study.judged.yields)
    xr.testing.assert_identical(again.fast.data, study.fast.data)


@pytest.mark.slow
def test_the_dashboard_needs_neither_torch_nor_aquacrop(study: SimpleNamespace) -> None:
    used = "from genai4eu.usecases.irrigation import live, keep, report, figures"
    code = f"{used}; live.respond({str(study.outputs)!r}, 50, 300, 0.1, 200, 25, 10, 'maize', 'loam', 410)"
    assert not imported_by(code, "torch", "aquacrop", "sklearn", "rasterio", "ipywidgets")
