"""Training of segmenters. Called by the study part, once a method.

Budget, the same for all: the labelled slices, and ``(epochs + flow_epochs) * steps`` gradient steps of ``batch``
slices. A synthetic mix spends ``flow_epochs`` of them on the generator and ``epochs`` on its segmenter; methods
without a generator (real slices only, classical augmentation, domain randomisation) spend all on the segmenter. The
generator is trained once and serves every mix.
"""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional

from ..generative.training import Keep, Kept, Progress, channels_last, device, reproducible, train
from .augment import augment
from .randomise import randomised
from .relaxometry import LESION
from .segmenter import Segmenter
from .sizes import Sizes


def segmentation_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Return cross-entropy with lesions weighted by five, plus one minus the soft Dice of the lesions.

    Soft Dice (Milletari et al. 2016, arXiv:1606.04797) is taken slice by slice and then averaged: over a whole batch
    it is won by the easy contrast alone. Chosen on patients of sites A and B that are in no reported result.
    """
    share = logits.float().softmax(1)[:, LESION]
    truth = (label == LESION).float()
    dice = (2 * (share * truth).sum((1, 2)) + 1) / (share.sum((1, 2)) + truth.sum((1, 2)) + 1)
    weight = torch.where(torch.arange(LESION + 1, device=logits.device) == LESION, 5.0, 1.0)
    return functional.cross_entropy(logits.float(), label, weight) + 1 - dice.mean()


def train_segmenter(
    labelled: xr.Dataset,
    synthetic: xr.Dataset | None,
    epochs: int,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    label: str = "training a segmenter",
    keep: Keep | None = None,
    kept: Kept | None = None,
    varied: bool = True,
) -> Segmenter:
    """Train one segmenter on labelled slices and, where given, synthetic ones beside them.

    Parameters
    ----------
    labelled, synthetic : xarray.Dataset
        ``image`` (case, y, x) and ``label`` (case, y, x). Batches are drawn from both as one pool, so that the ratio of
        synthetic to real slices is the ratio of what the network sees.
    epochs : int
        Epochs of ``sizes.steps`` batches.
    sizes : Sizes
        Sizes of the study.
    seed : int
        The same seed gives the same weights, and all methods the same initial ones.
    progress : callable, optional
        Called with (done, total, label).
    label : str
        What progress calls this training, and what it is kept under.
    keep, kept : callable, optional
        Keep the training as it goes on, and return what was kept; see :func:`.generative.training.train`.
    varied : bool
        Whether slices are augmented (:func:`.augment.augment`) as they are drawn.
    """
    where = device()
    pool = [_tensors(d, where) for d in (labelled, synthetic) if d is not None and d.sizes["case"]]
    images, labels = torch.cat([x for x, _ in pool]), torch.cat([y for _, y in pool])

    def loss(generator: torch.Generator) -> Tensor:
        picked = torch.randint(len(images), (sizes.batch,), generator=generator, device=where)
        image, truth = images[picked], labels[picked]
        image, truth = augment(image, truth, generator) if varied else (image, truth)
        return segmentation_loss(model(image), truth)

    with reproducible(seed):
        model = channels_last(Segmenter(sizes.channels).to(where))
        return train(model, loss, epochs * sizes.steps, seed, 5e-3, sizes.mixed, progress, label, keep, kept, True)


def method_name(ratio: int) -> str:
    """Return what results call the segmenter with ``ratio`` synthetic slices for each labelled one."""
    return f"flow {ratio}:1" if ratio else "classical"


PLAIN, RANDOMISED = "real only", "randomised"


def train_all(
    labelled: xr.Dataset,
    synthetic: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> dict[str, Segmenter]:
    """Train the segmenter of every synthetic:real ratio, and those of the methods without a generator.

    Returns
    -------
    dict of str to Segmenter
        By method: "real only" (no augmentation), "classical", "flow 2:1", …, "randomised" (at the largest ratio).
    """
    whole = sizes.epochs + sizes.flow_epochs
    largest = max(sizes.ratios) * sizes.labelled
    pools: dict[str, tuple[xr.Dataset | None, int]] = {PLAIN: (None, whole)}
    pools |= {
        method_name(r): (synthetic.isel(case=slice(r * sizes.labelled)) if r else None, sizes.epochs if r else whole)
        for r in sizes.ratios
    }
    pools[RANDOMISED] = (randomised(labelled, largest, seed), whole)
    return {
        name: train_segmenter(
            labelled, pool, epochs, sizes, seed, progress, f"training: {name}", keep, kept, name != PLAIN
        )
        for name, (pool, epochs) in pools.items()
    }


def _tensors(dataset: xr.Dataset, where: torch.device) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.ascontiguousarray(dataset["image"].values)[:, None]).to(where)
    labels = torch.from_numpy(dataset["label"].values.astype(np.int64)).to(where)
    return images, labels
