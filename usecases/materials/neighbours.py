"""Which atoms of a cell are near which, as arrays: the graph that CHGNet's network works on. Called by the network.

An *edge* leads from an atom to a neighbour or its image; a *bond* is an edge and its way back. CHGNet's own converter
builds the same graph from Python objects, one an edge, which takes longer than the network does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pymatgen.optimization.neighbors import find_points_in_spheres
from torch import Tensor

Array = NDArray[np.float64]
REACH, SHORT = 6.0, 3.0  # Å: of bonds, and of those that angles are between (CHGNet 0.3.0)
_SELF = 1e-8  # Å


@dataclass(frozen=True)
class Neighbours:
    """The graph of one cell; E edges, U bonds, S short bonds, A angles.

    Attributes
    ----------
    centre, other : Tensor, (E,) int64
        Atoms at the ends of each edge.
    image : Tensor, (E, 3) float32
        In which cell the other one is.
    bond : Tensor, (E,) int64
        Which bond the edge is part of.
    edge : Tensor, (U,) int64
        One edge of each bond.
    short : Tensor, (S,) int64
        Bonds shorter than 3 Å.
    angle : Tensor, (5, A) int64
        Atom in the middle; first and second bond, counted among the short ones; first and second edge.
    """

    centre: Tensor
    other: Tensor
    image: Tensor
    bond: Tensor
    edge: Tensor
    short: Tensor
    angle: Tensor


def neighbours(lattice: Array, places: Array) -> Neighbours:
    """Return the graph of a cell.

    Parameters
    ----------
    lattice : array, (3, 3)
        Vectors as rows, Å.
    places : array, (N, 3)
        Fractional coordinates.

    Raises
    ------
    ValueError
        If an atom has no neighbour within 6 Å.
    """
    at = np.ascontiguousarray(places @ lattice)
    every = np.ones(3, np.int64)
    centre, other, image, length = find_points_in_spheres(at, at, REACH, every, np.ascontiguousarray(lattice), _SELF)
    real = (centre != other) | (length > _SELF)
    centre, other, image, length = centre[real], other[real], image[real].astype(np.int64), length[real]
    lonely = len(at) - len(np.unique(centre))
    if lonely:
        raise ValueError(f"{lonely} isolated atom(s) without a neighbour within {REACH:.0f} Å")
    bond, edge = _bonds(centre, other, image, len(at))
    short, angle = _angles(centre, bond, length)
    found = [torch.from_numpy(np.ascontiguousarray(x)) for x in (centre, other, bond, edge, short, angle)]
    return Neighbours(found[0], found[1], torch.from_numpy(image.astype(np.float32)), *found[2:])


def _bonds(
    centre: NDArray[np.int64], other: NDArray[np.int64], image: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bond of each edge, and an edge of each bond: an edge and its way back have the same larger number."""
    base = 2 * int(np.abs(image).max(initial=0)) + 1
    cell = image @ base ** np.arange(3)
    there, back = (centre * count + other) * base**3 + cell, (other * count + centre) * base**3 - cell
    _, edge, bond = np.unique(np.maximum(there, back), return_index=True, return_inverse=True)
    return bond.astype(np.int64), edge.astype(np.int64)


def _angles(
    centre: NDArray[np.int64], bond: NDArray[np.int64], length: Array
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the short bonds, and all ordered pairs of short edges that leave the same atom."""
    near = np.flatnonzero(length < SHORT)
    short, place = np.unique(bond[near], return_inverse=True)
    alike = centre[near][:, None] == centre[near]
    np.fill_diagonal(alike, False)
    first, second = np.nonzero(alike)
    return short, np.stack([centre[near][first], place[first], place[second], near[first], near[second]])
