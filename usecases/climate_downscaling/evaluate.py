"""How good an ensemble of fine rain is, with its uncertainty. Called by the study part and by whoever compares runs.

CRPS in its fair form, which does not favour large ensembles (Ferro 2014, Q. J. R. Meteorol. Soc. 140:1917); spread over
skill (Fortin et al. 2014, J. Hydrometeorol. 15:1708); rank histogram (Hamill 2001, Mon. Weather Rev. 129:550); radial
spectrum; extreme quantile; fractions skill score (Roberts & Lean 2008, Mon. Weather Rev. 136:78); and the water that
each coarse cell should keep. Intervals are a percentile bootstrap over snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from .units import DAY

RESAMPLES = 400
EXTREME = 0.999  # the quantile that is compared
WINDOW = 5  # points on a side of the neighbourhood of the fractions skill score
MODEL = "flow"  # what the generative downscaler is called in results
Array = NDArray[np.float64]


def crps(members: NDArray[np.float32], truth: NDArray[np.float32]) -> Array:
    """Return the fair CRPS of each point; for a single member the absolute error.

    Parameters
    ----------
    members : ndarray, shape (member, ...)
        The ensemble.
    truth : ndarray, shape (...)
        What happened, in the same unit.
    """
    count = len(members)
    error = np.abs(members - truth).mean(0, dtype=np.float64)
    if count == 1:
        return np.asarray(error)
    weights = (2 * np.arange(1, count + 1) - count - 1).reshape(-1, *[1] * truth.ndim)
    return np.asarray(error - (weights * np.sort(members, 0)).sum(0, dtype=np.float64) / (count * (count - 1)))


def spectrum(fields: NDArray[np.float32]) -> Array:
    """Return the radially summed power of fields (..., y, x) at wave numbers 1 to x/2, shape (..., x/2).

    Wave numbers are whole waves in the domain; the mean is left out, and so are corners beyond the grid scale.
    """
    side = fields.shape[-1]
    power = np.abs(np.fft.rfft2(fields, norm="forward")) ** 2
    kx, ky = np.fft.rfftfreq(side, 1 / side)[None, :], np.fft.fftfreq(fields.shape[-2], 1 / fields.shape[-2])[:, None]
    rings = np.rint(np.hypot(kx, ky)).astype(int)
    twice = np.where((kx == 0) | (kx == side // 2), 1.0, 2.0) * np.ones_like(
        ky
    )  # waves that the real transform leaves out
    flat = (power * twice).reshape(-1, power.shape[-2] * power.shape[-1])
    summed = np.stack([np.bincount(rings.ravel(), row, rings.max() + 1) for row in flat])
    kept = summed[:, 1 : side // 2 + 1].reshape(*fields.shape[:-2], side // 2)
    return np.asarray(kept, dtype=np.float64)


def fractions_skill(members: NDArray[np.float32], truth: NDArray[np.float32], threshold: float) -> tuple[Array, Array]:
    """Return the parts of the fractions skill score of each snapshot: squared error, and its reference.

    The chance of rain above ``threshold`` within a neighbourhood, by the ensemble and in truth; FSS is one minus the
    ratio of the sums. ``members`` is (member, case, y, x), ``truth`` (case, y, x).
    """
    said, was = (
        ndimage.uniform_filter(share, (1, WINDOW, WINDOW), mode="wrap")
        for share in ((members > threshold).mean(0), (truth > threshold).astype(float))
    )
    return ((said - was) ** 2).mean((1, 2)), (said**2 + was**2).mean((1, 2))


def ranks(members: NDArray[np.float32], truth: NDArray[np.float32], seed: int = 0) -> Array:
    """Return how often truth has each rank among the members, (member + 1); equal values are ranked at random."""
    rng = np.random.default_rng(seed)
    below = (members < truth).sum(0)
    tied = (members == truth).sum(0)
    rank = below + np.floor(rng.random(truth.shape) * (tied + 1)).astype(int)
    return np.bincount(rank.ravel(), minlength=len(members) + 1).astype(float)


def water_error(members: NDArray[np.float32], coarse: NDArray[np.float32]) -> Array:
    """Return how far cell means are from the coarse rain, mean over cells and members, (case), in its unit."""
    factor = members.shape[-1] // coarse.shape[-1]
    cells = members.reshape(*members.shape[:-2], coarse.shape[-2], factor, coarse.shape[-1], factor).mean((-3, -1))
    return np.asarray(np.abs(cells - coarse).mean((0, -2, -1), dtype=np.float64))


def score(
    forecasts: Mapping[str, xr.DataArray], truth: xr.DataArray, coarse: xr.Dataset, threshold: float
) -> xr.Dataset:
    """Score every method, snapshot by snapshot.

    Parameters
    ----------
    forecasts : mapping of str to xarray.DataArray
        Ensembles by method, ``pr`` (member, run, time, y, x) in kg m-2 s-1; one member where there is no ensemble.
    truth : xarray.DataArray
        Fine rain, (run, time, y, x), in the same unit.
    coarse : xarray.Dataset
        What the methods were given.
    threshold : float
        Heavy rain, for the fractions skill score, in mm/day.

    Returns
    -------
    xarray.Dataset
        By ``downscaling`` and ``case`` (run by time), in mm/day: ``crps``, ``mae`` (of the ensemble mean), ``error2``
        and ``variance`` (means over points), ``power`` (…, wave) and ``true_power`` (case, wave), ``counts`` (…, rain)
        and ``true_counts`` of points by rain, ``fss_error`` and ``fss_reference``, ``water``; ``ranks`` (rank) of
        the flow.
    """
    real = _cases(truth.expand_dims("member"))[0]
    given = _cases(coarse["pr"].expand_dims("member"))[0]
    parts = {name: _score(_cases(members), real, given, threshold) for name, members in forecasts.items()}
    joined = {key: np.stack([part[key] for part in parts.values()]) for key in next(iter(parts.values()))}
    more = {"power": ("wave",), "counts": ("rain",)}
    unit = {"error2": "mm2 day-2", "variance": "mm2 day-2", "power": "mm2 day-2", "counts": "1"}
    unit |= {"fss_error": "1", "fss_reference": "1"}
    data = {
        key: (("downscaling", "case", *more.get(key, ())), value, {"units": unit.get(key, "mm/day")})
        for key, value in joined.items()
    }
    scores = xr.Dataset(
        {
            **data,
            "true_power": (("case", "wave"), spectrum(real), {"units": "mm2 day-2"}),
            "true_counts": (("case", "rain"), _counts(real[None]), {"units": "1"}),
            "true_mean": ("case", real.mean((1, 2), dtype=np.float64), {"units": "mm/day"}),
        },
        coords={"downscaling": list(forecasts), "wave": np.arange(1, real.shape[-1] // 2 + 1), "rain": EDGES[:-1]},
        attrs={"threshold": threshold, "domain_km": float(truth["x"][1] - truth["x"][0]) * truth.sizes["x"]},
    )
    members = {name: m.sizes["member"] for name, m in forecasts.items()}
    scores = scores.assign(members=("downscaling", list(members.values())))
    if MODEL in forecasts:
        scores["ranks"] = ("rank", ranks(_cases(forecasts[MODEL]), real))
    return scores


def climate(members: xr.DataArray) -> tuple[Array, Array]:
    """Return mean spectrum (wave,) and counts (rain,) of ``pr`` (member, run, time, y, x) in kg m-2 s-1."""
    values = _cases(members)
    return np.mean([spectrum(member).mean(0) for member in values], 0), _counts(values).sum(0)


def free_errors(scores: xr.Dataset) -> xr.Dataset:
    """Return how far the climate is off that is downscaled from a coarse model with weather of its own.

    Returns
    -------
    xarray.Dataset
        ``p999`` (free), over that of truth, and ``spectrum_db`` (free), the largest error at any wave number.
    """
    at = scores.isel(drive=0)
    bands = 10 * np.log10(at["free_power"].values / at["true_power"].mean("case").values)
    extreme = _quantile(at["free_counts"].values) / _quantile(at["true_counts"].sum("case").values)
    return xr.Dataset(
        {
            "p999": ("free", np.asarray(extreme), {"units": "1"}),
            "spectrum_db": ("free", np.abs(bands).max(1), {"units": "dB"}),
        },
        coords={"free": at["free"]},
    )


#: Edges of the classes of rain, mm/day: dry, then 60 a factor of ten.
EDGES = np.concatenate([[0.0], np.geomspace(1e-2, 1e3, 301)])


def _cases(members: xr.DataArray) -> NDArray[np.float32]:
    """Return (member, run, time, y, x) in kg m-2 s-1 as (member, case, y, x) in mm/day."""
    values = members.values.astype(np.float32) * np.float32(DAY)
    return values.reshape(values.shape[0], -1, *values.shape[-2:])


def _counts(members: NDArray[np.float32]) -> Array:
    flat = np.moveaxis(members, 1, 0).reshape(members.shape[1], -1)
    return np.stack([np.histogram(row.clip(0, EDGES[-1]), EDGES)[0] for row in flat]).astype(float)


def _score(
    members: NDArray[np.float32], real: NDArray[np.float32], given: NDArray[np.float32], threshold: float
) -> dict[str, Array]:
    mean, count = members.mean(0, dtype=np.float64), len(members)
    over = (1, 2)
    variance = members.var(0, ddof=1, dtype=np.float64) * (count + 1) / count if count > 1 else np.zeros_like(mean)
    fss_error, fss_reference = fractions_skill(members, real, threshold)
    return {
        "crps": crps(members, real).mean(over),
        "mae": np.abs(mean - real).mean(over),
        "error2": ((mean - real) ** 2).mean(over),
        "variance": variance.mean(over),
        "power": np.mean([spectrum(member) for member in members], 0),
        "counts": _counts(members) / count,
        "fss_error": fss_error,
        "fss_reference": fss_reference,
        "water": water_error(members, given),
    }


#: What is summarised, with its unit and the value of a perfect ensemble.
SUMMARY = {
    "crps": ("mm/day", "CRPS"),
    "spread_skill": ("1", "spread over skill"),
    "spectrum_db": ("dB", "largest error of the spectrum"),
    "p999": ("1", "P99.9 over that of truth"),
    "fss": ("1", "fractions skill of heavy rain"),
    "water": ("1", "water error over mean rain"),
    "mae": ("mm/day", "absolute error of the mean"),
}


def summarise(scores: xr.Dataset, weights: Array | None = None) -> dict[str, Array]:
    """Return the figures of merit of all methods, each (sample, downscaling).

    Parameters
    ----------
    scores : xarray.Dataset
        From :func:`score`.
    weights : ndarray, shape (sample, case), optional
        How often each snapshot counts; once each, in one sample, by default.
    """
    weights = np.ones((1, scores.sizes["case"])) if weights is None else weights
    weights = weights / weights.sum(1, keepdims=True)

    def mean(name: str) -> Array:  # (sample, [downscaling,] ...)
        return np.asarray(
            np.tensordot(weights, np.moveaxis(scores[name].values, scores[name].dims.index("case"), 0), 1)
        )

    with np.errstate(divide="ignore", invalid="ignore"):
        bands = 10 * np.log10(mean("power") / mean("true_power")[:, None])  # (sample, downscaling, wave)
        return {
            "crps": mean("crps"),
            "spread_skill": np.sqrt(mean("variance") / mean("error2")),
            "spectrum_db": np.abs(bands).max(-1),
            "p999": _quantile(mean("counts")) / _quantile(mean("true_counts"))[:, None],
            "fss": 1 - mean("fss_error") / mean("fss_reference"),
            "water": mean("water") / mean("true_mean")[:, None],
            "mae": mean("mae"),
        }


def _quantile(counts: Array) -> Array:
    """Return the extreme quantile of rain in mm/day from counts (..., rain), linear within its class."""
    share = np.cumsum(counts, -1) / counts.sum(-1, keepdims=True)
    return np.asarray(np.apply_along_axis(lambda row: np.interp(EXTREME, row, EDGES[1:]), -1, share))


def summary(scores: xr.Dataset) -> xr.Dataset:
    """Return every figure of merit with its 95 % interval over snapshots: (downscaling, bound) of value, low, high."""
    cases = scores.sizes["case"]
    value = summarise(scores)
    weights = np.random.default_rng(0).multinomial(cases, np.full(cases, 1 / cases), RESAMPLES)
    drawn = summarise(scores, weights.astype(float))
    data = {}
    for key, (unit, name) in SUMMARY.items():
        with np.errstate(invalid="ignore"):  # no power at all is infinitely far in dB
            low, high = np.nanpercentile(drawn[key], [2.5, 97.5], axis=0)
        about = {"units": unit, "long_name": name}
        data[key] = (("downscaling", "bound"), np.stack([value[key][0], low, high], 1), about)
    return xr.Dataset(data, coords={"downscaling": scores["downscaling"].values, "bound": ["value", "low", "high"]})


def best_baseline(scores: xr.Dataset) -> str:
    """Return the method with the lowest CRPS among all that are not the flow."""
    mean = scores["crps"].mean("case")
    return str(mean.drop_sel(downscaling=MODEL).idxmin("downscaling").item())


def gain(scores: xr.Dataset) -> tuple[float, float, float]:
    """Return by which share the flow's CRPS is lower than the best baseline's, with its paired 95 % interval."""
    pair = scores["crps"].sel(downscaling=[MODEL, best_baseline(scores)]).values  # (2, case)
    picks = np.random.default_rng(0).integers(pair.shape[1], size=(RESAMPLES, pair.shape[1]))
    flow, other = pair[:, picks].mean(-1)
    low, high = np.percentile(1 - flow / other, [2.5, 97.5])
    return float(1 - pair[0].mean() / pair[1].mean()), float(low), float(high)


def bands_db(scores: xr.Dataset) -> xr.DataArray:
    """Return the error of the spectrum in dB, (downscaling, wave)."""
    ratio = scores["power"].mean("case") / scores["true_power"].mean("case")
    return ratio.copy(data=10 * np.log10(np.maximum(ratio.values, 1e-12))).assign_attrs(units="dB")
