"""One task: where the cube lies, where it shall go, and the zone that must be kept out of. Called by everything here.

Lengths are metres in the world frame of Gymnasium-Robotics' Fetch environments: x away from the robot, y to its left,
z up. The zone is a vertical cylinder between cube and goal that stands over the whole working height, so that
there are two ways only: left or right of it.

Placements that training, validation and test may use are kept apart by place, not only by seed: the table is
coloured in squares of 2 cm by three colours, and a goal, as well as a zone, lies on squares of its own split's colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The tool's place above the table after a reset, in m; ``MujocoFetchPickAndPlaceEnv`` starts there.
HOME = (1.342, 0.749)
SQUARE = 0.02  # m
SPLITS = ("train", "validation", "test")
RADII = (0.03, 0.10)  # m, zones that are drawn


@dataclass(frozen=True)
class Task:
    """One placement.

    Attributes
    ----------
    cube, goal, zone : tuple of float
        (x, y) in m of the cube at the start, of its goal, and of the zone's axis.
    radius : float
        Radius of the zone in m.
    """

    cube: tuple[float, float]
    goal: tuple[float, float]
    zone: tuple[float, float]
    radius: float


def colour(place: tuple[float, float]) -> int:
    """Return the colour, 0 to 2, of the square that a place (x, y) in m lies on."""
    return (int(np.floor(place[0] / SQUARE)) + int(np.floor(place[1] / SQUARE))) % len(SPLITS)


def draw_task(split: str, rng: np.random.Generator) -> Task:
    """Draw a placement: the cube near the tool, the goal 28 to 33 cm to either side, the zone halfway, up to 2 cm off.

    Parameters
    ----------
    split : {"train", "validation", "test"}
        Goal and zone lie on squares of its colour.
    rng : numpy.random.Generator
        Draws it.
    """
    wanted = SPLITS.index(split)
    while True:
        cube = np.array(HOME) + rng.uniform(-0.04, 0.04, 2)
        angle = rng.choice([-1, 1]) * np.pi / 2 + rng.uniform(-0.5, 0.5)
        along = np.array([np.cos(angle), np.sin(angle)])
        goal = cube + rng.uniform(0.28, 0.33) * along
        across = rng.uniform(-0.02, 0.02) * np.array([-along[1], along[0]])
        zone = cube + rng.uniform(0.48, 0.58) * (goal - cube) + across
        on_table = abs(goal[1] - HOME[1]) < 0.31
        if on_table and colour(_pair(goal)) == colour(_pair(zone)) == wanted:
            return Task(_pair(cube), _pair(goal), _pair(zone), float(rng.uniform(*RADII)))


def draw_tasks(split: str, count: int, seed: int) -> list[Task]:
    """Draw ``count`` placements of a split; the first ones are the same whatever the count."""
    return [draw_task(split, np.random.default_rng([seed, SPLITS.index(split), i])) for i in range(count)]


def _pair(place: np.ndarray) -> tuple[float, float]:
    return float(place[0]), float(place[1])
