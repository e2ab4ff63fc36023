"""The picture of the live answer: the chance of heavy rain on a map, and how rare it is. Called by :mod:`.live`."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .figures import RAIN, Drawn, scale_bar, titled
from .units import DAY


def exceedance_figure(
    coarse: NDArray[np.float32], truth: NDArray[np.float32], members: NDArray[np.float32], threshold: float,
    box: tuple[slice, slice], place: str, level: float, side: float,
) -> Drawn:  # fmt: skip
    """Show the chance of rain above a threshold, and how rare rain is in a region; called by the live answer.

    Parameters
    ----------
    coarse, truth : ndarray (yc, xc) and (y, x)
        Rain in kg m-2 s-1.
    members : ndarray (member, y, x)
        The ensemble.
    threshold : float
        In mm/day.
    box : tuple of slice
        Region, rows and columns of the fine grid.
    place : str
        Its name.
    level : float
        How rare the rain is that is named: one point in so many.
    side : float
        Side of the domain in km.
    """
    chance = (members * DAY > threshold).mean(0)
    fig = Figure(figsize=(5.0, 7.2), layout="constrained")
    left, right = fig.subplots(2, 1, height_ratios=(1.7, 1))
    image = left.imshow(chance, origin="lower", cmap=RAIN, vmin=0.02, vmax=1, extent=(0, side, 0, side))
    if (truth * DAY > threshold).any():
        left.contour(truth * DAY, [threshold], colors="#D55E00", linewidths=1.2, extent=(0, side, 0, side))
    _outline(left, box, len(truth), side)
    left.set(xticks=[], yticks=[])
    left.set_title(f"Chance of > {threshold:g} mm/day (truth outlined)", fontsize=12)
    scale_bar(left, side)
    fig.colorbar(image, ax=left, shrink=0.9, label="share of members", extend="min")
    named = _curve(right, members[(slice(None), *box)] * DAY, truth[box] * DAY, level)
    inside = chance[box].max()
    worded = (
        f"{place}: one point in {level:.0f} gets {named[0]:.0f} ({named[1]:.0f} to {named[2]:.0f}) mm/day, in truth "
        f"{named[3]:.0f}"
    )
    titled(fig, worded, 46, 13)
    coarse_share = float((coarse * DAY > threshold).mean())
    return fig, (
        f"{worded}; the chance of more than {threshold:g} mm/day reaches {inside:.0%} there; map of {len(members)} "
        f"AI-generated members and a curve of rarity; {coarse_share:.0%} of the coarse cells show as much."
    )


def _outline(axes: Axes, box: tuple[slice, slice], points: int, side: float) -> None:
    """Draw the region's border on a map ``side`` km wide."""
    rows, columns = (((s.start or 0) / points, (s.stop or points) / points) for s in box)
    across, up = (
        np.array([span[i] for i in order]) * side
        for span, order in ((columns, (0, 1, 1, 0, 0)), (rows, (0, 0, 1, 1, 0)))
    )
    axes.plot(across, up, color="black", linewidth=1.5, clip_on=False)


def _curve(
    axes: Axes, members: NDArray[np.float32], truth: NDArray[np.float32], level: float
) -> tuple[float, float, float, float]:
    """Draw rain over rarity, members as a band; return the level's rain: median, 5 %, 95 % of members, truth."""
    rare = np.geomspace(2, truth.size, 60)
    rows = np.quantile(members.reshape(len(members), -1), 1 - 1 / rare, axis=1)  # (rarity, member)
    low, middle, high = np.quantile(rows, [0.05, 0.5, 0.95], axis=1)
    axes.fill_between(rare, low, high, color="#D55E00", alpha=0.25, linewidth=0, label="90 % of members")
    axes.plot(rare, middle, color="#D55E00", label="median")
    axes.plot(rare, np.quantile(truth, 1 - 1 / rare), color="black", linewidth=1.5, label="truth")
    axes.axvline(level, color="#7a8794", linewidth=1)
    axes.set_xscale("log")
    axes.set(xlabel="one point in …", ylabel="rain above (mm/day)", ylim=(0, None))
    axes.legend(loc="upper left", fontsize=10)
    at = np.quantile(members.reshape(len(members), -1), 1 - 1 / level, axis=1)
    a, b, c = np.quantile(at, [0.5, 0.05, 0.95])
    return float(a), float(b), float(c), float(np.quantile(truth, 1 - 1 / level))
