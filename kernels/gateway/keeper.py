"""``python -P -m genai4eu.kernels.gateway.keeper``: ends kernels that no gateway came back for.

A process in a session of its own, one for a state folder, started by the gateway with its first kernel.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .processes import Found
from .state import State

_EVERY = 1.0


def start(folder: Path, patience: float) -> subprocess.Popen[bytes]:
    """Start a keeper; it leaves at once if there is one already."""
    command = [sys.executable, "-P", "-m", "genai4eu.kernels.gateway.keeper", "--patience", str(patience), str(folder)]
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, cwd="/", start_new_session=True)


def end_all(state: State, why: str, patience: float = 10.0) -> int:
    """End every kernel that stands in the folder, and forget it; return how many lived. No gateway may run."""
    ended = 0
    for record in state.records.stored():
        found = Found.find(record.pid, record.born)
        if found:
            found.end(patience)
            found.close()
            ended += 1
        state.records.drop(record.kernel_id)
        for suffix in ("json", "log"):
            (state.runtime / f"kernel-{record.kernel_id}.{suffix}").unlink(missing_ok=True)
        state.audit.write("kernel end", kernel=record.kernel_id, owner=record.owner, reason=why)
    return ended


def keep(state: State, patience: float) -> None:
    """Wait until no gateway has been there for ``patience`` seconds, then end what it left."""
    since: float | None = None
    while True:
        if state.running():
            since = None
        elif not state.records.stored():
            return
        else:
            since = since or time.monotonic()
            if time.monotonic() - since > patience and state.take(0):
                end_all(state, "no gateway came back")
                state.withdraw()
                return
        time.sleep(_EVERY)


def main() -> None:
    """Keep one folder, if nobody does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patience", type=float, default=600.0)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    state = State(options.folder)
    handle = os.open(state.folder / "keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    keep(state, options.patience)


if __name__ == "__main__":
    main()
