"""How large a study is: the profiles that the template chooses from. Light on purpose: imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of one study.

    Attributes
    ----------
    formulas : int
        Test formulas, none of which any method has seen.
    tries : int
        Relaxations that each method may spend on a formula.
    draws : int
        Crystals that each method proposes for a formula; all of the generator's count for validity and uniqueness.
    evaluations : int
        CHGNet evaluations that a method may spend a relaxation; what it spends on screening is taken from them.
    steps, batch : int
        Gradient steps of the generator, crystals a step.
    width, blocks : int
        Of its network.
    sampling : int
        Steps from noise to a crystal.
    trees : int
        Trees of the random forest.
    atoms : int
        Most atoms in a training cell.
    workers : int
        Processes that relax; 1 stays within this one, with two threads.
    mixed : bool
        Compute in bfloat16 (GPU).
    """

    formulas: int = 12
    tries: int = 2
    draws: int = 8
    evaluations: int = 30
    steps: int = 4000
    batch: int = 48
    width: int = 64
    blocks: int = 3
    sampling: int = 60
    trees: int = 200
    atoms: int = 12
    workers: int = 1
    mixed: bool = False


PROFILES = {
    "smoke": Sizes(
        formulas=4, tries=1, draws=2, evaluations=6, steps=60, batch=16, width=32, blocks=2, sampling=8, trees=20,
    ),
    "default": Sizes(),
    "gpu": Sizes(
        formulas=24, tries=3, draws=16, evaluations=50, batch=256, width=192, blocks=4, trees=300, workers=16,
        mixed=True,
    ),
}  # fmt: skip
