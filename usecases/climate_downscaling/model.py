"""The downscaler: a regression for the mean, and a flow for what the mean leaves open. Called by both template parts.

The recipe of CorrDiff (Mardani et al. 2025, Commun. Earth Environ. 6:124) with rectified flow in the place of
diffusion. Both networks see the five coarse predictors, enlarged linearly to the fine grid; the flow also sees the
regression's field, and walks from noise to its residual. They work on the square root of rain, whose errors are more
alike in drizzle and downpour than those of rain itself. Borders are periodic, as those of the simulated domain are.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ..generative.flow import sample
from ..generative.training import Progress, device, reproducible
from .network import UNet
from .quantiles import QuantileMap
from .spectral import filtered
from .units import DAY, VARIABLES

#: Standard deviation of the noise that the flow starts from: a little less than in training takes away what a short
#: training leaves of it at the grid scale. Of 1, 0.96, 0.93 and 0.9 the one with the best spectrum and P99.9 on
#: validation runs, at the same CRPS.
NOISE = 0.9
FOLD = 4  # fine points on a side of a block that the networks treat as one place
Array = NDArray[np.float32]


class ModelError(ValueError):
    """A stored downscaler, or a coarse field, that cannot be used; the message names it and the remedy."""


def root(rain: Tensor) -> Tensor:
    """Return what the networks work on: the square root of rain in mm/day."""
    return rain.clamp(min=0).sqrt()


def unroot(values: Tensor) -> Tensor:
    """Return rain in mm/day; what the networks give below zero is dry."""
    return values.clamp(min=0).square()


def stack(coarse: xr.Dataset) -> Tensor:
    """Return the predictors of a dataset, (case, 5, y, x), rain as the square root of mm/day; cases are run by time.

    Raises
    ------
    ModelError
        If a predictor is missing, in another unit, or not finite.
    """
    fields = []
    for name, variable in VARIABLES.items():
        if name not in coarse:
            raise ModelError(f"the coarse data lack {name} ({variable.long_name}): add it, or read with load_coarse")
        if coarse[name].attrs.get("units") != variable.units:
            raise ModelError(f"{name} is in {coarse[name].attrs.get('units')!r}, not {variable.units!r}: convert it")
        values = np.array(coarse[name].values, dtype=np.float32)  # a copy: files are mapped read-only
        if not np.isfinite(values).all():
            raise ModelError(f"{name} holds values that are no numbers: fill them, or choose another time")
        fields.append(torch.from_numpy(values.reshape(-1, *values.shape[-2:])))
    fields[0] = root(fields[0] * DAY)
    return torch.stack(fields, 1)


def chunks(fields: Tensor, length: int = 16) -> tuple[Tensor, ...]:
    """Return the cases (case, ...) some at a time: what the networks take at once."""
    return tuple(fields[i : i + length] for i in range(0, len(fields), length))


def velocity(flow: UNet, given: Tensor, mean: Tensor, x: Tensor, t: Tensor) -> Tensor:
    """Return the velocity of the flow at ``x`` (case, 1, y, x) and ``t`` (case,).

    The network adds to the velocity that is best where the residual is white noise of variance one, and its input and
    output are scaled to variance one at all times: the preconditioning of Karras et al. 2022 (arXiv:2206.00364),
    carried over to straight paths.
    """
    s = t.view(-1, 1, 1, 1)
    variance = s**2 + (1 - s) ** 2
    scale = variance.sqrt()
    added: Tensor = flow(torch.cat([x / scale, mean, given], 1), t).float()
    return (2 * s - 1) / variance * x + added / scale


def enlarge(fields: Tensor, factor: int) -> Tensor:
    """Return fields (..., y, x) linearly between the centres of coarse cells, on ``factor`` times as many points."""
    around = functional.pad(fields, (1, 1, 1, 1), mode="circular")
    wide = functional.interpolate(around, scale_factor=float(factor), mode="bilinear", align_corners=False)
    return wide[..., factor:-factor, factor:-factor]


@dataclass(frozen=True)
class Scaling:
    """What the networks' numbers are measured in; all of it comes from the training runs.

    Attributes
    ----------
    mean, sd : tuple of float
        Of the five predictors.
    rain_mean, rain_sd : float
        Of the square root of fine rain in mm/day.
    rest_sd : float
        Of the regression's residual, in units of ``rain_sd``.
    drawn, true : tuple of float
        Quantiles of the square root of drawn and of true rain, which set the distribution of members right.
    gain : tuple of float
        What then sets their spectrum right, see :func:`.spectral.filtered`.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    rain_mean: float
    rain_sd: float
    rest_sd: float = 1.0
    drawn: tuple[float, ...] = ()
    true: tuple[float, ...] = ()
    gain: tuple[float, ...] = ()

    def calibrated(self, roots: Tensor) -> Tensor:
        """Return drawn square roots of rain with the distribution and the spectrum of true ones; below zero is dry."""
        if self.drawn:
            mapped = QuantileMap(np.array(self.drawn), np.array(self.true))(roots.clamp(min=0).cpu().numpy())
            roots = torch.from_numpy(mapped).to(roots.device)
        return filtered(roots, self.gain)

    def predictors(self, coarse: Tensor, factor: int) -> Tensor:
        """Return standardised predictors on the fine grid, (case, 5, y, x)."""
        mean, sd = (torch.tensor(v, device=coarse.device).view(-1, 1, 1) for v in (self.mean, self.sd))
        return enlarge((coarse - mean) / sd, factor)


@dataclass
class Downscaler:
    """A trained downscaler.

    Attributes
    ----------
    regression, flow : UNet
        Networks for the mean, and for the velocity of the residual.
    scaling : Scaling
        Their units.
    factor, steps : int
        Fine points on a side of a coarse one; Heun steps of the solver.
    mixed : bool
        Compute in bfloat16 (GPU).
    """

    regression: UNet
    flow: UNet
    scaling: Scaling
    factor: int
    steps: int
    mixed: bool = False

    @torch.no_grad()
    def mean(self, coarse: xr.Dataset) -> xr.DataArray:
        """Return the regression's rain: one field for each coarse one, (run, time, y, x) in kg m-2 s-1."""
        where = next(self.regression.parameters()).device
        given = self.scaling.predictors(stack(coarse).to(where), self.factor)
        fields = torch.cat([self.regression(part) for part in chunks(given)])
        return self._rain(self._root(fields), coarse)

    def downscale(self, coarse: xr.Dataset, members: int, seed: int, progress: Progress | None = None) -> xr.DataArray:
        """Draw an ensemble of fine rain for every coarse field.

        Parameters
        ----------
        coarse : xarray.Dataset
            The five predictors, (run, time, y, x) or (time, y, x) or (y, x), in the units of :mod:`.units`.
        members : int
            Members for each field.
        seed : int
            The same seed gives the same members, and more members begin with the fewer.
        progress : callable, optional
            Called with (done, total, label).

        Returns
        -------
        xarray.DataArray
            ``pr`` (member, ..., y, x) float32 in kg m-2 s-1.

        Raises
        ------
        ModelError
            If a predictor is missing, in another unit, or not finite.
        """
        where = next(self.flow.parameters()).device
        with reproducible(seed), torch.no_grad():
            given = self.scaling.predictors(stack(coarse).to(where), self.factor)
            mean = torch.cat([self.regression(part) for part in chunks(given)])
            drawn = []
            for member in range(members):
                drawn.append(self.member(given, mean, seed * 1000 + member))
                if progress:
                    progress(member + 1, members, "drawing members")
        return xr.concat([self._rain(field, coarse) for field in drawn], "member")

    def member(self, given: Tensor, mean: Tensor, seed: int) -> Tensor:
        """Return one member for each case, the square root of rain in mm/day, (case, 1, y, x).

        Parameters
        ----------
        given, mean : Tensor
            Standardised predictors, (case, 5, y, x), and what the regression makes of them, (case, 1, y, x).
        """
        generator = torch.Generator(given.device).manual_seed(seed)
        noise = NOISE * torch.randn(mean.shape, generator=generator, device=given.device)
        parts = []
        some = 8 if given.device.type == "cpu" else 64  # a GPU is not busy with fewer
        for x, m, n in zip(chunks(given, some), chunks(mean, some), chunks(noise, some), strict=True):
            with torch.autocast(given.device.type, torch.bfloat16, enabled=self.mixed):
                rest = sample(partial(velocity, self.flow, x, m), n, self.steps, "heun")
            parts.append(m + self.scaling.rest_sd * rest)
        return self.scaling.calibrated(self._root(torch.cat(parts)))

    def _root(self, fields: Tensor) -> Tensor:
        """Return the square root of rain in mm/day of what is in the networks' units."""
        return fields.float() * self.scaling.rain_sd + self.scaling.rain_mean

    def _rain(self, roots: Tensor, coarse: xr.Dataset) -> xr.DataArray:
        """Return square roots of rain, (case, 1, y, x), as rain with the coordinates of the fine grid."""
        rain = unroot(roots[:, 0]) / DAY
        return on_fine_grid(rain.cpu().numpy(), coarse, self.factor)


def on_fine_grid(rain: Array, coarse: xr.Dataset, factor: int) -> xr.DataArray:
    """Return rain (case, y, x) in kg m-2 s-1 with the dimensions of ``coarse`` and coordinates of the fine grid."""
    like = coarse["pr"]
    shape = (*like.shape[:-2], *rain.shape[-2:])
    kept = {d: like[d] for d in like.dims[:-2] if d in like.coords}
    fine = {axis: refined(like[axis], factor) for axis in like.dims[-2:] if axis in like.coords}
    about = {"units": VARIABLES["pr"].units, "standard_name": "precipitation_flux", "long_name": "precipitation"}
    return xr.DataArray(rain.reshape(shape), dims=like.dims, coords=kept | fine, attrs=about, name="pr")


def refined(axis: xr.DataArray, factor: int) -> xr.DataArray:
    """Return the centres of the ``factor`` times finer cells of an evenly spaced axis."""
    values = axis.values.astype(float)
    spacing = values[1] - values[0]
    inner = (np.arange(factor) + 0.5) / factor - 0.5
    return xr.DataArray((values[:, None] + inner * spacing).ravel(), dims=axis.dims, attrs=axis.attrs)


def save_downscaler(model: Downscaler, path: Path) -> None:
    """Write the weights as ``path`` (safetensors) and the shape as JSON beside it: both are data, not programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nets = {"regression": model.regression, "flow": model.flow}
    weights = {
        f"{name}.{k}": v.detach().cpu().contiguous() for name, net in nets.items() for k, v in net.state_dict().items()
    }
    save_file(weights, path)
    shape = {
        "channels": model.flow.channels,
        "factor": model.factor,
        "steps": model.steps,
        "scaling": asdict(model.scaling),
    }
    path.with_suffix(".json").write_text(json.dumps(shape), encoding="utf-8")


def load_downscaler(path: Path) -> Downscaler:
    """Read a downscaler that :func:`save_downscaler` wrote, onto the accelerator where there is one.

    Raises
    ------
    ModelError
        If a file is missing, damaged, or does not fit the shape beside it.
    """
    try:
        shape = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        weights, scaling = load_file(path), shape["scaling"]
        regression, flow = networks(tuple(shape["channels"]))
        for name, net in (("regression", regression), ("flow", flow)):
            net.load_state_dict({k.removeprefix(f"{name}."): v for k, v in weights.items() if k.startswith(f"{name}.")})
        scaling |= {name: tuple(scaling[name]) for name in ("mean", "sd", "drawn", "true", "gain")}
        made = Downscaler(regression, flow, Scaling(**scaling), int(shape["factor"]), int(shape["steps"]))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"cannot read the downscaler {path}: {reason}; run the study part again") from None
    made.regression, made.flow = (net.eval().to(device()) for net in (made.regression, made.flow))
    return made


def networks(channels: tuple[int, ...]) -> tuple[UNet, UNet]:
    """Return a fresh regression and a fresh flow: the flow takes path and mean besides the predictors."""
    count = len(VARIABLES)
    return UNet(count, 1, channels, FOLD, timed=False), UNet(count + 2, 1, channels, FOLD, timed=True)
