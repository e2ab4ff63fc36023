"""The numbers that a figure draws, as a table for who cannot see it. Called by ``figure``.

Read from the marks themselves, where that is honest: lines, points, bars, error bars and bands on one pair of axes,
each told from the others by its label. Images and fields have no such table; neither have marks without a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: More rows are no help to a reader: of longer tables they are taken at even steps, and the page says so.
ROWS = 120
Table = dict[str, Any]
#: A mark: what it belongs to, where it stands on both axes, and the ends of its interval.
_Mark = tuple[str, Any, Any, Any, Any]


def table(data: Any) -> Table:
    """Return a table given as a data frame or a mapping of columns: ``{"columns", "rows", "of"}``.

    Raises
    ------
    ValueError
        If it is neither, or its columns differ in length.
    """
    if hasattr(data, "reset_index") and hasattr(data, "columns"):  # pandas, which need not be there
        named = data.reset_index() if any(name is not None for name in data.index.names) else data
        return _shortened([str(c) for c in named.columns], [list(row) for row in named.to_numpy().tolist()])
    if not isinstance(data, Mapping) or not data:
        raise ValueError('the data of a figure is a data frame or columns by name: {"year": [2025], "dice": [0.52]}')
    columns = [_plain(values) for values in data.values()]
    if len({len(column) for column in columns}) > 1:
        raise ValueError("the columns of a figure's data differ in length")
    return _shortened([str(name) for name in data], [list(row) for row in zip(*columns, strict=True)])


def drawn(fig: Figure) -> Table | None:
    """Return what a figure draws, or None where its marks do not tell."""
    panels = [axes for axes in fig.axes if axes.get_label() != "<colorbar>"]
    if len(panels) != 1 or len(fig.axes) != 1 or panels[0].images:
        return None
    axes = panels[0]
    marks = list(_marks(axes))
    names = {name for name, *_ in marks}
    if (
        not marks
        or any(kind not in _KNOWN for kind in map(_kind, axes.collections))
        or ("" in names and len(names) > 1)
    ):
        return None
    return _long(axes, marks, many=len(names) > 1)


_KNOWN = ("LineCollection", "PathCollection", "PolyCollection", "FillBetweenPolyCollection")


def _kind(artist: Any) -> str:
    return type(artist).__name__


def _marks(axes: Axes) -> Iterator[_Mark]:
    """Yield all marks; lines across the whole of the axes are no data."""
    inside = set()
    for container in axes.containers:
        inside |= {id(child) for child in container.get_children()}
        yield from _bars(container) if _kind(container) == "BarContainer" else _errors(container)
    for line in axes.lines:
        if id(line) not in inside and all(line.get_transform().contains_branch_seperately(axes.transData)):
            yield from ((_name(line), x, y, None, None) for x, y in zip(*map(_plain, line.get_data()), strict=True))
    for points in axes.collections:
        if id(points) in inside:
            continue
        if _kind(points) == "PathCollection":
            yield from ((_name(points), x, y, None, None) for x, y in _plain(points.get_offsets()))
        elif "PolyCollection" in _kind(points):
            yield from _band(points)


def _errors(container: Any) -> Iterator[_Mark]:
    line, _caps, segments = container.lines
    if line is None:
        return
    across = 0 if container.has_xerr and not container.has_yerr else 1  # of both intervals, the height's
    ends = [segment[:, across] for segment in (segments[-1].get_segments() if segments else [])]
    for i, (x, y) in enumerate(zip(*map(_plain, line.get_data()), strict=True)):
        low, high = (float(min(ends[i])), float(max(ends[i]))) if i < len(ends) else (None, None)
        yield _name(container), x, y, low, high


def _bars(container: Any) -> Iterator[_Mark]:
    for patch in container.patches:
        lying = container.orientation == "horizontal"
        middle = patch.get_y() + patch.get_height() / 2 if lying else patch.get_x() + patch.get_width() / 2
        end = patch.get_width() if lying else patch.get_height()
        yield (_name(container), *((end, middle) if lying else (middle, end)), None, None)


def _band(band: Any) -> Iterator[_Mark]:
    """Yield the two edges of a band at every place where it has both."""
    for path in band.get_paths():
        edges: dict[float, list[float]] = {}
        for x, y in _plain(path.vertices):
            edges.setdefault(x, []).append(y)
        yield from ((_name(band), x, None, min(ys), max(ys)) for x, ys in sorted(edges.items()))


def _name(artist: Any) -> str:
    label = str(artist.get_label())
    return "" if label.startswith("_") else " ".join(label.split())


def _long(axes: Axes, marks: Sequence[_Mark], many: bool) -> Table | None:
    """Return one row a mark, with the names of places instead of their positions."""
    places = [_places(axis) for axis in (axes.xaxis, axes.yaxis)]
    heads = [" ".join(text.split()) for text in (axes.get_xlabel(), axes.get_ylabel())]
    if any(not head and not named for head, named in zip(heads, places, strict=True)):
        return None  # a number of nobody knows what
    if (
        any(getattr(c, "has_xerr", False) and not getattr(c, "has_yerr", False) for c in axes.containers)
        and not places[1]
    ):
        return None  # intervals of what stands first in a row would stand behind the second
    order = (1, 0) if places[1] and not places[0] else (0, 1)
    interval = any(mark[3] is not None for mark in marks)
    columns = [heads[k] or "name" for k in order]
    columns = [*columns[:1], *(["series"] if many else []), *columns[1:], *(["low", "high"] if interval else [])]
    rows = []
    for name, *ends in marks:
        shown = [_called(ends[k], places[k]) for k in order]
        rows.append([*shown[:1], *([name] if many else []), *shown[1:], *(ends[2:] if interval else [])])
    return _shortened(columns, rows)


def _places(axis: Any) -> dict[float, str]:
    """Return the names along an axis by position, if it has names and not numbers."""
    named = {"FixedFormatter", "StrCategoryFormatter", "FuncFormatter"}
    if _kind(axis.get_major_formatter()) not in named:
        return {}
    labels = [" ".join(label.get_text().split()) for label in axis.get_ticklabels()]
    found = dict(zip(map(float, axis.get_ticklocs()), labels, strict=False))  # a locator may know places out of sight
    words = [text for text in found.values() if any(letter.isalpha() for letter in text)]
    return found if words and len(words) >= len(found) / 2 else {}


def _called(value: Any, places: Mapping[float, str]) -> Any:
    if not places or value is None:
        return value
    near = min(places, key=lambda at: abs(at - value))
    return places[near] if abs(near - value) < 0.5 else value


def _plain(values: Any) -> list[Any]:
    """Return values as Python's own."""
    import numpy as np

    return list(np.asarray(values).tolist())


def _shortened(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    step = max(1, -(-len(rows) // ROWS))
    return {"columns": list(columns), "rows": [[_cell(v) for v in row] for row in rows[::step]], "of": len(rows)}


def _cell(value: Any) -> Any:
    """Return a value that JSON holds; what is no number is empty."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or value != value:
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)
