"""Training of the flow: on other stations first, then on the station's own training years. Called by the study part.

The other stations teach what daily weather is like; a few more steps on some twenty years adapt it. No step sees a
held-out year: not the network, not the scores, not the anomalies.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..generative.flow import flow_loss
from ..generative.training import Keep, Kept, Progress, device, reproducible, train
from .anomalies import Months
from .latents import Scores
from .model import WeatherNet, condition
from .sizes import Sizes

RATE = 2e-3


@dataclass
class WeatherFlow:
    """A trained generator of one station's weather.

    Attributes
    ----------
    network : WeatherNet
    mapped : Scores
        Between weather and scores, of the training years.
    months : Months
        Monthly anomalies of the training years.
    sizes : Sizes
        Sizes of the study it belongs to.
    """

    network: WeatherNet
    mapped: Scores
    months: Months
    sizes: Sizes


class Corpus:
    """Training years of some stations as tensors, with fresh scores for dry days in each of a few copies.

    Parameters
    ----------
    stations : sequence of xarray.Dataset
        Weather of training years alone.
    seed : int
        Seeds the scores of dry days.
    """

    COPIES = 4

    def __init__(self, stations: Sequence[xr.Dataset], seed: int) -> None:
        rng = np.random.default_rng([seed, 303])
        scores, conditions = [], []
        for weather in stations:
            mapped = Scores(weather)
            for _ in range(self.COPIES):
                one = mapped.forward(weather, rng)
                scores.append(one)
                conditions.append(condition(Months(weather["rain"].values, one).values, mapped))
        self.scores = torch.from_numpy(np.concatenate(scores)).to(device())  # (N, 4, 365)
        self.conditions = torch.from_numpy(np.concatenate(conditions)).to(device())

    def batch(self, count: int, window: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return windows (count, 4, window) that begin anywhere in a year, and their conditions."""
        where = self.scores.device
        year = torch.randint(len(self.scores), (count, 1), generator=generator, device=where)
        start = torch.randint(self.scores.shape[-1] - window + 1, (count, 1), generator=generator, device=where)
        days = start + torch.arange(window, device=where)
        return self.scores[year, :, days].transpose(1, 2), self.conditions[year, :, days].transpose(1, 2)


def _fit(
    network: WeatherNet, corpus: Corpus, steps: int, rate: float, sizes: Sizes, seed: int, label: str,
    progress: Progress | None, keep: Keep | None, kept: Kept | None,
) -> WeatherNet:  # fmt: skip
    def loss(generator: torch.Generator) -> Tensor:
        data, given = corpus.batch(sizes.batch, sizes.window, generator)
        return flow_loss(lambda x, t: network(x, t, given), data, generator)

    return train(network, loss, steps, seed, rate, sizes.mixed, progress, label, keep, kept, True)


def pretrain(
    others: Sequence[xr.Dataset],
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> WeatherNet:
    """Train a network on other stations.

    Parameters
    ----------
    others : sequence of xarray.Dataset
        None of them the station of the study.
    sizes : Sizes
        ``steps`` gradient steps of ``batch`` windows.
    seed : int
        The same seed gives the same weights.
    progress, keep, kept : callable, optional
        As :func:`.generative.training.train` has them.
    """
    with reproducible(seed):
        network = WeatherNet(sizes.width, sizes.dilations).to(device())
        corpus = Corpus(others, seed)
        return _fit(network, corpus, sizes.steps, RATE, sizes, seed, "other stations", progress, keep, kept)


def adapt(
    base: WeatherNet,
    weather: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
    label: str = "adapting",
) -> WeatherFlow:
    """Adapt a network to one station.

    Parameters
    ----------
    base : WeatherNet
        From :func:`pretrain`; not changed.
    weather : xarray.Dataset
        Training years of the station.
    """
    with reproducible(seed):
        network = copy.deepcopy(base).requires_grad_(True).train()
        corpus = Corpus([weather], seed)
        network = _fit(network, corpus, sizes.adapt, RATE / 2, sizes, seed, label, progress, keep, kept)
    mapped = Scores(weather)
    scores = mapped.forward(weather, np.random.default_rng([seed, 304]))
    return WeatherFlow(network, mapped, Months(weather["rain"].values, scores), sizes)
