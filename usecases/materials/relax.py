"""Relaxing cells with CHGNet: the physics check, and the budget in which methods are compared. Called by the study.

BFGS on positions and cell together (ASE's ``UnitCellFilter`` after Tadmor et al. 1999, Phys. Rev. B 59:235; Larsen et
al. 2017, J. Phys. Condens. Matter 29:273002). A relaxation ends when no force exceeds :data:`FORCE`, or after the
given number of evaluations, the same for every method; what has not converged keeps the energy it has, which is an
upper bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from ase.filters import UnitCellFilter
from ase.optimize import BFGS
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from threadpoolctl import threadpool_limits

from ..generative.training import THREADS, Progress
from ..generative.workers import processes
from .physics import Potential, chgnet

FORCE = 0.08  # eV/Å; going on to 0.05 changes energies by less than 2 meV/atom
#: A cell that blows up or collapses on the way is given up: smallest and largest volume in Å³ an atom.
VOLUMES = (3.0, 120.0)


@dataclass(frozen=True)
class Relaxed:
    """A relaxed cell.

    Attributes
    ----------
    structure : Structure
        Last cell, sites in the order of the first.
    energy : float
        CHGNet energy in eV/atom.
    force : float
        Largest force or scaled stress left, eV/Å.
    evaluations : int
        How often CHGNet was asked.
    """

    structure: Structure
    energy: float
    force: float
    evaluations: int

    @property
    def converged(self) -> bool:
        """Tell whether the largest force is below :data:`FORCE`."""
        return self.force <= FORCE


def relax(structure: Structure, evaluations: int, force: float = FORCE) -> Relaxed | None:
    """Relax one cell.

    Parameters
    ----------
    structure : Structure
        Where to begin.
    evaluations : int
        How often CHGNet may be asked, at least once.
    force : float
        When to stop, eV/Å.

    Returns
    -------
    Relaxed or None
        ``None`` if the cell collapsed, blew up or fell apart.
    """
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.calc = Potential()
    cell = UnitCellFilter(atoms)
    try:
        with BFGS(cell, logfile=None, maxstep=0.15) as walk:
            for left in range(evaluations - 1, -1, -1):
                largest = float(np.linalg.norm(cell.get_forces(), axis=1).max())
                if not np.isfinite(largest) or not VOLUMES[0] < atoms.get_volume() / len(atoms) < VOLUMES[1]:
                    return None
                if largest <= force or not left:
                    break
                walk.step()
    except (ValueError, np.linalg.LinAlgError):
        return None  # no neighbours left, or a cell without volume: nothing that exists
    end = AseAtomsAdaptor.get_structure(atoms)
    return Relaxed(end, atoms.get_potential_energy() / len(atoms), largest, evaluations - left)


def relax_all(
    structures: Sequence[Structure],
    evaluations: int | Sequence[int],
    progress: Progress | None = None,
    label: str = "relaxing with CHGNet",
    workers: int = 1,
) -> list[Relaxed | None]:
    """Relax many cells, several at a time, each on one thread, so that the same cells give the same bits.

    Parameters
    ----------
    structures : sequence of Structure
        Where to begin.
    evaluations : int or sequence of int
        As :func:`relax` has it, for all cells or one number a cell.
    progress : callable, optional
        Called with (done, total, label).
    label : str
        What progress calls this.
    workers : int
        Processes; 1 has two threads of this process do it, which suits two processors. Few cells are not worth more.
    """
    allowed = [evaluations] * len(structures) if isinstance(evaluations, int) else evaluations
    made: list[Relaxed | None] = []
    with _pool(workers if len(structures) > 4 * workers else 1) as pool:
        for one in pool.map(relax, structures, allowed):
            made.append(one)
            if progress:
                progress(len(made), len(structures), label)
    return made


@contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    if workers > 1:
        with processes(workers, _alone) as pool:
            yield pool
        return
    chgnet()
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(THREADS, initializer=_alone) as threads:
        yield threads


def _alone() -> None:
    """Have one thread do all of a relaxation.

    Matrices of three by three are not worth a second BLAS thread: starting it took more time than all of CHGNet.
    """
    torch.set_num_threads(1)
    threadpool_limits(1, "blas")
