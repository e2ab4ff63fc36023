"""A crystal in a plane: atoms as discs, nearer ones larger and on top, the cell as lines. Called by the figures.

The view is a slightly tilted parallel projection. Colours are chosen to be told apart without colour vision, and every
disc of the cell carries its symbol.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from pymatgen.core import Structure

#: Colour by element: anions light, alkali metals violet and blue, others dark.
COLOURS = {
    "O": "#F0A79A", "S": "#F5E27A", "F": "#BCE7C5", "Cl": "#8FD19E", "Li": "#8E6BBE", "Na": "#5B8FD6", "Mg": "#B07D2B",
    "Al": "#9AA3AD", "Ti": "#4A5560", "Mn": "#9C4A8B", "Fe": "#B5522B", "Co": "#2F5FB3", "Ni": "#2E7D5B",
}  # fmt: skip
ANION_SIZE, CATION_SIZE = 0.62, 0.48  # Å, as drawn
ANIONS = ("O", "S", "F", "Cl")


def view() -> NDArray[np.float64]:
    """Return the rotation of the view: turned by 20° and tilted by 15°."""
    a, b = np.radians(20), np.radians(15)
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    upright = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # c points up
    return np.asarray(tilt @ turn @ upright)


def draw_crystal(axes: Axes, structure: Structure) -> None:
    """Draw one cell, with the images of atoms that lie on its faces."""
    turn = view()
    corners = {c: turn @ structure.lattice.get_cartesian_coords(c) for c in product((0.0, 1.0), repeat=3)}
    for a, b in (
        (a, b) for a in corners for b in corners if sum(x != y for x, y in zip(a, b, strict=True)) == 1 and a < b
    ):
        line = np.stack([corners[a], corners[b]])
        axes.plot(line[:, 0], line[:, 1], color="#9aa5b1", linewidth=0.8, zorder=line[:, 2].mean())
    for symbol, place in _atoms(structure):
        x, y, depth = turn @ place
        size = ANION_SIZE if symbol in ANIONS else CATION_SIZE
        disc = _disc(x, y, size)
        axes.fill(
            disc[0], disc[1], facecolor=COLOURS.get(symbol, "#cccccc"), edgecolor="#1b2733", linewidth=0.7, zorder=depth
        )
        dark = symbol not in ANIONS
        axes.text(x, y, symbol, ha="center", va="center", fontsize=6.5, zorder=depth + 1e-3,
                  color="white" if dark and symbol != "Al" else "#1b2733")  # fmt: skip
    axes.set_aspect("equal")
    axes.axis("off")


def _disc(x: float, y: float, radius: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle = np.linspace(0, 2 * np.pi, 40)
    return x + radius * np.cos(angle), y + radius * np.sin(angle)


def _atoms(structure: Structure) -> list[tuple[str, NDArray[np.float64]]]:
    """Return symbols and places (Å) of the atoms in the closed cell."""
    found = []
    for site in structure:
        inside = np.round(site.frac_coords % 1.0, 4) % 1.0
        for shift in product(*((0.0, 1.0) if x < 0.02 else (0.0, -1.0) if x > 0.98 else (0.0,) for x in inside)):
            found.append((site.specie.symbol, structure.lattice.get_cartesian_coords(inside + np.array(shift))))
    return found
