"""Training of the generator, and drawing crystals from it. Called by the study part and the live answer."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from pymatgen.core import Structure
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..generative.training import Keep, Kept, Progress, device, reproducible, train
from .crystal import IONS, Stack, ionic_volume, stack, structures
from .data import Frame, frames
from .formulas import Formula, by_name
from .hull import CUTOFF, training_hull
from .model import CrystalFlow, flow_losses, starts, walk
from .sizes import Sizes

PUSH = 10.0  # chosen on validation formulas
RATE = 2e-3


class GeneratorError(RuntimeError):
    """A stored generator that cannot be used; the message names the file and the remedy."""


def training_frames(most: int = 12) -> list[Frame]:
    """Return the frames that the generator and every baseline may learn from: at most ``most`` atoms a cell."""
    return [f for f in frames() if f.part == "train" and len(f.structure) <= most]


def stacks(chosen: Sequence[Frame]) -> dict[int, Stack]:
    """Return frames as tensors by their number of atoms, with energies above the hull of the training frames."""
    groups: dict[int, list[Frame]] = defaultdict(list)
    for frame in chosen:
        groups[len(frame.structure)].append(frame)
    hull = training_hull()
    return {
        n: stack(
            [f.structure for f in group],
            [f.ionic for f in group],  # type: ignore[misc]
            [hull.above(f.structure.composition, f.energy) for f in group],
        )
        for n, group in sorted(groups.items())
    }


def train_generator(
    chosen: Sequence[Frame],
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> CrystalFlow:
    """Train the flow.

    A batch holds crystals of one number of atoms, so that no place is padding, and about as many pairs of atoms
    whatever that number is; every frame comes up equally often.

    Parameters
    ----------
    chosen : sequence of Frame
        From :func:`training_frames`.
    sizes : Sizes
        Training takes ``steps`` gradient steps of ``batch`` crystals of six atoms.
    seed : int
        The same seed gives the same weights.
    progress : callable, optional
        Called with (done, total, label).
    keep, kept : callable, optional
        Keep the training as it goes on, and return what was kept; see :func:`.generative.training.train`.
    """
    where = device()
    groups = [Stack(*(x.to(where) for x in vars(s).values())) for s in stacks(chosen).values()]
    shapes = torch.cat([s.shape for s in groups])
    sizes_of = [_batch(s.places.shape[1], sizes.batch) for s in groups]
    share = torch.tensor([len(s.shape) / size for s, size in zip(groups, sizes_of, strict=True)], device=where)
    with reproducible(seed):
        model = CrystalFlow(sizes.width, sizes.blocks, shapes.mean(0), shapes.std(0)).to(where)

        def drawn(generator: torch.Generator) -> tuple[Tensor, ...]:
            number = int(torch.multinomial(share, 1, generator=generator))
            group = groups[number]
            picked = torch.randint(len(group.shape), (sizes_of[number],), generator=generator, device=where)
            data = group.pick(picked)
            return (starts(data, generator), *vars(data).values())

        def loss(generator: torch.Generator, start: Tensor, *data: Tensor) -> Tensor:
            places, shape = flow_losses(model, Stack(*data), generator, start)
            return places + shape

        label = "training the flow"
        return train(model, loss, sizes.steps, seed, RATE, sizes.mixed, progress, label, keep, kept, True, drawn)


def _batch(atoms: int, size: int) -> int:
    """Return how many crystals of so many atoms have the pairs of ``size`` crystals of six."""
    return min(2 * size, max(8, round(size * 36 / atoms**2)))


@lru_cache(maxsize=512)
def usual_units(formula: Formula) -> list[int]:
    """Return the formula units that near-hull training crystals of this pattern have in a cell, at most two numbers."""
    hull = training_hull()
    alike = [f for f in training_frames() if f.ionic and f.ionic.pattern == formula.pattern]
    near = [f for f in alike if hull.above(f.structure.composition, f.energy) < CUTOFF] or alike
    counts = Counter(len(f.structure) // formula.atoms for f in near)
    return [units for units, _ in counts.most_common(2)] or [1]


def draw(
    model: CrystalFlow,
    formula: Formula | str,
    count: int,
    seed: int,
    steps: int,
    units: int | Sequence[int] | None = None,
    push: float = PUSH,
    above: float | Sequence[float] = 0.0,
) -> list[Structure]:
    """Draw crystals of a formula.

    Parameters
    ----------
    model : CrystalFlow
        From :func:`train_generator`.
    formula : Formula or str
        What the crystals are made of, or its name in :func:`.formulas.by_name`; neutral, so every crystal is.
    count : int
        How many.
    seed : int
        Seed of the noise.
    steps : int
        From noise to crystal.
    units : int or sequence of int, optional
        Formula units in a cell; of several, the crystals take turns. Cells of more than 12 atoms are left out. By
        default those of :func:`usual_units`.
    push : float
        See :func:`.model.walk`.
    above : float or sequence of float
        Energy above the hull that is asked for, eV/atom: of all crystals, or of each.

    Returns
    -------
    list of pymatgen.core.Structure
        Primitive or not, in Å; not relaxed.
    """
    formula = by_name()[formula] if isinstance(formula, str) else formula
    wanted = usual_units(formula) if units is None else np.atleast_1d(units).tolist()
    fitting = [u for u in wanted if u * formula.atoms <= 12] or [1]
    made: dict[int, list[Structure]] = {}
    where = next(model.parameters()).device
    generator = torch.Generator(where).manual_seed(seed)
    asked = torch.as_tensor(np.broadcast_to(above, count).copy(), dtype=torch.float32, device=where)
    for k, unit in enumerate(fitting):
        number = len(asked[k :: len(fitting)])
        if number:
            one = [IONS.index((e, q)) for e, n, q in formula.ions for _ in range(n * unit)]
            numbers = torch.tensor([one] * number, device=where)
            volume = torch.full((number,), ionic_volume(one), device=where)
            blank = torch.zeros((*numbers.shape, 3), device=where)
            given = Stack(numbers, blank, blank[:, 0], volume, asked[k :: len(fitting)])
            with reproducible(seed):
                places, shape = walk(model, given, steps, generator, push)
            made[k] = structures(numbers.cpu(), places.cpu(), shape.cpu(), volume.cpu())
    return [made[i % len(fitting)][i // len(fitting)] for i in range(count)]


def save_generator(model: CrystalFlow, sizes: Sizes, path: Path) -> None:
    """Write weights as safetensors and what builds the network as JSON beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.cpu().state_dict().items()}, path)
    built = {"width": sizes.width, "blocks": sizes.blocks, "sampling": sizes.sampling}
    path.with_suffix(".json").write_text(json.dumps(built, indent=1))


def load_generator(path: Path) -> tuple[CrystalFlow, int]:
    """Return a stored generator, ready to draw, and how many steps it was tested with.

    Raises
    ------
    GeneratorError
        If a file is missing or broken.
    """
    try:
        built = json.loads(path.with_suffix(".json").read_text())
        model = CrystalFlow(built["width"], built["blocks"])
        model.load_state_dict(load_file(path))
        return model.eval().requires_grad_(False), int(built["sampling"])
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise GeneratorError(f"cannot read the generator {path} ({error}): run the study part again") from error
