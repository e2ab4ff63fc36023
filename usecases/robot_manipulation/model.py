"""The flow-matching policy: chunks of actions drawn given the last states. Called by the study part.

Diffusion Policy (Chi et al. 2023, arXiv:2303.04137) with a flow in place of the diffusion: a network learns the
velocity from noise to the chunk of actions that was shown, so that at a fork it draws one way or the other, and not the
mean of both. It sees two states, plans ``horizon`` actions and carries out ``execute`` of them. For states in
place of pictures a residual network of dense layers does (as in D3IL, Jia et al. 2024, arXiv:2402.14606).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..generative.flow import flow_loss, sample
from ..generative.training import Keep, Kept, Progress, device, reproducible, train
from .features import Frame, prepare
from .sizes import Sizes

Array = NDArray[np.float64]
_NUMBERS = ("mean", "spread", "low", "high")


class PolicyError(ValueError):
    """A stored policy that cannot be read; the message names the file and the remedy."""


class Velocity(nn.Module):
    """Velocity of a chunk given time and inputs.

    Parameters
    ----------
    chunk, inputs : int
        Numbers in a chunk and in an input.
    width, depth : int
        Size of the residual blocks and how many there are.
    """

    def __init__(self, chunk: int, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.shape = {"chunk": chunk, "inputs": inputs, "width": width, "depth": depth}
        self.time = nn.Sequential(nn.Linear(32, width), nn.SiLU(), nn.Linear(width, width))
        self.seen = nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width))
        self.enter = nn.Linear(chunk, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, chunk))

    def forward(self, x: Tensor, t: Tensor, seen: Tensor) -> Tensor:
        """Return the velocity (B, chunk) at ``x`` (B, chunk) and ``t`` (B,), given inputs (B, inputs)."""
        condition = self.time(_waves(t)) + self.seen(seen)
        h = self.enter(x)
        for block in self.blocks:
            h = block(h, condition)
        out: Tensor = self.leave(h)
        return out


class Block(nn.Module):
    """A residual block to whose normalised input the condition is added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.told = nn.Linear(width, width)
        self.layers = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        """Return ``h`` (B, width), changed."""
        out: Tensor = h + self.layers(self.norm(h) + self.told(condition))
        return out


def _waves(t: Tensor) -> Tensor:
    """Return 32 sines and cosines of times (B,) in 0..1."""
    rates = torch.exp(torch.linspace(0, math.log(100), 16, device=t.device))
    angles = t[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)


@dataclass
class FlowPolicy:
    """A trained policy, ready for :func:`.rollout.run_policy`.

    Attributes
    ----------
    network : Velocity
        Trained.
    frame : Frame
        Makes its inputs, and actions of what it draws.
    execute, sampling : int
        See :class:`.sizes.Sizes`; may be changed afterwards.
    """

    network: Velocity
    frame: Frame
    execute: int
    sampling: int
    draws = True

    def plan(self, history: Array, generator: np.random.Generator) -> Array:
        """Draw a chunk of actions (n, horizon, 4) for the last states (n, 2, 16)."""
        where = next(self.network.parameters()).device
        seen = torch.from_numpy(self.frame.inputs(history)).to(where)
        drawn = generator.standard_normal((len(history), self.network.shape["chunk"]), dtype=np.float32)
        noise = torch.from_numpy(drawn).to(where)
        chunk = sample(lambda x, t: self.network(x, t, seen), noise, self.sampling)
        return self.frame.actions(history, chunk.cpu().numpy())


def train_policy(
    shown: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    label: str = "training the flow policy",
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> FlowPolicy:
    """Train the flow policy on demonstrations.

    Parameters
    ----------
    shown : xarray.Dataset
        From :func:`.data.demonstrations`.
    sizes : Sizes
        ``steps`` gradient steps of ``batch`` chunks.
    seed : int
        The same seed gives the same weights.
    progress : callable, optional
        Called with (done, total, label).
    label : str
        What progress calls this training, and what it is kept under.
    keep, kept : callable, optional
        See :func:`..generative.training.train`.
    """
    where = device()
    frame, inputs, targets = prepare(shown, sizes.horizon)
    seen, target = torch.from_numpy(inputs).to(where), torch.from_numpy(targets).to(where)
    with reproducible(seed):
        network = Velocity(target.shape[1], seen.shape[1], sizes.width, sizes.depth).to(where)

        def loss(generator: torch.Generator) -> Tensor:
            picked = torch.randint(len(target), (sizes.batch,), generator=generator, device=where)
            given = seen[picked]
            return flow_loss(lambda x, t: network(x, t, given), target[picked], generator)

        trained = train(network, loss, sizes.steps, seed, 1e-3, sizes.mixed, progress, label, keep, kept, True)
    return FlowPolicy(trained, frame, sizes.execute, sizes.sampling)


def save_policy(policy: FlowPolicy, path: Path) -> None:
    """Write ``path`` (safetensors) and ``path`` with the suffix .json beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().cpu().contiguous() for k, v in policy.network.state_dict().items()}
    numbers = {f"frame.{k}": torch.from_numpy(getattr(policy.frame, k)) for k in _NUMBERS}
    save_file(weights | numbers, path)
    about = {"kind": "flow policy", "execute": policy.execute, "sampling": policy.sampling, "task": policy.frame.task}
    path.with_suffix(".json").write_text(json.dumps(about | {"shape": policy.network.shape}), encoding="utf-8")


def load_policy(path: Path) -> FlowPolicy:
    """Read a policy that :func:`save_policy` wrote.

    Raises
    ------
    PolicyError
        If a file is missing, damaged, or does not fit the shape beside it.
    """
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        weights = load_file(path)
        frame = Frame(**{k: weights.pop(f"frame.{k}").numpy() for k in _NUMBERS}, task=bool(about["task"]))
        network = Velocity(**about["shape"])
        network.load_state_dict(weights)
        return FlowPolicy(network.eval().requires_grad_(False), frame, about["execute"], about["sampling"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise PolicyError(f"cannot read the policy {path}: {reason}; run the study part again") from None
