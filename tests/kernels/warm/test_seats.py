"""The process that forks seats: it knows nothing that a seat may not, and waits for none."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from genai4eu.kernels.warm import seats
from genai4eu.kernels.warm.channel import connect
from genai4eu.kernels.warm.preload import Preloaded
from genai4eu.kernels.warm.sealed import sealed

_NOBODY = 65534
_MOTHER = """
import os, sys, time
from pathlib import Path
from genai4eu.kernels.warm import seats

def live(request):
    Path(request["env"]["SAYS"]).write_text(request["env"]["SECRET"])
    time.sleep(60)
    return 0

{more}
seats.Seats(Path(sys.argv[1]), live).run()
"""


@contextmanager
def _mother(folder: Path, more: str = "") -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-P", "-c", _MOTHER.format(more=more), str(folder / "socket")])
    try:
        while not (folder / "socket").exists():
            assert process.poll() is None
            time.sleep(0.05)
        yield process
    finally:
        for child in _children(process.pid):
            os.kill(child, 9)
        process.terminate()
        process.wait(10)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _ask(folder: Path, secret: str, says: Path | None = None, **more: Any) -> dict[str, Any]:
    channel = connect(folder / "socket", 30)
    own = sealed({"env": {"HOME": "/", "SECRET": secret, "SAYS": str(says or folder / "said")}})
    asked = {"uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "shared": True, "seat": "seat-01"}
    try:
        channel.send({**asked, **more}, (own,))
        return channel.receive()[0]
    finally:
        channel.close()
        os.close(own)


def _holds(pid: int, secret: str) -> bool:
    """Tell whether a process has something in memory that it can write to."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights, *_ = line.split()
            start, end = (int(part, 16) for part in where.split("-"))
            with suppress(OSError):  # the system's own
                if "w" in rights and memory.seek(start) and secret.encode() in memory.read(end - start):
                    return True
    return False


def test_what_is_a_seats_own_is_in_no_other_memory(tmp_path: Path) -> None:
    """Its token above all: freed memory of the mother's is the next seat's, too."""
    first, second = secrets.token_hex(16), secrets.token_hex(16)
    with _mother(tmp_path) as mother:
        pids = [_ask(tmp_path, secret, tmp_path / secret)["pid"] for secret in (first, second)]
        while not all((tmp_path / secret).exists() for secret in (first, second)):
            time.sleep(0.05)
        assert [_holds(pid, first) for pid in (*pids, mother.pid)] == [True, False, False]


def test_nothing_that_the_process_began_with_is_on_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []

    class Walked(Exception):
        pass

    class Watching:
        def __init__(self, *_: Any) -> None:
            pass

        def run(self) -> None:
            frame = sys._getframe()
            while frame := frame.f_back:  # type: ignore[assignment]
                found.append(repr(frame.f_locals) if frame.f_code.co_filename == seats.__file__ else "")
            raise Walked

    monkeypatch.setenv("A_TOKEN", "of-the-room")
    monkeypatch.setattr(seats, "preload", lambda _: Preloaded())
    monkeypatch.setattr(seats, "Seats", Watching)
    monkeypatch.setattr(sys, "argv", ["seats", "/nowhere"])
    with pytest.raises(Walked):
        seats.main()
    assert any(found) and "of-the-room" not in "".join(found)


def test_who_is_held_up_is_ended_and_the_next_is_served(tmp_path: Path) -> None:
    held = "seats._PATIENCE = 0.5\nseats.seclude = lambda plan: time.sleep(600)"
    with _mother(tmp_path, held) as mother:
        assert "held up" in _ask(tmp_path, "x", view={"any": "thing"})["refused"]
        assert _children(mother.pid) == []
        pid = _ask(tmp_path, "x")["pid"]
        assert _children(mother.pid) == [pid]


def test_who_says_a_little_for_ever_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "_PATIENCE", 0.3)
    reads, writes = os.pipe()
    over = threading.Event()

    def trickle() -> None:
        while not over.wait(0.05):
            os.write(writes, b".")

    thread = threading.Thread(target=trickle)
    thread.start()
    with pytest.raises(TimeoutError, match="held up"):
        seats._said(reads)
    over.set()
    thread.join()
    os.close(reads)
    os.close(writes)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root forks for other users")
def test_the_mother_is_done_before_the_seats_user_can_stop_its_process(tmp_path: Path) -> None:
    go = tmp_path / "go"
    held = f"""
real = os.setresuid
def late(*ids):
    while not os.path.exists({str(go)!r}): time.sleep(0.05)
    real(*ids)
os.setresuid = late
"""
    with _mother(tmp_path, held):
        pid = _ask(tmp_path, "x", Path("/dev/null"), uid=_NOBODY, gid=_NOBODY, groups=[], shared=False)["pid"]
        kill = f"import os; os.setresuid({_NOBODY}, {_NOBODY}, {_NOBODY}); os.kill({pid}, 19)"
        assert b"PermissionError" in subprocess.run([sys.executable, "-c", kill], capture_output=True).stderr
        go.touch()
        while _ids(pid) != [_NOBODY] * 4:
            time.sleep(0.05)


def _ids(pid: int) -> list[int]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next([int(number) for number in line.split()[1:]] for line in lines if line.startswith("Uid:"))
