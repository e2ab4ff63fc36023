"""Behaviour cloning without a generative flow: what the policy is compared with. Called by the study part.

All see the same inputs and answer the same chunks. Networks take the same number of gradient steps of the same batch.

* nearest neighbour, scikit-learn: does what was shown in the most similar state (VINN's rule, Pari et al. 2021)
* perceptron, scikit-learn: least squares, which answers the mean of what was shown
* mixture: a network with a Gaussian mixture as its answer, robomimic's BC-GMM (Mandlekar et al. 2021, arXiv:2108.03298)
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from ..generative.training import Keep, Kept, Progress, device, reproducible, train
from .features import Frame, prepare
from .sizes import Sizes

Array = NDArray[np.float64]
MODES = 5  # robomimic's number
NARROW = 1e-2  # least standard deviation of a component; without it the likelihood has no bound


@dataclass
class Regression:
    """A policy that always answers the same in the same state.

    Attributes
    ----------
    model : scikit-learn regressor
        Trained.
    frame : Frame
        Makes its inputs, and actions of its answers.
    execute : int
        Actions carried out before the next decision.
    """

    model: KNeighborsRegressor | MLPRegressor
    frame: Frame
    execute: int
    draws = False

    def plan(self, history: Array, generator: np.random.Generator) -> Array:
        """Return the chunk of actions (n, horizon, 4) for the last states (n, 2, 16); draws nothing."""
        return self.frame.actions(history, self.model.predict(self.frame.inputs(history)))


def train_neighbours(shown: xr.Dataset, sizes: Sizes, count: int = 1) -> Regression:
    """Keep the demonstrations and answer the mean chunk of the ``count`` nearest states."""
    frame, seen, target = prepare(shown, sizes.horizon)
    return Regression(KNeighborsRegressor(n_neighbors=count).fit(seen, target), frame, sizes.execute)


def train_perceptron(shown: xr.Dataset, sizes: Sizes, seed: int, progress: Progress | None = None) -> Regression:
    """Fit a perceptron by least squares, in about as many gradient steps as the flow."""
    frame, seen, target = prepare(shown, sizes.horizon)
    passes = max(1, round(sizes.steps * sizes.batch / len(seen)))
    model = MLPRegressor(
        hidden_layer_sizes=(sizes.width,) * (sizes.depth + 1), batch_size=min(sizes.batch, len(seen)), max_iter=passes,
        n_iter_no_change=passes, random_state=seed,
    )  # fmt: skip
    # the number of steps is the budget, and meant; sums depend on how many threads share them
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        if progress:
            progress(0, 1, "training the perceptron")
        model.fit(seen, target)
        if progress:
            progress(1, 1, "training the perceptron")
    return Regression(model, frame, sizes.execute)


class Mixture(nn.Module):
    """A Gaussian mixture over chunks, given inputs.

    Parameters
    ----------
    chunk, inputs, width, depth : int
        As :class:`.model.Velocity` has them.
    """

    def __init__(self, chunk: int, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.chunk = chunk
        layers: list[nn.Module] = [nn.Linear(inputs, width), nn.SiLU()]
        for _ in range(depth):
            layers += [nn.Linear(width, width), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, MODES * (2 * chunk + 1))

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights (B, M), means (B, M, chunk) and standard deviations (B, M, chunk)."""
        weights, rest = self.head(self.body(seen)).split([MODES, 2 * MODES * self.chunk], -1)
        mean, spread = rest.view(len(seen), MODES, 2, self.chunk).unbind(2)
        return weights.log_softmax(-1), mean, nn.functional.softplus(spread) + NARROW

    def loss(self, seen: Tensor, target: Tensor) -> Tensor:
        """Return the mean negative log likelihood of chunks (B, chunk) per number, but for its constant."""
        weights, mean, spread = self(seen)
        off = (target[:, None] - mean) / spread
        within = -(0.5 * off**2 + spread.log()).sum(-1)
        return -torch.logsumexp(weights + within, -1).mean() / self.chunk


@dataclass
class MixturePolicy:
    """A trained mixture, ready for :func:`.rollout.run_policy`."""

    network: Mixture
    frame: Frame
    execute: int
    draws = True

    @torch.no_grad()
    def plan(self, history: Array, generator: np.random.Generator) -> Array:
        """Draw a component for each state and return its mean chunk (n, horizon, 4), as robomimic does to test."""
        where = next(self.network.parameters()).device
        weights, mean, _ = self.network(torch.from_numpy(self.frame.inputs(history)).to(where))
        shares = weights.exp().double().cpu().numpy()
        picked = (shares.cumsum(1) < generator.random((len(history), 1))).sum(1).clip(max=MODES - 1)
        chunk = mean.double().cpu().numpy()[np.arange(len(history)), picked]
        return self.frame.actions(history, chunk)


def train_mixture(
    shown: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> MixturePolicy:
    """Train the mixture by maximum likelihood, with the same optimiser, steps and batch as the flow."""
    where = device()
    frame, inputs, targets = prepare(shown, sizes.horizon)
    seen, target = torch.from_numpy(inputs).to(where), torch.from_numpy(targets).to(where)
    with reproducible(seed):
        network = Mixture(target.shape[1], seen.shape[1], sizes.width, sizes.depth).to(where)

        def loss(generator: torch.Generator) -> Tensor:
            picked = torch.randint(len(target), (sizes.batch,), generator=generator, device=where)
            return network.loss(seen[picked], target[picked])

        label = "training the mixture"
        trained = train(network, loss, sizes.steps, seed, 1e-3, False, progress, label, keep, kept, True)
    return MixturePolicy(trained, frame, sizes.execute)
