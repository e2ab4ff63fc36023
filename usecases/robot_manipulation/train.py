"""Training of all policies of a study, on the same demonstrations, with the same budget. Called by the study part."""

from __future__ import annotations

import dataclasses

import numpy as np
import xarray as xr

from ..generative.training import Keep, Kept, Progress
from .baseline import train_mixture, train_neighbours, train_perceptron
from .data import first, run_expert
from .evaluate import outcomes
from .keep import repeated_tasks
from .model import FlowPolicy, train_policy
from .rollout import Policy, run_policy
from .sizes import Sizes
from .task import Task

BLUR = 0.01  # m, standard deviation in each direction and step


def train_flows(
    shown: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> dict[int, FlowPolicy]:
    """Train the flow policy on all demonstrations, and on fewer; return policies by number of demonstrations.

    Those on fewer take a third of the steps: they are there for the dashboard's control and in no comparison.
    """
    flows = {}
    for count in (*sizes.fewer, sizes.demonstrations):
        some = sizes if count == sizes.demonstrations else dataclasses.replace(sizes, steps=sizes.steps // 3)
        label = f"training the flow policy on {count}"
        flows[count] = train_policy(first(shown, count), some, seed, progress, label, keep, kept)
    return flows


def train_others(
    shown: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
    kept: Kept | None = None,
) -> dict[str, Policy]:
    """Train what the flow policy is compared with; return policies by name."""
    return {
        "mixture": train_mixture(shown, sizes, seed, progress, keep, kept),
        "nearest neighbour": train_neighbours(shown, sizes),
        "perceptron": train_perceptron(shown, sizes, seed, progress),
    }


def try_all(
    policies: dict[str, Policy], tasks: list[Task], sizes: Sizes, seed: int, progress: Progress | None = None
) -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset]]:
    """Let the expert and every policy do the tasks, and the first ones again and again.

    Parameters
    ----------
    policies : dict of str to Policy
        By name.
    tasks : list of Task
        Test tasks; the first ``sizes.starts`` are repeated.

    Returns
    -------
    tested, repeated : dict of str to xarray.Dataset
        Episodes by policy, the expert's first.
    """
    again = repeated_tasks(tasks, sizes)
    tested, repeated = {"expert": run_expert(tasks, seed, progress)}, {"expert": run_expert(again, seed + 1, progress)}
    for name, policy in policies.items():
        tested[name] = run_policy(policy, tasks, seed, 0.0, progress, f"trying: {name}")
        if policy.draws:
            repeated[name] = run_policy(policy, again, seed + 1, 0.0, progress, f"trying again: {name}")
        else:  # it would do the same each time
            once = tested[name].isel(episode=slice(sizes.starts))
            repeated[name] = once.isel(episode=np.repeat(np.arange(sizes.starts), sizes.repeats))
    return tested, repeated


def try_blurred(
    policies: dict[str, Policy], tasks: list[Task], seed: int, progress: Progress | None = None
) -> dict[str, xr.Dataset]:
    """Let policies do the tasks with a camera that is wrong about the cube by :data:`BLUR`; return outcomes by name."""
    return {
        name: outcomes(run_policy(policy, tasks, seed, BLUR, progress, f"blurred: {name}"))
        for name, policy in policies.items()
    }
