"""The segmenter that every synthetic mix trains: a small U-Net in plain torch. Called by training and the dashboard.

After Ronneberger et al. 2015 (arXiv:1505.04597), with group normalisation. Plain torch, so that a dashboard loads
the stored ones in a moment. Weights are kept as safetensors with the shape beside them as JSON: both are data,
where a pickle would be a program.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .acquisition import Array
from .relaxometry import LESION, TISSUES

CLASSES = len(TISSUES) + 1


class SegmenterError(ValueError):
    """A stored segmenter that cannot be read; the message names the file and the remedy."""


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in (inputs, outputs):
        layers += [nn.Conv2d(i, outputs, 3, padding=1), nn.GroupNorm(4, outputs), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


class Segmenter(nn.Module):
    """U-Net from one normalised slice to the logits of background, csf, gm, wm and lesion.

    Parameters
    ----------
    channels : tuple of int
        Width of each level, each a multiple of 4; the image's side must be divisible by 2 to the number of levels - 1.
    """

    def __init__(self, channels: tuple[int, ...] = (16, 32, 64)) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.down = nn.ModuleList(_block(i, o) for i, o in zip((1, *channels), channels, strict=False))
        pairs = list(zip(channels[:0:-1], channels[-2::-1], strict=True))
        self.up = nn.ModuleList(_block(low + high, high) for low, high in pairs)
        self.head = nn.Conv2d(channels[0], CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:  # (B, 1, H, W) -> (B, 5, H, W)
        """Return the logits."""
        kept: list[Tensor] = []
        for i, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if i else x)
            kept.append(x)
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0), skip], 1))
        logits: Tensor = self.head(x)
        return logits


@torch.no_grad()
def predict(model: Segmenter, images: Array) -> NDArray[np.bool_]:
    """Return the lesion mask of each slice.

    Parameters
    ----------
    model : Segmenter
        Trained.
    images : ndarray of float32, shape (case, y, x)
        Normalised slices.

    Returns
    -------
    ndarray of bool, shape (case, y, x)
    """
    where = next(model.parameters()).device
    parts = [model(torch.from_numpy(chunk[:, None]).to(where)).argmax(1) for chunk in _chunks(images)]
    return np.asarray(torch.cat(parts).cpu().numpy() == LESION)


def _chunks(images: Array, length: int = 64) -> list[Array]:
    return [np.ascontiguousarray(images[i : i + length]) for i in range(0, len(images), length)]


def save_segmenter(model: Segmenter, path: Path) -> None:
    """Write ``path`` (safetensors) and ``path`` with the suffix .json beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}, path)
    path.with_suffix(".json").write_text(json.dumps({"kind": "u-net", "channels": model.channels}), encoding="utf-8")


def load_segmenter(path: Path) -> Segmenter:
    """Read a segmenter that :func:`save_segmenter` wrote.

    Raises
    ------
    SegmenterError
        If a file is missing, damaged, or does not fit the shape beside it.
    """
    try:
        shape = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        model = Segmenter(tuple(shape["channels"]))
        model.load_state_dict(load_file(path))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise SegmenterError(f"cannot read the segmenter {path}: {reason}; run the study part again") from None
    return model.eval()
