"""Do a recorded run once more: on from its last checkpoint. Called by ``runs resume``; ``runs verify`` plans alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..errors import WorkbenchError
from .carry import hand_on
from .home import fetch
from .plan import Plan, plan_of
from .record import Record
from .runner import carry_out, create
from .session import Listener
from .store import find


def plan_again(record: Record, on: str | None = None, **changes: Any) -> Plan:
    """Return the plan of a recorded run as that of another run, which is part of no sweep.

    Raises
    ------
    WorkbenchError, KernelsError
        Also where the folder of a notebook of one's own is gone, in which its kernel would run.
    """
    planned = plan_of(record, on)
    folder = planned.in_place
    if folder is not None and not folder.is_dir():
        raise WorkbenchError(f"run {record.id} was made in {folder}, which is gone: make the folder again")
    links: dict[str, Any] = {"sweep": None, "resumes": None, "verifies": None}
    return dataclasses.replace(planned, **{**links, **changes})


def resume(
    run: Record | str,
    *,
    on: str | None = None,
    listener: Listener = lambda event, data: None,
    began: Callable[[Record, int], None] = lambda record, checkpoints: None,
) -> Record:
    """Go on with a run that did not complete from its last checkpoint, as a run of its own that names the first.

    Parameters
    ----------
    run : Record or str
        A record, or what ``genai4eu runs list`` shows of one.
    on : str, optional
        Another target than the recorded one.
    began : callable, optional
        Called with the new record and the number of checkpoints, before the kernel starts.

    Returns
    -------
    Record
        Sealed; its ``info["status"]`` says how the run ended.

    Raises
    ------
    WorkbenchError, KernelsError
        Before any kernel is asked for: a run that completed or still runs, a target that cannot be reached, files of
        the run that are still there and do not come.
    """
    record = find(run) if isinstance(run, str) else run
    if not (record.sealed or record.running) and record.info.get("remote"):
        fetch(record, listener)  # its checkpoints may be what is not at home yet
    status = record.info["status"]
    if record.running:
        raise WorkbenchError(f"run {record.id} is {status}: wait for its end, or stop it first")
    if status == "completed":
        raise WorkbenchError(f"run {record.id} completed: there is nothing to go on with")
    planned = plan_again(record, on, resumes=record.id)
    later = create(planned)
    found = hand_on(record.folder, later.folder)
    began(later, len(found))
    return carry_out(planned, later, listener)
