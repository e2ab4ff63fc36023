"""From tissue to picture: the signal equations, coil inhomogeneity and noise. Called by the cohort and the dashboard.

Closed-form steady-state signals (Bernstein, King & Zhou 2004, *Handbook of MRI Pulse Sequences*, chapters 14 and 16),
the same route by which Posselt et al. 2024 (J Med Imaging 11:024013) stress-test lesion networks against FLAIR
protocols. Noise is Rician (Gudbjartsson & Patz 1995, Magn Reson Med 34:910), given like the inhomogeneity in
BrainWeb's per cent. Left out on purpose: echo trains (the effective echo time stands for them), T2* (echo times of
gradient echoes stay below 10 ms), magnetisation transfer, motion, and the resolution of each protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .relaxometry import tissue_values

Sequence = Literal["spin-echo", "flair", "spgr"]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Protocol:
    """What the console of a scanner was set to.

    Attributes
    ----------
    sequence : {"spin-echo", "flair", "spgr"}
        Spin echo, inversion-recovery spin echo, or spoiled gradient echo.
    field : float
        Field strength in tesla.
    tr, te : float
        Repetition and (effective) echo time in ms.
    ti : float
        Inversion time in ms; used by ``flair`` alone.
    flip : float
        Flip angle in degrees; used by ``spgr`` alone.
    """

    sequence: Sequence
    field: float
    tr: float
    te: float
    ti: float = 0.0
    flip: float = 90.0


def signal(protocol: Protocol, rng: np.random.Generator | None = None) -> xr.DataArray:
    """Return the signed steady-state signal of each tissue.

    Parameters
    ----------
    protocol : Protocol
        Settings of the scanner.
    rng : numpy.random.Generator, optional
        Draws one person's relaxation times; without it, the means of the literature.

    Returns
    -------
    xarray.DataArray
        Dimension ``tissue``, relative to the signal of fully relaxed water at echo time zero.
    """
    values = tissue_values(protocol.field, rng)
    e1 = np.exp(-protocol.tr / values.t1)
    if protocol.sequence == "spin-echo":
        recovered = 1 - e1
    elif protocol.sequence == "flair":
        recovered = 1 - 2 * np.exp(-protocol.ti / values.t1) + e1
    else:
        angle = np.deg2rad(protocol.flip)
        recovered = np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1)
    result: xr.DataArray = values.pd * recovered * np.exp(-protocol.te / values.t2)
    return result.rename("signal").assign_attrs(units="1", long_name="signal relative to relaxed water")


def smooth_field(rng: np.random.Generator, size: int, modes: int = 2) -> Array:
    """Return a slowly varying random field on ``(size, size)``, float32, scaled to the range -1..1."""
    axis = np.linspace(0.0, np.pi, size)
    waves = np.stack([np.cos(k * axis) for k in range(modes + 1)])  # (K, N)
    weights = rng.standard_normal((modes + 1, modes + 1))
    weights[0, 0] = 0.0
    field = waves.T @ weights @ waves
    return np.asarray(field / np.abs(field).max(), dtype=np.float32)


def acquire(
    fractions: Array, protocol: Protocol, rng: np.random.Generator, noise: float = 3.0, bias: float = 20.0
) -> Array:
    """Simulate one slice.

    Parameters
    ----------
    fractions : ndarray of float32, shape (tissue, y, x)
        Share of each tissue in each voxel, 0..1; what is missing to 1 is background.
    protocol : Protocol
        Settings of the scanner.
    rng : numpy.random.Generator
        Draws the person's relaxation times, the inhomogeneity and the noise.
    noise : float
        Standard deviation of the noise, in per cent of the brightest tissue's signal.
    bias : float
        Range of the inhomogeneity in per cent: 20 means factors from 0.9 to 1.1 (BrainWeb's definition).

    Returns
    -------
    ndarray of float32, shape (y, x)
        Magnitude image, normalised by :func:`normalise`.
    """
    tissue = signal(protocol, rng).values
    clean = np.tensordot(tissue, fractions, axes=1)  # (y, x); signed, so that partial volumes cancel as in the scanner
    clean = clean * (1 + bias / 200 * smooth_field(rng, clean.shape[-1]))
    sigma = noise / 100 * np.abs(tissue).max()
    real, imaginary = sigma * rng.standard_normal((2, *clean.shape))
    return normalise(np.hypot(clean + real, imaginary), fractions.sum(0) > 0.5)


def normalise(image: NDArray[np.floating], brain: NDArray[np.bool_]) -> Array:
    """Scale to zero mean and unit standard deviation within the brain, and set the rest to the value of no signal.

    Parameters
    ----------
    image : ndarray, shape (y, x)
        Magnitudes in any unit.
    brain : ndarray of bool, shape (y, x)
        Where the brain is; the template is stripped of its skull, and so must own scans be.
    """
    inside = image[brain]
    scaled = (np.where(brain, image, 0.0) - inside.mean()) / (inside.std() + 1e-6)
    return np.asarray(np.clip(scaled, -4.0, 6.0), dtype=np.float32)
