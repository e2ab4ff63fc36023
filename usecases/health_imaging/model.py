"""Synthetic labelled scans by flow matching, conditioned on labels and acquisition. Called by the study part.

The condition is a label map (tissue and lesion) and the scan which the signal equation predicts for it under a
protocol (:func:`.labels.contrast_map`). The flow adds what the equation does not know and the labelled scans show:
partial volume, texture, inhomogeneity, noise. Learning only this rest is the residual recipe of CorrDiff (Mardani
et al. 2025, Commun Earth Environ 6:124). It lets the flow follow protocols it never saw, as the acquisition enters
through physics. Training sees the scans of sites A and B alone; synthesis draws its protocols from the broad range of
:func:`.sites.draw_protocols`. The signal equations are linear in the signal, so condition and rest may change sign
together: half of the training does, which shows the flow bright fluid and dark lesions.

The network is MONAI's ``DiffusionModelUNet`` (Pinaya et al. 2023, arXiv:2307.15208).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from ..generative.flow import flow_loss, sample
from ..generative.training import Keep, Kept, Progress, channels_last, device, reproducible, train
from .acquisition import Array
from .augment import move, renormalise
from .labels import Labels, contrast_map, new_labels
from .relaxometry import TISSUES
from .sites import SITES, draw_protocols
from .sizes import Sizes

CLASSES = len(TISSUES) + 1


def _network(channels: tuple[int, ...]) -> nn.Module:
    # Imported here: MONAI takes seconds, which a dashboard that only segments need not spend. Half of them would build
    # jsonschema's optional checker of IRIs, which nobody here asks for.
    left_out = sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
    finally:
        if left_out is None:
            del sys.modules["rfc3987_syntax"]
    network: nn.Module = DiffusionModelUNet(
        spatial_dims=2, in_channels=CLASSES + 2, out_channels=1, channels=channels, num_res_blocks=1,
        attention_levels=(False,) * len(channels), norm_num_groups=8, num_head_channels=channels[-1],
    )  # fmt: skip
    return network


@dataclass
class ScanFlow:
    """A trained generator.

    Attributes
    ----------
    network : nn.Module
        Velocity network; input (B, 1 + 1 + 5, H, W): path, contrast map, label indicators.
    scale : float
        Standard deviation of the rest in the labelled scans; the network works in units of it.
    sizes : Sizes
        Sizes of the study it belongs to.
    """

    network: nn.Module
    scale: float
    sizes: Sizes

    def velocity(self, x: Tensor, t: Tensor, contrast: Tensor, label: Tensor) -> Tensor:
        """Return the velocity at ``x`` (B, 1, H, W) and ``t`` (B,), with contrast (B, 1, H, W), label (B, H, W)."""
        indicators = nn.functional.one_hot(label, CLASSES).permute(0, 3, 1, 2).float()
        # What a standard normal rest needs is known in closed form, so the network learns only what differs from it
        # (Karras et al. 2022, arXiv:2206.00364). Without it, a short training draws blotches in the place of noise.
        time = t.view(-1, 1, 1, 1)
        spread = (time.square() + (1 - time).square()).sqrt()  # standard deviation of x
        # MONAI embeds times as step numbers of a schedule of a thousand.
        out: Tensor = self.network(torch.cat([x / spread, contrast, indicators], 1), 1000 * t)
        return (2 * time - 1) / spread.square() * x + out.float() / spread


def train_generator(
    labelled: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> ScanFlow:
    """Train the flow on the labelled slices.

    Parameters
    ----------
    labelled : xarray.Dataset
        From :func:`.data.labelled_slices`: sites A and B.
    sizes : Sizes
        Training takes ``flow_epochs * steps`` gradient steps of ``batch`` slices.
    seed : int
        The same seed gives the same weights.
    progress : callable, optional
        Called with (done, total, label).
    keep, kept : callable, optional
        Keep the training as it goes on, and return what was kept; see :func:`.generative.training.train`.
    """
    where = device()
    pairs = zip(labelled["label"].values, labelled["site"].values, strict=True)
    contrast = np.stack([contrast_map(label, SITES[str(site)].protocol) for label, site in pairs])
    stack = torch.from_numpy(np.stack([labelled["image"].values, contrast], 1)).to(where)  # (N, 2, H, W)
    labels = torch.from_numpy(labelled["label"].values.astype(np.int64)).to(where)
    scale = float((stack[:, 0] - stack[:, 1])[labels > 0].std())
    with reproducible(seed):
        flow = ScanFlow(channels_last(_network(sizes.flow_channels).to(where)), scale, sizes)

        def loss(generator: torch.Generator) -> Tensor:
            picked = torch.randint(len(stack), (sizes.batch,), generator=generator, device=where)
            both, label = move(stack[picked], labels[picked], generator)
            sign = torch.sign(torch.rand((sizes.batch, 1, 1, 1), generator=generator, device=where) - 0.5)
            both = both * sign
            rest = (both[:, :1] - both[:, 1:]) / scale
            return flow_loss(lambda x, t: flow.velocity(x, t, both[:, 1:], label), rest, generator)

        steps = sizes.flow_epochs * sizes.steps
        label = "training the flow"
        flow.network = train(flow.network, loss, steps, seed, 2e-3, sizes.mixed, progress, label, keep, kept, True)
    return flow


def synthesise(
    flow: ScanFlow, labelled: xr.Dataset, count: int, seed: int, progress: Progress | None = None
) -> xr.Dataset:
    """Draw synthetic labelled scans.

    Parameters
    ----------
    flow : ScanFlow
        From :func:`train_generator`.
    labelled : xarray.Dataset
        Its label maps are varied; see :func:`.labels.new_labels`.
    count : int
        How many scans.
    seed : int
        Seed of labels, protocols and scans.
    progress : callable, optional
        Called with (done, total, label).

    Returns
    -------
    xarray.Dataset
        ``image`` (case, y, x) float32 and ``label`` (case, y, x) uint8, as the labelled slices have them, with the
        protocol of each case in ``sequence``, ``field`` (T), ``tr``, ``te``, ``ti`` (ms) and ``flip`` (degrees).
    """
    labels = new_labels(labelled, count, seed)
    rng = np.random.default_rng([seed, 202])
    protocols = draw_protocols(count, rng)
    # People differ in their relaxation times as the literature says they do; which of them is in a scan is not known.
    contrast = np.stack([contrast_map(label, p, rng) for label, p in zip(labels, protocols, strict=True)])
    with reproducible(seed):
        images = _draw(flow, contrast, labels, seed, progress)
    units = {"field": "T", "tr": "ms", "te": "ms", "ti": "ms", "flip": "degree"}
    settings = {k: ("case", [getattr(p, k) for p in protocols], {"units": u}) for k, u in units.items()}
    return xr.Dataset(
        {
            "image": (("case", "y", "x"), images, {"units": "1", "long_name": "normalised signal, synthetic"}),
            "label": (("case", "y", "x"), labels),
            "sequence": ("case", [p.sequence for p in protocols]),
            **settings,
        },
        coords={"y": labelled.y, "x": labelled.x},
    )


def _draw(flow: ScanFlow, contrast: Array, labels: Labels, seed: int, progress: Progress | None) -> Array:
    """Walk the flow for all conditions, some at a time, and return the scans, (case, y, x)."""
    where, images, size = device(), [], 4 * flow.sizes.batch
    generator = torch.Generator(where).manual_seed(seed)
    for start in range(0, len(labels), size):
        base = torch.from_numpy(contrast[start : start + size, None]).to(where)
        label = torch.from_numpy(labels[start : start + size].astype(np.int64)).to(where)
        noise = torch.randn(base.shape, generator=generator, device=where)
        with torch.autocast(where.type, torch.bfloat16, enabled=flow.sizes.mixed):
            rest = sample(lambda x, t, c=base, s=label: flow.velocity(x, t, c, s), noise, flow.sizes.sampling)  # type: ignore[misc]
        floor = base[..., :1, :1]  # the corner is background: no signal, and magnitudes have no less
        raw = (base + flow.scale * rest - floor).clamp(min=0)
        images.append(renormalise(raw, label[:, None] > 0)[:, 0].cpu().numpy())
        if progress:
            progress(min(start + size, len(labels)), len(labels), "drawing synthetic scans")
    return np.concatenate(images)
