"""A seeded training loop with an averaged copy of the weights. Called by every sector's generators and baselines."""

from __future__ import annotations

import copy
import ctypes
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

Progress = Callable[[float, float, str], None]
#: ``keep(name, state)`` keeps a state at once, and asks a callable for one when it is time to.
Keep = Callable[[str, dict[str, Any] | Callable[[], dict[str, Any]]], Any]
#: ``kept(name)`` returns the state that was kept last, or ``None``.
Kept = Callable[[str], Any]
Model = TypeVar("Model", bound=nn.Module)
THREADS = 2  # sums depend on how many threads share them, so the number is fixed and not the machine's


def device() -> torch.device:
    """Return the accelerator where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def channels_last(model: Model) -> Model:
    """Return ``model`` with its convolutions in the layout that is faster on processors.

    On a GPU group normalisation copies between layouts: a step of the generator took 134 instead of 102 ms on an H100.
    """
    if next(model.parameters()).is_cuda:
        return model
    moved: Model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


@cache
def keep_freed_memory() -> None:
    """Tell glibc to reuse freed blocks, not to return them: each step faults its activations in again otherwise.

    Measured with a small U-Net: 11,000 page faults a step become 300, and a third of the time is saved; of a step of
    climate's spectral model with one thread 45 % are.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Make torch give the same bits for the same seed on one machine, and put its settings back afterwards.

    On a GPU, operations without a deterministic form only warn: there the same seed gives nearly the same result.
    """
    keep_freed_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS refuses to be deterministic
    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic  # whose attribute is made at run time
    filled = memory.fill_uninitialized_memory
    # It writes all new memory twice, to find programs that read what they never wrote: a fifth of a step of climate's.
    memory.fill_uninitialized_memory = False
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            memory.fill_uninitialized_memory = filled
            torch.set_num_threads(before)


class Average(Generic[Model]):
    """Exponential moving average of a model's weights, which samples better than the last weights do.

    Parameters
    ----------
    model : nn.Module
        The model in training.
    decay : float
        Share of the old average kept at each step; the first steps keep less, so that a short training counts too.
    """

    def __init__(self, model: Model, decay: float = 0.99) -> None:
        self.model: Model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def update(self, model: Model) -> None:
        """Move the average towards ``model``."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mine, theirs in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - keep)
            else:
                mine.copy_(theirs)


class Training(Generic[Model]):
    """All that one training is made of, so that it can be kept and taken up again with the same result.

    Parameters
    ----------
    model : nn.Module
        On its device; changed in place.
    steps, seed, rate
        As :func:`train` has them.
    """

    def __init__(self, model: Model, steps: int, seed: int, rate: float) -> None:
        self.model, self.done, self.plan = model, 0, [steps, seed, rate]
        self.device = next(model.parameters()).device
        self.generator = torch.Generator(self.device).manual_seed(seed)
        # Fused: a third of the time of a step that is not the gradient's, for small networks a fifth of the whole.
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-4, fused=True)
        warmup = max(1, steps // 20)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda i: min((i + 1) / warmup, 0.5 * (1 + math.cos(math.pi * i / max(steps, 1))))
        )
        self.average = Average(model)

    def step(self, loss: Tensor) -> None:
        """Take one step down the gradient of ``loss``."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.average.update(self.model)
        self.done += 1

    def state(self) -> dict[str, Any]:
        """Return everything that the next step depends on, torch's own random numbers included."""
        return {
            "plan": self.plan,
            "done": self.done,
            "averaged": self.average.steps,
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "random": [torch.get_rng_state(), *torch.cuda.get_rng_state_all()],
        }

    def take_up(self, state: dict[str, Any] | None) -> None:
        """Go on where ``state`` was returned; that of another training, or none, changes nothing."""
        if not state or state["plan"] != self.plan:
            return
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["random"][0])
        for number, drawn in enumerate(state["random"][1 : 1 + torch.cuda.device_count()]):
            torch.cuda.set_rng_state(drawn, number)
        self.average.steps, self.done = state["averaged"], state["done"]


def train(
    model: Model,
    batch_loss: Callable[[torch.Generator], Tensor],
    steps: int,
    seed: int,
    rate: float = 2e-3,
    mixed: bool = False,
    progress: Progress | None = None,
    label: str = "training",
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> Model:
    """Train ``model`` and return the average of its weights.

    Parameters
    ----------
    model : nn.Module
        On its device; changed in place.
    batch_loss : callable
        Given a seeded generator on the model's device, draws a batch and returns its scalar loss.
    steps : int
        Gradient steps: AdamW, a warm-up over the first twentieth, then a cosine to zero.
    seed : int
        Seeds the generator handed to ``batch_loss``.
    rate : float
        Highest learning rate.
    mixed : bool
        Compute in bfloat16 where that saves time (GPU).
    progress : callable, optional
        Called with (steps done, steps, label) about fifty times.
    keep, kept : callable, optional
        Keep the training under ``label``, as often as progress is told and at the end, and return what was kept: a
        training that broke off goes on from there, with the same weights in the end as one that did not.

    Returns
    -------
    nn.Module
        The averaged copy, in evaluation mode.

    Raises
    ------
    FloatingPointError
        If the loss is not finite; the message gives the step.
    """
    keep_freed_memory()
    training = Training(model, steps, seed, rate)
    training.take_up(kept(label) if kept else None)
    while training.done < steps:
        with torch.autocast(training.device.type, torch.bfloat16, enabled=mixed):
            loss = batch_loss(training.generator)
        _check(loss, training.done + 1, label)
        training.step(loss)
        if training.done % max(1, steps // 50) == 0 or training.done == steps:
            if progress:
                progress(training.done, steps, label)
            if keep:
                keep(label, training.state if training.done < steps else training.state())
    return training.average.model


def _check(loss: Tensor, step: int, label: str) -> None:
    if not math.isfinite(float(loss.detach())):
        raise FloatingPointError(f"{label}: the loss is not finite at step {step}; lower the rate or check the data")
