"""The folder of a sweep: what was asked, and how far each point has come. The runs themselves are ordinary records.

::

    runs/sweep-NAME-HASH/
        sweep.json        template, target, limits; of every point its values, its run, how that ended
        input.ipynb       the notebook, as all runs have it
        points/0007.json  the run of point 7, written by whoever carries it out, before it begins
        summary.ipynb     table and plots, once the sweep has ended

``sweep.json`` may be behind after a crash; the points' files and the records tell the rest. Called by all here.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from genai4eu.kernels import targets

from .. import catalogue
from ..errors import WorkbenchError
from ..runs.endings import sentence_of, status_of
from ..runs.files import write_json
from ..runs.plan import Limits, Plan, valid
from ..runs.record import Record, now
from ..runs.settle import finish
from ..runs.status import FINAL
from ..runs.store import runs_root
from .request import Request


@dataclass(frozen=True)
class State:
    """How far a point has come.

    Attributes
    ----------
    run : str or None
        Id of its latest run; ``earlier`` are those before, which did not complete.
    status : str
        That of its run; ``pending`` before there is one, ``refused`` where the target gave no kernel.
    """

    index: int
    parameters: dict[str, Any]
    run: str | None = None
    status: str = "pending"
    duration: float | None = None
    error: str | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    earlier: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in FINAL or self.status == "refused"

    def began(self, run: str) -> State:
        """Return the state of a point whose run begins."""
        return State(self.index, self.parameters, run, "running", earlier=self.earlier)

    def again(self) -> State:
        """Return the state of a point that is to be carried out, whatever came of it before."""
        earlier = [*self.earlier, self.run] if self.run else self.earlier
        return State(self.index, self.parameters, earlier=earlier)


@dataclass(frozen=True)
class Sweep:
    """One sweep's folder."""

    folder: Path

    @property
    def id(self) -> str:
        """The sweep's id: its folder's name."""
        return self.folder.name

    @property
    def info(self) -> dict[str, Any]:
        """What ``sweep.json`` says.

        Raises
        ------
        WorkbenchError
            If it is missing or damaged.
        """
        try:
            info: dict[str, Any] = json.loads((self.folder / "sweep.json").read_text(encoding="utf-8"))
            assert {"id", "template", "target", "points"} <= info.keys()
        except (OSError, ValueError, AssertionError, AttributeError):
            raise WorkbenchError(
                f"sweep {self.id} has no readable sweep.json: give the command again that began it"
            ) from None
        return info

    def states(self) -> list[State]:
        """Return how far every point has come, by its record where it is not over."""
        return [self.current(State(index=i, **p)) for i, p in enumerate(self.info["points"])]

    def current(self, state: State) -> State:
        """Return a state as it is now: with the run that began since it was written, as that run's record says."""
        begun = self.begun(state.index)
        if begun["run"] and begun["run"] not in (state.run, *state.earlier) and self._has(begun["run"]):
            state = replace(state, run=begun["run"], earlier=begun["earlier"], status="running")
        elif begun["refused"] and state.status != "completed":  # its own words say more than the queue's
            return replace(state, status="refused", error=begun["refused"])
        elif state.run and not self._has(state.run):  # it was removed
            return State(state.index, state.parameters, earlier=state.earlier)
        return state if state.over or state.run is None else seen(state, self.record(state.run))

    def _has(self, run: str) -> bool:
        return (self.folder.parent / run / "run.json").is_file()

    def record(self, run: str) -> Record:
        """Return the record of one of the sweep's runs."""
        return Record(self.folder.parent / run)

    def begun(self, index: int) -> dict[str, Any]:
        """Return the run that a point has, and those before, by its own file."""
        try:
            found: dict[str, Any] = json.loads(self._point(index).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"run": None, "earlier": [], "refused": None}
        return found

    def begin(self, state: State, run: str) -> State:
        """Note that a point has a run, before it begins. Called by whoever carries it out."""
        self._note(state, run, None)
        return state.began(run)

    def refuse(self, state: State, why: str) -> None:
        """Note that the target gave a point no kernel, so that there is no run."""
        self._note(state, None, why)

    def forget(self, state: State) -> State:
        """Return the state of a point that is to be carried out, whatever came of it before."""
        if self.begun(state.index)["refused"]:
            self._point(state.index).unlink(missing_ok=True)
        return state.again()

    def _note(self, state: State, run: str | None, refused: str | None) -> None:
        self._point(state.index).parent.mkdir(exist_ok=True)
        write_json(self._point(state.index), {"run": run, "earlier": state.earlier, "refused": refused})

    def _point(self, index: int) -> Path:
        return self.folder / "points" / f"{index:04}.json"

    def save(self, states: list[State], **more: Any) -> None:
        """Write ``sweep.json``, whole or not at all."""
        points = [{k: v for k, v in asdict(state).items() if k != "index"} for state in states]
        write_json(self.folder / "sweep.json", {**self.info, **more, "points": points})

    def plan(self, target: targets.Target | None = None) -> Plan:
        """Return what all runs have in common, as a plan; each adds its point's values.

        Parameters
        ----------
        target : Target, optional
            Where the kernels run, when that is not to be looked up by the target's name.

        Raises
        ------
        WorkbenchError, KernelsError
            If the target cannot be reached.
        """
        info = self.info
        path = Path(info["notebook"]) if info["notebook"] else None
        usecase = catalogue.usecase(info["usecase"]) if info["usecase"] else None
        source = catalogue.Source(info["template"], (self.folder / "input.ipynb").read_bytes(), usecase, path)
        target = target or targets.find(info["target"])
        targets.check(target)
        asked = info["kernel"]["asked"]
        return Plan(source, valid(source), {}, target, Limits(**info["limits"]), asked, sweep=self.id)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the sweep, so that no other process carries it out at the same time.

        Raises
        ------
        WorkbenchError
            If another does.
        """
        with (self.folder / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorkbenchError(
                    f"sweep {self.id} is being carried out already: wait for its end, or stop it with Ctrl-C"
                ) from None
            yield

    def summary(self) -> dict[str, Any]:
        """Return what a list of sweeps shows of this one."""
        info, states = self.info, self.states()
        about = {k: info[k] for k in ("id", "template", "title", "target", "started", "varied")}
        return {**about, "points": len(states), "statuses": counts(states), "folder": str(self.folder)}


def seen(state: State, record: Record) -> State:
    """Return the state of a point by the record of its run."""
    info = record.info
    metrics = {name: metric["value"] for name, metric in record.metrics.items()}
    return replace(
        state, run=record.id, status=info["status"], duration=info["duration"], error=info["error"], metrics=metrics
    )


def end(record: Record, stop: KeyboardInterrupt) -> None:
    """Seal the record of a run that was stopped before it had a kernel; later the engine does so itself."""
    if record.folder.is_dir() and not record.sealed:
        finish(record, status_of(stop), sentence_of(stop))


def counts(states: list[State]) -> dict[str, int]:
    """Return how many points have each status, the most frequent first."""
    return dict(Counter(state.status for state in states).most_common())


def made(request: Request) -> Sweep:
    """Return the folder of a requested sweep, made where it is the first time. What has been done stays done."""
    sweep = Sweep(runs_root() / request.id)
    if (sweep.folder / "sweep.json").is_file():
        write_json(sweep.folder / "sweep.json", {**sweep.info, "limits": request.about()["limits"]})
        return sweep
    sweep.folder.mkdir(parents=True, exist_ok=True)
    write_json(sweep.folder / "input.ipynb", request.plan.notebook)
    points = [
        {k: v for k, v in asdict(State(i, p)).items() if k != "index"} for i, p in enumerate(request.points.points)
    ]
    write_json(sweep.folder / "sweep.json", {**request.about(), "started": now(), "ended": None, "points": points})
    return sweep


def all_sweeps() -> list[Sweep]:
    """Return every sweep below the runs' folder, the latest first."""
    root = runs_root()
    found = [Sweep(p.parent) for p in root.glob("sweep-*/sweep.json")] if root.is_dir() else []
    return sorted(found, key=lambda s: os.path.getmtime(s.folder / "sweep.json"), reverse=True)  # noqa: PTH204


def find(name: str) -> Sweep:
    """Return one sweep by its id, the beginning or end of it, its folder, or ``latest``.

    Raises
    ------
    WorkbenchError
        If there is none, or more than one.
    """
    if (Path(name) / "sweep.json").is_file():
        return Sweep(Path(name).absolute())
    sweeps = all_sweeps()
    if name == "latest" and sweeps:
        return sweeps[0]
    near = [s for s in sweeps if s.id == name] or [s for s in sweeps if s.id.startswith(name) or s.id.endswith(name)]
    if not near or not name:
        raise WorkbenchError(f"unknown sweep {name!r}: 'genai4eu sweeps list' shows those in {runs_root()}")
    if len(near) > 1:
        raise WorkbenchError(
            f"{name!r} may mean {len(near)} sweeps ({near[0].id}, {near[1].id}, …): give more of the id"
        )
    return near[0]
