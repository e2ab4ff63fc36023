"""Classical augmentation, the same for every method: geometry, contrast, inhomogeneity, noise. Called by training.

The recipe of nnU-Net (Isensee et al. 2021, Nat Methods 18:203) in short: mirror, rotate, scale, gamma, low-frequency
field, Gaussian noise. All on the device, batched, and drawn from one generator.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

Pair = tuple[Tensor, Tensor]


def _uniform(size: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(size, generator=generator, device=generator.device)


def move(image: Tensor, label: Tensor, generator: torch.Generator) -> Pair:
    """Mirror, rotate by up to 15° and scale by up to 15 %: image (B, C, H, W) float, label (B, H, W) int64."""
    size = len(image)
    angle = _uniform(size, -math.pi / 12, math.pi / 12, generator)
    scale = _uniform(size, 0.87, 1.15, generator)
    mirror = torch.sign(_uniform(size, -1, 1, generator))
    cos, sin, zero = torch.cos(angle) * scale, torch.sin(angle) * scale, torch.zeros_like(angle)
    affine = torch.stack([torch.stack([cos * mirror, -sin, zero], 1), torch.stack([sin * mirror, cos, zero], 1)], 1)
    grid = functional.affine_grid(affine, list(image.shape), align_corners=False)
    moved = functional.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
    labels = functional.grid_sample(label[:, None].float(), grid, mode="nearest", align_corners=False)
    return moved, labels[:, 0].long()


def bias_field(size: int, side: int, strength: float, generator: torch.Generator) -> Tensor:
    """Return smooth factors around one, (B, 1, H, W), within about 1 ± strength / 2."""
    coarse = torch.randn((size, 1, 3, 3), generator=generator, device=generator.device)
    field = functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True)
    return 1 + strength / 4 * field


def renormalise(raw: Tensor, brain: Tensor) -> Tensor:
    """Scale magnitudes (B, 1, H, W) as :func:`.acquisition.normalise` does, with ``brain`` (B, 1, H, W) bool."""
    weight = brain.float()
    count = weight.sum((2, 3), keepdim=True).clamp(min=1)
    raw = raw * weight
    mean = raw.sum((2, 3), keepdim=True) / count
    spread = (((raw - mean) * weight).square().sum((2, 3), keepdim=True) / count).sqrt()
    return ((raw - mean) / (spread + 1e-6)).clamp(-4.0, 6.0)


def vary(image: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
    """Vary contrast (gamma 0.77-1.3), inhomogeneity (about 20 %) and noise (up to 3 % of the maximum, on top)."""
    size, side = len(image), image.shape[-1]
    raw = (image - image[..., :1, :1]).clamp(min=0)  # the corner is background: no signal
    top = raw.amax((2, 3), keepdim=True) + 1e-6
    gamma = torch.exp(_uniform(size, math.log(1 / 1.3), math.log(1.3), generator)).view(-1, 1, 1, 1)
    raw = (raw / top) ** gamma * bias_field(size, side, 0.2, generator)
    noise = torch.randn(raw.shape, generator=generator, device=raw.device)
    raw = (raw + _uniform(size, 0, 0.03, generator).view(-1, 1, 1, 1) * noise).abs()
    return renormalise(raw, label[:, None] > 0)


def augment(image: Tensor, label: Tensor, generator: torch.Generator) -> Pair:
    """Move, then vary: image (B, 1, H, W) float32, label (B, H, W) int64."""
    image, label = move(image, label, generator)
    return vary(image, label, generator), label
