"""One task of a sweep's job array: carries out its points on its node, one after the other. Started by Slurm.

The engine runs inside the job, so nothing depends on the terminal that asked for the sweep: it reads its points from
the sweep's folder and leaves its runs beside it. The records name the Slurm target; the kernels are the node's own.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from genai4eu.kernels import local, targets
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm import batch

from ..errors import Stopped, WorkbenchError
from ..runs import runner
from ..runs.plan import Plan
from .folder import State, Sweep


def main(sweep: Sweep, kernel: str, chosen: str) -> None:
    """Carry out the points that ``chosen``, one of the sweep's arrays, gives to this task."""
    signal.signal(signal.SIGTERM, _ended)
    array = sweep.info["arrays"][chosen]
    if kernel == local.NAME:
        local.ensure()
    plan = sweep.plan(targets.find(kernel))
    states = {state.index: state for state in sweep.states()}
    for index in array["tasks"][os.environ["SLURM_ARRAY_TASK_ID"]]:
        carry_out(sweep, plan, states[index].again())


def _ended(number: int, frame: object) -> None:
    """Let the record say what Slurm ends the job for."""
    why = batch.why(os.environ["SLURM_JOB_ID"])
    status = {"TIMEOUT": "timeout", "PREEMPTED": "preempted", "NODE_FAIL": "died"}.get(why, "cancelled")
    raise Stopped(status, f"Slurm ended its job: {why or 'no reason is known'}")


def carry_out(sweep: Sweep, plan: Plan, state: State) -> None:
    """Carry out one point; a refusal is noted, and the next has its turn."""
    planned = replace(plan, given=state.parameters)
    asked = replace(plan.target, name=sweep.info["target"], slurm="in a job")
    record = runner.create(replace(planned, target=asked))
    job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    record.write("run.json", {**record.read("run.json"), "job": job})
    state = sweep.begin(state, record.id)
    try:
        runner.carry_out(planned, record, lambda event, data: None)
    except (WorkbenchError, KernelsError) as error:
        sweep.refuse(state, str(error))
        print(f"genai4eu: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(Sweep(Path(sys.argv[1])), sys.argv[2], sys.argv[3])
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except (WorkbenchError, KernelsError) as fault:
        print(f"genai4eu: {fault}", file=sys.stderr)
        raise SystemExit(1) from None
