"""A moist two-layer quasi-geostrophic atmosphere on a doubly periodic beta plane. Called by :mod:`.data` and the tests.

After Lapeyre & Held 2004 (J. Atmos. Sci. 61:1693), dimensionless: lengths in deformation radii, speeds in the mean
shear of the standard climate. With stream functions of the upper and lower layer, thickness ``eta = psi1 - psi2``
(warm where large) and moisture ``m`` of the lower layer::

    q1 = lap(psi1) - eta      D1 q1/Dt = -L P             - (beta + U) dpsi1/dx
    q2 = lap(psi2) + eta      D2 q2/Dt = +L P - r zeta2   - (beta - U) dpsi2/dx
    M  = m + eta              D2 M/Dt  = E - (1 - L) P    + (1 + C) U dpsi2/dx
    P  = max(m - C eta, 0) / tau

Condensation ``P`` heats with ``L``; saturation ``C eta`` is Clausius-Clapeyron made linear; evaporation ``E`` is
constant; radiation keeps the mean of ``eta``. Ascent dries and cools alike, so that the sum ``M`` needs no vertical
velocity: that is what spares an omega equation. Fourier series in space, third-order Adams-Bashforth in time, and an
exponential filter near the grid scale. A coarse model is the same equations on fewer points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

SPACING = 6 * math.pi / 128  # grid spacing of the fine model in deformation radii, the same in every profile
CPU = torch.device("cpu")
EVAPORATION = 0.8  # of the standard climate
STEP = 0.0065  # time step of the fine model; Adams-Bashforth is stable while k u dt < 0.72


@dataclass(frozen=True)
class Climate:
    """What a climate is made of, dimensionless.

    Attributes
    ----------
    shear : float or Tensor
        Mean wind of the upper layer over that of the lower; a tensor (run, 1, 1) gives each run its own.
    evaporation : float or Tensor
        Moisture supply, likewise; the mean rain in the long run.
    latent, saturation, delay : float
        L, C and tau of the equations.
    beta, friction : float
        Gradient of the Coriolis parameter, and drag of the lower layer.
    """

    shear: float | Tensor = 1.0
    evaporation: float | Tensor = EVAPORATION
    latent: float = 0.3
    saturation: float = 2.0
    delay: float = 0.2
    beta: float = 0.8
    friction: float = 0.3


def beside(climates: Sequence[Climate], runs: int, where: torch.device) -> Climate:
    """Return climates that differ in shear and evaporation as one, ``runs`` runs of each one after the other."""
    shear, evaporation = (
        torch.tensor([getattr(c, name) for c in climates], device=where).repeat_interleave(runs).view(-1, 1, 1)
        for name in ("shear", "evaporation")
    )
    return replace(climates[0], shear=shear, evaporation=evaporation)


class Atmosphere:
    """The model on one grid; its state is a stack of the Fourier coefficients of q1, q2 and M, (run, 3, y, x/2+1).

    Parameters
    ----------
    points : int
        Grid points on a side, even.
    length : float
        Side of the domain in deformation radii.
    climate : Climate
        What it simulates.
    where : torch.device
        Where it computes.
    """

    def __init__(self, points: int, length: float, climate: Climate, where: torch.device = CPU) -> None:
        self.points, self.length, self.climate, self.where = points, length, climate, where
        unit = 2 * math.pi / length
        self.ky = (torch.fft.fftfreq(points, 1 / points) * unit)[:, None].to(where)
        self.kx = (torch.fft.rfftfreq(points, 1 / points) * unit)[None, :].to(where)
        self.k2 = self.kx**2 + self.ky**2
        self.dt = STEP * (length / points) / SPACING

    @cached_property
    def _filter(self) -> Tensor:
        """Damping a step: none up to 0.55 of the highest wave number, all of it at the highest."""
        share = self.k2.sqrt() * self.length / (math.pi * self.points)
        damping: Tensor = torch.exp(-18 * ((share - 0.55).clamp(min=0) / 0.45) ** 4) * (share < 1)
        return damping

    @cached_property
    def _inverse(self) -> Tensor:
        determinant = self.k2 * (self.k2 + 2)
        determinant[0, 0] = math.inf  # the mean of a stream function is of no effect
        inverse: Tensor = 1 / determinant
        return inverse

    def stream(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the coefficients of both stream functions, (run, y, x/2+1) each."""
        q1, q2 = state[:, 0], state[:, 1]
        upper = -((self.k2 + 1) * q1 + q2) * self._inverse
        lower = -((self.k2 + 1) * q2 + q1) * self._inverse
        return upper, lower

    def grid(self, coefficients: Tensor) -> Tensor:
        """Return values on the grid, (..., y, x), of coefficients (..., y, x/2+1)."""
        values: Tensor = torch.fft.irfft2(coefficients, s=(self.points, self.points))
        return values

    def rain(self, state: Tensor) -> Tensor:
        """Return condensation on the grid, (run, y, x)."""
        upper, lower = self.stream(state)
        excess = self.grid(state[:, 2] - (1 + self.climate.saturation) * (upper - lower))
        return excess.clamp(min=0) / self.climate.delay

    def tendency(self, state: Tensor) -> Tensor:
        """Return the time derivative of a state, (run, 3, y, x/2+1)."""
        c, ikx, iky = self.climate, 1j * self.kx, 1j * self.ky
        upper, lower = self.stream(state)
        excess = state[:, 2] - (1 + c.saturation) * (upper - lower)
        waves = [-iky * upper, ikx * upper, -iky * lower, ikx * lower, *state.unbind(1), excess]
        u1, v1, u2, v2, q1, q2, m, wet = self.grid(torch.stack(waves, 1)).unbind(1)
        rain = wet.clamp(min=0) / c.delay
        fluxes = [(u1 + c.shear) * q1, v1 * q1, u2 * q2, v2 * q2, u2 * m, v2 * m, rain]
        f = torch.fft.rfft2(torch.stack(fluxes, 1))
        f1, f2, fm = (-(ikx * f[:, i] + iky * f[:, i + 1]) for i in (0, 2, 4))
        rained = f[:, 6]
        d1 = f1 - (c.beta + c.shear) * ikx * upper - c.latent * rained
        d2 = f2 - (c.beta - c.shear) * ikx * lower + c.latent * rained + c.friction * self.k2 * lower
        dm = fm + (1 + c.saturation) * c.shear * ikx * lower - (1 - c.latent) * rained
        d1[:, 0, 0] = d2[:, 0, 0] = 0  # radiation balances the mean heating
        dm[:, :1, :1] = c.evaporation * self.points**2 - rained[:, :1, :1]
        return torch.stack([d1, d2, dm], 1)

    def run(self, state: Tensor, duration: float) -> Tensor:
        """Return the state after ``duration``, in whole steps.

        A gale that outruns the time step is gone through once more, with steps of a half and of a quarter.

        Raises
        ------
        FloatingPointError
            If the flow outruns them, too.
        """
        steps = max(1, round(duration / self.dt))
        for share in (1, 2, 4):
            end = self._walk(state, steps * share, self.dt / share)
            if torch.isfinite(end.real).all():
                return end
        raise FloatingPointError(f"the flow outran the time step {self.dt / 4:g}: choose less shear or a finer grid")

    def _walk(self, state: Tensor, steps: int, dt: float) -> Tensor:
        damping = self._filter ** (dt / self.dt)
        past: list[Tensor] = []
        for _ in range(steps):
            past = [self.tendency(state), *past[:2]]
            weights = ((1.0,), (1.5, -0.5), (23 / 12, -16 / 12, 5 / 12))[len(past) - 1]
            change = sum(w * p for w, p in zip(weights, past, strict=True))
            state = (state + dt * change) * damping
        return state

    def regrid(self, state: Tensor, points: int) -> Tensor:
        """Return a state on a grid of another resolution: its waves that both grids hold."""
        half = min(self.points, points) // 2
        out = state.new_zeros((*state.shape[:2], points, points // 2 + 1))
        out[..., :half, :half] = state[..., :half, :half]
        out[..., -half + 1 :, :half] = state[..., -half + 1 :, :half]
        return out * (points / self.points) ** 2

    def start(self, runs: int, *seeds: int) -> Tensor:
        """Return weak random large waves, (run, 3, y, x/2+1), to start from: of each seed ``runs`` that differ."""
        noise = torch.cat([torch.randn((runs, 3, 32, 32), generator=torch.Generator().manual_seed(s)) for s in seeds])
        small = Atmosphere(32, self.length, self.climate)
        waves = 0.5 * torch.fft.rfft2(noise) * torch.exp(-small.k2 / 4)
        waves[..., 0, 0] = 0
        return small.regrid(waves, self.points).to(self.where)


SPIN_UP = 75.0  # time units from noise to equilibrium


def spun_up(fine: Atmosphere, runs: int, *seeds: int, duration: float = SPIN_UP) -> Tensor:
    """Return states in equilibrium on the grid of ``fine``, ``runs`` of each seed.

    The slow part of the way, ``duration``, is gone on a grid of a quarter of the resolution, then 12 at half of it.
    """
    state, grid = None, fine
    for share, length in ((4, duration), (2, 12.0), (1, 4.0)):
        coarser = Atmosphere(max(fine.points // share, 16), fine.length, fine.climate, fine.where)
        state = coarser.start(runs, *seeds) if state is None else grid.regrid(state, coarser.points)
        state, grid = coarser.run(state, length), coarser
    assert state is not None
    return state
