"""The generator: a flow on the torus of places and on the cell's shape, given the ions. Called by the study part.

Composition-conditioned crystal structure generation by flow matching, after FlowMM (Miller et al. 2024,
arXiv:2406.04713): places walk the shortest way around the torus from uniform noise, the cell's shape walks straight
from a normal. The network is a set transformer whose attention knows, for each pair of atoms, the difference of their
places (periodic, so translations and lattice translations change nothing) and their distances over the neighbouring
cells in Å. Each crystal carries its energy above the hull as a condition, so that poor structures teach geometry and
good ones are asked for, as MatterGen conditions on properties (Zeni et al. 2025, Nature 639:624).
"""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

from .crystal import IONS, Stack, metric, wrapped
from .elements import RADII
from .pairing import paired

WAVES = 3  # periods of a place difference along each axis
REACH = 5.5  # Å
RADIAL = 8
#: Share of training crystals whose ions show charge and radius but no name: unseen formulas are judged by those.
NAMELESS = 0.5
#: Energies above the hull are told to the network in units of 0.1 eV/atom, and not beyond half an eV.
ABOVE_UNIT, ABOVE_MOST = 0.1, 0.5


class Block(nn.Module):
    """Attention among the atoms of a cell, biased by what pairs know, and a network for each atom."""

    def __init__(self, width: int, pair: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query = nn.Linear(width, 3 * width)
        self.bias, self.message = nn.Linear(pair, heads), nn.Linear(pair, width)
        self.out = nn.Linear(width, width)
        self.own = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        self.gate = nn.Linear(width, 2 * width)

    def forward(self, atoms: Tensor, pairs: Tensor, state: Tensor) -> Tensor:
        """Return atoms (B, N, D) anew, with pairs (B, N, N, P) and the state of time and cell (B, 1, D)."""
        b, n, d = atoms.shape
        scale, shift = self.gate(state).chunk(2, -1)
        normed = self.first(atoms) * (1 + scale) + shift
        q, k, v = self.query(normed).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # (B, H, N, D/H)
        weight = (q @ k.transpose(-1, -2) / math.sqrt(d / self.heads) + self.bias(pairs).permute(0, 3, 1, 2)).softmax(
            -1
        )
        told = self.message(pairs).view(b, n, n, self.heads, -1)
        heard = (weight @ v).transpose(1, 2) + torch.einsum("bhij,bijhd->bihd", weight, told)
        atoms = atoms + self.out(heard.reshape(b, n, d))
        changed: Tensor = atoms + self.own(self.second(atoms))
        return changed


class CrystalFlow(nn.Module):
    """Velocity of places and shape.

    Parameters
    ----------
    width, blocks : int
        Width of an atom's state, and how many blocks.
    mean, spread : Tensor, shape (6,)
        Of the training shapes; the flow works in units of them.
    """

    mean: Tensor
    spread: Tensor
    facts: Tensor
    images: Tensor
    centres: Tensor
    levels: Tensor

    def __init__(self, width: int, blocks: int, mean: Tensor | None = None, spread: Tensor | None = None) -> None:
        super().__init__()
        pair = width // 2
        self.register_buffer("mean", torch.zeros(6) if mean is None else mean)
        self.register_buffer("spread", torch.ones(6) if spread is None else spread)
        facts = [[q / 2, RADII[e][q], float(q > 0)] for e, q in IONS]
        self.register_buffer("facts", torch.tensor(facts))
        self.register_buffer("images", torch.tensor(list(product((-1.0, 0.0, 1.0), repeat=3))))
        self.register_buffer("centres", torch.linspace(0.5, REACH, RADIAL))
        self.register_buffer("levels", torch.tensor([0.0, 0.25, 0.5, 1.0, 2.0, 3.5, 5.0]), persistent=False)
        self.ion, self.known = nn.Embedding(len(IONS), width), nn.Linear(3, width)
        self.state = nn.Sequential(nn.Linear(16 + 6 + 7, width), nn.SiLU(), nn.Linear(width, width))
        self.one, self.other = nn.Linear(width, pair), nn.Linear(width, pair, bias=False)
        self.pair = nn.Sequential(nn.Linear(6 * WAVES + RADIAL, pair), nn.SiLU(), nn.Linear(pair, pair))
        self.blocks = nn.ModuleList(Block(width, pair, 4) for _ in range(blocks))
        self.last = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, pair), nn.Linear(width, pair, bias=False)
        self.along = nn.Sequential(nn.Linear(pair, pair), nn.SiLU(), nn.Linear(pair, RADIAL + 3 * WAVES))
        self.cell = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 6))

    def forward(self, places: Tensor, shape: Tensor, t: Tensor, given: Stack) -> tuple[Tensor, Tensor]:
        """Return the velocities of places (B, N, 3), without a common drift, and of the standardised shape (B, 6)."""
        b, n, _ = places.shape
        difference = places[:, :, None] - places[:, None]  # (B, N, N, 3)
        phase = 2 * math.pi * difference[..., None] * torch.arange(1, WAVES + 1, device=places.device)
        sine, cosine = phase.sin().flatten(-2), phase.cos().flatten(-2)
        radial, pull = self._near(difference, shape, given.volume)
        state = self.state(torch.cat([_times(t), shape, _energies(given.above, self.levels)], -1))[:, None]
        names = self.ion(given.ions)
        if self.training:
            names = names * (torch.rand(b, 1, 1, device=names.device) >= NAMELESS)
        atoms = names + self.known(self.facts[given.ions]) + state
        # what a pair knows of its ends is a sum: each end is weighed once an atom, not once a pair
        ends = self.one(atoms)[:, :, None] + self.other(atoms)[:, None]
        pairs = functional.silu(self.pair(torch.cat([sine, cosine, radial], -1)) + ends)
        for block in self.blocks:
            atoms = block(atoms, pairs, state)
        atoms = self.last(atoms)
        ends = self.first(atoms)[:, :, None] + self.second(atoms)[:, None]
        strength = self.along(functional.silu(ends + pairs))
        waves = strength[..., RADIAL:].view(b, n, n, 3, WAVES) * sine.view(b, n, n, 3, WAVES)
        moved = (strength[..., :RADIAL, None] * pull).sum((2, 3)) + waves.sum((2, 4))
        return moved - moved.mean(1, keepdim=True), self.cell(atoms.mean(1))

    @torch.no_grad()
    def _near(self, difference: Tensor, shape: Tensor, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Return what distances say: how many images stand near each radius, and which way they lie (fractional)."""
        with torch.autocast(shape.device.type, enabled=False):  # bfloat16 would move atoms by hundredths of an Å
            gram = metric((shape * self.spread + self.mean).clamp(-1.6, 1.6), volume)
            images = wrapped(difference)[..., None, :] + self.images  # (B, N, N, 27, 3)
            squared = torch.einsum("bijmx,bxy,bijmy->bijm", images, gram, images)
            distance = (squared + 1e-6).sqrt()
            width = REACH / RADIAL
            bumps = torch.exp(-(((distance[..., None] - self.centres) / width) ** 2)) * (distance[..., None] > 1e-2)
            towards = bumps.transpose(-1, -2) @ (images / (distance[..., None] + 0.5))  # (B, N, N, R, 3)
        return bumps.sum(-2), towards


def _times(t: Tensor) -> Tensor:
    waves = torch.exp(torch.linspace(0.0, 4.0, 8, device=t.device)) * t[:, None]
    return torch.cat([waves.sin(), waves.cos()], -1)


def _energies(above: Tensor, levels: Tensor) -> Tensor:
    scaled = above.clamp(0, ABOVE_MOST)[:, None] / ABOVE_UNIT
    return torch.exp(-((scaled - levels) ** 2))


def starts(data: Stack, generator: torch.Generator) -> Tensor:
    """Return where the ways to crystals begin, (B, N, 3): noise, paired with their atoms."""
    noise = torch.rand(data.places.shape, generator=generator, device=data.places.device)
    return paired(noise, data.places, data.ions)


def flow_losses(
    model: CrystalFlow, data: Stack, generator: torch.Generator, start: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean squared errors of the velocities of places and shape, in units of their variance.

    ``start`` is from :func:`starts`, drawn here where it is not given.
    """
    where = data.places.device
    start = starts(data, generator) if start is None else start
    way = wrapped(data.places - start)
    way = way - way.mean(1, keepdim=True)
    goal = (data.shape - model.mean) / model.spread
    noise = torch.randn(goal.shape, generator=generator, device=where)
    t = torch.rand(len(goal), generator=generator, device=where)
    places = start + t.view(-1, 1, 1) * way
    moved, cell = model(places, (1 - t)[:, None] * noise + t[:, None] * goal, t, data)
    return 12 * torch.mean((moved - way) ** 2), torch.mean((cell - (goal - noise)) ** 2)


@torch.no_grad()
def walk(
    model: CrystalFlow, given: Stack, steps: int, generator: torch.Generator, push: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Walk from noise to crystals.

    Parameters
    ----------
    model : CrystalFlow
        Trained.
    given : Stack
        Ions, volume and the energy asked for; its places and shape are not looked at.
    steps : int
        Euler steps.
    generator : torch.Generator
        Draws the noise.
    push : float
        Places move faster by ``1 + push * t`` ("anti-annealing", FlowMM), which settles them.

    Returns
    -------
    places : Tensor, shape (B, N, 3)
    shape : Tensor, shape (B, 6)
    """
    places = torch.rand((*given.ions.shape, 3), generator=generator, device=given.ions.device)
    shape = torch.randn((len(given.ions), 6), generator=generator, device=given.ions.device)
    for i in range(steps):
        t = torch.full((len(shape),), i / steps, device=shape.device)
        moved, cell = model(places, shape, t, given)
        places = places + moved * (1 + push * i / steps) / steps
        shape = shape + cell / steps
    return places % 1.0, shape * model.spread + model.mean
