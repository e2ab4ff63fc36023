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
        Crystals that each method proposes for a formula, and relaxations that it may spend on it.
    draws : int
        Crystals that the generator draws for a formula to tell validity and uniqueness.
    evaluations : int
        CHGNet evaluations that a relaxation may take.
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
    mixed : bool
        Compute in bfloat16 (GPU).
    """

    formulas: int = 24
    tries: int = 2
    draws: int = 4
    evaluations: int = 40
    steps: int = 2500
    batch: int = 64
    width: int = 96
    blocks: int = 4
    sampling: int = 40
    trees: int = 200
    atoms: int = 12
    mixed: bool = False


PROFILES = {
    "smoke": Sizes(
        formulas=4, tries=1, draws=2, evaluations=6, steps=60, batch=16, width=32, blocks=2, sampling=8, trees=20,
    ),
    "default": Sizes(),
    "gpu": Sizes(
        formulas=96, tries=8, draws=8, evaluations=200, steps=100_000, batch=512, width=256, blocks=6, sampling=200,
        trees=500, mixed=True,
    ),
}  # fmt: skip
