"""Crystals in JSON as databases answer: OPTIMADE and the Materials Project. Called by :mod:`.readers`.

OPTIMADE 1.x structures: https://github.com/Materials-Consortia/OPTIMADE (section "Structures Entries"). The Materials
Project's documents hold pymatgen's own dictionary under ``structure``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Element, Structure

LARGEST = 400  # sites
DENSEST, LIGHTEST = 3.0, 120.0  # Å³ an atom, between which solids lie
NEAREST = 0.5  # Å between atoms, below which no solid has them and no potential was trained
NARROWEST = 1.0  # Å between lattice planes: below, an atom has more images within a potential's reach than memory holds


class CrystalError(ValueError):
    """A file without a usable crystal; the message names the file and the remedy."""


class CrystalNotFoundError(CrystalError, FileNotFoundError):
    """No file at the path."""


def from_json(content: Any, path: Path) -> list[Structure]:
    """Return the crystals of a parsed JSON file.

    Raises
    ------
    CrystalError
        If it is of neither kind; what else goes wrong is told by the caller.
    """
    if isinstance(content, dict) and content.get("errors"):
        said = content["errors"][0]
        raise CrystalError(f"{path} is the error answer of a server ({said.get('detail') or said}): ask it again")
    data = content.get("data", content) if isinstance(content, dict) else content
    entries = data if isinstance(data, list) else [data]
    made = [_entry(entry, path) for entry in entries]
    return [one for one in made if one is not None]


def _entry(entry: Any, path: Path) -> Structure | None:
    if not isinstance(entry, dict):
        raise CrystalError(f"{path} holds no structures: give an OPTIMADE answer or Materials Project documents")
    attributes = entry.get("attributes")
    if isinstance(attributes, dict):
        return None if entry.get("type", "structures") != "structures" else _optimade(entry, attributes, path)
    if "structure" in entry:
        return Structure.from_dict(entry["structure"])
    if "lattice" in entry and "sites" in entry:
        return Structure.from_dict(entry)
    raise CrystalError(
        f"{path} holds no structures: OPTIMADE has them under data.attributes, the Materials Project under structure; "
        "ask for that field"
    )


def _optimade(entry: dict[str, Any], attributes: dict[str, Any], path: Path) -> Structure:
    name = entry.get("id", "?")
    missing = [k for k in ("lattice_vectors", "cartesian_site_positions", "species_at_sites") if not attributes.get(k)]
    if missing:
        raise CrystalError(f"{path}, entry {name}, lacks {', '.join(missing)}: ask for it with response_fields")
    if attributes.get("dimension_types", [1, 1, 1]) != [1, 1, 1]:
        raise CrystalError(f"{path}, entry {name}, is not periodic in three directions: choose a crystal")
    species = {s["name"]: s for s in attributes.get("species") or []}
    sites = []
    for label in attributes["species_at_sites"]:
        one = species.get(label, {"chemical_symbols": [label], "concentration": [1.0]})
        sites.append(dict(zip(one["chemical_symbols"], one["concentration"], strict=True)))
    made = Structure(
        np.array(attributes["lattice_vectors"], float),
        sites,
        np.array(attributes["cartesian_site_positions"], float),
        coords_are_cartesian=True,
    )
    made.properties["source_id"] = name
    return made


def checked(structure: Structure, path: Path) -> Structure:
    """Return the structure with its source, if it is ordered, made of elements, finite, and not too large.

    Raises
    ------
    CrystalError
        If it is not.
    """
    if not structure.is_ordered:
        raise CrystalError(
            f"{path} has sites shared by several elements: choose one order, for example with pymatgen's "
            "OrderDisorderedStructureTransformation"
        )
    strange = {site.specie.symbol for site in structure} - {e.symbol for e in Element}
    if strange:
        raise CrystalError(f"{path} has sites that are no elements ({', '.join(sorted(strange))}): name real ones")
    if not (np.isfinite(structure.frac_coords).all() and np.isfinite(structure.lattice.matrix).all()):
        raise CrystalError(f"{path} has a cell or places that are no numbers: export it again")
    if not 1 <= len(structure) <= LARGEST:
        raise CrystalError(f"{path} has {len(structure)} sites in its cell, more than {LARGEST}: give a primitive cell")
    solid(structure, str(path))
    structure.remove_oxidation_states()
    structure.properties["source"] = path.name
    return structure


def solid(structure: Structure, name: str) -> None:
    """Refuse a cell that no solid has, before anything is computed: a potential's neighbour list could fill the memory.

    Raises
    ------
    CrystalError
        If an atom has less than 3 or more than 120 Å³, or lattice planes are nearer than 1 Å, or atoms than 0.5 Å.
    """
    matrix = structure.lattice.matrix
    each = abs(float(np.linalg.det(matrix))) / len(structure)
    if not DENSEST <= each <= LIGHTEST:  # so written, NaN is refused
        raise CrystalError(
            f"{name} has {each:.3g} Å³ for each atom in its cell, solids have {DENSEST:g} to {LIGHTEST:g}: give "
            "lengths in Å, not in nm, pm or bohr, and all atoms of the cell"
        )
    narrow = float((1 / np.linalg.norm(np.linalg.inv(matrix), axis=0)).min())
    if narrow < NARROWEST:
        raise CrystalError(
            f"{name} has lattice planes {narrow:.2g} Å apart, less than {NARROWEST:g}: correct the cell's lengths (Å) "
            "and angles"
        )
    if len(structure) > 1:
        apart = structure.distance_matrix + 1e6 * np.eye(len(structure))
        one, other = np.unravel_index(int(apart.argmin()), apart.shape)
        if apart[one, other] < NEAREST:
            raise CrystalError(
                f"{name} has {structure[int(one)].species_string} and {structure[int(other)].species_string} "
                f"{apart[one, other]:.2g} Å apart, less than {NEAREST:g}: remove the double site, or correct its place"
            )
