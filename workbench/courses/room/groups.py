"""Control groups: the kernel of the system keeps each seat to its memory, processors and processes.

Both generations are spoken, the second first. Where neither can be had, ``watching`` looks at the seats from time to
time instead. Called as a room opens and closes, as root.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .limits import PROCESSES, Limits

_ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("memory", "cpu", "pids")
#: Microseconds in which a seat's processor time is counted.
_PERIOD = 100_000


@dataclass(frozen=True)
class Groups:
    """The groups of one room's seats.

    Attributes
    ----------
    name : str
        The room's, as its users' names begin.
    roots : tuple of Path
        Where groups are made: one folder, or one for each controller.
    """

    name: str
    roots: tuple[Path, ...]

    @property
    def modern(self) -> bool:
        """Tell whether these are groups of the second generation."""
        return len(self.roots) == 1

    def make(self, seats: Iterable[str], each: Limits, all_of_them: int) -> None:
        """Make the groups, anew or with other limits; ``all_of_them`` is the memory of all seats together.

        Raises
        ------
        OSError
            If this computer does not let us.
        """
        for root in self.roots:
            (root / self.name).mkdir(exist_ok=True)
        self._set(self._of(""), Limits(all_of_them, 0, os.cpu_count() or 1), PROCESSES * 1000)
        if self.modern:
            switched_on(self.roots[0] / self.name)
        for seat in seats:
            for folder in self._of(seat):
                folder.mkdir(exist_ok=True)
            self._set(self._of(seat), each, PROCESSES)

    def of(self, seat: str) -> list[str]:
        """Return the folders of a seat's groups."""
        return [str(folder) for folder in self._of(seat)]

    def used(self, seat: str) -> int:
        """Return the bytes of memory that a seat has in use."""
        folder = self._of(seat)[0]
        return int((folder / ("memory.current" if self.modern else "memory.usage_in_bytes")).read_text("ascii"))

    def ended(self, seat: str) -> int:
        """Return how often the system has ended a seat's process because its memory was full."""
        text = (self._of(seat)[0] / ("memory.events" if self.modern else "memory.oom_control")).read_text("ascii")
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), 0)

    def end(self, seats: Iterable[str]) -> None:
        """End whatever is left in the groups, and remove them."""
        folders = [folder for seat in seats for folder in self._of(seat)]
        for folder in folders:  # else what forks as fast as we look is never ended
            for name, content in (("pids.max", 0), ("cgroup.kill", 1)):
                with contextlib.suppress(OSError):  # each generation, and each controller, has its own
                    _write(folder / name, content)
        until = time.monotonic() + 5
        while (left := _inside(folders)) and time.monotonic() < until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for folder in [*folders, *self._of("")]:
            with contextlib.suppress(OSError):  # not there, or something in it cannot be ended
                folder.rmdir()

    def _of(self, seat: str) -> list[Path]:
        return [root / self.name / seat for root in self.roots]

    def _set(self, folders: list[Path], most: Limits, processes: int) -> None:
        quota = int(most.processors * _PERIOD)
        if self.modern:
            _write(folders[0] / "memory.max", most.memory)
            _write(folders[0] / "cpu.max", f"{quota} {_PERIOD}")
            _write(folders[0] / "pids.max", processes)
            with contextlib.suppress(OSError):  # no swap here
                _write(folders[0] / "memory.swap.max", 0)
            return
        memory, cpu, pids = folders
        _write(memory / "memory.limit_in_bytes", most.memory)
        _write(cpu / "cpu.cfs_period_us", _PERIOD)
        _write(cpu / "cpu.cfs_quota_us", quota)
        _write(pids / "pids.max", processes)


def found(name: str) -> Groups | None:
    """Return the groups that can be made on this computer, or None."""
    if os.geteuid():
        return None
    for groups in (Groups(name, (_ROOT,)), Groups(name, tuple(_ROOT / controller for controller in _CONTROLLERS))):
        try:
            if groups.modern:
                switched_on(_ROOT)
            for root in groups.roots:
                (root / f"{name}-try").mkdir()
                (root / f"{name}-try").rmdir()
        except OSError:
            continue
        return groups
    return None


def switched_on(folder: Path) -> None:
    """Let groups below a folder have limits. The second generation does not by itself.

    Raises
    ------
    OSError
        If one of the controllers is not to be had.
    """
    _write(folder / "cgroup.subtree_control", " ".join(f"+{name}" for name in _CONTROLLERS))


def _inside(folders: Iterable[Path]) -> set[int]:
    found: set[int] = set()
    for folder in folders:
        with contextlib.suppress(OSError):
            found |= {int(pid) for pid in (folder / "cgroup.procs").read_text("ascii").split()}
    return found


def _write(path: Path, content: object) -> None:
    file = os.open(path, os.O_WRONLY)  # must be there: in a folder that is no group this were a new file
    try:
        os.write(file, str(content).encode("ascii"))
    finally:
        os.close(file)
