"""Participants who come in the same second and work at once. Called by the rehearsal and by the benchmark."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .chromium import Visit, visited
from .lesson import Cell
from .memory import processor_seconds
from .participant import STAGES, Came, Participant, Worked


@dataclass
class Outcome:
    """What happened to a crowd.

    Attributes
    ----------
    came : list of Came
        How each came in.
    worked : list of Worked
        How each went through the lesson; empty where nobody was to.
    visits : list of Visit
        How those with a real browser came in.
    together : float
        Seconds until the last one had ended the lesson.
    own : float
        Seconds of this computer's processors that the participants' browsers took, which on the day have their own.
    """

    came: list[Came] = field(default_factory=list)
    worked: list[Worked] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    together: float = 0.0
    own: float = 0.0


@dataclass(frozen=True)
class Crowd:
    """Who comes, and what for.

    Attributes
    ----------
    address : str
        Where to go.
    forms : mapping
        What each participant types into the login page, by seat.
    file, kernelspec : str
        The lesson that opens, and the kernel that it asks for.
    first : str
        Code of the first cell.
    cells : sequence of Cell
        What is executed afterwards.
    patience : float
        Seconds that a cell may take.
    real : int
        How many of them have a real Chromium.
    """

    address: str
    forms: Mapping[str, dict[str, str]]
    file: str
    kernelspec: str
    first: str
    cells: Sequence[Cell] = ()
    patience: float = 300.0
    real: int = 0

    def run(self, told: Callable[[str], None], seen: Callable[[str], None] = lambda _: None) -> Outcome:
        """Let them come, and work.

        Parameters
        ----------
        seen : callable
            Called with ``in`` once all are in, and with ``out`` at the end, with all browsers open.
        """
        with _heard():
            return asyncio.run(self._run(told, seen))

    async def _run(self, told: Callable[[str], None], seen: Callable[[str], None]) -> Outcome:
        outcome, own = Outcome(), processor_seconds()
        async with contextlib.AsyncExitStack() as until:
            guests = [
                await until.enter_async_context(Participant(seat, self.address, form, self.file, self.kernelspec))
                for seat, form in list(self.forms.items())[self.real :]
            ]
            real = [visited(self.address, form["code"]) for form in list(self.forms.values())[: self.real]]
            told(f"{len(self.forms)} participants come in the same second")
            pause = 1 / max(1, len(guests))
            coming = [self._come(guest, number * pause) for number, guest in enumerate(guests)]
            outcome.came, outcome.visits = await asyncio.gather(asyncio.gather(*coming), asyncio.gather(*real))
            outcome.own = processor_seconds() - own
            seen("in")
            there = [guest for guest, came in zip(guests, outcome.came, strict=True) if not came.fault]
            if self.cells and there:
                told(f"{len(there)} participants work through {self.file} at once")
                began = time.monotonic()
                works = [guest.work(self.cells, self.patience) for guest in there]
                outcome.worked = list(await asyncio.gather(*works))
                outcome.together = time.monotonic() - began
            seen("out")
        return outcome

    async def _come(self, guest: Participant, pause: float) -> Came:
        await asyncio.sleep(pause)
        return await guest.come(self.first)


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """Leave Ctrl-C to asyncio: an exception out of nowhere may end in a library that keeps all it catches."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if before[signal.SIGINT] in (signal.SIG_IGN, None) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio.run puts its own in the place of this one only
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def looking(look: Callable[[], None]) -> Iterator[None]:
    """Look at the room every second meanwhile, in a thread: the crowd keeps this one busy."""
    over = threading.Event()

    def again() -> None:
        while not over.wait(1):
            look()

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median, what 95 of 100 stay below, and the largest."""
    ordered = sorted(values)
    if not ordered:
        return {}
    most = ordered[min(len(ordered) - 1, max(0, -(-95 * len(ordered) // 100) - 1))]
    return {"p50": round(statistics.median(ordered), 3), "p95": round(most, 3), "max": round(ordered[-1], 3)}


def stages(came: Sequence[Came]) -> dict[str, dict[str, float]]:
    """Return each stage's spread over those who came in."""
    there = [one for one in came if not one.fault]
    found = {name: spread([one.stages[name] for one in there]) for name in STAGES}
    return {**found, "code to first cell": spread([one.seconds for one in there])}
