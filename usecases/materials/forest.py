"""A random forest on composition descriptors: what needs no crystal at all. Called by the study part.

Mean, spread and extremes of the elements' properties, weighted by composition (Ward et al. 2016, npj Comput. Mater.
2:16028), predict the voltage and the volume of the best phase of a formula.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from .data import Frame, formulas_of, frames
from .elements import radius
from .formulas import Formula, part
from .hull import whole_hull

Array = NDArray[np.float64]


def descriptors(formula: Formula) -> Array:
    """Return what the forest sees of a formula: (15,) float64."""
    from pymatgen.core import Element

    rows = np.array([[(x := Element(e)).Z, x.X, radius(e, q), q, x.group] for e, _, q in formula.ions], dtype=float)
    weight = np.array([n for _, n, _ in formula.ions], float) / formula.atoms
    mean = weight @ rows
    return np.concatenate([mean, np.sqrt(weight @ (rows - mean) ** 2), rows.max(0) - rows.min(0)])


def best_phases() -> dict[str, tuple[float, float]]:
    """Return by formula the voltage (V, NaN without one) and the volume (Å³/atom) of its lowest frame."""
    lowest: dict[str, Frame] = {}
    for frame in frames():
        if frame.ionic and (frame.formula not in lowest or frame.energy < lowest[frame.formula].energy):
            lowest[frame.formula] = frame
    hull = whole_hull()
    return {
        name: (hull.voltage(f.structure.composition, f.energy), f.structure.volume / len(f.structure))
        for name, f in lowest.items()
    }


def predict(trees: int, seed: int) -> xr.Dataset:
    """Train on the training formulas and predict all.

    Returns
    -------
    xarray.Dataset
        By formula: ``volts``, ``volts_forest`` (V), ``volume``, ``volume_forest`` (Å³/atom) and ``part``; attributes
        ``volts_mae``, ``volume_mae``: mean absolute error on the test formulas, and of the training mean
        (``_of_mean``).
    """
    truth = best_phases()
    chosen = [f for kind in ("train", "validation", "test") for f in formulas_of(kind)]
    x, parts = np.stack([descriptors(f) for f in chosen]), np.array([part(f) for f in chosen])
    made = xr.Dataset(coords={"formula": [f.name for f in chosen]}).assign(part=("formula", parts.astype(str)))
    for i, (name, unit) in enumerate((("volts", "V"), ("volume", "angstrom3/atom"))):
        y = np.array([truth[f.name][i] for f in chosen])
        learn, test = ((parts == p) & np.isfinite(y) for p in ("train", "test"))
        # one job: threads that share a sum change its last bits, and the forest is small
        forest = RandomForestRegressor(trees, min_samples_leaf=2, random_state=seed, n_jobs=1).fit(x[learn], y[learn])
        told = np.where(np.isfinite(y), forest.predict(x), np.nan)
        made[name] = ("formula", y, {"units": unit})
        made[f"{name}_forest"] = ("formula", told, {"units": unit})
        made.attrs[f"{name}_mae"] = float(np.abs(told - y)[test].mean())
        made.attrs[f"{name}_mae_of_mean"] = float(np.abs(y[learn].mean() - y)[test].mean())
    return made
