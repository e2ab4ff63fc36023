"""The scripted demonstrator: picks the cube, carries it left or right of the zone, puts it down. Called by
:mod:`.data`.

It knows no path but a rule, which cannot cut a corner: as long as the straight way to the goal touches the zone with
its margin, head for the tangent on the chosen side. Which side is a coin's toss, as two people would do it differently.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .environment import CUBE, GOAL, STATE, TABLE, ZONE

Array = NDArray[np.float64]
CARRY = TABLE + 0.08  # m, height of the tool on its way
_OPEN, _SHUT = 1.0, -1.0
_REACH = 0.05  # m, what an action of 1 asks for


class Expert:
    """One demonstrator in one episode.

    Parameters
    ----------
    side : {-1, 1}
        Pass the zone on the right (-1) or on the left (1), seen in the direction of travel.
    margin : float
        Distance in m kept from the zone's surface.
    """

    def __init__(self, side: int, margin: float = 0.04) -> None:
        self.side, self.margin = side, margin
        self._stage, self._waited = "reach", 0

    @property
    def done(self) -> bool:
        """Whether the cube was let go and the hand has risen."""
        return self._stage == "rest" and self._waited > 3

    def act(self, state: Array) -> Array:
        """Return the action (4) for a state of :data:`.environment.STATE`."""
        tool, cube, goal = state[:3], state[CUBE], state[GOAL]
        self._advance(tool, cube, goal)
        if self._stage in ("reach", "lower", "close"):
            height = CARRY if self._stage == "reach" else TABLE
            grip = _SHUT if self._stage == "close" else _OPEN
            return _towards(np.array([*cube[:2], height]) - tool, grip)
        if self._stage == "lift":
            return _towards(np.array([0, 0, CARRY - tool[2]]), _SHUT)
        if self._stage == "carry":
            way = self.heading(tool[:2], goal[:2], state[ZONE], float(state[-1]))
            return _towards(np.array([*way, CARRY - tool[2]]), _SHUT)
        if self._stage == "place":
            return _towards(np.array([*goal[:2], TABLE]) - tool, _SHUT)
        rise = CARRY - tool[2] if self._stage == "rest" and self._waited > 1 else 0.0
        return _towards(np.array([0.0, 0.0, rise]), _OPEN)

    def _advance(self, tool: Array, cube: Array, goal: Array) -> None:
        """Go to the next stage where this one's end is reached."""
        over_cube, over_goal = np.linalg.norm(tool[:2] - cube[:2]), np.linalg.norm(tool[:2] - goal[:2])
        ends = {
            "reach": over_cube < 0.012,
            "lower": abs(tool[2] - TABLE) < 0.012 and over_cube < 0.012,
            "close": self._waited >= 2,
            "lift": tool[2] > CARRY - 0.03,
            "carry": over_goal < 0.02,
            "place": tool[2] < TABLE + 0.012,
            "rest": False,
        }
        stages = list(ends)
        self._waited += 1
        if ends[self._stage]:
            self._stage, self._waited = stages[stages.index(self._stage) + 1], 0

    def heading(self, place: Array, goal: Array, zone: Array, radius: float) -> Array:
        """Return the displacement (x, y) in m to ask for at ``place``.

        Straight to the goal where the segment stays clear of the zone with its margin, else a full step along the
        tangent.
        """
        ahead, kept = goal - place, radius + self.margin
        if _distance(zone, place, goal) >= kept:
            return ahead
        off = zone - place
        far = float(np.linalg.norm(off))
        # the tangent leaves the line to the centre by asin(kept / far); within the margin, by a little more than 90°
        turn = np.arcsin(kept / far) if far > kept else np.pi / 2 + min(4 * (kept - far) / kept, 0.6)
        angle = np.arctan2(off[1], off[0]) + self.side * turn
        return _REACH * np.array([np.cos(angle), np.sin(angle)])


def _distance(zone: Array, start: Array, end: Array) -> float:
    """Return how near the segment from ``start`` to ``end`` comes to ``zone``."""
    along = end - start
    share = np.clip((zone - start) @ along / max(float(along @ along), 1e-9), 0, 1)
    return float(np.linalg.norm(start + share * along - zone))


def _towards(offset: Array, grip: float) -> Array:
    """Return the action that asks for ``offset`` in m, at most a full step in its direction."""
    asked = offset / _REACH
    longest = np.abs(asked).max()
    return np.array([*(asked / max(longest, 1.0)), grip])


assert STATE[-1] == "zone_r"
