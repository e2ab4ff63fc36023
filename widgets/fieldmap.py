"""The FieldMap: an ensemble of fields on a grid, by time, member and chance above a threshold. Called by templates.

Plain arrays in, one small script of our own (``fieldmap.js``), nothing fetched. Where no script runs, as on a frozen
page or in an exported notebook, the picture that the caller passes is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

_LEVELS = 255  # steps of a byte; values are sent as their square roots, so that small ones keep their digits


class FieldMap(anywidget.AnyWidget):
    """A map that shows truth, a member, the mean, or the chance of more than a threshold, at any time.

    Parameters
    ----------
    members : array-like of float, shape (member, time, y, x)
        The ensemble, not negative; an ``xarray.DataArray`` in this order will do.
    alt : str
        The finding, then what is drawn, then its range; read aloud to who cannot see it.
    truth : array-like of float, shape (time, y, x), optional
        What happened.
    times : sequence of str, optional
        Name of each time; numbers by default.
    threshold : float
        In ``unit``; the slider's start.
    top : float, optional
        The darkest colour, in ``unit``; the largest value by default. What is above is drawn as dark.
    spacing : float
        Distance between two points, in ``length_unit``.
    name, unit, length_unit : str
        Of the field, of its values, of ``spacing``.
    fallback : str
        HTML shown where no script runs, for example of :func:`.figures.figure_html`.

    Raises
    ------
    ValueError
        If arrays do not fit, hold what is no number or is negative, or there is no alternative text.
    """

    _esm = Path(__file__).with_name("fieldmap.js")
    data = traitlets.Bytes(b"").tag(sync=True)
    shape = traitlets.List().tag(sync=True)
    truth = traitlets.Bool(False).tag(sync=True)
    times = traitlets.List().tag(sync=True)
    top = traitlets.Float(1.0).tag(sync=True)
    spacing = traitlets.Float(1.0).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    unit = traitlets.Unicode("").tag(sync=True)
    length_unit = traitlets.Unicode("km").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    #: What is shown: "truth", "mean", "chance", or the number of a member; the time; the threshold in ``unit``.
    view = traitlets.Unicode("chance").tag(sync=True)
    time = traitlets.Int(0).tag(sync=True)
    threshold = traitlets.Float(0.0).tag(sync=True)
    #: The picture of a page that runs no script; publishing looks for it under this name.
    value = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        members: Any,
        alt: str,
        truth: Any = None,
        times: Sequence[str] | None = None,
        threshold: float = 0.0,
        top: float | None = None,
        spacing: float = 1.0,
        name: str = "rain",
        unit: str = "mm/day",
        length_unit: str = "km",
        fallback: str = "",
    ) -> None:
        if not alt.strip():
            raise ValueError("a map needs alternative text: pass alt='finding, kind of figure, range'")
        fields = _checked("members", members, 4)
        shape = list(fields.shape)
        if truth is not None:
            real = _checked("truth", truth, 3)
            if list(real.shape) != shape[1:]:
                raise ValueError(
                    f"truth is {_times(real.shape)}, members are {_times(shape)}: give the same times and grid"
                )
            fields = np.concatenate([fields, real[None]])
        names = [str(t) for t in (times if times is not None else range(1, shape[1] + 1))]
        if len(names) != shape[1]:
            raise ValueError(f"{len(names)} names for {shape[1]} times: give one each")
        highest = float(top) if top is not None else float(fields.max()) or 1.0
        share = np.sqrt(np.clip(fields / highest, 0, 1))
        super().__init__(
            data=np.rint(share * _LEVELS).astype(np.uint8).tobytes(), shape=shape, truth=truth is not None, times=names,
            top=highest, spacing=float(spacing), name=name, unit=unit, length_unit=length_unit, alt=alt,
            threshold=float(threshold), value=fallback,
        )  # fmt: skip

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Add the picture and the words for whoever shows no widgets."""
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/plain": self.alt, **({"text/html": self.value} if self.value else {})}, metadata


def _checked(name: str, values: Any, dimensions: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float32)
    if array.ndim != dimensions or not array.size:
        wanted = "(member, time, y, x)" if dimensions == 4 else "(time, y, x)"
        raise ValueError(f"{name} should be {wanted}, not {_times(array.shape)}")
    if not np.isfinite(array).all() or array.min() < 0:
        raise ValueError(f"{name} hold values that are negative or no numbers: mend them before they are drawn")
    return array


def _times(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
