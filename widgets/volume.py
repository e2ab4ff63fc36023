"""The VolumeViewer: a medical volume with labels over it, by plane and in three dimensions. Called by templates.

It draws with NiiVue, through the front end that ipyniivue's wheel holds (BSD-2-Clause; both of niivue.github.io).
ipyniivue's own widget shares one drawing among all widgets of a page, sends every volume back to the kernel, adds
5 MB of script to a notebook that keeps its widgets, and has neither words nor a picture for a page without a kernel. So
``volume.js`` gives that front end a model of its own; the kernel lends the script with the output, and hands it over
again when it is asked for; nothing is fetched. Where no kernel answers or WebGL is off, the caller's picture stands.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from .anatomical import Anatomical, read_labels, read_volume
from .nifti import nifti1, packed

#: Colours of labels, of Okabe and Ito: told apart without colour vision, and from grey.
COLOURS = ("#E69F00", "#56B4E9", "#CC79A7", "#009E73", "#F0E442", "#D55E00", "#0072B2")
#: Seconds after which a script lent with an output is taken back, at the end of a cell: no record shall keep it.
LENT = 10.0
MISSING = "ipyniivue is not installed where this kernel runs: pip install ipyniivue"


class VolumeViewer(anywidget.AnyWidget):
    """A volume in three planes or in space, with labels over it, moved by mouse, finger or keys.

    Parameters
    ----------
    volume : array-like of float, xarray.DataArray or nibabel image
        An array is (z, y, x), its indices rising to superior, anterior and right; a ``DataArray`` has these dimensions
        with evenly spaced coordinates in mm; an image knows its own orientation.
    alt : str
        The finding, then what is drawn, then its range; read aloud to who cannot see it.
    labels : like ``volume``, of whole numbers from 0 to 255, optional
        0 is nothing; drawn over the volume, shape and place as the volume's.
    names : mapping of int to str, optional
        Name of each label.
    spacing : sequence of float, optional
        Distance between voxels of an array (z, y, x) in mm; others bring theirs.
    name, unit : str
        Of the values: ``"FLAIR signal"``.
    window : tuple of float, optional
        Values drawn black and white; by default the 1st and 99.5th percentile of what is not the lowest value.
    fallback : str
        HTML shown where the viewer cannot run, for example of :func:`.figures.figure_html`.

    Raises
    ------
    ValueError
        If a volume or its labels cannot be placed or drawn, or there is no alternative text.
    """

    _esm = Path(__file__).with_name("volume.js")
    volume = traitlets.Bytes(b"").tag(sync=True)
    labels = traitlets.Bytes(b"").tag(sync=True)
    shape = traitlets.List().tag(sync=True)
    kinds = traitlets.List().tag(sync=True)
    window = traitlets.List().tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    unit = traitlets.Unicode("").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    #: What is shown: "planes", "axial", "coronal", "sagittal" or "space"; the voxel (x, y, z) at the cross.
    view = traitlets.Enum(["planes", "axial", "coronal", "sagittal", "space"], "planes").tag(sync=True)
    place = traitlets.List().tag(sync=True)
    opacity = traitlets.Float(0.6, min=0, max=1).tag(sync=True)
    #: NiiVue, gzipped, while it is lent.
    script = traitlets.Bytes(b"").tag(sync=True)
    #: The picture of a page that runs no script; publishing looks for it under this name.
    value = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        volume: Any,
        alt: str,
        labels: Any = None,
        names: Mapping[int, str] | None = None,
        spacing: Sequence[float] | None = None,
        name: str = "signal",
        unit: str = "",
        window: tuple[float, float] | None = None,
        fallback: str = "",
    ) -> None:
        if not alt.strip():
            raise ValueError("a volume needs alternative text: pass alt='finding, kind of figure, range'")
        shown = read_volume(volume, spacing)
        marked = None if labels is None else read_labels(labels, volume, shown, spacing)
        values, slope, middle = packed(shown.values)
        super().__init__(
            volume=_zipped(nifti1(values, shown.affine, slope, middle)), shape=list(shown.values.shape), name=name,
            labels=b"" if marked is None else _zipped(nifti1(marked, shown.affine)), unit=unit, alt=alt,
            kinds=[] if marked is None else _kinds(marked, shown, names or {}), window=_window(shown.values, window),
            place=_home(shown.values if marked is None else marked, marked is not None), value=fallback,
        )  # fmt: skip
        self.on_msg(self._hand_over)

    def _hand_over(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Answer a page that asks for NiiVue."""
        if content.get("ask") != "niivue":
            return
        script = niivue()
        if script is None:
            self.send({"niivue": MISSING})
        else:
            self.send({"niivue": ""}, buffers=[script])

    def _lend(self) -> None:
        """Send NiiVue along with the output: a kernel that goes on to train answers no questions for minutes."""
        from IPython.core.getipython import get_ipython

        shell, script, until = get_ipython(), niivue(), time.monotonic() + LENT
        if shell is None or script is None:
            return

        def take_back(_result: Any = None) -> None:
            if time.monotonic() >= until:
                self.script = b""
                shell.events.unregister("post_run_cell", take_back)

        self.script = script
        shell.events.register("post_run_cell", take_back)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Add the picture and the words for whoever shows no widgets."""
        self._lend()
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/plain": self.alt, **({"text/html": self.value} if self.value else {})}, metadata


@lru_cache(maxsize=1)
def niivue() -> bytes | None:
    """Return ipyniivue's front end, gzipped, or None where it is not installed; its Python part is not imported."""
    spec = find_spec("ipyniivue")
    script = Path(spec.origin or "").parent / "static" / "widget.js" if spec else Path("ipyniivue")
    return gzip.compress(script.read_bytes(), 6, mtime=0) if script.is_file() else None


def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, 5, mtime=0)


def _kinds(labels: np.ndarray, volume: Anatomical, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return number, name, colour and volume of each label that is there."""
    numbers, counts = np.unique(labels[labels > 0], return_counts=True)
    strange = next((n for n in names if n not in range(1, 256)), None)
    if strange is not None:
        raise ValueError(f"names are for labels 1 to 255, not {strange!r}")
    return [
        {"number": int(n), "name": names.get(int(n), f"label {n}"), "colour": COLOURS[i % len(COLOURS)],
         "ml": round(float(count) * volume.voxel / 1000, 2)}
        for i, (n, count) in enumerate(zip(numbers, counts, strict=True))
    ]  # fmt: skip


def _window(values: np.ndarray, wanted: tuple[float, float] | None) -> list[float]:
    """Return the values drawn black and white; air round a body, which is the lowest value, tells nothing."""
    if wanted is None:
        inside = values[values > values.min()]
        wanted = tuple(np.percentile(inside, [1, 99.5])) if inside.size else (float(values.min()), 1.0)
        wanted = (min(wanted[0], float(values.min())), wanted[1])
    low, high = (float(v) for v in wanted)
    if not low < high:
        raise ValueError(f"the window goes from {low:g} to {high:g}: give the darker value first")
    return [low, high]


def _home(values: np.ndarray, labelled: bool) -> list[int]:
    """Return where the cross starts: a labelled voxel in the slice with most of them, else the middle."""
    if not labelled or not values.any():
        return [n // 2 for n in values.shape]
    z = int((values > 0).sum((0, 1)).argmax())
    inside = np.argwhere(values[:, :, z] > 0)
    x, y = inside[((inside - inside.mean(0)) ** 2).sum(1).argmin()]
    return [int(x), int(y), z]
