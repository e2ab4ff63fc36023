"""What a study leaves in its run's outputs, and how the dashboard finds it again. Called by both parts of the template.

Everything is data that other tools read::

    scores.nc              energy above the hull, voltage and displacement by method, formula and try
    crystals.extxyz        every relaxed proposal, with method, formula, energy above the hull and voltage in its header
    cif/FORMULA.cif        the flow's best relaxed crystal of each formula
    properties.nc          voltage and volume by formula, computed and predicted by the forest
    generator.safetensors  the trained flow, with generator.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from ase.io import read, write
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter

from ..generative.kept import RecordError as RecordError
from ..generative.kept import kept_path
from ..generative.kept import read_kept as read_kept
from .elements import radius
from .formulas import Formula, by_name
from .model import CrystalFlow
from .propose import FLOW
from .relax import Relaxed
from .sizes import Sizes
from .train import save_generator


def keep_study(
    outputs: Path,
    sizes: Sizes,
    seed: int,
    scores: xr.Dataset,
    relaxed: dict[str, list[list[Relaxed | None]]],
    chosen: list[Formula],
    model: CrystalFlow,
    properties: xr.Dataset,
) -> None:
    """Write everything that the dashboard part and later comparisons need into ``outputs``."""
    (outputs / "cif").mkdir(parents=True, exist_ok=True)
    scores.assign_attrs(seed=seed).to_netcdf(outputs / "scores.nc", engine="netcdf4")
    properties.to_netcdf(outputs / "properties.nc", engine="netcdf4")
    save_generator(model, sizes, outputs / "generator.safetensors")
    frames = []
    for method, formulas in relaxed.items():
        for formula, ends in zip(chosen, formulas, strict=True):
            for k, end in enumerate(ends):
                if end is not None:
                    at = scores.sel(proposer=method, formula=formula.name).isel({"try": k})
                    frames.append(_frame(end.structure, method, formula.name, float(at["above"]), float(at["volts"])))
    write(outputs / "crystals.extxyz", frames, format="extxyz", columns=["symbols", "positions"])
    for name, best in best_crystals(outputs).items():
        (outputs / "cif" / f"{name}.cif").write_text(cif(best))


def _frame(structure: Structure, method: str, formula: str, above: float, volts: float) -> Atoms:
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    plain = Atoms(atoms.symbols, scaled_positions=atoms.get_scaled_positions(), cell=atoms.cell, pbc=True)
    plain.info = {"method": method, "formula": formula, "above": round(above, 5)}
    return plain if np.isnan(volts) else _with(plain, "volts", round(volts, 4))


def _with(atoms: Atoms, name: str, value: float) -> Atoms:
    atoms.info[name] = value
    return atoms


def kept_crystals(outputs: Path) -> list[Atoms]:
    """Return all relaxed proposals of a record, with their facts in ``info``.

    Raises
    ------
    RecordError
        If the record does not hold them.
    """
    return list(read(kept_path(outputs, "crystals.extxyz"), index=":", format="extxyz"))


def best_crystals(outputs: Path, method: str = FLOW) -> dict[str, Structure]:
    """Return the relaxed crystal nearest to the hull by formula; its ``properties`` hold ``above`` (eV/atom)."""
    best: dict[str, Atoms] = {}
    for atoms in kept_crystals(outputs):
        name = str(atoms.info["formula"])
        if atoms.info["method"] == method and (name not in best or atoms.info["above"] < best[name].info["above"]):
            best[name] = atoms
    return {name: _structure(atoms) for name, atoms in best.items()}


def _structure(atoms: Atoms) -> Structure:
    made = AseAtomsAdaptor.get_structure(atoms)
    made.properties = {"above": float(atoms.info["above"]), "volts": float(atoms.info.get("volts", "nan"))}
    return made


def viewed(outputs: Path, count: int = 6) -> list[dict[str, Any]]:
    """Return the flow's crystals nearest to the hull as plain data, for a viewer: lithium's first.

    Returns
    -------
    list of dict
        ``name``, ``lattice`` (rows, Å), ``elements``, ``places`` (fractional), ``ions`` (radius in Å and charge by
        element), ``above`` (eV/atom above the hull), ``cif`` and ``alt``, what it is in words.
    """
    best = sorted(
        best_crystals(outputs).items(), key=lambda item: ("Li" not in item[1].composition, item[1].properties["above"])
    )
    return [_viewed(name, structure) for name, structure in best[:count]]


def _viewed(name: str, structure: Structure) -> dict[str, Any]:
    charges, above, volts = by_name()[name].charges, structure.properties["above"], structure.properties["volts"]
    lost = ", no battery material: below 0 V, it would give its lithium away"
    voltage = "" if np.isnan(volts) else f", {volts:.1f} V against lithium" if volts > 0 else lost
    return {
        "name": name,
        "lattice": structure.lattice.matrix.tolist(),
        "elements": [site.specie.symbol for site in structure],
        "places": structure.frac_coords.tolist(),
        "ions": {e: (radius(e, q), q) for e, q in charges.items()},
        "above": above,
        "cif": cif(structure),
        "alt": f"{name}, AI-generated, relaxed: {len(structure)} atoms, {above:+.3f} eV/atom from the hull{voltage}.",
    }


def cif(structure: Structure) -> str:
    """Return a crystal as CIF text, with the symmetry that it has within 0.05 Å."""
    return str(CifWriter(structure, symprec=0.05, refine_struct=False))
