"""The shipped frames: crystals relaxed with CHGNet, and who may learn from them. Called by the study part.

``frames.extxyz.gz`` is what :mod:`.make_frames` wrote: every formula of :mod:`.formulas` in every structure type of
:mod:`.prototypes` that fits. Formulas are split by composition, and structure types by name; training sees training
formulas in training types, and of those only frames that have not relaxed into a test type. So neither a test formula
nor a test type was ever seen. All frames together make the hull that results are measured against.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ase.io import read
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from .formulas import Formula, by_name, part
from .prototypes import TEST_PROTOTYPES

FRAMES = Path(__file__).with_name("frames.extxyz.gz")


class FramesError(RuntimeError):
    """The shipped frames cannot be read; the message names the file and the remedy."""


@dataclass(frozen=True)
class Frame:
    """A relaxed crystal.

    Attributes
    ----------
    formula : str
        Such as "LiCoO2"; an element's symbol for its own phase.
    prototype : str
        Structure type it was relaxed from.
    structure : Structure
        Primitive cell in Å.
    energy : float
        CHGNet energy in eV/atom.
    became : str
        Test structure type that it matches after relaxation, else "".
    """

    formula: str
    prototype: str
    structure: Structure
    energy: float
    became: str = ""

    @property
    def ionic(self) -> Formula | None:
        """The formula with its charges, or ``None`` for an element."""
        return by_name().get(self.formula)

    @property
    def part(self) -> str:
        """Who may see it: "train", "validation", "test", or "hull" for what only the hull may hold."""
        if self.ionic is None:
            return "hull"
        unseen = self.prototype in TEST_PROTOTYPES or bool(self.became)
        own = part(self.ionic)
        return own if (own == "test") == unseen or (own == "validation" and not unseen) else "hull"


@lru_cache(maxsize=2)
def frames(path: Path = FRAMES) -> tuple[Frame, ...]:
    """Read frames.

    Raises
    ------
    FramesError
        If the file is missing or not what :mod:`.make_frames` writes.
    """
    remedy = "install the package again, or make them: python -m genai4eu.usecases.materials.make_frames"
    try:
        text = gzip.decompress(path.read_bytes()).decode()
        found = read(io.StringIO(text), index=":", format="extxyz")
        return tuple(
            Frame(
                # extended XYZ takes a lone F for "false", so an element is told by its atoms
                str(a.symbols[0]) if len(set(a.symbols)) == 1 else str(a.info["formula"]),
                str(a.info["prototype"]),
                AseAtomsAdaptor.get_structure(a),
                float(a.info["energy_per_atom"]),
                str(a.info.get("became", "")),
            )
            for a in found
        )
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise FramesError(f"cannot read the frames in {path} ({error}): {remedy}") from error


def formulas_of(kind: str) -> list[Formula]:
    """Return the formulas of one part, in a fixed order; only those that have any frame."""
    known = {frame.formula for frame in frames()}
    return [f for f in by_name().values() if f.name in known and part(f) == kind]
