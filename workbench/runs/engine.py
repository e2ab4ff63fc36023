"""Our papermill engine: a truthful status, a notebook written seldom and whole, outputs brought home.

``papermill --engine genai4eu in.ipynb out.ipynb`` uses it alone; the runner uses it with a ``Session``.
Only papermill imports this module, through its entry point: imported first, it would meet itself half made.
"""

from __future__ import annotations

import contextlib
import json
import math
from typing import IO, Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.engines import Engine
from papermill.utils import merge_kwargs, remove_args

from genai4eu.kernels import local

from ..errors import WorkbenchError
from .carry import lend
from .client import RunClient
from .clock import Clock
from .endings import sentence_of, status_of
from .files import cannot_write
from .home import bring
from .journal import Journal
from .manager import kernel_manager
from .reach import Unreachable
from .reserve import with_reserve
from .session import Session
from .starts import started
from .status import Status
from .survey import measure, survey

#: Seconds that an interrupted cell is given to stop before its kernel is ended.
GRACE = 10.0
#: Seconds that output may still flow in after a cell has ended; nbclient's 4 cut off a cell of many displays.
IOPUB_PATIENCE = 120


class GenAI4EUEngine(Engine):  # type: ignore[misc]
    """Executes a notebook and tells the truth about it."""

    @classmethod
    def execute_notebook(  # noqa: D102  # papermill's interface
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        session: Session | None = None,
        **options: Any,
    ) -> Any:
        about: dict[str, Any] = {"log_output": log_output, "progress_bar": progress_bar}
        if session:
            output_path = str(session.folder / "notebook.ipynb")
            about |= {"listener": session.listener, "tick": session.tick, "by_cell": True}
        journal = Journal(nb, output_path, **about)
        status: Status = "completed"
        error: str | None = None
        unexpected = False
        try:
            journal.notebook_start()
            cls.execute_managed_notebook(journal, kernel_name, log_output=log_output, session=session, **options)
        except CellExecutionError as problem:  # papermill finds it in the outputs and raises its own error
            status, error = status_of(problem), sentence_of(problem)
        except CellTimeoutError as problem:  # to Python a kind of OSError
            status, error = status_of(problem), sentence_of(problem)
            raise
        except OSError as problem:
            status, error = "failed", str(cannot_write(problem))
            raise cannot_write(problem) from None
        except BaseException as problem:
            status, error = status_of(problem), sentence_of(problem)
            unexpected = status == "failed" and not isinstance(problem, WorkbenchError)
            raise
        finally:
            journal.notebook_ended(status, error)
            if session:
                session.status, session.error, session.cells = status, error, journal.cells()
                session.unexpected = unexpected
            _complete(journal, session)
        return journal.nb

    @classmethod
    def execute_managed_notebook(  # noqa: D102  # papermill's interface
        cls,
        nb_man: Journal,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: IO[str] | None = None,
        stderr_file: IO[str] | None = None,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        session: Session | None = None,
        **options: Any,
    ) -> None:
        arguments = merge_kwargs(
            remove_args(["input_path", "kernel_name", "timeout"], **options),
            startup_timeout=start_timeout,
            iopub_timeout=IOPUB_PATIENCE,
            log_output=log_output,
            stdout_file=stdout_file,
            stderr_file=stderr_file,
        )
        clock = session.clock if session else Clock(execution_timeout or options.get("timeout"))
        if session is None and local.stands_for(kernel_name):
            kernel_name = local.ensure()

        def make() -> RunClient:
            client = RunClient(nb_man, clock, km=kernel_manager(kernel_name), **arguments)
            client.owns_km = True  # nbclient: shut down at the end what it starts
            return client

        client = started(make, session, _kernel_options(session))
        with client.setup_kernel():
            client.watch()
            _execute(client, session)


def _complete(journal: Journal, session: Session | None) -> None:
    """Write the notebook a last time; where even that cannot be done, the run has failed."""
    try:
        if session is None:
            journal.notebook_complete()
        else:
            with_reserve(session.folder, "notebook", journal.notebook_complete)
    except OSError as error:
        if session is None:
            raise cannot_write(error) from None
        session.status, session.error = "failed", str(cannot_write(error))


def _kernel_options(session: Session | None) -> dict[str, Any]:
    """Return what the kernel's process starts with: its folder, and where its own prints go."""
    if session is None or session.kernel_log is None:
        return {}
    return {**session.kernel_options, "stdout": session.kernel_log, "stderr": session.kernel_log}


def _execute(client: RunClient, session: Session | None) -> None:
    """Execute the cells in a kernel that is ready; with a session, inside its run."""
    if session is None:
        _execute_alone(client)
        return
    session.warm = client.warm
    parameters, usecase = json.dumps(session.parameters), json.dumps(session.usecase)
    started = json.loads(client.prepare("begin", session.run_id, parameters, usecase, session.change_folder))
    if started["problem"]:
        client.ask("end")
        raise WorkbenchError(f"the kernel {started['problem']}")
    client.pace()
    session.remote = started["remote"]
    more = survey(client.ask, session.folder, session.remote["folder"], session.paths)
    lend(client.ask, session.folder)
    session.began({**started["environment"], **more})
    _execute_cells(client, session)


def _execute_alone(client: RunClient) -> None:
    """Execute the cells for papermill's own command line."""
    if client.km.kernel_spec.language == "python":
        with contextlib.suppress(WorkbenchError):  # not every Python kernel is ipykernel; it may drop what is not read
            client.prepare("wait_for_reader")
            client.pace()
    client.clock.start()
    client.papermill_execute_cells()
    client.set_widgets_metadata()


def _execute_cells(client: RunClient, session: Session) -> None:
    """Execute the cells of a run, and bring home what they kept."""
    client.clock.start()
    try:
        client.papermill_execute_cells()
    except BaseException as problem:
        client.clock.stop()
        client.leave(session.target)
        with contextlib.suppress(WorkbenchError, DeadKernelError, OSError):  # what ended the run is its truth
            _bring_home(client, session, _patience(client, problem))
        raise
    client.clock.stop()
    client.leave(session.target)
    with contextlib.suppress(Unreachable):  # the run has completed; whether its files are home is another question
        client.ask("forget")
    _bring_home(client, session, math.inf)


def _patience(client: RunClient, problem: BaseException) -> float:
    """Return how long the kernel may take to answer; a cell that may still run is interrupted first."""
    ended = isinstance(problem, CellExecutionError) and status_of(problem) == "failed"
    if ended or isinstance(problem, DeadKernelError):
        return math.inf
    client.interrupt()  # also where a gateway was restarted meanwhile
    return GRACE


def _bring_home(client: RunClient, session: Session, patience: float) -> None:
    """Collect outputs also of a run that did not complete, and of a kernel that is gone or does not answer."""
    client.set_widgets_metadata()
    ask = client.ask if _answers(client, patience) else None
    if ask:
        with contextlib.suppress(Unreachable):
            measure(ask, session.folder)
    session.missing = bring(session.remote, session.target, session.folder, client.nb_man.tell, ask)


def _answers(client: RunClient, patience: float) -> bool:
    """Return whether the kernel is there; one that is in a cell that ignores interrupts is as good as gone."""
    if not client.alive():
        return False
    try:
        client.ask("here", patience=patience)
    except (TimeoutError, DeadKernelError):
        return False
    return True
