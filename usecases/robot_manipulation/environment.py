"""The simulated arm with a keep-out zone, as a Gymnasium environment. Called by :mod:`.rollout`.

Gymnasium-Robotics' ``FetchPickAndPlace`` (Plappert et al. 2018, arXiv:1802.09464) on MuJoCo: a 7-DoF Fetch arm whose
tool is moved by up to 5 cm a step of 40 ms, and a parallel gripper. Physics, actions and the distance of 5 cm that
counts as reached are its own; placements come from :class:`.task.Task`, and a zone is watched.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .task import Task, draw_task

with contextlib.redirect_stderr(io.StringIO()):  # it greets with a notice on other environments
    import mujoco
    from gymnasium_robotics.envs.fetch.pick_and_place import MujocoFetchPickAndPlaceEnv

Array = NDArray[np.float64]
STEP = 0.04  # s, one action
REACHED = 0.05  # m, the environment's own threshold
TABLE = 0.425  # m, height of the centre of a cube that lies on the table
#: What a policy is told, with units; the zone's radius last.
STATE = (
    "tool_x", "tool_y", "tool_z", "cube_x", "cube_y", "cube_z", "opening", "tool_vx", "tool_vy", "tool_vz",
    "goal_x", "goal_y", "goal_z", "zone_x", "zone_y", "zone_r",
)  # fmt: skip
UNITS = tuple("m/s" if name.startswith("tool_v") else "m" for name in STATE)
ACTION = ("dx", "dy", "dz", "gripper")
CUBE, GOAL, ZONE = slice(3, 6), slice(10, 13), slice(13, 15)


class KeepOutEnv(MujocoFetchPickAndPlaceEnv):  # type: ignore[misc]
    """Carry the cube to the goal and keep out of the zone.

    ``reset`` takes ``options={"task": Task}``, else draws a test task. Observations are vectors of :data:`STATE`.
    ``info`` of a step holds ``is_success`` (the cube is within 5 cm of its goal), ``entered`` (tool or cube centre is
    inside the zone now) and ``clearance`` (m from the zone's surface to the nearer of the two centres; negative
    inside).
    """

    task: Task

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(-np.inf, np.inf, (len(STATE),), np.float64)
        model = self.model
        self._grip = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, "robot0:grip")
        self._site = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, "object0")
        self._fingers = [int(model.joint(f"robot0:{side}_gripper_finger_joint").qposadr[0]) for side in ("l", "r")]
        self._cube = int(model.joint("object0:joint").qposadr[0])

    def twin(self) -> KeepOutEnv:
        """Return another simulation over the same model, in milliseconds and not a third of a second."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)  # copy.copy would load the model again
        other.data = mujoco.MjData(self.model)
        return other

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Put arm and cube at their places."""
        gymnasium.Env.reset(self, seed=seed)
        self._reset_sim()
        self.task = (options or {}).get("task") or draw_task("test", self.np_random)
        self.goal = np.array([*self.task.goal, TABLE])
        self.data.qpos[self._cube : self._cube + 2] = self.task.cube
        mujoco.mj_forward(self.model, self.data)
        return self._get_obs(), {}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Move for 40 ms."""
        self._set_action(np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0))
        mujoco.mj_step(self.model, self.data, nstep=self.n_substeps)
        state = self._get_obs()
        reached = bool(np.linalg.norm(state[CUBE] - self.goal) < REACHED)
        clearance = self.clearance()
        info = {"is_success": reached, "entered": clearance < 0, "clearance": clearance}
        return state, float(reached) - 1.0, False, False, info

    def clearance(self) -> float:
        """Return the distance in m from the zone's surface to tool or cube, whichever is nearer; negative inside."""
        places = self.data.site_xpos[[self._grip, self._site], :2]
        return float(np.linalg.norm(places - self.task.zone, axis=1).min() - self.task.radius)

    def _get_obs(self) -> Array:
        if not hasattr(self, "task"):  # asked by the parent while it is being made
            return super()._get_obs()  # type: ignore[no-any-return]
        data, velocity = self.data, np.zeros(6)
        mujoco.mj_objectVelocity(self.model, data, mujoco.mjtObj.mjOBJ_SITE, self._grip, velocity, 0)
        zone = (*self.task.zone, self.task.radius)
        opening = data.qpos[self._fingers].sum()
        return np.concatenate(
            [data.site_xpos[self._grip], data.site_xpos[self._site], [opening], velocity[3:], self.goal, zone]
        )
