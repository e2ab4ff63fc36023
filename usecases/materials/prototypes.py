"""Crystal structure types as templates: lattice, sites, and which ion goes where. Called to make frames and baselines.

Coordinates are those of the types' name givers as handbooks list them (Wyckoff 1963; AFLOW's encyclopedia, Mehl et al.
2017, Comput. Mater. Sci. 136:S1), some rounded: each is relaxed before it counts. A site's letter is its role; roles
with equal counts take ions in the order of :func:`_order`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from .elements import RADII, radius
from .formulas import Formula

Site = tuple[str, float, float, float]


@dataclass(frozen=True)
class Prototype:
    """A structure type.

    Attributes
    ----------
    name, pattern : str
        Such as "rocksalt", and the pattern of formulas it takes, such as "AX".
    group : int
        Space group whose operations complete ``sites``; 1 where all sites are listed.
    cell : tuple of float
        a, b, c (any unit; scaled) and the angles in degrees.
    sites : tuple of (str, float, float, float)
        Role and fractional coordinates.
    centred : bool
        Repeat the sites at (1/2, 1/2, 1/2).
    """

    name: str
    pattern: str
    group: int
    cell: tuple[float, ...]
    sites: tuple[Site, ...]
    centred: bool = False


def _p(name: str, pattern: str, group: int, cell: Sequence[float], sites: str, centred: bool = False) -> Prototype:
    """Read a line of the table: ``a, c`` of a hexagonal or tetragonal cell, or all six; sites "a 0 0 0, b .5 .5 .5"."""
    full = tuple(cell)
    if len(full) == 1:
        full = (*full * 3, 90.0, 90.0, 90.0)
    elif len(full) == 2:
        full = (full[0], full[0], full[1], 90.0, 90.0, 120.0 if 143 <= group <= 194 else 90.0)
    elif len(full) == 3:
        full = (*full, 90.0, 90.0, 90.0)
    parsed = tuple((r, *map(_number, xyz)) for r, *xyz in (s.split() for s in sites.split(",")))
    return Prototype(name, pattern, group, full, parsed, centred)  # type: ignore[arg-type]


def _number(text: str) -> float:
    top, _, bottom = text.partition("/")
    return float(top) / float(bottom or 1)


PROTOTYPES = {p.name: p for p in (
    _p("rocksalt", "AX", 225, [4.2], "a 0 0 0, b .5 .5 .5"),
    _p("CsCl", "AX", 221, [2.7], "a 0 0 0, b .5 .5 .5"),
    _p("zincblende", "AX", 216, [5.4], "a 0 0 0, b .25 .25 .25"),
    _p("wurtzite", "AX", 186, [3.2, 5.2], "a 1/3 2/3 0, b 1/3 2/3 .375"),
    _p("NiAs", "AX", 194, [3.6, 5.0], "a 0 0 0, b 1/3 2/3 .25"),
    _p("litharge", "AX", 1, [3.97, 3.97, 5.02], "b 0 0 0, b .5 .5 0, a 0 .5 .237, a .5 0 .763"),
    _p("Bk boron nitride", "AX", 194, [3.4, 4.2], "a 1/3 2/3 .25, b 1/3 2/3 .75"),
    _p("TlI", "AX", 63, [4.57, 12.92, 5.24], "a 0 .392 .25, b 0 .133 .25"),
    _p("fluorite", "AX2", 225, [5.4], "a 0 0 0, b .25 .25 .25"),
    _p("rutile", "AX2", 136, [4.6, 2.96], "a 0 0 0, b .305 .305 0"),
    _p("CdI2", "AX2", 164, [3.4, 5.5], "a 0 0 0, b 1/3 2/3 .25"),
    _p("CdCl2", "AX2", 166, [3.5, 16.5], "a 0 0 0, b 0 0 .255"),
    _p("anatase", "AX2", 1, [3.78, 3.78, 9.51],
       "a 0 0 0, a 0 .5 .25, b 0 0 .208, b 0 0 -.208, b 0 .5 .458, b 0 .5 .042", True),
    _p("cristobalite", "AX2", 122, [5.0, 7.1], "a 0 0 0, b .09 .25 .125"),
    _p("marcasite", "AX2", 58, [4.44, 5.42, 3.39], "a 0 0 0, b .2 .378 0"),
    _p("MoS2", "AX2", 194, [3.16, 12.29], "a 1/3 2/3 .25, b 1/3 2/3 .621"),
    _p("cotunnite", "AX2", 62, [5.6, 3.3, 6.5], "a .246 .25 .11, b .36 .25 .422, b .025 .75 .339"),
    _p("HgI2", "AX2", 1, [4.37, 4.37, 12.4],
       "a 0 0 0, a .5 .5 .5, b 0 .5 .139, b 0 .5 .639, b .5 0 .861, b .5 0 .361"),
    _p("corundum", "A2X3", 167, [4.76, 12.99], "a 0 0 .352, b .306 0 .25"),
    _p("La2O3", "A2X3", 164, [3.94, 6.13], "a 1/3 2/3 .245, b 0 0 0, b 1/3 2/3 .645"),
    _p("tetradymite", "A2X3", 166, [4.38, 30.5], "a 0 0 .4, b 0 0 0, b 0 0 .79"),
    _p("ReO3", "AX3", 221, [3.75], "a 0 0 0, b .5 0 0"),
    _p("BiF3", "AX3", 225, [5.8], "a 0 0 0, b .5 .5 .5, b .25 .25 .25"),
    _p("FeF3", "AX3", 167, [5.2, 13.3], "a 0 0 0, b .42 0 .25"),
    _p("BiI3", "AX3", 148, [5.95, 17.3], "a 0 0 1/3, b 1/3 0 .078"),
    _p("PuBr3", "AX3", 63, [4.1, 12.6, 9.1], "a 0 .25 .25, b 0 .93 .25, b 0 .35 .95"),
    _p("NaFeO2", "AMX2", 166, [2.85, 14.2], "a 0 0 .5, b 0 0 0, c 0 0 .26"),
    _p("delafossite", "AMX2", 166, [3.04, 17.2], "a 0 0 0, b 0 0 .5, c 0 0 .107"),
    _p("chalcopyrite", "AMX2", 122, [5.3, 10.4], "a 0 0 0, b 0 0 .5, c .25 .25 .125"),
    _p("layered rocksalt", "AMX2", 123, [2.9, 4.1], "a 0 0 0, b .5 .5 .5, c .5 .5 0, c 0 0 .5"),
    _p("layered zincblende", "AMX2", 115, [3.8, 5.4], "a 0 0 0, b .5 .5 .5, c 0 .5 .25"),
    _p("LiFeO2", "AMX2", 1, [4.05, 4.05, 8.76],
       "a 0 0 0, a 0 .5 .25, b 0 0 .5, b 0 .5 .75, c 0 0 .25, c 0 0 .75, c 0 .5 .5, c 0 .5 0", True),
    _p("LiTiS2", "AMX2", 164, [3.45, 6.2], "a 0 0 .5, b 0 0 0, c 1/3 2/3 .24"),
    _p("LiNbS2", "AMX2", 194, [3.35, 12.9], "a 0 0 0, b 0 0 .25, c 1/3 2/3 .12"),
    _p("P3 layers", "AMX2", 160, [2.85, 16.8], "a 0 0 .1667, b 0 0 0, c 0 0 .389, c 0 0 .611"),
    _p("perovskite", "AMX3", 221, [3.9], "a .5 .5 .5, b 0 0 0, c .5 0 0"),
    _p("ilmenite", "AMX3", 148, [5.09, 14.09], "a 0 0 .355, b 0 0 .146, c .317 .023 .245"),
    _p("LiNbO3", "AMX3", 161, [5.15, 13.86], "a 0 0 .279, b 0 0 0, c .049 .345 .065"),
    _p("BaNiO3", "AMX3", 194, [5.63, 4.81], "a 1/3 2/3 .75, b 0 0 0, c .147 .294 .25"),
    _p("PbVO3", "AMX3", 99, [3.8, 4.67], "a 0 0 0, b .5 .5 .57, c .5 .5 .21, c .5 0 .69"),
    _p("post-perovskite", "AMX3", 63, [3.15, 9.86, 7.3], "a 0 .25 .25, b 0 0 0, c 0 .92 .25, c 0 .64 .44"),
    _p("K2NiF4", "A2MX4", 139, [4.0, 13.1], "a 0 0 0, b 0 0 .352, c 0 .5 0, c 0 0 .152"),
    _p("Nd2CuO4", "A2MX4", 139, [3.94, 12.15], "a 0 0 0, b 0 0 .352, c 0 .5 0, c 0 .5 .25"),
    _p("CdGa2S4", "A2MX4", 82, [5.55, 10.2], "a 0 0 0, b 0 0 .5, b 0 .5 .25, c .27 .26 .14"),
    _p("Mn2SnS4", "A2MX4", 65, [7.4, 10.48, 3.66], "a 0 0 0, b .25 .25 .5, c 0 .245 0, c .24 0 .5"),
    _p("Li2MnO3", "A2MX3", 12, [4.94, 8.53, 5.02, 90, 109.4, 90],
       "a 0 .167 0, b 0 .5 0, b 0 0 .5, b 0 .66 .5, c .22 0 .227, c .254 .321 .223"),
    _p("Li2SiO3", "A2MX3", 36, [9.39, 5.4, 4.66], "a 0 .17 .493, b .174 .345 0, c .1446 .308 .41, c 0 .112 .845"),
    _p("Sr2CuO3", "A2MX3", 71, [12.69, 3.91, 3.48], "a 0 0 0, b .355 0 0, c 0 .5 0, c .155 0 0"),
    _p("K2PtCl6", "A2MX6", 225, [8.5], "a 0 0 0, b .25 .25 .25, c .23 0 0"),
    _p("K2GeF6", "A2MX6", 164, [5.62, 4.65], "a 0 0 0, b 1/3 2/3 .7, c .148 .852 .22"),
    _p("Li2ZrF6", "A2MX6", 162, [4.97, 4.66], "a 0 0 0, b 1/3 2/3 .5, c .33 0 .258"),
    _p("Li2NiO2", "A2MX2", 164, [3.1, 5.2], "a 0 0 0, b 1/3 2/3 .247, c 1/3 2/3 .63"),
    _p("Li2CuO2", "A2MX2", 71, [3.66, 2.86, 9.38], "a 0 .5 .5, c 0 .5 .214, b 0 0 .356"),
    _p("ThCr2Si2", "A2MX2", 139, [3.9, 11.0], "a 0 0 0, c 0 .5 .25, b 0 0 .36"),
    _p("half-Heusler", "AMX", 216, [5.9], "a .25 .25 .25, b 0 0 0, c .5 .5 .5"),
    _p("PbFCl", "AMX", 1, [4.1, 4.1, 7.2], "c 0 0 0, c .5 .5 0, a 0 .5 .2, a .5 0 .8, b 0 .5 .65, b .5 0 .35"),
    _p("FeOCl", "AMX", 1, [3.78, 3.3, 7.92],
       "a 0 .5 .116, a .5 0 .884, c 0 0 .952, c .5 .5 .048, b 0 0 .33, b .5 .5 .67"),
    _p("ZrBeSi", "AMX", 194, [3.9, 6.3], "c 0 0 0, b 1/3 2/3 .25, a 1/3 2/3 .75"),
    _p("CdClOH", "AMX", 156, [3.5, 5.3], "a 0 0 0, b 1/3 2/3 .26, c 2/3 1/3 .78"),
)}  # fmt: skip

#: Structure types that no method may learn from or copy: about one in three of those of a pattern that has three or
#: more. Chosen by hand before anything was trained, so that frequent and rare types stand on both sides.
TEST_PROTOTYPES = (
    "NiAs", "zincblende", "TlI", "CdI2", "anatase", "HgI2", "La2O3", "FeF3", "ReO3", "LiTiS2",
    "LiFeO2", "layered zincblende", "LiNbO3", "post-perovskite", "Mn2SnS4", "Li2SiO3", "K2GeF6", "Li2CuO2",
    "FeOCl", "ZrBeSi",
)  # fmt: skip
_PLACES = ("Li", "Na", "K")
#: Like ions may come this near, in units of the sum of their radii: so near are those of rutile.
LIKE = 0.85


@lru_cache(maxsize=128)
def template(name: str) -> tuple[Structure, tuple[str, ...]]:
    """Return the primitive cell with placeholders for ions, and each site's role."""
    kind = PROTOTYPES[name]
    letters = sorted({site[0] for site in kind.sites})
    species = [_PLACES[letters.index(r)] for r, *_ in kind.sites]
    lattice, coords = Lattice.from_parameters(*kind.cell), [site[1:] for site in kind.sites]
    if kind.centred:
        species, coords = species * 2, coords + [tuple(x + 0.5 for x in c) for c in coords]  # type: ignore[misc]
    whole: Any = Structure.from_spacegroup(kind.group, lattice, species, coords)
    cell = whole.get_primitive_structure().get_reduced_structure()
    return cell, tuple(letters[_PLACES.index(site.specie.symbol)] for site in cell)


def _order(formula: Formula, element: str) -> tuple[bool, int, float]:
    """Return the order of an ion among those of equal number: one that is alone of its sign first, then low charges."""
    charges = formula.charges
    alone = sum(q * charges[element] > 0 for q in charges.values()) == 1
    return (not alone, abs(charges[element]), -RADII[element][charges[element]])


def assignment(name: str, formula: Formula) -> dict[str, str] | None:
    """Return the element of each role by chemical sense, or ``None`` where the numbers do not fit.

    Where cation and anion are as many (AX), the cation takes the first role; antifluorite is fluorite turned around.
    """
    counts = role_counts(name)
    units = sum(counts.values()) / formula.atoms
    taken: dict[str, str] = {}
    for role, count in sorted(counts.items()):
        fitting = [e for e, n, _ in formula.ions if n * units == count and e not in taken.values()]
        if not fitting:
            return None
        taken[role] = min(fitting, key=lambda e: _order(formula, e))
    return taken


def role_counts(name: str) -> dict[str, int]:
    """Return how many sites of the primitive cell have each role."""
    roles = template(name)[1]
    return {role: roles.count(role) for role in sorted(set(roles))}


def decorate(name: str, formula: Formula, taken: dict[str, str]) -> Structure:
    """Put ions on a prototype's sites and scale it so that ions touch.

    Parameters
    ----------
    name : str
        Prototype.
    formula : Formula
        Gives the charges, hence the radii.
    taken : dict of str to str
        Element of each role.

    Returns
    -------
    pymatgen.core.Structure
        Primitive cell in Å.
    """
    cell, roles = template(name)
    elements = [taken[role] for role in roles]
    made = Structure(cell.lattice, elements, cell.frac_coords)
    made.scale_lattice(made.volume * touching(made, formula.charges) ** 3)
    return made


def touching(structure: Structure, charges: dict[str, int]) -> float:
    """Return by how much to scale all lengths so that ions touch: opposite ones, like ones at 85 % of their radii."""
    symbols = [site.specie.symbol for site in structure]
    size = np.array([radius(e, charges[e]) for e in symbols])
    sign = np.sign([charges[e] for e in symbols])
    wanted = (size[:, None] + size) * np.where(sign[:, None] == sign, LIKE, 1.0)
    distance: NDArray[np.float64] = structure.distance_matrix
    np.fill_diagonal(distance, min(structure.lattice.abc))
    return float((wanted / distance).max())
