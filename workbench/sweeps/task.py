"""One task of a sweep's job array: carries out its points on its node, one after the other. Started by Slurm.

The engine runs inside the job, so nothing depends on the terminal that asked for the sweep: it reads its points from
the sweep's folder and leaves its runs beside it. The records name the Slurm target; the kernels are the node's own.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from genai4eu.kernels import local, targets
from genai4eu.kernels.errors import KernelsError

from .. import lean  # noqa: F401  # before all that imports jsonschema
from ..errors import WorkbenchError
from ..runs import runner
from ..runs.batch import number_here
from ..runs.plan import Plan
from ..runs.signals import Signals
from .folder import State, Sweep, end


def main(sweep: Sweep, kernel: str, chosen: str) -> None:
    """Carry out the points that ``chosen``, one of the sweep's arrays, gives to this task."""
    array = sweep.info["arrays"][chosen]
    if kernel == local.NAME:
        local.ensure()
    plan = sweep.plan(targets.find(kernel))
    job = {"scheduler": "slurm", "name": array["name"], "number": number_here(), "kernel": kernel, "warm": False}
    states = {state.index: state for state in sweep.states()}
    for index in array["tasks"][os.environ["SLURM_ARRAY_TASK_ID"]]:
        carry_out(sweep, plan, states[index].again(), job)


def carry_out(sweep: Sweep, plan: Plan, state: State, job: dict[str, Any]) -> None:
    """Carry out one point; a refusal is noted, and the next has its turn.

    Raises
    ------
    Stopped
        After the record says what Slurm ends the job for.
    """
    planned = replace(plan, given=state.parameters)
    record = runner.create(replace(planned, target=replace(plan.target, name=sweep.info["target"], slurm="in a job")))
    info = record.read("run.json")
    record.write("run.json", {**info, "job": job, "kernel": {**info["kernel"], "used": planned.target.name}})
    state = sweep.begin(state, record.id)
    try:
        with Signals(record, job["number"], again=False):
            runner.carry_out(planned, record, lambda event, data: None)
    except (WorkbenchError, KernelsError) as error:
        sweep.refuse(state, str(error))
        print(f"genai4eu: {error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt as stop:
        end(record, stop)
        raise


if __name__ == "__main__":
    try:
        main(Sweep(Path(sys.argv[1])), sys.argv[2], sys.argv[3])
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except (WorkbenchError, KernelsError) as fault:
        print(f"genai4eu: {fault}", file=sys.stderr)
        raise SystemExit(1) from None
