"""What a study leaves in its run's outputs, and how the dashboard finds it again. Called by both parts of the template.

Everything is data that other tools read: NetCDF for numbers and motions, LeRobot's layout for demonstrations,
safetensors with JSON for policies::

    scores.nc              outcomes by policy and test episode, rates with intervals, entropies
    motions.nc             the ways of tool and cube: test episodes of the flow policy, and repeated starts of all
    demonstrations/        what was shown, as a LeRobot 2.1 dataset
    policies/flow-N.*      the flow policy trained on the first N demonstrations
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from ..generative.kept import RecordError as RecordError
from ..generative.kept import read_kept as read_kept
from ..generative.kept import write_kept
from .evaluate import MAIN
from .lerobot import write_lerobot
from .model import FlowPolicy, save_policy
from .sizes import Sizes
from .task import Task


def keep_study(
    outputs: Path,
    sizes: Sizes,
    seed: int,
    scores: xr.Dataset,
    tested: dict[str, xr.Dataset],
    repeated: dict[str, xr.Dataset],
    shown: xr.Dataset,
    policies: dict[int, FlowPolicy],
) -> xr.Dataset:
    """Write everything that the dashboard part and later comparisons need into ``outputs``; return the scores."""
    outputs.mkdir(parents=True, exist_ok=True)
    scores = scores.assign_attrs(demonstrations=sizes.demonstrations, seed=seed)
    write_kept(
        scores.map(lambda v: v.astype(np.int8) if v.dtype == bool else v, keep_attrs=True), outputs / "scores.nc"
    )
    names = xr.DataArray(list(repeated), dims="policy", name="policy")
    again = xr.concat([_ways(d) for d in repeated.values()], names).rename(episode="again", way="again_way")
    again = again.rename(zone="again_zone")
    motions = xr.merge([_ways(tested[MAIN]), again]).assign_attrs(starts=sizes.starts)
    write_kept(motions, outputs / "motions.nc")
    write_lerobot(shown, outputs / "demonstrations", "carry the cube to its goal around the zone")
    for count, policy in policies.items():
        save_policy(policy, outputs / "policies" / f"flow-{count}.safetensors")
    return scores


def _ways(done: xr.Dataset) -> xr.Dataset:
    """Return ``way`` (episode, time, place) of tool and cube, ``zone`` (episode, what): x, y, radius and goal; in m."""
    state = done["state"]
    names = ["tool_x", "tool_y", "tool_z", "cube_x", "cube_y", "cube_z"]
    fixed = state.isel(time=0).sel(feature=["zone_x", "zone_y", "zone_r", "goal_x", "goal_y"])
    return xr.Dataset(
        {
            "way": state.sel(feature=names).rename(feature="place").astype(np.float32),
            "zone": fixed.rename(feature="what").astype(np.float32).drop_vars("time"),
        }
    ).drop_vars("radius", errors="ignore")


def stored_counts(outputs: Path) -> list[int]:
    """Return the numbers of demonstrations for which a record holds a policy, in rising order."""
    found = (Path(outputs) / "policies").glob("flow-*.safetensors")
    return sorted(int(path.stem.removeprefix("flow-")) for path in found)


def repeated_tasks(tasks: Sequence[Task], sizes: Sizes) -> list[Task]:
    """Return the first ``sizes.starts`` tasks, each ``sizes.repeats`` times, start by start."""
    return [task for task in tasks[: sizes.starts] for _ in range(sizes.repeats)]
