"""Own crystals: CIF, POSCAR, extended XYZ, OPTIMADE JSON, Materials Project JSON. Called by *Your own data*.

What a file is, is told by its content, not by its name. Lengths are Å in all of these formats. Every failure is one
:class:`CrystalError` line that names the file and the remedy.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

from pymatgen.core import Composition, Structure

from .records import CrystalError, CrystalNotFoundError, checked, from_json

__all__ = ["CrystalError", "CrystalNotFoundError", "example_path", "load_crystals"]


def load_crystals(path: str | Path) -> list[Structure]:
    """Read the crystals of one file.

    Parameters
    ----------
    path : str or Path
        CIF (IUCr 1.1), POSCAR (VASP 5, with symbols), extended XYZ with ``Lattice`` and ``pbc``, a JSON answer of an
        OPTIMADE 1.x provider (``/structures``), or JSON of the Materials Project (``structure`` in summary documents,
        or one pymatgen structure).

    Returns
    -------
    list of pymatgen.core.Structure
        In file order, at least one; cells in Å, periodic in three directions, every site one element; ``properties``
        hold ``source``, the file, and ``place``, such as "1 of 2".

    Raises
    ------
    CrystalNotFoundError
        If nothing is at ``path``.
    CrystalError
        If it holds no crystal, a disordered one, one that is no solid (:func:`.records.solid`), or a broken one.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise CrystalNotFoundError(f"there is no file at {path}: check it; it is a path on the computer of the kernel")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CrystalError(f"{path} is no text: give a CIF, POSCAR, extended XYZ or JSON file") from error
    kind = kind_of(text)
    if kind is None:
        raise CrystalError(
            f"{path} is none of CIF, POSCAR, extended XYZ, OPTIMADE or Materials Project JSON by its content: "
            "convert it, for example with ase convert"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parsers warn where they guess; what they could not read is raised below
            found = _READERS[kind](text, path)
    except CrystalError:
        raise
    except Exception as error:  # parsers raise whatever they stumble over; the user gets one line
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CrystalError(f"cannot read {path} as {kind} ({said}): export it again") from error
    if not found:
        raise CrystalError(f"{path} holds no crystal: export it again, with at least one structure")
    for number, one in enumerate(found, 1):
        checked(one, path).properties["place"] = f"{number} of {len(found)}"
    return found


def kind_of(text: str) -> str | None:
    """Return the format that a file's text is in, or ``None``."""
    lines = text.splitlines()
    if text.lstrip()[:1] in ("{", "["):
        return "JSON"
    if re.search(r"^\s*data_", text, re.M | re.I) and re.search(r"^\s*_(cell|atom)_", text, re.M | re.I):
        return "CIF"
    if len(lines) > 1 and lines[0].strip().isdigit():
        return "extended XYZ"
    if len(lines) > 6 and _floats(lines[1], 1) and all(_floats(line, 3) for line in lines[2:5]):
        return "POSCAR"
    return None


def _floats(line: str, count: int) -> bool:
    parts = line.split()[:count]
    try:
        return len([float(p) for p in parts]) == count
    except ValueError:
        return False


def _cif(text: str, path: Path) -> list[Structure]:
    from pymatgen.io.cif import CifParser

    _check_cell(text, path)
    # the file's own cell, not a primitive one; occupancies a little above one are rounding
    made = list(CifParser(io.StringIO(text), occupancy_tolerance=1.05).parse_structures(primitive=False))
    _check_formula(text, made, path)
    return made


def _check_formula(text: str, made: list[Structure], path: Path) -> None:
    """Refuse a crystal that is not the compound which its file names: one cut short parses as another compound."""
    stated = re.findall(r"^\s*_chemical_formula_sum\s+(?:'([^']+)'|\"([^\"]+)\"|(\S+))", text, re.M | re.I)
    if len(stated) != 1 or len(made) != 1 or not made[0].is_ordered:
        return
    try:
        named = Composition("".join(stated[0]).replace(" ", "")).reduced_formula
    except (ValueError, KeyError):  # "?" or a formula of its own kind, which tells nothing
        return
    held = made[0].composition.element_composition.reduced_formula
    if named != held:
        raise CrystalError(
            f"{path} names {named} and its sites are {held}: it was cut short, or sites are missing; export it again"
        )


def _check_cell(text: str, path: Path) -> None:
    """Refuse lengths and angles that make no cell: the parser makes a mirrored or an open one of them."""
    kinds = r"^\s*_cell_(length_[abc]|angle_alpha|angle_beta|angle_gamma)\s+([-+.\deE]+)"
    for name, value in re.findall(kinds, text, re.M | re.I):
        most = 180.0 if name.lower().startswith("angle") else float("inf")
        if _floats(value, 1) and not 0 < float(value) < most:
            raise CrystalError(
                f"{path} has _cell_{name} {value}: lengths are above 0 Å, angles between 0 and 180 degrees"
            )


def _poscar(text: str, path: Path) -> list[Structure]:
    from pymatgen.io.vasp import Poscar

    if not re.match(r"\s*[A-Z][a-z]?", text.splitlines()[5]):
        raise CrystalError(f"{path} names no elements (VASP 4): add their symbols as the sixth line")
    return [Poscar.from_str(text).structure]


def _xyz(text: str, path: Path) -> list[Structure]:
    from ase.io import read
    from pymatgen.io.ase import AseAtomsAdaptor

    if "lattice=" not in text.splitlines()[1].lower():
        raise CrystalError(f"{path} has no Lattice in its second line: it is a molecule, or plain XYZ; add the cell")
    cells = read(io.StringIO(text), index=":", format="extxyz")
    if not all(cell.pbc.all() for cell in cells):
        raise CrystalError(f'{path} is not periodic in three directions: set pbc="T T T" if it is a crystal')
    return [AseAtomsAdaptor.get_structure(cell) for cell in cells]


def _json(text: str, path: Path) -> list[Structure]:
    try:
        content: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise CrystalError(f"{path} is broken JSON ({error}): download it again") from error
    return from_json(content, path)


_READERS = {"CIF": _cif, "POSCAR": _poscar, "extended XYZ": _xyz, "JSON": _json}


def example_path() -> Path:
    """Return a small CIF (rutile, TiO2) that this package ships, for those who have no crystal of their own at hand."""
    return Path(__file__).with_name("rutile.txt")
