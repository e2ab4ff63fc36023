"""Make the frames that the use case ships: every formula in every structure type that fits, relaxed with CHGNet.

Run it, about ten minutes on two free cores::

    python -m genai4eu.usecases.materials.make_frames [frames.extxyz.gz]

Each frame keeps its formula, structure type, energy and the largest force left. Starts are rattled a little, so that
a symmetric saddle is left. What collapses, blows up or does not settle within :data:`EVALUATIONS` is not kept. Frames
that the file holds already are taken as they are, so that a run that was stopped is gone on with; delete it to begin
anew. Of the shipped frames 775 settled in a first run that allowed 25 evaluations, the others in later ones; made anew,
the first ones that were above 0.08 eV/Å go on to that, and the file is not the same to the last digit.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from ..generative.training import Progress
from .data import FRAMES
from .elements import ANIONS, CATIONS
from .formulas import by_name, formulas
from .prototypes import PROTOTYPES, TEST_PROTOTYPES, assignment, decorate
from .relax import Relaxed, relax_all

EVALUATIONS = 60
SETTLED = 0.15  # eV/Å
RATTLE = 0.02  # Å


def starts() -> list[tuple[str, str, Structure]]:
    """Return (formula, prototype, cell) of everything to relax; the elements' own phases come first."""
    found = elements()
    # two ions first, for their phases compete with all others; then in random order, so that any part is a sample
    order = np.random.default_rng(5).permutation(len(formulas()))
    for formula in sorted((formulas()[i] for i in order), key=lambda f: len(f.ions) > 2):
        for name, kind in PROTOTYPES.items():
            taken = assignment(name, formula) if kind.pattern == formula.pattern else None
            if taken:
                found.append((formula.name, name, decorate(name, formula, taken)))
    for number, (_, _, cell) in enumerate(found):
        shift = np.random.default_rng([number, 7]).normal(0, RATTLE, (len(cell), 3))
        for i, vector in enumerate(shift):
            cell.translate_sites([i], vector, frac_coords=False)
    return found


def elements() -> list[tuple[str, str, Structure]]:
    """Return simple phases of the elements, the corners of the hull: metals, molecules, and rings of sulphur."""
    found = []
    for metal in CATIONS:
        size = Lattice.cubic(3.5).scale(20.0)
        for name, lattice, sites in (
            ("bcc", size.scale(40.0), [[0, 0, 0], [0.5, 0.5, 0.5]]),
            ("fcc", size.scale(68.0), [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
            ("hcp", Lattice.hexagonal(2.9, 4.7), [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]),
        ):
            found.append((metal, name, Structure(lattice, [metal] * len(sites), sites).get_primitive_structure()))
    for gas, bond in (("O", 1.21), ("F", 1.42), ("Cl", 2.0)):
        cell = Lattice.orthorhombic(3.4 + bond / 3, 3.4 + bond / 3, 3.2 + bond)
        found.append((gas, "molecule", Structure(cell, [gas] * 2, [[0, 0, 0], [0, 0, bond / cell.c]])))
    angle = np.arange(8) * np.pi / 4
    ring = np.stack([2.34 * np.cos(angle), 2.34 * np.sin(angle), 0.5 * (-1.0) ** np.arange(8)], 1)
    found.append(
        ("S", "ring", Structure(Lattice.orthorhombic(8.3, 8.3, 4.6), ["S"] * 8, ring, coords_are_cartesian=True))
    )
    assert {f for f, _, _ in found} == {*CATIONS, *ANIONS}
    return found


def relax_apart(cells: list[Structure], until: float, processes: int, tell: Progress) -> list[Relaxed | None]:
    """Relax in processes, which share nothing and so wait for nothing; stop when the time is over."""
    ends: list[Relaxed | None] = []
    with get_context("spawn").Pool(processes) as pool:
        for end in pool.imap(_relax, cells, chunksize=4):
            ends.append(end)
            tell(len(ends), len(cells), "relaxing with CHGNet")
            if time.monotonic() > until:
                break
    return ends


def _relax(cell: Structure) -> Relaxed | None:
    return relax_all([cell], EVALUATIONS)[0]


def frame(formula: str, prototype: str, relaxed: Relaxed) -> Atoms:
    """Return what is written of one relaxation: cell, elements, places, and its facts in ``info``."""
    atoms = AseAtomsAdaptor.get_atoms(relaxed.structure, msonable=False)
    plain = Atoms(atoms.symbols, scaled_positions=atoms.get_scaled_positions(), cell=atoms.cell, pbc=True)
    facts = {"energy_per_atom": round(relaxed.energy, 5), "largest_force": round(relaxed.force, 3)}
    plain.info = {"formula": formula, "prototype": prototype, **facts}
    return plain


def made(path: Path) -> dict[tuple[str, str], Atoms]:
    """Return the frames that a file holds, by formula and structure type; none where there is no file."""
    if not path.exists():
        return {}
    found = read(io.StringIO(gzip.decompress(path.read_bytes()).decode()), index=":", format="extxyz")
    for atoms in found:
        atoms.info.pop("became", None)
        if len(set(atoms.symbols)) == 1:  # extended XYZ takes a lone F for "false"
            atoms.info["formula"] = str(atoms.symbols[0])
    return {(str(a.info["formula"]), str(a.info["prototype"])): a for a in found}


def mark(kept: list[Atoms]) -> None:
    """Note in ``became`` of every frame the test structure type that it has relaxed into, if any.

    Compared, whatever the elements, with six relaxed frames of each test type of its pattern.
    """
    cells = {id(a): AseAtomsAdaptor.get_structure(a) for a in kept}
    typical: dict[tuple[str, str], list[Structure]] = {}
    for atoms in kept:
        name, formula = atoms.info["prototype"], by_name().get(str(atoms.info["formula"]))
        if formula and name in TEST_PROTOTYPES:
            typical.setdefault((formula.pattern, name), []).append(cells[id(atoms)])
    for atoms in kept:
        formula = by_name().get(str(atoms.info["formula"]))
        if formula and atoms.info["prototype"] not in TEST_PROTOTYPES:
            names = [n for p, n in typical if p == formula.pattern]
            some = {n: typical[formula.pattern, n] for n in names}
            hits = [
                n for n, t in some.items() if any(_alike(cells[id(atoms)], o) for o in t[:: max(1, len(t) // 6)][:6])
            ]
            atoms.info |= {"became": hits[0]} if hits else {}


def _alike(a: Structure, b: Structure) -> bool:
    return bool(StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5).fit_anonymous(a, b))


def save(kept: list[Atoms], path: Path) -> None:
    """Write frames as gzipped extended XYZ, without a time stamp or a name: the same frames are the same file."""
    text = io.StringIO()
    write(text, kept, format="extxyz", columns=["symbols", "positions"])
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def main() -> None:
    """Relax and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="?", type=Path, default=FRAMES, help="file to write (default: the shipped one)")
    parser.add_argument("--minutes", type=float, default=60, help="stop after so long and write what is done")
    parser.add_argument("--processes", type=int, default=2, help="how many relax at a time (default: 2)")
    options = parser.parse_args()
    known, wanted = made(options.path), starts()
    todo = [start for start in wanted if start[:2] not in known]
    until = time.monotonic() + 60 * options.minutes

    def tell(done: float, total: float, label: str) -> None:
        if done % 50 == 0 or done == total:
            print(f"{label}: {done:.0f} of {total:.0f}", file=sys.stderr, flush=True)

    ends = relax_apart([cell for _, _, cell in todo], until, options.processes, tell)
    for (formula, name, _), end in zip(todo, ends, strict=False):
        if end is not None and end.force <= SETTLED:
            known[formula, name] = frame(formula, name, end)
    kept = [known[start[:2]] for start in wanted if start[:2] in known]
    mark(kept)
    save(kept, options.path)
    print(f"{len(kept)} of {len(wanted)} frames in {options.path}, {options.path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
