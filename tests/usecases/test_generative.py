"""The flow-matching core, on a distribution whose answer is known."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from functools import partial
from typing import Any, cast

import psutil
import pytest
import torch
from torch import Tensor, nn

from genai4eu.usecases.generative.flow import flow_loss, sample
from genai4eu.usecases.generative.training import THREADS, Average, Training, reproducible, train
from genai4eu.usecases.generative.workers import processes


class Line(nn.Module):
    """A velocity field on the line."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        out: Tensor = self.layers(torch.cat([x, t[:, None]], 1))
        return out


def _data(generator: torch.Generator) -> Tensor:
    return 3 + 0.5 * torch.randn((128, 1), generator=generator, device=generator.device)


def _fit(seed: int, steps: int = 300, replayed: bool = False, aside: bool = False, where: str = "cpu") -> Line:
    """Fit the line; ``aside`` draws its batches before each step, else its loss does."""

    def loss(generator: torch.Generator, *given: Tensor) -> Tensor:
        return flow_loss(model, given[0] if aside else _data(generator), generator)

    with reproducible(seed):
        model = Line().to(where)
        drawn = (lambda g: (_data(g),)) if aside else None
        return train(model, loss, steps, seed, rate=1e-2, replayed=replayed, drawn=drawn)


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


@pytest.mark.parametrize(("replayed", "aside"), [(True, False), (False, True), (True, True)])
def test_a_processor_replays_nothing_and_draws_aside_what_it_would_draw_anyway(replayed: bool, aside: bool) -> None:
    told, otherwise = _fit(3, 12).state_dict(), _fit(3, 12, replayed, aside).state_dict()
    assert all(torch.equal(told[name], otherwise[name]) for name in told)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("aside", [False, True])
def test_a_gpu_replays_the_steps_that_it_would_be_told(aside: bool) -> None:
    told, replayed = (_fit(3, 60, r, aside, "cuda").state_dict() for r in (False, True))
    for name in told:
        torch.testing.assert_close(told[name], replayed[name], rtol=1e-3, atol=1e-4)


def test_the_rate_warms_up_and_falls_as_a_cosine() -> None:
    model, seen = Line(), []
    training = Training(model, 40, 0, 1e-2)

    def gradient() -> Tensor:
        seen.append(training.optimiser.param_groups[0]["lr"])
        return training.descend(model(torch.ones(2, 1), torch.ones(2)).square().mean())

    while training.done < 40:
        training.step(gradient)
    assert seen[:2] == pytest.approx([5e-3, 1e-2 * 0.998459], rel=1e-5)
    assert seen[20] == pytest.approx(5e-3)
    assert seen[1:] == sorted(seen[1:], reverse=True) and 0 < seen[-1] < 2e-5


def test_workers_do_it_elsewhere_in_order_and_are_made_ready() -> None:
    with processes(2, partial(torch.set_num_threads, THREADS + 1)) as pool:
        assert list(pool.map(abs, range(-8, 0))) == list(range(8, 0, -1))
        where, threads = pool.submit(os.getpid).result(), pool.submit(torch.get_num_threads).result()
    assert where != os.getpid() and threads == THREADS + 1 != torch.get_num_threads()


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_fails_in_a_worker_says_so_and_leaves_no_worker() -> None:
    before = psutil.Process().children(recursive=True)
    with pytest.raises(ValueError, match="math domain error"), processes(2) as pool:
        list(pool.map(math.sqrt, [1.0, -1.0, *[2.0] * 3000]))
    begun = [p for p in psutil.Process().children(recursive=True) if p not in before]
    assert not [p for p in begun if "popen_loky" in " ".join(p.cmdline())]


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
    drawn = iter([1.0, 1.0, float("nan")])
    with pytest.raises(FloatingPointError, match="not finite at step 3"):
        train(
            model,
            lambda g, x: model(torch.ones(1, 1), x).square().sum(),
            9,
            0,
            drawn=lambda g: (torch.full((1,), next(drawn)),),
        )


def test_average_lags_behind_and_progress_ends_at_the_total() -> None:
    model, seen = Line(), []
    average = Average(model, decay=0.9)
    weight, averaged = next(model.parameters()), next(average.model.parameters())
    with torch.no_grad():
        weight.add_(1.0)
    average.update(model)
    gap = weight - averaged
    assert torch.all(gap > 0) and torch.all(gap < 1)
    counting = nn.BatchNorm1d(2)
    mean = Average(counting)
    counting(torch.randn(3, 2))
    mean.update(counting)
    assert mean.model.num_batches_tracked == 1, "what is no number to average is copied"
    assert mean.model.running_mean is not None and mean.model.running_mean.abs().sum() > 0
    train(
        model,
        lambda g: model(torch.ones(2, 1), torch.ones(2)).square().mean(),
        7,
        0,
        progress=lambda *a: seen.append(a),
    )
    assert seen[-1] == (7, 7, "training")


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "threads"), [({}, 2), ({"OMP_NUM_THREADS": "1"}, 1), ({"OMP_NUM_THREADS": "8"}, 2)])
def test_one_thread_where_one_is_asked_for(asked: dict[str, str], threads: int) -> None:
    code = "from genai4eu.usecases.generative.training import THREADS\nprint(THREADS)"
    env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"} | asked
    done = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) == threads
