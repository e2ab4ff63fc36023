"""A seeded training loop with an averaged copy of the weights. Called by every sector's generators and baselines."""

from __future__ import annotations

import copy
import ctypes
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

Progress = Callable[[float, float, str], None]
#: ``keep(name, state)`` keeps a state at once, and asks a callable for one when it is time to.
Keep = Callable[[str, dict[str, Any] | Callable[[], dict[str, Any]]], Any]
#: ``kept(name)`` returns the state that was kept last, or ``None``.
Kept = Callable[[str], Any]
Model = TypeVar("Model", bound=nn.Module)
# Sums depend on how many threads share them, so the number is fixed and not the machine's. Where many compute on few
# processors threads wait for each other more than they compute: a third of the work where OMP_NUM_THREADS is 1.
THREADS = 1 if os.environ.get("OMP_NUM_THREADS") == "1" else 2


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
    climate's spectral model with one thread 45 % are. Who started this process with thresholds of their own, as where
    many answer now and then and memory is short, keeps them.
    """
    chosen = os.environ.keys() & {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
    if sys.platform == "linux" and not chosen:
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
        pairs = list(zip(_tensors(self.model), _tensors(model), strict=True))
        moved = [pair for pair in pairs if pair[0].is_floating_point()]
        torch._foreach_lerp_([mine for mine, _ in moved], [theirs for _, theirs in moved], 1 - keep)  # at once on a GPU
        for mine, theirs in pairs:
            if not mine.is_floating_point():
                mine.copy_(theirs)


def _tensors(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


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
        # Where a GPU reads it from: a graph that is replayed would not see another number.
        self.rate = torch.tensor(rate, device=self.device) if self.device.type == "cuda" else rate
        # Fused: a third of the time of a step that is not the gradient's, for small networks a fifth of the whole.
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=self.rate, weight_decay=1e-4, fused=True, capturable=self.device.type == "cuda"
        )
        self.average = Average(model)

    def step(self, gradient: Callable[[], Tensor]) -> Tensor:
        """Take one step: at the rate of its place, have ``gradient`` move the weights; return its loss."""
        steps, _, rate = self.plan
        now = rate * min((self.done + 1) / max(1, steps // 20), 0.5 * (1 + math.cos(math.pi * self.done / steps)))
        if isinstance(self.rate, Tensor):
            self.rate.fill_(now)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate if isinstance(self.rate, Tensor) else now
        loss = gradient()
        self.average.update(self.model)
        self.done += 1
        return loss

    def descend(self, loss: Tensor) -> Tensor:
        """Move the weights down the gradient of ``loss``; return it."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return loss.detach()

    def state(self) -> dict[str, Any]:
        """Return everything that the next step depends on, torch's own random numbers included."""
        return {
            "plan": self.plan,
            "done": self.done,
            "averaged": self.average.steps,
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
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
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["random"][0])
        for number, drawn in enumerate(state["random"][1 : 1 + torch.cuda.device_count()]):
            torch.cuda.set_rng_state(drawn, number)
        self.average.steps, self.done = state["averaged"], state["done"]


def train(
    model: Model,
    batch_loss: Callable[..., Tensor],
    steps: int,
    seed: int,
    rate: float = 2e-3,
    mixed: bool = False,
    progress: Progress | None = None,
    label: str = "training",
    keep: Keep | None = None,
    kept: Kept | None = None,
    replayed: bool = False,
    drawn: Callable[[torch.Generator], tuple[Tensor, ...]] | None = None,
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
    replayed : bool
        Have a GPU replay one step instead of being told it anew, which takes longer than small networks do. For losses
        that the processor never looks into: no number, size or choice of theirs may depend on a tensor's values.
    drawn : callable, optional
        Given the same generator before each step, draws what ``batch_loss`` is given after it. It may look into
        tensors; a step is replayed for each combination of shapes.

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
    losses: list[Tensor] = []

    def gradient(*given: Tensor) -> Tensor:
        with torch.autocast(training.device.type, torch.bfloat16, enabled=mixed):
            loss = batch_loss(training.generator, *given)
        if training.device.type == "cpu":
            _check([loss.detach()], training.done + 1, label)
        return training.descend(loss)

    def told() -> bool:
        return training.done % max(1, steps // 50) == 0 or training.done == steps

    go = _Replay(training, gradient) if replayed and training.device.type == "cuda" else gradient
    while training.done < steps:
        losses.append(training.step(partial(go, *(drawn(training.generator) if drawn else ()))))
        if told():
            _check(losses, training.done, label)  # now and then: to look at each loss would have a GPU wait
            losses.clear()
            if progress:
                progress(training.done, steps, label)
            if keep:
                keep(label, training.state if training.done < steps else training.state())
    return training.average.model


class _Replay:
    """Steps that a GPU is told once and then replays (CUDA graphs), after some that it is told as usual."""

    FIRST = 3  # steps in which libraries and optimiser make what they need once

    def __init__(self, training: Training[Any], gradient: Callable[..., Tensor]) -> None:
        self.training, self.gradient, self.taken = training, gradient, 0
        self.graphs: dict[tuple[torch.Size, ...], tuple[torch.cuda.CUDAGraph, tuple[Tensor, ...], Tensor]] = {}
        self.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def __call__(self, *given: Tensor) -> Tensor:
        """Move the weights; return the loss."""
        self.taken += 1
        if self.taken <= self.FIRST:
            return self._aside(given)
        shapes = tuple(x.shape for x in given)
        if shapes not in self.graphs:
            self.graphs[shapes] = self._captured(tuple(x.clone() for x in given))
        graph, inputs, loss = self.graphs[shapes]
        for mine, theirs in zip(inputs, given, strict=True):
            mine.copy_(theirs)
        graph.replay()
        return loss.clone()

    def _aside(self, given: tuple[Tensor, ...]) -> Tensor:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            loss = self.gradient(*given)
        torch.cuda.current_stream().wait_stream(self.stream)
        return loss

    def _captured(self, inputs: tuple[Tensor, ...]) -> tuple[torch.cuda.CUDAGraph, tuple[Tensor, ...], Tensor]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.training.generator)
        self.training.optimiser.zero_grad(set_to_none=True)  # so that the graph has gradients of its own
        with torch.cuda.graph(graph, stream=self.stream):
            loss = self.gradient(*inputs)
        return graph, inputs, loss


def _check(losses: list[Tensor], step: int, label: str) -> None:
    """Raise if one of the last losses is not finite; the last of them is that of ``step``."""
    finite = torch.isfinite(torch.stack(losses)).tolist()
    if not all(finite):
        first = step - len(finite) + 1 + finite.index(False)
        raise FloatingPointError(f"{label}: the loss is not finite at step {first}; lower the rate or check the data")
