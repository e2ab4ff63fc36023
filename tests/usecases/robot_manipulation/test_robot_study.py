"""The study: record, live answer, figures, words, and the same bits for the same seed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure

from genai4eu.usecases.robot_manipulation import evaluate, figures, keep, live, model, report
from genai4eu.usecases.robot_manipulation.readers import load_demonstrations
from genai4eu.widgets import Choice, Range, TrajectoryPlayer, use_style

from ..checks import imported_by, read_on_a_phone


def _with(scores: xr.Dataset, rates: dict[str, tuple[int, int]], bits: float = 0.95) -> xr.Dataset:
    """Return scores of 100 episodes in which so many succeed and collide."""
    names = scores["policy"].values.tolist()
    table = {what: np.zeros((len(names), 100), bool) for what in ("success", "collision")}
    for name, (done, hit) in rates.items():
        table["success"][names.index(name), :done] = True
        table["collision"][names.index(name), 100 - hit :] = True
    made = xr.Dataset({k: (("policy", "episode"), v) for k, v in table.items()}, coords={"policy": names})
    made = made.assign(jerk=made["success"] * 100.0, placed=made["success"])
    made = made.assign(evaluate._rates(made, "success") | evaluate._rates(made, "collision"))
    again = np.ones((len(names), 10, 16))
    for what, values in (("side", again), ("collision", 0 * again)):
        made[f"again_{what}"] = (("policy", "start", "repeat"), values)
    made = made.assign(entropy=("policy", [bits] * len(names)), start_entropy=("policy", [bits] * len(names)))
    return made.assign_attrs(demonstrations=300)


def test_scores_hold_every_policy_with_units(robot: SimpleNamespace) -> None:
    names = ["expert", "flow", "mixture", "nearest neighbour", "perceptron"]
    assert robot.scores["policy"].values.tolist() == names
    assert robot.scores["jerk"].attrs["units"] == "m s-3" and robot.scores["entropy"].attrs["units"] == "bit"
    assert bool(robot.scores["success"].sel(policy="expert").all())
    assert {"success_flow", "collision_perceptron", "start_entropy_neighbour"} <= report.metrics(robot.scores).keys()
    assert float(robot.scores["start_entropy"].sel(policy="nearest neighbour").fillna(0)) == 0.0


def test_the_answer_follows_the_numbers(robot: SimpleNamespace) -> None:
    good = {
        "expert": (100, 0),
        "flow": (92, 5),
        "mixture": (70, 20),
        "nearest neighbour": (90, 4),
        "perceptron": (10, 85),
    }
    said = report.answer(_with(robot.scores, good))
    assert "in 92 % of 100 new placements (85 % to 96 %) and enters the zone in 5 % (2 % to 11 %)" in said
    assert "keeps both ways around it (entropy 0.95 of 1 bit)" in said
    assert "the nearest neighbour, succeeds in 90 % (no clear difference, entropy 0.95 from one start)" in said
    assert "a perceptron, which averages left and right, enters the zone in 85 %" in said
    worse = report.answer(_with(robot.scores, good | {"flow": (40, 50)}, bits=0.1))
    assert "points more" in worse and "has one way only" in worse
    few = _with(robot.scores, good)
    assert "Too few episodes passed" in report.answer(few.assign(again_collision=1 - few["again_collision"]))
    nothing = report.answer(_with(robot.scores, dict.fromkeys(good, (0, 100)), bits=np.nan))
    assert "Too few episodes passed" in nothing and "nan" not in nothing


def test_the_record_is_small_and_read_back(robot: SimpleNamespace) -> None:
    assert sum(p.stat().st_size for p in robot.outputs.rglob("*") if p.is_file()) < 5e6
    assert keep.stored_counts(robot.outputs) == [4, 8]
    np.testing.assert_array_equal(keep.read_kept(robot.outputs, "scores.nc")["success"], robot.scores["success"])
    assert load_demonstrations(robot.outputs / "demonstrations").sizes["frame"] == robot.shown.sizes["frame"]
    with pytest.raises(keep.RecordError, match=r"the record has no scores.nc .*run the study part"):
        keep.read_kept(robot.outputs / "elsewhere", "scores.nc")


def test_a_stored_policy_decides_the_same(robot: SimpleNamespace, tmp_path: Path) -> None:
    stored = model.load_policy(robot.outputs / "policies" / "flow-8.safetensors")
    history = robot.tested["flow"]["state"].values[:, :2]
    plans = [p.plan(history, np.random.default_rng(0)) for p in (stored, robot.policies["flow"])]
    np.testing.assert_array_equal(plans[0], plans[1])
    path = tmp_path / "flow-8.safetensors"
    with pytest.raises(model.PolicyError, match=r"cannot read the policy .*flow-8.*run the study part again"):
        model.load_policy(path)
    model.save_policy(stored, path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(model.PolicyError, match="cannot read the policy"):
        model.load_policy(path)


def test_the_live_answer_follows_its_controls(robot: SimpleNamespace) -> None:
    names = live.controls(robot.outputs, Choice, Range)
    assert list(names)[:3] == ["radius", "count", "across"]
    fig, alt = live.respond(robot.outputs, 6, 8, 0, 0, 8, 4)
    assert "arrive cleanly" in fig.get_suptitle() and "zone 6 cm" in alt
    small, large = (live.carry(robot.outputs, 8, r, 0, 0, 8, 4) for r in (3, 10))
    assert float(large["radius"][0]) == pytest.approx(0.10)
    assert not np.array_equal(small["state"], large["state"])
    np.testing.assert_array_equal(live.carry(robot.outputs, 8, 3, 0, 0, 8, 4)["state"], small["state"])


def test_positive_across_is_left_of_the_travel(robot: SimpleNamespace) -> None:
    state = live.carry(robot.outputs, 4, 3, 4, 0, 1, 8)["state"].values[0, 0]
    along, beside = state[10:12] - state[3:5], state[13:15] - state[3:5]
    assert along[0] * beside[1] - along[1] * beside[0] > 0


def test_ways_are_seen_along_the_travel() -> None:
    way = np.zeros((1, 2, 6))
    way[0, :, 3:5] = [(1.3, 0.6), (1.3, 0.75)]
    cube, goal = figures.travel_frame(way, np.array([[1.3, 0.75, 0.05, 1.3, 0.9]]))
    np.testing.assert_allclose(cube, [[[-15, 0], [0, 0]]], atol=1e-9)
    np.testing.assert_allclose(goal, [[15, 0]], atol=1e-9)


def test_units_of_metrics(robot: SimpleNamespace) -> None:
    times = report.decision_metrics({"flow": 4.0, "nearest neighbour": 1.0})
    assert times == {"decision_ms": 4.0, "decision_ms_neighbour": 1.0}
    told = {name: report.unit(name) for name in [*report.metrics(robot.scores), *times]}
    assert told["entropy_flow"] == told["start_entropy_expert"] == "bit"
    assert told["decision_ms"] == told["decision_ms_neighbour"] == "ms" and told["success_flow"] == "1"


def test_no_way_leaves_the_axes() -> None:
    fig = Figure()
    near, far = np.zeros((1, 3, 6)), np.zeros((1, 3, 6))
    for way, across in ((near, 0.05), (far, -0.31)):
        way[0, :, 3:5] = [(1.3, 0.6), (1.3 - across, 0.75), (1.3, 1.05)]
    for panels in (fig.subplots(1, 2, sharex=True, sharey=True), fig.subplots(1, 2, sharex=True, sharey=True)[::-1]):
        for axes, way in zip(panels, (near, far), strict=True):
            figures.fan(axes, way, np.array([[1.3, 0.75, 0.05, 1.3, 0.9]]))
        for axes in panels:
            assert axes.get_ylim() == pytest.approx((-32.55, 32.55)) and axes.get_xlim() == pytest.approx((-31.5, 31.5))
    alone = Figure().subplots()
    figures.fan(alone, near * [0, 0, 0, 1, 1, 0], np.array([[1.3, 0.9, 0.05, 1.3, 0.9]]))
    assert alone.get_ylim() == (-17, 17)


def test_every_figure_has_words_from_the_numbers(robot: SimpleNamespace) -> None:
    motions = keep.read_kept(robot.outputs, "motions.nc")
    for fig, alt in (
        figures.demonstrations_figure(robot.shown),
        figures.scores_figure(robot.scores),
        figures.fans_figure(motions),
        figures.failures_figure(motions, robot.scores),
    ):
        assert fig.get_suptitle()
        assert len(alt) > 60 and "nan" not in alt
    way, zone = figures.start_ways(motions, "perceptron", 1)
    assert len(way) == robot.sizes.repeats
    hit = figures.entered(way, zone)
    np.testing.assert_array_equal(hit, robot.scores["again_collision"].sel(policy="perceptron", start=1))


def test_figures_are_read_on_a_phone(robot: SimpleNamespace) -> None:
    motions = keep.read_kept(robot.outputs, "motions.nc")
    with rc_context():
        use_style()
        for fig, _ in (figures.scores_figure(robot.scores), figures.fans_figure(motions)):
            read_on_a_phone(fig)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(robot: SimpleNamespace, tmp_path: Path) -> None:
    again = robot.make(tmp_path / "outputs")
    xr.testing.assert_identical(again.scores, robot.scores)
    for name in ("motions.nc", "scores.nc"):
        xr.testing.assert_identical(keep.read_kept(again.outputs, name), keep.read_kept(robot.outputs, name))
    files = [p.relative_to(robot.outputs) for p in robot.outputs.rglob("*") if p.suffix in (".safetensors", ".parquet")]
    assert len(files) == 5
    for file in files:
        assert (robot.outputs / file).read_bytes() == (again.outputs / file).read_bytes()


@pytest.mark.slow
def test_the_dashboard_needs_neither_scikit_learn_nor_readers(robot: SimpleNamespace) -> None:
    used = "from genai4eu.usecases.robot_manipulation import live, keep, report, figures"
    code = f"{used}; live.respond({str(robot.outputs)!r}, 6, 8, 0, 0, 2, 8)"
    assert not imported_by(code, "sklearn", "h5py", "mcap", "zarr", "ipywidgets")


def test_the_player_gets_what_the_figure_shows(robot: SimpleNamespace) -> None:
    motions = keep.read_kept(robot.outputs, "motions.nc")
    told = figures.fans_panels(motions)
    player = TrajectoryPlayer(**told)
    assert len(player.panels) == 4 and player.alt == figures.fans_figure(motions)[1]
    ways = np.asarray(told["panels"][0]["ways"])
    assert ways.shape == (robot.sizes.repeats, 51, 2)
    deepest = np.linalg.norm(ways, axis=-1).min(1) < told["zone"][2]  # of the cube alone
    assert not (deepest & ~np.asarray(told["panels"][0]["marked"])).any()
