"""One attempt of a run: what the engine is given, how papermill is called, what is noted. Called by the runner."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError
from .clock import Clock
from .home import note
from .plan import Plan
from .record import Record, now
from .session import Listener, Session
from .status import FINAL

#: Seconds to wait for a kernel: a gateway may have to start one on a busy computer.
START_TIMEOUT = 300
#: Seconds that a gateway keeps the kernel of a run whose connection is gone, as long as kernels wait for a gateway.
LEASE = 600
FOLDER = "attempts"
#: What an attempt makes anew; checkpoints and what was given stay for the next.
_OWN = ("notebook.ipynb", "notebook_files", "cells", "outputs", "log.txt", "metrics.json", "sizes.json",
        "environment.json", "inputs.json", "energy.json")  # fmt: skip


class Attempt:
    """One attempt, from when its kernel is asked for.

    Attributes
    ----------
    began : bool
        Whether it had a kernel.
    stopped : KeyboardInterrupt or None
        What ended it from outside.
    """

    def __init__(self, planned: Plan, record: Record, listener: Listener, clock: Clock) -> None:
        self.began = False
        self.stopped: KeyboardInterrupt | None = None
        self._planned = planned
        self._record = record
        self._metrics: dict[str, Any] = {}
        self._unwritten = False
        self._started, self._since = now(), time.monotonic()
        self.session = self._session(listener, clock)

    def execute(self) -> None:
        """Let papermill inject the parameters and our engine execute.

        Raises
        ------
        WorkbenchError
            If the kernel cannot serve this run.
        """
        with (self._record.folder / "log.txt").open("ab") as log:
            self.session.kernel_log = log
            try:
                self._papermill()
            except KeyboardInterrupt as stop:
                self.stopped = stop
            except WorkbenchError:
                if not self.began:
                    raise
            except Exception:
                if self.session.status not in FINAL or self.session.unexpected:
                    raise
            finally:
                self._write_metrics()

    def _papermill(self) -> None:
        import papermill

        logging.getLogger("papermill").setLevel(logging.ERROR)  # it calls a parameter unknown whose type it cannot read
        logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # nbclient logs what we say in one line
        papermill.execute_notebook(
            str(self._record.folder / "input.ipynb"),
            None,
            self._planned.given,
            engine_name="genai4eu",
            kernel_name=self._planned.target.name,
            language="python",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            session=self.session,
        )

    def _session(self, listener: Listener, clock: Clock) -> Session:
        """Return what the engine needs to know of the run."""
        usecase, in_place = self._planned.source.usecase, self._planned.in_place
        return Session(
            run_id=self._record.id,
            parameters=self._record.parameters,
            folder=self._record.folder,
            paths=self._planned.paths,
            usecase=usecase.needs if usecase else None,
            change_folder=in_place is None,
            began=self._begin,
            listener=lambda event, data: self._listen(event, data, listener),
            kernel_options={"cwd": str(in_place)} if in_place else {"env": _away()},
            clock=clock,
            target=self._planned.target,
            tick=self._write_metrics,
        )

    def _begin(self, environment: dict[str, Any]) -> None:
        """Note where the run executes, as soon as its kernel said so."""
        self.began = True
        self._record.write("environment.json", environment)
        info = self._record.read("run.json")
        info["kernel"]["warm"] = self.session.warm
        info |= {"kernel_id": environment["kernel_id"], "kernel_host": environment["host"]}
        info["remote"] = note(self.session.remote, self._planned.target)
        self._record.write("run.json", info)

    def _listen(self, event: str, data: dict[str, Any], listener: Listener) -> None:
        """Keep metrics in the record, and pass everything on."""
        if event == "metric":
            self._metrics[data["name"]] = {k: data[k] for k in ("value", "unit", "better") if k in data}
            self._unwritten = True
        elif event == "notice" and self.session.kernel_log is not None:
            self.session.kernel_log.write(f"genai4eu: {data['text']}\n".encode())
            self.session.kernel_log.flush()
        listener(event, data)

    def _write_metrics(self) -> None:
        if self._unwritten:
            self._record.write("metrics.json", self._metrics)
            self._unwritten = False

    def about(self) -> dict[str, Any]:
        """Return what ``run.json`` says of the attempt."""
        seconds = round(time.monotonic() - self._since, 3)
        info = self._record.read("run.json")
        return {"status": self.session.status, "error": self.session.error, "started": self._started, "ended": now(),
                "duration": seconds, "kernel_id": info["kernel_id"], "kernel_host": info["kernel_host"]}  # fmt: skip

    def last_words(self) -> str:
        """Return what the kernel's process said last."""
        lines = (self._record.folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return str(lines[-1] if lines else self.session.error).removeprefix("genai4eu: ")


def _away() -> dict[str, str]:
    """Return the variables of a kernel elsewhere: a run survives a connection that is gone for a while."""
    return {"GENAI4EU_LEASE": str(LEASE), **os.environ}


def put_away(record: Record, number: int) -> Path:
    """Move what an attempt left to ``attempts/N``, so that the next one begins with nothing of it."""
    folder = record.folder / FOLDER / str(number)
    folder.mkdir(parents=True)
    for name in _OWN:
        if (record.folder / name).exists():
            (record.folder / name).rename(folder / name)
    return folder
