"""How large a study is: the profiles that the template chooses from. Light on purpose: imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of one study.

    Attributes
    ----------
    demonstrations : int
        Episodes shown, all that any learner sees.
    fewer : tuple of int
        Smaller sets, the first episodes of the same, for which the flow policy is trained too.
    test : int
        Test episodes, each at a placement of its own.
    starts, repeats : int
        Placements from which every policy is started again and again, and how often: for the behaviour entropy.
    steps, batch : int
        Gradient steps of a policy, chunks a batch.
    width, depth : int
        Width and number of residual blocks of the networks.
    horizon, execute : int
        Actions in a chunk, and how many of them are carried out before the next decision.
    sampling : int
        Euler steps from noise to a chunk.
    mixed : bool
        Compute in bfloat16 (GPU).
    """

    demonstrations: int = 300
    fewer: tuple[int, ...] = (25, 100)
    test: int = 100
    starts: int = 10
    repeats: int = 16
    steps: int = 3000
    batch: int = 128
    width: int = 192
    depth: int = 3
    horizon: int = 8
    execute: int = 4
    sampling: int = 8
    mixed: bool = False


PROFILES = {
    "smoke": Sizes(demonstrations=24, fewer=(8,), test=8, starts=2, repeats=4, steps=150, batch=64, width=96, depth=2),
    "default": Sizes(),
    "gpu": Sizes(
        demonstrations=1000, fewer=(25, 100, 300), test=200, steps=6000, batch=256, width=256, depth=4, mixed=True,
    ),
}  # fmt: skip
