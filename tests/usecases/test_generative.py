"""The flow-matching core, on a distribution whose answer is known."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from genai4eu.usecases.generative.flow import flow_loss, sample
from genai4eu.usecases.generative.training import THREADS, Average, reproducible, train


class Line(nn.Module):
    """A velocity field on the line."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        out: Tensor = self.layers(torch.cat([x, t[:, None]], 1))
        return out


def _fit(seed: int, steps: int = 300) -> Line:
    def loss(generator: torch.Generator) -> Tensor:
        data = 3 + 0.5 * torch.randn((128, 1), generator=generator)
        return flow_loss(model, data, generator)

    with reproducible(seed):
        model = Line()
        return train(model, loss, steps, seed, rate=1e-2)


def test_threads_are_fixed_and_memory_is_not_filled_meanwhile() -> None:
    before, memory = torch.get_num_threads(), cast(Any, torch.utils.deterministic)
    try:
        torch.set_num_threads(THREADS + 1)
        with reproducible(0):
            assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (THREADS, True)
            assert not memory.fill_uninitialized_memory
        assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (THREADS + 1, False)
        assert memory.fill_uninitialized_memory
    finally:
        torch.set_num_threads(before)


def test_the_flow_learns_a_gaussian() -> None:
    noise = torch.randn((4000, 1), generator=torch.Generator().manual_seed(1))
    model = _fit(0)
    for method, steps in (("euler", 40), ("heun", 20)):
        drawn = sample(model, noise, steps, method)
        assert float(drawn.mean()) == pytest.approx(3.0, abs=0.15)
        assert float(drawn.std()) == pytest.approx(0.5, abs=0.15)


def test_the_same_seed_gives_the_same_bits() -> None:
    one, again, other = (_fit(seed, 20).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_settings_are_put_back() -> None:
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    with reproducible(3):
        torch.rand(5)
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_heun_follows_a_curve_better_than_euler() -> None:
    exact = torch.exp(torch.ones(1, 1))
    errors = [abs(float(sample(lambda x, t: x, torch.ones(1, 1), 10, m) - exact)) for m in ("euler", "heun")]
    assert errors[1] < errors[0] / 10


def test_impossible_walks_and_broken_losses_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 step of 'euler' or 'heun'"):
        sample(lambda x, t: x, torch.ones(1, 1), 0)
    model = Line()
    with pytest.raises(FloatingPointError, match="not finite at step 1"):
        train(model, lambda g: model(torch.ones(1, 1), torch.ones(1)).sum() * float("nan"), 2, 0)


def test_average_lags_behind_and_progress_ends_at_the_total() -> None:
    model, seen = Line(), []
    average = Average(model, decay=0.9)
    weight, averaged = next(model.parameters()), next(average.model.parameters())
    with torch.no_grad():
        weight.add_(1.0)
    average.update(model)
    gap = weight - averaged
    assert torch.all(gap > 0) and torch.all(gap < 1)
    train(
        model,
        lambda g: model(torch.ones(2, 1), torch.ones(2)).square().mean(),
        7,
        0,
        progress=lambda *a: seen.append(a),
    )
    assert seen[-1] == (7, 7, "training")
