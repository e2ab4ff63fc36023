"""Placements that do not leak, the simulated arm, and an expert that cuts no corner."""

from __future__ import annotations

import numpy as np
import pytest

from genai4eu.usecases.robot_manipulation import data, evaluate
from genai4eu.usecases.robot_manipulation.environment import CUBE, GOAL, STATE, KeepOutEnv
from genai4eu.usecases.robot_manipulation.expert import Expert
from genai4eu.usecases.robot_manipulation.rollout import ABREAST, simulations
from genai4eu.usecases.robot_manipulation.task import SPLITS, SQUARE, Task, draw_tasks


def _squares(split: str, part: str) -> set[tuple[int, int]]:
    places = [getattr(task, part) for task in draw_tasks(split, 80, 3)]
    return {(int(np.floor(x / SQUARE)), int(np.floor(y / SQUARE))) for x, y in places}


@pytest.mark.parametrize("part", ["goal", "zone"])
def test_no_split_has_a_place_on_a_square_of_another(part: str) -> None:
    squares = [_squares(split, part) for split in SPLITS]
    assert all(squares)
    assert not any(squares[i] & squares[k] for i, k in ((0, 1), (0, 2), (1, 2)))


def test_tasks_have_room_and_do_not_depend_on_how_many_are_drawn() -> None:
    tasks = draw_tasks("test", 60, 0)
    assert tasks[:5] == draw_tasks("test", 5, 0) != draw_tasks("test", 5, 1)
    for task in tasks:
        cube, goal, zone = (np.array(p) for p in (task.cube, task.goal, task.zone))
        assert min(np.linalg.norm(cube - zone), np.linalg.norm(goal - zone)) > task.radius + 0.01
        along = (goal - cube) / np.linalg.norm(goal - cube)
        beside = abs(along[0] * (zone - cube)[1] - along[1] * (zone - cube)[0])
        assert beside < 0.021 < task.radius  # the straight way goes through it


def test_the_environment_is_one_of_gymnasium_and_watches_the_zone() -> None:
    env = simulations(1)[0]
    task = draw_tasks("test", 1, 0)[0]
    state, _ = env.reset(seed=1, options={"task": task})
    assert env.observation_space.shape == state.shape == (len(STATE),)
    assert env.action_space.contains(np.zeros(4, np.float32))
    np.testing.assert_allclose(state[[3, 4]], task.cube, atol=1e-6)
    _, reward, terminated, truncated, info = env.step(np.zeros(4))
    assert (reward, terminated, truncated, info["is_success"]) == (-1.0, False, False, False)
    assert info["clearance"] > 0 and not info["entered"]
    inside = Task(task.cube, task.goal, (float(state[0]), float(state[1])), 0.05)
    env.reset(options={"task": inside})
    assert env.step(np.zeros(4))[4]["clearance"] == pytest.approx(-0.05, abs=0.01)


def test_simulations_share_a_model_and_nothing_else() -> None:
    one, two = simulations(2)
    task = draw_tasks("test", 1, 0)[0]
    one.reset(options={"task": task})
    before = two.reset(options={"task": task})[0]
    moved = [one.step(np.array([1.0, 0, 0, 0]))[0] for _ in range(3)]
    np.testing.assert_array_equal(two._get_obs(), before)
    again = [two.step(np.array([1.0, 0, 0, 0]))[0] for _ in range(3)]
    np.testing.assert_array_equal(moved, again)
    assert one.model is two.model and isinstance(one, KeepOutEnv) and ABREAST > 1


@pytest.mark.parametrize("side", [-1, 1])
def test_the_heading_is_tangent_to_the_zone_with_its_margin(side: int) -> None:
    expert, zone, goal = Expert(side, 0.04), np.zeros(2), np.array([0.16, 0.0])
    for angle in np.linspace(0.7 * np.pi, 1.3 * np.pi, 9):
        place = 0.15 * np.array([np.cos(angle), np.sin(angle)])
        way = expert.heading(place, goal, zone, 0.05)
        way = way / np.linalg.norm(way)
        nearest = place - (place @ way) * way  # of the line along the heading
        assert np.linalg.norm(nearest) == pytest.approx(0.09, abs=1e-9)
        assert np.sign(way[0] * nearest[1] - way[1] * nearest[0]) == side


def test_undisturbed_it_succeeds_on_the_side_it_chose_and_keeps_its_margin() -> None:
    done = data.run_expert(draw_tasks("validation", 6, 0), 0)
    judged = evaluate.outcomes(done)
    assert judged["success"].all()
    # 3 cm is the least margin; half a step of the hand is between two looks at it
    assert float(judged["clearance"].min()) > 0.015
    assert set(np.unique(judged["side"])) == {-1, 1}


def test_demonstrations_are_disturbed_clean_and_whole() -> None:
    shown = data.demonstrations(6, 5)
    assert shown["episode"].values.tolist() == sorted(shown["episode"].values.tolist())
    assert shown.attrs["tried"] >= 6
    assert float(np.abs(shown["action"]).max()) <= 1.0
    for number in range(6):
        states = shown["state"].values[shown["episode"].values == number]
        times = shown["time"].values[shown["episode"].values == number]
        np.testing.assert_allclose(np.diff(times), 0.04)
        assert np.linalg.norm(states[-1, CUBE] - states[-1, GOAL]) < 0.05
        assert (np.linalg.norm(states[:, 3:5] - states[:, 13:15], axis=1) > states[:, 15]).all()
    first = data.first(shown, 2)
    np.testing.assert_array_equal(first["state"], data.demonstrations(2, 5)["state"])
