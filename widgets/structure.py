"""The StructureViewer: crystals in three dimensions, from plain data. Called by templates of the materials sector.

3Dmol.js (Rego & Koes 2015, Bioinformatics 31:1322; BSD-3-Clause) is bundled in ``structure.js``; nothing is fetched.
Where no kernel and no script runs, as on a frozen page, the output's ``text/html`` shows a picture that the caller
passes.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import anywidget
import traitlets

#: Colours of elements where the caller gives none: of Okabe and Ito, told apart without colour vision.
COLOURS = {"O": "#D55E00", "S": "#F0E442", "F": "#009E73", "Cl": "#56B4E9", "Li": "#CC79A7", "Na": "#0072B2"}
#: Atoms nearer than this many times the sum of their radii are joined.
BOND = 1.2


class StructureViewer(anywidget.AnyWidget):
    """Crystals to turn around, with a choice between them and a CIF of each to download.

    Parameters
    ----------
    crystals : sequence of mapping
        One a crystal: ``name``; ``lattice``, three rows in Å; ``elements`` and ``places``, symbol and fractional
        coordinates of each atom; optional ``alt``, what it is in words, ``cif``, its text, and ``ions``, radius in Å
        and charge by element: ions of opposite charge that nearly touch are joined.
    colours : mapping of str to str, optional
        CSS colour by element.
    fallback : str, optional
        HTML shown where the widget cannot run, for example of :func:`.figures.figure_html`.

    Raises
    ------
    ValueError
        If there is no crystal, or one has not as many places as elements.
    """

    _esm = Path(__file__).with_name("structure.js")
    structures = traitlets.List().tag(sync=True)
    colours = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    #: The picture of a page that runs no script; publishing looks for it under this name.
    value = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, crystals: Sequence[Mapping[str, Any]], colours: Mapping[str, str] | None = None, fallback: str = ""
    ) -> None:
        if not crystals:
            raise ValueError("there is no crystal to show: pass at least one")
        shown = [_shown(c) for c in crystals]
        super().__init__(structures=shown, colours={**COLOURS, **(colours or {})}, value=fallback)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Add the picture for pages without a kernel, and the words for readers without pictures."""
        bundle: Any = super()._repr_mimebundle_(**options)
        data: dict[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = "; ".join(s["alt"] for s in self.structures)
        data["text/html"] = self.value or f"<p>{html.escape(data['text/plain'])}</p>"
        return bundle


def _shown(crystal: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the front end draws: atoms with images on the faces, their bonds, and the edges of the cell."""
    rows, elements, places = crystal["lattice"], list(crystal["elements"]), list(crystal["places"])
    if len(elements) != len(places) or not elements:
        raise ValueError(f"{crystal.get('name')}: {len(elements)} elements and {len(places)} places; give one for each")
    atoms = [
        {"element": e, **dict(zip("xyz", _cartesian(rows, image), strict=True)), "bonds": []}
        for e, place in zip(elements, places, strict=True)
        for image in _images(place)
    ]
    _join(atoms, crystal.get("ions") or {})
    corners = list(product((0.0, 1.0), repeat=3))
    edges = [
        [dict(zip("xyz", _cartesian(rows, c), strict=True)) for c in (a, b)]
        for a in corners
        for b in corners
        if a < b and sum(x != y for x, y in zip(a, b, strict=True)) == 1
    ]
    name = str(crystal["name"])
    alt = str(crystal.get("alt") or f"{name}: a cell of {len(elements)} atoms.")
    return {
        "name": name,
        "atoms": atoms,
        "edges": edges,
        "alt": alt,
        "cif": crystal.get("cif", ""),
        "file": f"{name}.cif",
    }


def _images(place: Sequence[float]) -> list[list[float]]:
    """Return an atom and its images on the faces of the closed cell."""
    inside = [round(float(x) % 1.0, 4) % 1.0 for x in place]
    shifts = product(*((0.0, 1.0) if x < 0.02 else (0.0, -1.0) if x > 0.98 else (0.0,) for x in inside))
    return [[x + s for x, s in zip(inside, shift, strict=True)] for shift in shifts]


def _cartesian(rows: Any, place: Sequence[float]) -> list[float]:
    return [sum(float(place[i]) * float(rows[i][k]) for i in range(3)) for k in range(3)]


def _join(atoms: list[dict[str, Any]], ions: Mapping[str, tuple[float, float]]) -> None:
    for i, a in enumerate(atoms):
        for j, b in enumerate(atoms[:i]):
            (r, q), (s, p) = (ions.get(x["element"], (0.0, 0.0)) for x in (a, b))
            if q * p < 0 and sum((a[k] - b[k]) ** 2 for k in "xyz") < (BOND * (r + s)) ** 2:
                a["bonds"].append(j)
                b["bonds"].append(i)
