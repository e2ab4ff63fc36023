"""Training of segmenters. Called by the study part, once a method.

Budget, the same for all: the labelled slices, and ``(epochs + flow_epochs) * steps`` gradient steps of ``batch``
slices. A synthetic mix spends ``flow_epochs`` of them on the generator and ``epochs`` on its segmenter; methods
without a generator (classical augmentation, domain randomisation) spend all on the segmenter. The generator is
trained once and serves every mix.
"""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional

from ..generative.training import Progress, device, reproducible, train
from .augment import augment
from .relaxometry import LESION
from .segmenter import Segmenter
from .sizes import Sizes


def segmentation_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Return cross-entropy over all tissues plus one minus the soft Dice of the lesions (Milletari et al. 2016)."""
    share = logits.float().softmax(1)[:, LESION]
    truth = (label == LESION).float()
    dice = (2 * (share * truth).sum() + 1) / (share.sum() + truth.sum() + 1)
    return functional.cross_entropy(logits.float(), label) + 1 - dice


def train_segmenter(
    labelled: xr.Dataset,
    synthetic: xr.Dataset | None,
    epochs: int,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    label: str = "training a segmenter",
) -> Segmenter:
    """Train one segmenter on labelled slices and, where given, synthetic ones beside them.

    Parameters
    ----------
    labelled, synthetic : xarray.Dataset
        ``image`` (case, y, x) and ``label`` (case, y, x). Half of each batch is drawn from each, so that the real
        scans are not drowned.
    epochs : int
        Epochs of ``sizes.steps`` batches.
    sizes : Sizes
        Sizes of the study.
    seed : int
        The same seed gives the same weights, and all methods the same initial ones.
    progress : callable, optional
        Called with (done, total, label).
    label : str
        What progress calls this training.
    """
    where = device()
    pools = [_tensors(d, where) for d in (labelled, synthetic) if d is not None and d.sizes["case"]]
    share = sizes.batch // len(pools)

    def loss(generator: torch.Generator) -> Tensor:
        picks = [torch.randint(len(x), (share,), generator=generator, device=where) for x, _ in pools]
        image = torch.cat([x[p] for (x, _), p in zip(pools, picks, strict=True)])
        truth = torch.cat([y[p] for (_, y), p in zip(pools, picks, strict=True)])
        image, truth = augment(image, truth, generator)
        return segmentation_loss(model(image), truth)

    with reproducible(seed):
        model = Segmenter(sizes.channels).to(where)
        averaged = train(model, loss, epochs * sizes.steps, seed, 5e-3, sizes.mixed, progress, label)
    assert isinstance(averaged, Segmenter)  # the average is a copy of the model
    return averaged


def _tensors(dataset: xr.Dataset, where: torch.device) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.ascontiguousarray(dataset["image"].values)[:, None]).to(where)
    labels = torch.from_numpy(dataset["label"].values.astype(np.int64)).to(where)
    return images, labels
