"""Energies, forces and stresses from CHGNet, whose wheel holds its weights. Called wherever a crystal is judged.

CHGNet 0.3.0 (Deng et al. 2023, Nat. Mach. Intell. 5:1031) is a graph network trained on relaxations of the Materials
Project (GGA and GGA+U with its 2020 corrections); its error on unseen ones is 29 meV/atom and 68 meV/Å. So "stable"
below always means: for CHGNet.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray
from pymatgen.core import Structure

from ..generative.training import keep_freed_memory
from .neighbours import neighbours
from .network import Network

Array = NDArray[np.float64]
VERSION = "0.3.0"


@lru_cache(maxsize=1)
def chgnet() -> Any:
    """Return the potential, loaded once a process, on the processor: cells this small gain nothing elsewhere."""
    # CHGNet asks a tensor for its number where only the number is wanted; torch warns of it once a process
    warnings.filterwarnings("ignore", "Converting a tensor with requires_grad=True", UserWarning)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from chgnet.model import CHGNet

        return CHGNet.load(model_name=VERSION, use_device="cpu", verbose=False).eval().requires_grad_(False)


@lru_cache(maxsize=1)
def _network() -> Network:
    keep_freed_memory()
    return Network(chgnet())


class Potential(Calculator):  # type: ignore[misc]
    """CHGNet as an ASE calculator."""

    implemented_properties = ("energy", "forces", "stress")

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Fill ``results`` with energy (eV), forces (eV/Å) and stress (eV/Å³, Voigt order, ASE's sign)."""
        super().calculate(atoms, properties, system_changes)
        cell = self.atoms
        energy, forces, stress = _evaluate(cell.numbers, cell.cell.array, cell.get_scaled_positions())
        voigt = stress.reshape(9)[[0, 4, 8, 5, 2, 1]]
        self.results = {"energy": energy, "forces": forces, "stress": voigt}


def evaluate(structure: Structure) -> tuple[float, Array, Array]:
    """Return energy (eV), forces (n, 3) in eV/Å, and stress (3, 3) in eV/Å³ of one cell.

    Raises
    ------
    ValueError
        If an atom has no neighbour within CHGNet's 6 Å.
    """
    return _evaluate(np.array(structure.atomic_numbers), structure.lattice.matrix, structure.frac_coords)


def _evaluate(numbers: NDArray[np.int64], lattice: Array, places: Array) -> tuple[float, Array, Array]:
    near = neighbours(lattice, places)
    strain = torch.zeros(3, 3, requires_grad=True)
    cell = torch.tensor(lattice, dtype=torch.float32)
    strained = cell @ (torch.eye(3) + strain)
    at = torch.tensor(places, dtype=torch.float32) @ strained
    energy = _network().energy(torch.tensor(numbers, dtype=torch.int64), at, strained, near)
    pull, slope = torch.autograd.grad(energy, [at, strain])
    stress = slope.numpy().astype(np.float64) / abs(np.linalg.det(lattice))
    return float(energy.detach()), -pull.numpy().astype(np.float64), (stress + stress.T) / 2
