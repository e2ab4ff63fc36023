"""Relaxation times and proton densities of brain tissue at 1.5 T and 3 T. Called by the acquisition model.

Sources, each value as the source states it:

- white and grey matter T1: Wright et al. 2008, MAGMA 21:121, MPRAGE in four subjects (646 and 1197 ms at 1.5 T,
  838 and 1607 ms at 3 T).
- white and grey matter T2: Stanisz et al. 2005, Magn Reson Med 54:507 (72 and 95 ms at 1.5 T, 69 and 99 ms at 3 T).
- cerebrospinal fluid T1: Rooney et al. 2007, Magn Reson Med 57:308 (about 4.3 s, nearly the same at all fields).
- cerebrospinal fluid T2: Spijkerman et al. 2018, MAGMA 31:415 (about 2.0 s in the ventricles at 3 T; used for both).
- proton densities, and the lesion: the BrainWeb phantom, Kwan et al. 1999, IEEE TMI 18:1085 (lesion T2 237 ms, and a
  T1 1.5 times that of white matter, which is carried over to both fields; PD 1.00, 0.86, 0.77, 0.76).

T1 in tissue depends on how it is measured (magnetisation transfer), so these are effective values, not truths.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

#: Order of the tissue axis everywhere in this use case. A label map holds 0 for background, else index + 1.
TISSUES = ("csf", "gm", "wm", "lesion")
LESION = TISSUES.index("lesion") + 1
FIELDS = (1.5, 3.0)
#: Between people, as a fraction of the mean: the standard deviations of Wright et al. are 5 to 11 % of the T1.
SPREAD = (0.05, 0.07, 0.05, 0.12)

_T1 = ((4300.0, 1197.0, 646.0, 1.5 * 646.0), (4300.0, 1607.0, 838.0, 1.5 * 838.0))
_T2 = ((2000.0, 95.0, 72.0, 237.0), (2000.0, 99.0, 69.0, 237.0))
_PD = (1.00, 0.86, 0.77, 0.76)


def tissue_values(field: float, rng: np.random.Generator | None = None) -> xr.Dataset:
    """Return T1, T2 and proton density of each tissue; with ``rng``, those of one random person.

    Parameters
    ----------
    field : float
        Field strength in tesla, 1.5 or 3.0.
    rng : numpy.random.Generator, optional
        Draws one person's T1 and T2, log-normal around the mean with the spread ``SPREAD``.

    Returns
    -------
    xarray.Dataset
        ``t1`` and ``t2`` in ms and ``pd`` relative to water, each with the dimension ``tissue``, float64.

    Raises
    ------
    ValueError
        For a field strength without values in the sources.
    """
    if field not in FIELDS:
        raise ValueError(f"no tissue values for {field} T: use one of {', '.join(f'{f} T' for f in FIELDS)}")
    row = FIELDS.index(field)
    factors = np.ones((2, len(TISSUES)))
    if rng is not None:
        factors = np.exp(rng.standard_normal(factors.shape) * SPREAD)
    return xr.Dataset(
        {
            "t1": ("tissue", np.array(_T1[row]) * factors[0], {"units": "ms", "long_name": "longitudinal relaxation"}),
            "t2": ("tissue", np.array(_T2[row]) * factors[1], {"units": "ms", "long_name": "transverse relaxation"}),
            "pd": ("tissue", np.array(_PD), {"units": "1", "long_name": "proton density relative to water"}),
        },
        coords={"tissue": list(TISSUES)},
    )
