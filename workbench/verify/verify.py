"""Verify a run: do it once more with the recorded parameters, compare output by output, keep the verdict.

Called by ``genai4eu runs verify`` and from Python.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from ..errors import WorkbenchError
from ..runs.again import plan_again
from ..runs.plan import Plan
from ..runs.record import Record
from ..runs.runner import carry_out, create
from ..runs.seal import check
from ..runs.session import Listener
from ..runs.store import find
from .environment import Tell, environment
from .finding import together
from .outputs import findings
from .surroundings import differences
from .tolerance import Tolerances, declared
from .verdict import Verdict, keep, seal_of


def verify(
    run: Record | str,
    *,
    on: str | None = None,
    env: bool = False,
    tolerance: Mapping[str, float] | None = None,
    listener: Listener = lambda event, data: None,
    tell: Tell = lambda done, total, said: None,
) -> Verdict:
    """Do a run once more and compare what it kept; the verdict is kept beside the record.

    Parameters
    ----------
    run : Record or str
        A record, or what ``genai4eu runs list`` shows of one.
    on : str, optional
        Another target than the recorded one.
    env : bool
        In a fresh environment made from the record's lock file, on this computer.
    tolerance : mapping, optional
        ``rtol`` and ``atol`` in place of what the notebook declares and of the default.
    listener : callable, optional
        Follows the verifying run, as :func:`genai4eu.run` has it.
    tell : callable, optional
        Follows the making of the environment.

    Returns
    -------
    Verdict
        Its ``verified`` says whether the result was had again.

    Raises
    ------
    WorkbenchError, KernelsError
        Before any kernel is asked for: a run that did not complete or was changed since, a target that cannot be
        reached, an environment that cannot be made. And where the verifying run ended for a reason that says nothing
        of the result: its kernel died, its time was up, it was stopped.
    """
    record = find(run) if isinstance(run, str) else run
    _check(record, on, env)
    tolerances = Tolerances(tolerance or {}, declared(record.read("input.ipynb"), record.id))
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(environment(record, tell).offered()) if env else on
        planned = plan_again(record, target, verifies=record.id)
        ours = carry_out(planned, create(planned), listener)
    verdict = _verdict(record, ours, planned, env, tolerances)
    keep(record.folder, verdict)
    return verdict


def _check(record: Record, on: str | None, env: bool) -> None:
    """Refuse what there is nothing to compare with."""
    if env and on is not None:
        raise WorkbenchError("--env makes an environment on this computer: leave out --on, or leave out --env")
    status = record.info["status"]
    if status != "completed":
        raise WorkbenchError(f"run {record.id} is {status}: only a completed run can be verified")
    if not (found := check(record)).whole:
        raise WorkbenchError(
            f"run {record.id} is not what it was when it was sealed ({found.sentence()}): nothing is proved by "
            "comparing with it; take an unchanged copy"
        )


def _verdict(record: Record, ours: Record, planned: Plan, env: bool, tolerances: Tolerances) -> Verdict:
    info = ours.info
    if info["status"] not in ("completed", "failed"):
        raise WorkbenchError(
            f"the verifying run {ours.id} {info['status']} ({info['error']}): that says nothing of run {record.id}, "
            "verify it again"
        )
    failed = info["status"] == "failed"
    found = {} if failed else findings(ours, record, tolerances)
    return Verdict(
        run=record.id,
        seal=seal_of(record.folder) or "",
        by=ours.id,
        outcome="failed" if failed else together(found.values()).outcome,
        target=planned.target.name,
        where=f"{info['kernel_host']}" + ("" if planned.here else f", target {planned.target.name}"),
        environment="lock file" if env else "target",
        tolerance=tolerances.sentence(),
        started=info["started"],
        error=f"failed: {info['error']}" if failed else None,
        outputs={path: finding.about() | {"said": finding.sentence()} for path, finding in found.items()},
        around=differences(ours, record),
    )
