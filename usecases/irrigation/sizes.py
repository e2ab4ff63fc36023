"""How large a study is: the profiles that the template chooses from. Light on purpose: imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of one study.

    Attributes
    ----------
    folds : int
        Parts that the station's years are split into; each is held out once.
    recent : int
        How many of the station's last years are used; 0 takes all.
    steps, adapt : int
        Gradient steps on the other stations, and then on the station's training years, once a fold.
    batch, window : int
        Windows a batch, and their length in days.
    width : int
        Channels of the network.
    dilations : tuple of int
        Days between the taps of each block.
    sampling : int
        Heun steps from noise to a year.
    years : int
        Years drawn a fold, for the statistics of weather and the distribution of rainfed yield.
    grown : int
        Of these, those that choose a threshold.
    thresholds : tuple of int
        Thresholds [% TAW] among which one is recommended.
    intervals : tuple of int
        Days between waterings among which the tuned calendar chooses, the weekly turn among them.
    design : int
        Seasons that the emulator of the live part learns from.
    workers : int
        Processes that grow seasons.
    mixed : bool
        Compute in bfloat16 (GPU).
    """

    folds: int = 3
    recent: int = 0
    steps: int = 500
    adapt: int = 100
    batch: int = 32
    window: int = 128
    width: int = 32
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2)
    sampling: int = 8
    years: int = 100
    grown: int = 30
    thresholds: tuple[int, ...] = (20, 30, 40, 50, 60, 70)
    intervals: tuple[int, ...] = (5, 7, 9, 11)
    design: int = 400
    workers: int = 2
    mixed: bool = False


PROFILES = {
    "smoke": Sizes(
        folds=2, recent=10, steps=10, adapt=3, batch=8, window=96, width=16, dilations=(1, 2, 4), sampling=2, years=6,
        grown=2, thresholds=(30, 60), intervals=(7,), design=12, workers=1,
    ),
    "default": Sizes(),
    "gpu": Sizes(
        folds=4, steps=5000, adapt=800, batch=128, window=256, width=128, dilations=(1, 2, 4, 8, 16) * 2, sampling=20,
        years=500, grown=100, thresholds=tuple(range(15, 81, 5)), intervals=tuple(range(4, 15)), design=1200,
        workers=16, mixed=True,
    ),
}  # fmt: skip
