"""What the course on medical imaging shows: figures that say what they show, a hidden copy, what recorded runs give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from genai4eu.courses.shipped import named
from genai4eu.usecases.health_imaging import compare, copies, data, evaluate, keep, lessons, recorded
from genai4eu.usecases.health_imaging.relaxometry import LESION

MATERIAL = named("medical-imaging") / "material"


@pytest.fixture(scope="module")
def patients() -> xr.Dataset:
    return data.cohort("test", 3, 32, 0, ("A", "B", "C"))


@pytest.fixture(scope="module")
def real() -> xr.Dataset:
    return data.labelled_slices(12, 64, 0)


def _runs() -> list[xr.Dataset]:
    scores = keep.read_kept(MATERIAL, "scores.nc")
    return [scores.sel(seed=seed) for seed in scores["seed"].values]


def _scores(alone: float, both: float, patients: xr.Dataset) -> xr.Dataset:
    """Return the scores of two tools that find so much of every lesion."""
    truth = (patients["label"].values == LESION)[:, None].repeat(3, 1)
    rng = np.random.default_rng(0)
    found = {
        name: truth & (rng.random(truth.shape) < share)
        for name, share in ((lessons.ALONE, alone), (lessons.BOTH, both))
    }
    return evaluate.score(found, patients)


def test_a_figure_says_what_a_tool_finds(patients: xr.Dataset) -> None:
    truth = (patients["label"].values == LESION)[:, None].repeat(3, 1)
    found = truth.copy()
    found[:, 1] = False
    fig, alt = lessons.tool_figure(patients, found)
    assert "worst at B" in fig.get_suptitle()
    assert "A 1.00, B 0.00, C 1.00" in alt


def test_fluid_vanishes_where_the_figure_says() -> None:
    fig, alt = lessons.inversion_figure()
    null = 4300 * np.log(2 / (1 + np.exp(-11000 / 4300)))  # where the signal equation is zero
    said = float(fig.get_suptitle().split("near ")[1].split()[0])
    assert said == pytest.approx(null, abs=25)
    assert f"{said:.0f} ms" in alt


def test_the_rest_is_the_scan_without_its_prediction(real: xr.Dataset) -> None:
    fig, alt = lessons.rest_figure(real)
    scan, predicted, rest = (axes.get_images()[0].get_array() for axes in fig.axes)
    assert np.allclose(np.asarray(scan) - np.asarray(predicted), np.asarray(rest), atol=1e-5)
    assert "three slices" in alt


def test_one_hidden_copy_is_found_until_it_is_mirrored(real: xr.Dataset) -> None:
    synthetic = keep.read_kept(MATERIAL, "synthetic.nc")
    suspects = lessons.planted(synthetic, real)
    near = copies.nearest_distance(suspects, real).values
    assert np.sort(near)[0] < 0.15
    assert np.sort(near)[1] > 0.3
    mirrored = copies.nearest_distance(lessons.mirrored(suspects), real).values
    assert mirrored.min() > 0.3
    assert np.array_equal(lessons.mirrored(lessons.mirrored(suspects))["image"], suspects["image"])
    assert float(copies.nearest_distance(synthetic.isel(case=slice(12)), real).min()) > 0.3, "the record is not changed"


@pytest.mark.parametrize("site", ["B", "C"])
def test_differences_are_called_clear_by_their_interval(site: str) -> None:
    found = compare.paired(_runs(), site)
    clear = int((found["mean"].abs() > found["half"]).sum())
    fig, alt = lessons.differences_figure(found, site)
    assert f"{clear} of 5 differences are clear" in fig.get_suptitle()
    assert f"classical {found.loc['classical', 'mean']:+.2f}" in alt


def test_the_recorded_results_are_what_the_lesson_says_of_them() -> None:
    """Lesson 4 asks for advice: better at C, worse at B, far from good enough."""
    shown = lessons.shown(_runs())
    assert list(shown.columns) == ["A", "B", "C"]
    assert 0.15 < float(shown.loc["flow 10:1", "C"].split()[0]) < 0.35
    gained, lost = (compare.paired(_runs(), site).loc["classical"] for site in ("C", "B"))
    assert gained["mean"] > gained["half"]
    assert lost["mean"] < -lost["half"]


@pytest.mark.parametrize(
    ("alone", "both", "verb", "dutch"),
    [
        (0.2, 0.9, "raise", "verhogen"),
        (0.9, 0.2, "lower", "verlagen"),
        (0.5, 0.5, "do not clearly change", "niet duidelijk"),
    ],
)
def test_a_result_is_told_in_every_language(
    patients: xr.Dataset, alone: float, both: float, verb: str, dutch: str
) -> None:
    scores = _scores(alone, both, patients)
    assert lessons.change(scores)[0] == verb
    said = lessons.result_words(scores)
    assert list(said) == ["en", "nl", "de", "fr"]
    assert verb in said["en"]
    assert dutch in said["nl"]
    assert not any("{" in text for text in said.values())
    fig, alt = lessons.result_figure(scores)
    assert verb in fig.get_suptitle()
    assert set(lessons.result_alts(scores, alt)) == set(said)


def test_runs_are_recorded_only_together(tmp_path: Path) -> None:
    runs = [_run(tmp_path / f"run-{seed}", seed) for seed in (1, 0)]
    recorded.record(tmp_path, runs)
    scores = keep.read_kept(tmp_path, "scores.nc")
    assert scores["seed"].values.tolist() == [0, 1]
    assert scores.attrs["runs"] == "run-0, run-1"
    assert scores["dice"].sel(seed=1).values.max() == 1
    assert keep.read_kept(tmp_path, "synthetic.nc").attrs["seed"] == 0
    with pytest.raises(ValueError, match="must differ in their seed"):
        recorded.record(tmp_path, [runs[0], _run(tmp_path / "other", 2, labelled=8)])


def _run(folder: Path, seed: int, **more: int) -> Path:
    """Return the folder of a run whose Dice is its seed everywhere."""
    (folder / "outputs").mkdir(parents=True)
    (folder / "parameters.json").write_text(json.dumps({"profile": "smoke", "seed": seed, **more}))
    values = xr.DataArray(np.full((1, 2, 1), float(seed)), dims=("segmenter", "case", "site"))
    coords = {"segmenter": ["flow 2:1"], "site": ["C"]}
    scores = xr.Dataset({"dice": values, "missed": values > 0}, coords=coords, attrs={"main_mix": "flow 2:1"})
    scores.to_netcdf(folder / "outputs" / "scores.nc")
    xr.Dataset({"image": ("case", [0.0])}).to_netcdf(folder / "outputs" / "synthetic.nc")
    return folder


def test_the_list_of_slices_hides_three_patients() -> None:
    table = pd.read_csv(MATERIAL / "slices.csv")
    parts = {name: set(part["patient"]) for name, part in table.groupby("set")}
    assert parts["train"] & parts["test"] == {"P-03", "P-08", "P-11"}
