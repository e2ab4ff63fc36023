"""The spectrum of drawn rain set right: a gain for each wave number, learnt on training snapshots. Called by training.

A short training leaves some grain at the grid scale, which heavy rain, the square of what the flow draws, makes
strong. A linear filter whose gain depends on the wave number alone gives drawn rain the mean spectrum of true rain
and moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .evaluate import spectrum

ROUNDS, STRIDE = 12, 0.3  # of the fit: rain is no linear function of what is filtered
LEAST, MOST = 0.5, 1.5


def filtered(fields: Tensor, gain: Sequence[float]) -> Tensor:
    """Return fields (..., y, x) with each wave multiplied by the gain of its number.

    Parameters
    ----------
    fields : Tensor
        On a periodic grid of any size with the spacing of training.
    gain : sequence of float
        At evenly spaced wave numbers, the last at half a wave a point. None leaves the fields as they are.
    """
    if not gain:
        return fields
    y, x = fields.shape[-2:]
    ky, kx = np.meshgrid(np.fft.fftfreq(y), np.fft.rfftfreq(x), indexing="ij")
    known = np.linspace(0, 0.5, len(gain) + 1)
    factors = np.interp(np.hypot(ky, kx), known, [1.0, *gain])  # the mean stays
    waves = torch.fft.rfft2(fields) * torch.from_numpy(factors).float().to(fields.device)
    moved: Tensor = torch.fft.irfft2(waves, s=(y, x))
    return moved


def fitted(drawn: Tensor, truth: Tensor) -> tuple[float, ...]:
    """Return the gain with which drawn fields have the spectrum of rain that true fields have.

    Parameters
    ----------
    drawn, truth : Tensor, (case, y, x)
        The square root of rain; what is drawn below zero is dry. Square grids.
    """
    half = truth.shape[-1] // 2
    wanted, gain = _power(truth, half), np.ones(half)
    for _ in range(ROUNDS):
        found = _power(filtered(drawn, gain.tolist()), half)
        gain = np.clip(gain * (wanted / found) ** STRIDE, LEAST, MOST)
    return tuple(float(g) for g in gain)


def _power(root: Tensor, half: int) -> np.ndarray:
    """Return the power of rain at wave numbers 1 to ``half``, mean over cases."""
    return np.asarray(spectrum(root.clamp(min=0).square().cpu().numpy()).mean(0))
