"""The kernels that a gateway has, each in a small file of its own, so that the next gateway can find them.

Used by the managers, the keeper and ``gateway status|stop``. A record is made when a kernel is *requested*, before
anything is awaited: counting records is what holds quotas when fifty ask at once.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from ..files import write_json
from .runfiles import RunFiles
from .spans import span


@dataclass
class Record:
    """A kernel, wanted or alive.

    Attributes
    ----------
    lease : float
        Seconds that its client may be away; 0 where the client knows of no lease.
    batch : bool
        A run, which would be no run in a kernel that was started anew.
    pid, born : int, float
        Its process and when that started; ``pid`` 0 while it is only wanted.
    """

    kernel_id: str
    owner: str
    kernelspec: str
    env: dict[str, str] = field(default_factory=dict)
    lease: float = 0.0
    batch: bool = False
    started: float = field(default_factory=time.time)
    pid: int = 0
    born: float = 0.0
    connection_file: str = ""
    host: str = field(default_factory=socket.gethostname)

    def age(self) -> str:
        """Return how long it has been there, in words."""
        return span(time.time() - self.started)


class Records:
    """All kernels of a gateway by id, on disk once they have a process."""

    def __init__(self, folder: Path, run_files: RunFiles) -> None:
        self._folder = folder
        self.run_files = run_files
        self._records: dict[str, Record] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def get(self, kernel_id: str) -> Record | None:
        """Return a kernel's record, if there is one."""
        return self._records.get(kernel_id)

    def of(self, owner: str | None = None) -> list[Record]:
        """Return the kernels of a user, or all, the oldest first."""
        found = [record for record in self._records.values() if owner in (None, record.owner)]
        return sorted(found, key=lambda record: record.started)

    def add(self, record: Record) -> None:
        """Take note of a kernel that is wanted."""
        self._records[record.kernel_id] = record

    def save(self, record: Record) -> None:
        """Write down a kernel that has a process."""
        self._records[record.kernel_id] = record
        write_json(self._path(record.kernel_id), dataclasses.asdict(record), 0o600)

    def drop(self, kernel_id: str) -> Record | None:
        """Forget a kernel and return what was known of it; whose it was stays known if it had a run."""
        record = self._records.pop(kernel_id, None) or self._read(self._path(kernel_id))
        if record:
            self.run_files.keep(kernel_id, record.owner)
        self._path(kernel_id).unlink(missing_ok=True)
        return record

    def stored(self) -> list[Record]:
        """Return what an earlier gateway wrote down; files that are no records are left out."""
        found = (self._read(path) for path in sorted(self._folder.glob("*.json")))
        return [record for record in found if record]

    @staticmethod
    def _read(path: Path) -> Record | None:
        try:
            return Record(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # of another version, or gone this moment
            return None

    def _path(self, kernel_id: str) -> Path:
        return self._folder / f"{kernel_id}.json"
