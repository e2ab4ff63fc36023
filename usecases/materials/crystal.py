"""Crystals as tensors and back: ions, places in the cell, and a cell's shape without its orientation.

A lattice with rows ``L`` is kept as ``log(L Lᵀ) / 2``, a symmetric matrix of six numbers that no rotation changes and
whose trace is the logarithm of the volume (DiffCSP++ has the same; Jiao et al. 2024, arXiv:2402.03992). The volume is
taken relative to that of the ions, so that the network need not learn that chloride is larger than fluoride.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from torch import Tensor

from .elements import RADII
from .formulas import Formula

Array = NDArray[np.float64]
#: Every ion of the study has a number.
IONS = tuple((element, charge) for element, charges in RADII.items() for charge in charges)
#: Row, column and weight of the six numbers in the symmetric matrix; the weight keeps lengths.
UPPER = ((0, 1, 2, 0, 0, 1), (0, 1, 2, 1, 2, 2))
_DOUBLE = np.array([1, 1, 1, 2**0.5, 2**0.5, 2**0.5])


def ions(structure: Structure, formula: Formula) -> list[int]:
    """Return the number of each site's ion."""
    return [IONS.index((e, formula.charges[e])) for e in (site.specie.symbol for site in structure)]


def ionic_volume(numbers: Sequence[int] | NDArray[np.int64]) -> float:
    """Return the volume in Å³ of a cell that holds these ions: of cubes of their diameters, two thirds."""
    return sum((2 * RADII[IONS[i][0]][IONS[i][1]]) ** 3 for i in numbers) * 2 / 3


def shape_of(lattice: Lattice, volume: float) -> Array:
    """Return the six numbers of a lattice, relative to a cube of ``volume`` Å³."""
    values, vectors = np.linalg.eigh(lattice.matrix @ lattice.matrix.T)
    log = (vectors * np.log(values)) @ vectors.T / 2 - np.eye(3) * np.log(volume) / 3
    return np.asarray(log[UPPER] * _DOUBLE)


def lattice_of(shape: Array, volume: float) -> Lattice:
    """Return the lattice of six numbers; its vectors are in the standard orientation."""
    log = np.zeros((3, 3))
    log[UPPER] = shape / _DOUBLE
    log = log + np.triu(log, 1).T + np.eye(3) * np.log(volume) / 3
    values, vectors = np.linalg.eigh(log)
    rows = (vectors * np.exp(values)) @ vectors.T  # symmetric root of the metric
    return Lattice.from_parameters(*Lattice(rows).parameters)


def metric(shape: Tensor, volume: Tensor) -> Tensor:
    """Return the metric ``L Lᵀ`` in Å² (B, 3, 3) of shapes (B, 6) and volumes (B,)."""
    if shape.is_cuda:
        return _squared(shape) * (volume ** (2 / 3)).view(-1, 1, 1)
    log = shape.new_zeros(len(shape), 3, 3)
    scaled = shape / torch.as_tensor(_DOUBLE, dtype=shape.dtype, device=shape.device)
    log[:, UPPER[0], UPPER[1]] = scaled
    log[:, UPPER[1], UPPER[0]] = scaled
    log = log + torch.eye(3, device=shape.device) * (torch.log(volume) / 3).view(-1, 1, 1)
    return torch.matrix_exp(2 * log)


def _squared(shape: Tensor) -> Tensor:
    """Return the metric of a cube of volume one, (B, 3, 3), without the processor looking into a tensor.

    That is what torch's exponential does on a GPU, again and again, and what no replayed step may.
    """
    a, b, c, d, e, f = (shape / 32).unbind(1)
    d, e, f = (x * 2**-0.5 for x in (d, e, f))
    small = torch.stack([a, d, e, d, b, f, e, f, c], 1).view(-1, 3, 3)
    one = made = torch.eye(3, dtype=shape.dtype, device=shape.device)
    for order in range(6, 0, -1):
        made = one + small @ made / order
    for _ in range(6):  # 64 / 32: a metric is the square of what lengthens
        made = made @ made
    return made


def wrapped(difference: Tensor) -> Tensor:
    """Return the shortest way around the torus, each coordinate in -1/2..1/2."""
    return difference - torch.round(difference)


@dataclass(frozen=True)
class Stack:
    """Crystals with equally many atoms.

    Attributes
    ----------
    ions : Tensor, (B, N) int64
        Numbers of ions.
    places : Tensor, (B, N, 3) float32
        Fractional coordinates.
    shape : Tensor, (B, 6) float32
        See :func:`shape_of`.
    volume : Tensor, (B,) float32
        Of the ions, Å³.
    above : Tensor, (B,) float32
        Energy above the hull of the training frames, eV/atom.
    """

    ions: Tensor
    places: Tensor
    shape: Tensor
    volume: Tensor
    above: Tensor

    def pick(self, index: Tensor) -> Stack:
        """Return some of the crystals."""
        return Stack(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def stack(structures: Sequence[Structure], formulas: Sequence[Formula], above: Sequence[float]) -> Stack:
    """Return crystals of one number of atoms as tensors."""
    numbers = [ions(s, f) for s, f in zip(structures, formulas, strict=True)]
    volume = [ionic_volume(n) for n in numbers]
    shape = [shape_of(s.lattice, v) for s, v in zip(structures, volume, strict=True)]
    places = np.stack([s.frac_coords for s in structures])
    real = [torch.tensor(np.asarray(x), dtype=torch.float32) for x in (places, shape, volume, above)]
    return Stack(torch.tensor(numbers), *real)


def structures(numbers: Tensor, places: Tensor, shape: Tensor, volume: Tensor) -> list[Structure]:
    """Return pymatgen structures of tensors as :class:`Stack` has them."""
    return [
        Structure(lattice_of(s, float(v)), [IONS[i][0] for i in n], p % 1.0)
        for n, p, s, v in zip(numbers.tolist(), places.double().numpy(), shape.double().numpy(), volume, strict=True)
    ]
