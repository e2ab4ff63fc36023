"""CHGNet's energy with the weights that its wheel holds, computed in half the time. Called by the physics check.

The network is that of Deng et al. 2023 (Nat. Mach. Intell. 5:1031) and its numbers are the same to rounding; a test
holds it against CHGNet's own code. Three things are done once instead of often: what an atom adds to the messages along
its edges is weighed once an atom, what a bond adds once a bond, and bonds beyond 3 Å, which no angle changes, are left
alone. The last update of angles, which nothing reads, is left out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear, silu

from .neighbours import Neighbours

WIDTH = 64


class Gated:
    """One of CHGNet's gated networks, its first layer cut into one part for each thing that it is told.

    Parameters
    ----------
    theirs : chgnet.model.functions.GatedMLP
        Where the weights come from.
    """

    def __init__(self, theirs: Any) -> None:
        layers = [[x for x in mlp.layers if hasattr(x, "weight")] for mlp in (theirs.mlp_core, theirs.mlp_gate)]
        first = torch.cat([core[0].weight for core in layers])  # core and gate side by side
        self.parts = [part.contiguous() for part in first.chunk(first.shape[1] // WIDTH, 1)]
        self.bias = torch.cat([core[0].bias for core in layers])
        self.second = [(both[1].weight, both[1].bias) for both in layers if len(both) > 1]
        self.norms = [(norm.weight, norm.bias) for norm in (theirs.bn1, theirs.bn2)]

    def __call__(self, summed: Tensor) -> Tensor:
        """Return what the network says, (n, 64), given the sum of its first layer's parts and bias, (n, 128)."""
        if self.second:
            core, gate = (linear(x, *w) for x, w in zip(silu(summed).chunk(2, 1), self.second, strict=True))
        else:
            core, gate = summed.chunk(2, 1)
        return silu(layer_norm(core, (WIDTH,), *self.norms[0])) * layer_norm(gate, (WIDTH,), *self.norms[1]).sigmoid()


class Network:
    """The energy of a cell.

    Parameters
    ----------
    net : chgnet.model.CHGNet
        Version 0.3.0.
    """

    def __init__(self, net: Any) -> None:
        self.net = net
        self.atoms = [(Gated(x.twoBody_atom), x.mlp_out.layers[1].weight) for x in net.atom_conv_layers]
        self.bonds = [(Gated(x.twoBody_bond), x.mlp_out.layers[1].weight) for x in net.bond_conv_layers]
        self.angles = [Gated(x.twoBody_bond) for x in net.angle_layers[:-1]]

    def energy(self, numbers: Tensor, places: Tensor, lattice: Tensor, near: Neighbours) -> Tensor:
        """Return the energy of a cell in eV, a scalar through which torch finds forces and stress.

        Parameters
        ----------
        numbers : Tensor, (N,) int64
            Atomic numbers.
        places : Tensor, (N, 3) float32
            Cartesian, Å.
        lattice : Tensor, (3, 3) float32
            Vectors as rows, Å.
        near : Neighbours
            Graph of the cell.
        """
        net, short = self.net, near.short
        along = places[near.centre] - places[near.other] - near.image @ lattice
        length = along.norm(dim=1)
        known = net.bond_basis_expansion.rbf_expansion_ag(length[near.edge])
        atoms, bonds = net.atom_embedding(numbers - 1), net.bond_embedding(known)
        weight = net.bond_weights_ag(known).index_select(0, near.bond)
        angles, faint = self._angles(along, length, near)
        for i, layer in enumerate(self.atoms):
            atoms = _atoms(layer, atoms, bonds, weight, near)
            if i < len(self.bonds) and len(short):
                told = self._bonds(i, atoms, bonds.index_select(0, short), angles, faint, near)
                bonds = bonds.index_add(0, short, told)
                if i < len(self.angles):
                    heard = _heard(self.angles[i], atoms, bonds.index_select(0, short), angles, near)
                    angles = angles + self.angles[i](heard)
        own = net.composition_model.fc.weight[0, numbers - 1].sum()
        said: Tensor = net.mlp(net.readout_norm(atoms)).sum() + own
        return said

    def _angles(self, along: Tensor, length: Tensor, near: Neighbours) -> tuple[Tensor, Tensor]:
        """Return what angles are at first, and how much they count by the lengths of their bonds, both (A, 64)."""
        net = self.net
        unit = along / length[:, None]
        first, second = (unit.index_select(0, edge) for edge in near.angle[3:])
        angles = net.angle_embedding(net.angle_basis_expansion(first, second))
        far = net.bond_weights_bg(net.bond_basis_expansion.rbf_expansion_bg(length[near.edge[near.short]]))
        return angles, far.index_select(0, near.angle[1]) * far.index_select(0, near.angle[2])

    def _bonds(
        self, number: int, atoms: Tensor, bonds: Tensor, angles: Tensor, faint: Tensor, near: Neighbours
    ) -> Tensor:
        """Return by how much the short bonds (S, 64) change by the angles that they are in."""
        gated, out = self.bonds[number]
        told = gated(_heard(gated, atoms, bonds, angles, near)) * faint
        return linear(torch.zeros_like(bonds).index_add(0, near.angle[1], told), out)


def _heard(gated: Gated, atoms: Tensor, bonds: Tensor, angles: Tensor, near: Neighbours) -> Tensor:
    """Return the sum of what two bonds, their angle and the atom between them tell a network, (A, 128)."""
    first, second, own, middle = gated.parts
    sides = linear(bonds, first).index_select(0, near.angle[1]) + linear(bonds, second).index_select(0, near.angle[2])
    return sides + linear(angles, own, gated.bias) + linear(atoms, middle).index_select(0, near.angle[0])


def _atoms(layer: tuple[Gated, Tensor], atoms: Tensor, bonds: Tensor, weight: Tensor, near: Neighbours) -> Tensor:
    """Return atoms (N, 64) after they have heard from their neighbours."""
    gated, out = layer
    centre, own, other = gated.parts
    ends = linear(atoms, centre).index_select(0, near.centre) + linear(atoms, other).index_select(0, near.other)
    told = gated(ends + linear(bonds, own, gated.bias).index_select(0, near.bond)) * weight
    return atoms + linear(torch.zeros_like(atoms).index_add(0, near.centre, told), out)
