"""Rectified flow: a straight path from noise to data, the loss that learns its velocity, and the solver that walks it.

Lipman et al. 2023 (arXiv:2210.02747) and Liu et al. 2023 (arXiv:2209.03003): with ``x_t = (1 - t) noise + t data`` the
velocity along the path is ``data - noise``; a network regresses it, and solving ``dx/dt = v(x, t)`` from noise at
``t = 0`` gives a sample at ``t = 1``. Called by the sectors' own generators.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: ``velocity(x, t)`` with x of shape (B, ...) and t of shape (B,) in 0..1; conditions are bound by the caller.
Velocity = Callable[[Tensor, Tensor], Tensor]


def flow_loss(velocity: Velocity, data: Tensor, generator: torch.Generator) -> Tensor:
    """Return the flow-matching loss of one batch.

    Parameters
    ----------
    velocity : callable
        The network with its condition bound.
    data : Tensor, shape (B, ...)
        Samples of the distribution to learn, scaled to a standard deviation of about one.
    generator : torch.Generator
        On the device of ``data``; draws noise and times.

    Returns
    -------
    Tensor
        Scalar mean squared error of the velocity.
    """
    noise = torch.randn(data.shape, generator=generator, device=data.device)
    # Times near the middle of the path are the hardest: logit-normal sampling of Esser et al. 2024 (arXiv:2403.03206).
    t = torch.sigmoid(torch.randn(len(data), generator=generator, device=data.device))
    shaped = t.view(-1, *[1] * (data.ndim - 1))
    predicted = velocity((1 - shaped) * noise + shaped * data, t)
    return torch.mean((predicted - (data - noise)) ** 2)


@torch.no_grad()
def sample(velocity: Velocity, noise: Tensor, steps: int, method: str = "euler") -> Tensor:
    """Walk from noise to data.

    Parameters
    ----------
    velocity : callable
        The trained network with its condition bound.
    noise : Tensor, shape (B, ...)
        Standard normal start.
    steps : int
        Number of steps of equal length; Heun takes two network calls a step.
    method : {"euler", "heun"}
        Order one or two.

    Raises
    ------
    ValueError
        For fewer than one step or an unknown method.
    """
    if steps < 1 or method not in ("euler", "heun"):
        raise ValueError(f"cannot walk {steps} steps by {method!r}: use at least 1 step of 'euler' or 'heun'")
    x, dt = noise, 1.0 / steps
    for i in range(steps):
        t = torch.full((len(x),), i * dt, device=x.device)
        v = velocity(x, t)
        if method == "heun":
            v = (v + velocity(x + dt * v, t + dt)) / 2
        x = x + dt * v
    return x
