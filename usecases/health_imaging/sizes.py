"""How large a study is: the profiles that the template chooses from. Light on purpose: imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of one study.

    Attributes
    ----------
    image : int
        Pixels on a side, divisible by 4.
    labelled, test : int
        Labelled slices (A and B, half each), and test patients (each scanned at A, B and C).
    epochs, flow_epochs : int
        Epochs of a segmenter on a synthetic mix, and of the generator. An epoch is ``steps`` batches, whatever the
        pool, so that methods compare by gradient steps.
    steps, batch : int
        Batches an epoch, slices a batch.
    ratios : tuple of int
        Synthetic slices for each labelled one; 0 is classical augmentation alone.
    channels, flow_channels : tuple of int
        Widths of the segmenter's and the generator's levels.
    sampling : int
        Euler steps from noise to a synthetic scan.
    trees : int
        Trees of the random forest.
    mixed : bool
        Compute in bfloat16 (GPU).
    """

    image: int = 64
    labelled: int = 24
    test: int = 32
    epochs: int = 50
    flow_epochs: int = 10
    steps: int = 10
    batch: int = 8
    ratios: tuple[int, ...] = (0, 10)
    channels: tuple[int, ...] = (8, 16, 32)
    flow_channels: tuple[int, ...] = (8, 16, 16)
    sampling: int = 8
    trees: int = 40
    mixed: bool = False


PROFILES = {
    "smoke": Sizes(
        image=32, labelled=6, test=6, epochs=6, flow_epochs=1, steps=5, batch=6, ratios=(0, 2), channels=(8, 16),
        flow_channels=(8, 16), sampling=4, trees=10,
    ),
    "default": Sizes(),
    "gpu": Sizes(
        image=128, labelled=32, test=32, epochs=60, flow_epochs=20, steps=20, batch=32, channels=(32, 64, 128, 256),
        flow_channels=(32, 64, 128), sampling=20, trees=100, mixed=True,
    ),
}  # fmt: skip
