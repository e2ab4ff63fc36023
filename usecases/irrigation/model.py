"""The network: a one-dimensional convolutional velocity field over days. Called by the training and the sampler.

Dilated residual blocks (van den Oord et al. 2016, arXiv:1609.03499) with the flow's time and the condition
added in each. It sees about two months around a day and nothing of the date but the season, so that a year is too long
to be learnt by heart, and windows of any length train it.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .latents import CHANNELS, Scores
from .weather import DAYS, MONTH

CONDITIONS = len(CHANNELS) + 6 + 2  # monthly anomalies, climate, season


class Block(nn.Module):
    """A residual block: normalise, add condition and time, convolve with a dilation.

    Parameters
    ----------
    width : int
        Channels.
    dilation : int
        Days between the taps of the kernel of five.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.wide = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
        self.back = nn.Conv1d(width, width, 1)
        self.time = nn.Linear(width, 2 * width)
        self.condition = nn.Conv1d(CONDITIONS, width, 1)
        nn.init.zeros_(self.back.weight)

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        """Map (B, width, L) with time (B, width) and condition (B, CONDITIONS, L)."""
        scale, shift = self.time(time)[..., None].chunk(2, 1)
        h = self.norm(x) * (1 + scale) + shift + self.condition(condition)
        out: Tensor = x + self.back(nn.functional.silu(self.wide(nn.functional.silu(h))))
        return out


class WeatherNet(nn.Module):
    """Velocity of daily scores.

    Parameters
    ----------
    width : int
        Channels of the blocks.
    dilations : tuple of int
        One a block.
    """

    def __init__(self, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.width, self.dilations = width, dilations
        self.enter = nn.Conv1d(len(CHANNELS) + CONDITIONS, width, 5, padding=2)
        self.blocks = nn.ModuleList(Block(width, d) for d in dilations)
        self.time = nn.Sequential(nn.Linear(16, width), nn.SiLU())
        self.leave = nn.Conv1d(width, len(CHANNELS), 1)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Return the velocity at ``x`` (B, 4, L) and ``t`` (B,), given ``condition`` (B, CONDITIONS, L)."""
        waves = t[:, None] * math.pi * 2.0 ** torch.arange(-1, 7, device=t.device)
        time = self.time(torch.cat([waves.sin(), waves.cos()], 1))
        h = self.enter(torch.cat([x, condition], 1))
        for block in self.blocks:
            h = block(h, time, condition)
        out: Tensor = self.leave(nn.functional.silu(h))
        return out


def condition(drawn: NDArray[np.floating], mapped: Scores) -> NDArray[np.float32]:
    """Return the condition of years (year, CONDITIONS, 365) from their anomalies (year, 4, 12) and their station."""
    turn = 2 * np.pi * (np.arange(DAYS) + 0.5) / DAYS
    fixed = np.concatenate([mapped.climate(), np.cos(turn)[None], np.sin(turn)[None]]).astype(np.float32)
    several = np.broadcast_to(fixed, (len(drawn), *fixed.shape))
    return np.concatenate([drawn[:, :, MONTH].astype(np.float32), several], 1)
