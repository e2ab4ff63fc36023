"""How long somebody was active in a course. Called by completion records.

A room does not see people, only what they leave: a check, a hint, a lesson opened, a notebook that has changed. Time
between two such signs counts where they are at most ten minutes apart; a longer silence counts nothing, as reading and
a coffee look the same from here. What is counted is therefore rather too little than too much.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

#: Seconds between two signs of activity that count at most.
GAP = 600.0


def active(moments: Iterable[float], gap: float = GAP) -> float:
    """Return the seconds with activity.

    Parameters
    ----------
    moments : iterable of float
        When there was a sign of activity [s since 1970], in any order.
    gap : float
        How far apart two signs may be so that the time between them counts [s].
    """
    signs = sorted(set(moments))
    return sum(later - earlier for earlier, later in itertools.pairwise(signs) if later - earlier <= gap)
