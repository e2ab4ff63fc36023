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
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

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


class Potential(Calculator):  # type: ignore[misc]
    """CHGNet as an ASE calculator that takes half the time of its own.

    CHGNet's calculator walks back through the network twice, keeps the way back for training, and adds moments; here
    forces and stress come from one walk. A test holds that the numbers agree.
    """

    implemented_properties = ("energy", "forces", "stress")

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Fill ``results`` with energy (eV), forces (eV/Å) and stress (eV/Å³, Voigt order, ASE's sign)."""
        super().calculate(atoms, properties, system_changes)
        energy, forces, stress = evaluate(AseAtomsAdaptor.get_structure(self.atoms))
        voigt = stress.reshape(9)[[0, 4, 8, 5, 2, 1]]
        self.results = {"energy": energy, "forces": forces, "stress": voigt}


def evaluate(structure: Structure) -> tuple[float, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return energy (eV), forces (n, 3) in eV/Å, and stress (3, 3) in eV/Å³ of one cell.

    Raises
    ------
    ValueError
        If an atom has no neighbour within CHGNet's 6 Å.
    """
    from chgnet.model.model import BatchedGraph

    net, count = chgnet(), len(structure)
    graph = net.graph_converter(structure)
    batch = BatchedGraph.from_graphs(
        [graph],
        bond_basis_expansion=net.bond_basis_expansion,
        angle_basis_expansion=net.angle_basis_expansion,
        compute_stress=True,
    )
    mean = net._compute(batch)["e"].sum()  # eV/atom
    places, strain = torch.autograd.grad(mean, [batch.atom_positions[0], batch.strains[0]])
    energy = float(mean.detach() + net.composition_model([graph]).sum()) * count
    stress = strain.numpy().astype(np.float64) * count / structure.volume
    return energy, -places.numpy().astype(np.float64) * count, (stress + stress.T) / 2
