"""Which noise point becomes which atom: the pairing that makes ways short. Called by the training of the flow.

Atoms of one ion are alike and a crystal has no origin, so noise points may be shared out among them, and all be
shifted, as one likes: the noise stays uniform. If each goes to an atom nearby, ways cross less and the velocity that is
learnt is sharper (optimal transport: Tong et al. 2024, TMLR, arXiv:2302.00482; within a crystal's symmetries: Song et
al. 2023, EquiFM, arXiv:2312.07168). Exact for a given shift, by assignment; the shift is the best of a few.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

SHIFTS = 4
_NEVER = 1e3  # between unlike ions; a squared distance on the torus is at most 0.75

Array = NDArray[np.float32]


def paired(start: Tensor, goal: Tensor, ions: Tensor) -> Tensor:
    """Return noise in the order and with the shift that make the way to a crystal short.

    Parameters
    ----------
    start, goal : Tensor, shape (B, N, 3)
        Noise and atoms, fractional.
    ions : Tensor, shape (B, N)
        Kinds: only atoms of the same number are alike.
    """
    noise, atoms = start.cpu().numpy(), goal.cpu().numpy()
    unlike = _NEVER * (ions[:, :, None] != ions[:, None]).float().cpu().numpy()
    # a shift brings noise point k onto atom k, so that the candidates depend on nothing but the noise
    shifts = (atoms - noise)[:, : min(SHIFTS, noise.shape[1])]
    ways = _wrapped(atoms[:, None, :, None] - noise[:, None, None] - shifts[:, :, None, None])  # (B, K, N, N, 3)
    costs = (ways**2).sum(-1) + unlike[:, None]
    best, order = _best(costs, ways)
    shift = shifts[np.arange(len(shifts)), best]
    moved = np.take_along_axis(noise, order[:, :, None], 1) + shift[:, None]
    return torch.from_numpy(moved).to(start)


def _best(costs: Array, ways: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return by crystal which shift makes the ways shortest when their mean is taken out, and each atom's point."""
    b, k, n, _ = costs.shape
    flat = costs.reshape(-1, n, n)
    orders = np.stack([linear_sum_assignment(cost)[1] for cost in flat])
    taken = ways.reshape(-1, n, n, 3)[np.arange(len(flat))[:, None], np.arange(n), orders]  # (B * K, N, 3)
    best = taken.var(1).sum(-1).reshape(b, k).argmin(1)
    return best, orders.reshape(b, k, n)[np.arange(b), best]


def _wrapped(difference: Array) -> Array:
    return np.asarray(difference - np.round(difference))
