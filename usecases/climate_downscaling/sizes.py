"""How large a study is: the profiles that the template chooses from. Light on purpose: imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of one study.

    Attributes
    ----------
    points : int
        Points of the fine model on a side, divisible by 32 and by the factor; its spacing is the same in every size.
    factor : int
        Fine points on a side of a coarse one.
    runs, snapshots : int
        Training runs of the fine model, an even number, and snapshots of each.
    test_runs, test_snapshots : int
        The same of the test; the validation has one pair of runs of as many snapshots.
    spin_up : float
        Time units that the models run before anything is kept.
    members : int
        Members of every ensemble that is scored.
    regression_steps, flow_steps, batch : int
        Gradient steps of the regression and of the flow, and snapshots a batch.
    channels : tuple of int
        Widths of the levels of both networks.
    sampling : int
        Heun steps from noise to a member.
    trees : int
        Trees of the random forest.
    shears, moistures : tuple of float
        Climates of the controls: shear and moisture supply as shares of the standard climate's.
    mixed : bool
        Compute in bfloat16 (GPU).
    """

    points: int = 96
    factor: int = 8
    runs: int = 10
    snapshots: int = 20
    test_runs: int = 4
    test_snapshots: int = 5
    spin_up: float = 75.0
    members: int = 10
    regression_steps: int = 300
    flow_steps: int = 1500
    batch: int = 4
    channels: tuple[int, ...] = (64, 96)
    sampling: int = 5
    trees: int = 32
    shears: tuple[float, ...] = (0.9, 1.0, 1.1)
    moistures: tuple[float, ...] = (0.8, 1.0, 1.2)
    mixed: bool = False


PROFILES = {
    "smoke": Sizes(
        points=64, runs=2, snapshots=4, test_runs=2, test_snapshots=2, spin_up=15.0, members=4, regression_steps=15,
        flow_steps=30, batch=4, channels=(16, 24), sampling=4, trees=8,
        shears=(1.0,), moistures=(1.0, 1.2),
    ),
    "default": Sizes(),
    "gpu": Sizes(
        points=192, runs=32, snapshots=64, test_runs=8, test_snapshots=5, members=20, regression_steps=1500,
        flow_steps=7000, batch=16, channels=(128, 192, 256, 256), sampling=10, mixed=True,
    ),
}  # fmt: skip
