"""What counts: rates, intervals, entropies and sides, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from genai4eu.usecases.robot_manipulation import evaluate, figures


def _episode(cube: list[tuple[float, float]], tool_off: float = 0.0) -> np.ndarray:
    """Return states (time, 16) of a cube that goes so past a zone of 5 cm at the origin, to a goal at x = 0.15."""
    states = np.zeros((len(cube), 16))
    states[:, 3:5] = cube
    states[:, 0:2] = np.array(cube) + np.array([0, tool_off])
    states[:, 10], states[:, 15] = 0.15, 0.05
    return states


def _judge(*episodes: np.ndarray) -> xr.Dataset:
    return evaluate.outcomes(xr.Dataset({"state": (("episode", "time", "feature"), np.stack(episodes))}))


def test_sides_success_and_collision_by_hand() -> None:
    left = _episode([(-0.15, 0), (-0.01, 0.08), (0.01, 0.08), (0.14, 0)])
    right = _episode([(-0.15, 0), (-0.01, -0.08), (0.01, -0.08), (0.14, 0)])
    through = _episode([(-0.15, 0), (-0.01, 0.02), (0.01, 0.02), (0.14, 0)])
    stays = _episode([(-0.15, 0), (-0.15, 0), (-0.15, 0), (-0.15, 0)])
    short = _episode([(-0.15, 0), (-0.01, 0.08), (0.01, 0.08), (0.09, 0)])
    judged = _judge(left, right, through, stays, short)
    assert judged["side"].values.tolist() == [1, -1, 1, 0, 1]
    assert judged["collision"].values.tolist() == [False, False, True, False, False]
    assert judged["placed"].values.tolist() == [True, True, True, False, False]
    assert judged["success"].values.tolist() == [True, True, False, False, False]
    assert float(judged["clearance"][0]) == pytest.approx(np.hypot(0.01, 0.08) - 0.05)


def test_the_hand_alone_counts_too() -> None:
    judged = _judge(_episode([(-0.15, 0), (-0.01, 0.08), (0.01, 0.08), (0.14, 0)], tool_off=-0.06))
    assert judged["collision"].values.tolist() == [True]


def test_sides_turn_with_the_travel() -> None:
    states = _episode([(-0.15, 0), (-0.01, 0.08), (0.01, 0.08), (0.14, 0)])
    turned = states.copy()
    for part in (0, 3, 10):
        turned[:, part], turned[:, part + 1] = -states[:, part + 1], states[:, part]
    assert _judge(states, turned)["side"].values.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"), [(0, 10, 0, 0.2775), (8, 10, 0.4902, 0.9433), (100, 100, 0.963, 1)]
)
def test_wilsons_interval(hits: int, count: int, low: float, high: float) -> None:
    assert evaluate.wilson(hits, count) == pytest.approx((low, high), abs=1e-4)


def test_entropy_in_bits() -> None:
    assert evaluate.entropy(np.array([1, -1, 0, 0])) == 1.0
    assert evaluate.entropy(np.array([1, 1, 1])) == 0.0
    assert evaluate.entropy(np.array([1, 1, 1, -1])) == pytest.approx(0.8113, abs=1e-4)
    assert np.isnan(evaluate.entropy(np.array([0, 0])))


def test_both_ways_over_starts_are_not_both_ways_from_one() -> None:
    side = np.array([[1, 1, 1, 1], [-1, -1, -1, -1]])
    clean = np.zeros((2, 4), bool)
    assert evaluate.entropy(side.ravel()) == 1.0
    assert evaluate.start_entropy(side, clean) == 0.0
    assert evaluate.start_entropy(np.array([[1, -1, 1, -1]]), clean[:1]) == 1.0
    # what went through the zone is no way around it, and one clean pass tells nothing
    assert np.isnan(evaluate.start_entropy(np.array([[1, -1, 1, -1]]), np.array([[True, True, False, True]])))


def test_the_gain_is_paired() -> None:
    scores = xr.Dataset(
        {"success": (("policy", "episode"), np.array([[True] * 50 + [False] * 50, [True] * 40 + [False] * 60]))},
        coords={"policy": ["flow", "perceptron"]},
    )
    mean, half = evaluate.gain(scores, "flow", "perceptron")
    assert mean == pytest.approx(0.1)
    assert half == pytest.approx(1.96 * 0.3 / 10, rel=0.15)  # unpaired it would be 0.138


def test_table_over_seeds_has_students_interval() -> None:
    def run(value: float) -> xr.Dataset:
        names = ("success_rate", "collision_rate", "entropy", "start_entropy")
        flat = {name: ("policy", [value]) for name in names} | {"jerk": (("policy", "episode"), [[value, value]])}
        return xr.Dataset(flat, coords={"policy": ["flow"]})

    table = evaluate.table([run(0.8), run(0.9), run(1.0)])
    assert table.loc["flow", ("success_rate", "mean")] == pytest.approx(0.9)
    assert table.loc["flow", ("success_rate", "±")] == pytest.approx(4.3027 * 0.1 / np.sqrt(3), rel=1e-3)
    assert np.isnan(evaluate.table([run(0.8)]).loc["flow", ("success_rate", "±")])


def test_ways_are_counted_as_sides_are() -> None:
    ends = [(-0.15, 0), (0.14, 0)]
    ways = [[ends[0], (-0.01, y), (0.01, y), ends[1]] for y in (0.08, 0.08, -0.08, 0.02)] + [[ends[0]] * 4]
    states = np.stack([_episode(way) for way in ways])
    zone = states[:, 0][:, [13, 14, 15, 10, 11]]
    assert figures.counted(states[..., :6], zone) == "2 left, 1 right, 1 enter, 1 stay"
    assert _judge(*states)["side"].values.tolist() == [1, 1, -1, 1, 0]
