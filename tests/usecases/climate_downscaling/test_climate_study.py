"""The study: scores, record, live answer, and the same bits for the same seed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context

from genai4eu.usecases.climate_downscaling import data, evaluate, figures, keep, live, report
from genai4eu.widgets import Choice, FieldMap, Range, use_style

from ..checks import imported_by, read_on_a_phone

METHODS = ["linear", "quantile mapping", "random forest", "U-Net mean", "flow"]


def test_every_method_is_scored_under_every_drive(climate: SimpleNamespace) -> None:
    assert climate.scores["downscaling"].values.tolist() == METHODS
    assert climate.scores["drive"].values.tolist() == ["perfect", "driven", "adjusted"]
    assert np.isfinite(climate.scores["crps"]).all()
    assert {"crps_flow", "crps_flow_driven", "crps_random_forest", "p999_flow", "crps_gain"} <= report.metrics(
        climate.scores
    ).keys()
    linear = climate.scores["crps"].sel(downscaling="linear")
    xr.testing.assert_allclose(linear, climate.scores["mae"].sel(downscaling="linear"))


def test_a_coarse_model_alone_is_judged_by_its_climate(climate: SimpleNamespace) -> None:
    errors = evaluate.free_errors(climate.scores)
    assert errors["free"].values.tolist() == ["as it is", "adjusted"]
    said = report.alone(climate.scores)
    assert f"P99.9 {float(errors['p999'][0]):.2f} times" in said
    power = climate.scores["true_power"].mean("case").isel(drive=0, drop=True)
    exact = climate.scores.assign(free_power=0 * climate.scores["free_power"] + 10**0.3 * power)
    np.testing.assert_allclose(evaluate.free_errors(exact)["spectrum_db"], 3.0)


@pytest.mark.parametrize(("factor", "verb"), [(0.5, "are better"), (2.0, "are worse"), (1.0, "are not clearly better")])
def test_the_answer_follows_the_numbers(climate: SimpleNamespace, factor: float, verb: str) -> None:
    crps = climate.scores["crps"].copy()
    best = 0.9 * crps.sel(downscaling="linear").values
    crps.loc[{"downscaling": "random forest"}] = best
    wobble = np.array([0.9, 1.1]) if factor == 1 else 1.0
    crps.loc[{"downscaling": "flow"}] = factor * best * wobble
    for name in ("quantile mapping", "U-Net mean"):
        crps.loc[{"downscaling": name}] = 9 * best
    scores = climate.scores.assign(crps=crps)
    said = report.answer(scores)
    assert f"ensembles {verb} than the best simpler method (random forest)" in said
    assert "Driven by a coarse model" in said
    title, _ = figures.scores_figure(scores)
    assert ("do not clearly beat" in str(title.get_suptitle()).replace("\n", " ")) == (factor == 1.0)


def test_every_figure_has_words_and_is_read_on_a_phone(climate: SimpleNamespace) -> None:
    coarse = data.coarsen(climate.test, 8)
    with rc_context():
        use_style()
        drawn = [
            figures.task_figure(climate.test, coarse),
            figures.members_figure(climate.members, climate.test["pr"]),
            figures.scores_figure(climate.scores),
            figures.spectrum_figure(climate.scores),
            figures.calibration_figure(climate.scores),
            figures.failures_figure(keep.read_kept(climate.outputs, "worst.nc")),
        ]
        for fig, alt in drawn:
            assert fig.get_suptitle()
            assert len(alt) > 40
        fig = drawn[2][0]
        read_on_a_phone(fig, letters=8)


def test_the_viewer_gets_plain_arrays_in_millimetres(climate: SimpleNamespace) -> None:
    shown = FieldMap(**figures.plain_map(climate.members, climate.test["pr"]))
    assert shown.shape == [3, 2, 64, 64]
    assert shown.truth and shown.unit == "mm/day"
    assert shown.spacing == pytest.approx(66.3, abs=0.1)


def test_the_record_is_small_and_answers_live(climate: SimpleNamespace) -> None:
    assert sum(p.stat().st_size for p in climate.outputs.rglob("*") if p.is_file()) < 10e6
    controls = live.controls(climate.outputs, Choice, Range)
    assert list(controls)[:3] == ["threshold", "moisture", "members"]
    start = {name: control.widget().value for name, control in controls.items()}
    fig, alt = live.respond(climate.outputs, **start)
    assert "one point in 100" in alt
    assert fig.get_suptitle().startswith("Whole domain")
    four, eight = (live.ensemble(climate.outputs, 1.0, 1.2, n) for n in (4, 8))
    np.testing.assert_array_equal(four, eight[:4])
    assert not np.array_equal(eight[4], eight[0])


def test_a_higher_threshold_is_a_lower_chance(climate: SimpleNamespace) -> None:
    drawn = live.ensemble(climate.outputs, 1.0, 1.0, 8) * 86_400
    chances = [(drawn > t).mean() for t in (1, 5, 20, 80)]
    assert chances == sorted(chances, reverse=True)


def test_a_missing_record_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(keep.RecordError, match=r"the record has no scores.nc .*run the study part"):
        keep.read_kept(tmp_path, "scores.nc")


def test_the_same_seed_gives_the_same_bits(climate: SimpleNamespace, tmp_path: Path) -> None:
    again = climate.make(tmp_path / "outputs")
    xr.testing.assert_identical(again.scores, climate.scores)
    xr.testing.assert_identical(again.members, climate.members)
    name = "downscaler.safetensors"
    assert (again.outputs / name).read_bytes() == (climate.outputs / name).read_bytes()


def test_the_dashboard_needs_neither_sklearn_nor_widgets(climate: SimpleNamespace) -> None:
    used = "from genai4eu.usecases.climate_downscaling import live, keep, report, figures"
    code = f"{used}; live.respond({str(climate.outputs)!r}, 20, 4, 1.0, 1.0, 100, 'north-west')"
    assert not imported_by(code, "sklearn", "zarr", "ipywidgets")
