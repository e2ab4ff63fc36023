"""What a user of the stock tools would write to train and to sample: the references of ``usecases.py``.

- :func:`plain_loop`: PyTorch's own parts as the recipes of Diffusion Policy, CorrDiff and FlowMM put them together: a
  ``DataLoader``, AdamW, clipped gradients, a cosine schedule, ``AveragedModel`` with an exponential average.
- :func:`monai_trainer`, :func:`monai_sampler`: MONAI's ``SupervisedTrainer`` and ``DiffusionInferer``.
- :func:`diffusers_walk`: the flow-matching scheduler of diffusers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

from genai4eu.usecases.generative.training import device


def stock(name: str) -> Any:
    """Import a part of a stock tool, which the project itself need not have."""
    try:
        return import_module(name)
    except ImportError as error:
        raise SystemExit(f"{error}: .venv/bin/pip install diffusers pytorch-ignite") from None


def batches(tensors: Sequence[Tensor], size: int) -> Iterator[list[Tensor]]:
    """Return shuffled batches of a dataset in memory, one epoch after the other."""
    loader = DataLoader(TensorDataset(*tensors), batch_size=size, shuffle=True, drop_last=True)
    while True:
        yield from loader


def plain_loop(
    network: nn.Module, data: Iterable[Sequence[Tensor]], loss: Callable[..., Tensor], steps: int
) -> list[float]:
    """Train ``network`` on the batches of ``data``, by ``loss(*batch)``."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99))  # type: ignore[no-untyped-call]
    seconds, began = [], time.perf_counter()
    for _, batch in zip(range(steps), data, strict=False):
        optimiser.zero_grad()
        loss(*batch).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update_parameters(network)
        now = time.perf_counter()
        seconds.append(now - began)
        began = now
    return seconds


def straight_loss(velocity: Callable[..., Tensor], data: Tensor, *given: Tensor) -> Tensor:
    """Return the flow-matching loss of one batch, as the papers write it."""
    noise, t = torch.randn_like(data), torch.rand(len(data), device=data.device)
    shaped = t.view(-1, *[1] * (data.ndim - 1))
    path = (1 - shaped) * noise + shaped * data
    return nn.functional.mse_loss(velocity(path, t, *given), data - noise)


def monai_trainer(network: nn.Module, cases: list[dict[str, Tensor]], size: int, steps: int) -> list[float]:
    """Train a conditioned diffusion network with MONAI's engine, moving image and condition as MONAI does.

    ``cases`` hold ``image`` (1, y, x) and ``condition`` (channel, y, x).
    """
    events = stock("ignite.engine").Events
    engines, schedulers = stock("monai.engines"), stock("monai.networks.schedulers")
    data, monai = stock("monai.data"), stock("monai.transforms")
    both = ["image", "condition"]
    affine = monai.RandAffined(both, prob=1.0, rotate_range=0.26, scale_range=0.15, padding_mode="border")
    moved = monai.Compose([monai.RandFlipd(both, prob=0.5, spatial_axis=1), affine])
    many = (cases * (steps * size // len(cases) + 1))[: steps * size]
    inferer = stock("monai.inferers").DiffusionInferer(schedulers.DDPMScheduler(num_train_timesteps=1000))

    def infer(inputs: Tensor, model: nn.Module, **given: Any) -> Tensor:  # the engine does not know of "concat"
        drawn: Tensor = inferer(inputs, model, given["noise"], given["timesteps"], given["condition"], "concat")
        return drawn

    trainer = engines.SupervisedTrainer(
        device=next(network.parameters()).device, max_epochs=1,
        train_data_loader=data.DataLoader(data.Dataset(many, moved), batch_size=size, shuffle=True), network=network,
        optimizer=torch.optim.AdamW(network.parameters(), lr=1e-3), loss_function=nn.MSELoss(), inferer=infer,
        prepare_batch=stock("monai.engines.utils").DiffusionPrepareBatch(1000, "condition"),
    )  # fmt: skip
    stamps: list[float] = []
    trainer.add_event_handler(events.ITERATION_COMPLETED, lambda: stamps.append(time.perf_counter()))
    trainer.run()
    return [later - sooner for sooner, later in pairwise(stamps)]


def monai_sampler(network: nn.Module, given: Tensor, steps: int, rounds: int) -> list[float]:
    """Draw images (B, 1, y, x) beside ``given`` (B, channel, y, x) with MONAI's rectified flow."""
    scheduler = stock("monai.networks.schedulers").RFlowScheduler(num_train_timesteps=1000)
    inferer, seconds = stock("monai.inferers").DiffusionInferer(scheduler), []
    for _ in range(rounds):
        began = time.perf_counter()
        scheduler.set_timesteps(steps)
        inferer.sample(
            torch.randn_like(given[:, :1]), network, scheduler, conditioning=given, mode="concat", verbose=False
        )
        seconds.append(time.perf_counter() - began)
    return seconds


@torch.no_grad()
def diffusers_walk(velocity: Callable[[Tensor, Tensor], Tensor], shape: Sequence[int], calls: int) -> Tensor:
    """Draw a sample of ``shape`` with so many calls of ``velocity(x, t)`` by the scheduler of diffusers."""
    scheduler = stock("diffusers").FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(calls, device())
    x = torch.randn(*shape, device=device())
    for t in scheduler.timesteps:
        x = scheduler.step(velocity(x, t.expand(len(x)) / 1000), t, x).prev_sample
    return x
