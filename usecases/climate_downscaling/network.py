"""The U-Net that regression and flow share: plain torch, circular borders. Called by :mod:`.model`.

After Ronneberger et al. 2015 (arXiv:1505.04597) with the residual blocks and time embedding of Ho et al. 2020
(arXiv:2006.11239). It works on blocks of pixels folded into channels (Shi et al. 2016, arXiv:1609.05158), which
makes it several times faster and loses no wave number. Plain torch, so that a dashboard loads it in a moment.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    """Two convolutions with a way around them; the time embedding scales and shifts between them."""

    def __init__(self, inputs: int, outputs: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(4, inputs), nn.SiLU(), _convolution(inputs, outputs))
        self.norm = nn.GroupNorm(4, outputs)
        self.time = nn.Linear(embedding, 2 * outputs) if embedding else None
        self.second = nn.Sequential(nn.SiLU(), _convolution(outputs, outputs))
        self.around = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, time: Tensor | None) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        """Return the block's output."""
        h = self.norm(self.first(x))
        if self.time is not None and time is not None:
            scale, shift = self.time(time)[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        out: Tensor = self.around(x) + self.second(h)
        return out


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="circular")


class UNet(nn.Module):
    """U-Net from ``inputs`` fields to ``outputs`` fields on the fine grid.

    Parameters
    ----------
    inputs, outputs : int
        Fields in and out.
    channels : tuple of int
        Width of each level, each a multiple of 4; sides must be divisible by ``fold * 2 ** (levels - 1)``.
    fold : int
        Pixels on a side of a block that becomes one place of the network.
    timed : bool
        Whether it takes a time in 0..1, as the velocity of a flow does.
    """

    def __init__(self, inputs: int, outputs: int, channels: tuple[int, ...], fold: int, timed: bool) -> None:
        super().__init__()
        self.channels, self.fold = tuple(channels), fold
        self.width = 64 if timed else 0
        self.time = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU()) if timed else None
        self.enter = _convolution(inputs * fold**2, channels[0])
        pairs = list(zip((channels[0], *channels), channels, strict=False))
        self.down = nn.ModuleList(Block(i, o, self.width) for i, o in pairs)
        ups = list(zip(channels[:0:-1], channels[-2::-1], strict=True))
        self.up = nn.ModuleList(Block(low + high, high, self.width) for low, high in ups)
        last = _convolution(channels[0], outputs * fold**2)
        nn.init.zeros_(last.weight)  # starts from "no change"
        self.leave = nn.Sequential(nn.GroupNorm(4, channels[0]), nn.SiLU(), last)

    def forward(self, x: Tensor, t: Tensor | None = None) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        """Return the output fields; ``t`` (B,) where the network is timed."""
        time = None if self.time is None or t is None else self.time(waves(t))
        x = self.enter(functional.pixel_unshuffle(x, self.fold))
        kept: list[Tensor] = []
        for i, block in enumerate(self.down):
            x = block(functional.avg_pool2d(x, 2) if i else x, time)
            kept.append(x)
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2.0), skip], 1), time)
        out: Tensor = functional.pixel_shuffle(self.leave(x), self.fold)
        return out


def waves(t: Tensor) -> Tensor:
    """Return the sinusoidal embedding (B, 32) of times (B,) in 0..1."""
    angles = t[:, None] * 1000 * torch.exp(-math.log(10000.0) * torch.arange(16, device=t.device) / 16)
    return torch.cat([angles.sin(), angles.cos()], 1)
