"""Inputs that do not know where they are, and learners on a fork whose answer is known."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr
from torch.distributions import Independent, MixtureSameFamily, Normal
from torch.distributions.categorical import Categorical

from genai4eu.usecases.robot_manipulation import baseline, model, rollout
from genai4eu.usecases.robot_manipulation.features import Frame, heading, prepare, relative, turn, windows
from genai4eu.usecases.robot_manipulation.sizes import Sizes

FORK = Sizes(steps=400, batch=64, width=48, depth=1, horizon=2, execute=2, sampling=10)


def _moved(states: np.ndarray, angle: float, shift: np.ndarray) -> np.ndarray:
    """Turn and shift a whole scene."""
    moved = states.copy()
    vectors = ((slice(0, 3), 1), (slice(3, 6), 1), (slice(7, 10), 0), (slice(10, 13), 1), (slice(13, 15), 1))
    for part, is_place in vectors:
        moved[..., part] = turn(states[..., part], np.full(states.shape[:-1], angle))
        moved[..., part.start : part.start + 2] += is_place * shift
    return moved


@pytest.mark.slow
def test_inputs_are_the_same_wherever_the_scene_stands_and_points(robot: SimpleNamespace) -> None:
    states = robot.shown["state"].values[:40]
    for angle in (0.4, 2.5):
        np.testing.assert_allclose(relative(_moved(states, angle, np.array([0.3, -0.2]))), relative(states), atol=1e-12)
    assert np.abs(relative(states + 0.01 * np.eye(16)[3]) - relative(states)).max() > 0.005  # but not blind


def test_targets_turn_back_into_the_actions(robot: SimpleNamespace) -> None:
    frame, inputs, targets = prepare(robot.shown, 8)
    history, chunks = windows(robot.shown, 8)
    np.testing.assert_allclose(frame.actions(history, targets.astype(np.float64)), chunks, atol=1e-6)
    np.testing.assert_allclose(inputs.mean(0), 0, atol=1e-3)
    assert np.ptp(heading(history[:, -1])) > 1  # the frames really are turned


def test_windows_do_not_look_into_other_episodes() -> None:
    shown = xr.Dataset(
        {
            "state": (("frame", "feature"), np.arange(7.0)[:, None]),
            "action": (("frame", "axis"), np.arange(7.0)[:, None]),
        },
        coords={"episode": ("frame", [0, 0, 0, 1, 1, 1, 1])},
    )
    histories, chunks = windows(shown, 3)
    assert histories[:, 0, 0].tolist() == [0, 0, 1, 3, 3, 4, 5]
    assert chunks[..., 0].tolist() == [[0, 1, 2], [1, 2, 2], [2, 2, 2], [3, 4, 5], [4, 5, 6], [5, 6, 6], [6, 6, 6]]


@pytest.fixture(scope="module")
def fork() -> xr.Dataset:
    """A state that tells nothing, and actions that are -1 or 1 for a whole episode."""
    rng = np.random.default_rng(0)
    side = np.repeat(rng.choice([-1.0, 1.0], 60), 4)
    return xr.Dataset(
        {
            "state": (("frame", "feature"), 0.1 * rng.standard_normal((240, 2))),
            "action": (("frame", "axis"), side[:, None]),
        },
        coords={"episode": ("frame", np.repeat(np.arange(60), 4)), "feature": ["a", "b"]},
    )


def _answers(trained: rollout.Policy) -> np.ndarray:
    return trained.plan(np.zeros((400, 2, 2)), np.random.default_rng(1))[..., 0]


@pytest.mark.parametrize("train", [model.train_policy, baseline.train_mixture])
def test_who_draws_goes_one_way_or_the_other_for_a_whole_plan(train: object, fork: xr.Dataset) -> None:
    drawn = _answers(train(fork, FORK, 0))  # type: ignore[operator]
    assert (np.abs(drawn) > 0.7).mean() > 0.9
    assert 0.3 < (drawn[:, 0] > 0).mean() < 0.7
    assert (np.sign(drawn[:, 0]) == np.sign(drawn[:, 1])).mean() > 0.97


def test_who_averages_goes_through_the_middle(fork: xr.Dataset) -> None:
    assert np.abs(_answers(baseline.train_perceptron(fork, FORK, 0))).max() < 0.5
    assert np.abs(_answers(baseline.train_neighbours(fork, FORK, 200))).max() < 0.3
    assert np.abs(_answers(baseline.train_neighbours(fork, FORK))).min() == 1.0


def test_the_mixture_has_the_likelihood_that_torch_computes() -> None:
    torch.manual_seed(0)
    network, seen, target = baseline.Mixture(3, 2, 8, 1), torch.randn(5, 2), torch.randn(5, 3)
    weights, mean, spread = network(seen)
    same = MixtureSameFamily(Categorical(logits=weights), Independent(Normal(mean, spread), 1))
    density = same.log_prob(target).mean()  # type: ignore[no-untyped-call]
    expected = -density / 3 - 0.5 * np.log(2 * np.pi)
    assert float(network.loss(seen, target).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_actions_stay_within_what_was_shown() -> None:
    frame = Frame(np.zeros(4), np.ones(4), np.array([-2.0, 0.0]), np.array([2.0, 1.0]), task=False)
    out = frame.actions(np.zeros((1, 2, 2)), np.array([[9.0, -9.0, 0.0, 0.0]]))
    np.testing.assert_allclose(out, [[[2.0, 0.0], [0.0, 0.5]]])


def test_noise_is_told_and_not_true(robot: SimpleNamespace) -> None:
    seen: list[np.ndarray] = []

    class Still:
        execute, draws = 25, False

        def plan(self, history: np.ndarray, generator: np.random.Generator) -> np.ndarray:
            seen.append(history)
            return np.zeros((len(history), 25, 4))

    quiet = rollout.run_policy(Still(), robot.tasks[:2], 0)
    noisy = rollout.run_policy(Still(), robot.tasks[:2], 0, noise=0.02)
    np.testing.assert_array_equal(quiet["state"], noisy["state"])
    assert quiet.sizes["time"] == rollout.LIMIT + 1
    told = [h[:, -1, 3:6] - noisy["state"].values[:, t, 3:6] for h, t in zip(seen[2:], (0, 25), strict=True)]
    assert 0.005 < np.std(told) < 0.04
    np.testing.assert_array_equal(seen[0][:, :, 3:6], quiet["state"].values[:, [0, 0], 3:6])


def test_fewer_actions_a_decision_are_more_decisions(robot: SimpleNamespace) -> None:
    counted = []

    class Counts:
        execute, draws = 7, False

        def plan(self, history: np.ndarray, generator: np.random.Generator) -> np.ndarray:
            counted.append(len(history))
            return np.zeros((len(history), 8, 4))

    done = rollout.run_policy(Counts(), robot.tasks[:1], 0)
    assert len(counted) == -(-rollout.LIMIT // 7)
    assert done.sizes["step"] == rollout.LIMIT


def test_a_training_that_broke_off_goes_on_with_the_same_result(robot: SimpleNamespace) -> None:
    states: list[dict[str, object]] = []

    def keep(name: str, state: object) -> None:
        states.append(copy.deepcopy(state() if callable(state) else state))  # type: ignore[arg-type]

    whole = model.train_policy(robot.shown, robot.sizes, 0, keep=keep)
    rest = model.train_policy(robot.shown, robot.sizes, 0, kept=lambda name: states[len(states) // 2])
    for one, other in zip(whole.network.state_dict().values(), rest.network.state_dict().values(), strict=True):
        assert torch.equal(one, other)
