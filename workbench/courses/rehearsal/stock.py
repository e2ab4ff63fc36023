"""A stock JupyterHub to compare with: its own spawner, its own login page, ordinary kernels. Called by the rehearsal.

Its users are made like the room's, and it leaves out the same server extensions; its time-outs are raised, so that
nobody is sent away who would have come in later.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from genai4eu.kernels.warm.seclusion import seclude

from ...errors import WorkbenchError
from ...runs.files import write_text
from ...stop import unhurried
from ..course import Course
from ..room import view
from ..room.people import People
from ..room.room import _WITHOUT
from ..room.supervisor import proxy
from .temporary import aside, desks, end, users

#: The kernel that every Jupyter has.
KERNELSPEC = "python3"
_PATIENCE = 60.0
_CONFIG = """c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = {spawner!r}
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}
c.Spawner.cmd = [{python!r}, "-P", "-m", "jupyterhub.singleuser"]
c.Spawner.args = {args!r}
c.Spawner.default_url = {opens!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
"""


@dataclass(frozen=True)
class Stock:
    """A running one.

    Attributes
    ----------
    address : str
        Where its participants go.
    forms : dict
        What each types, by seat.
    users : list of int
        Its participants' users; empty where they are this one.
    """

    address: str
    forms: dict[str, dict[str, str]]
    users: list[int]


@contextlib.contextmanager
def stock(course: Course, lesson: int, participants: int, place: Path) -> Iterator[Stock]:
    """Run a stock JupyterHub with lessons in its users' homes.

    Raises
    ------
    WorkbenchError
        If it does not come up.
    """
    prefix = f"g{secrets.token_hex(2)}-" if People.possible() else ""
    people, seats = People(prefix), [f"seat-{number:02}" for number in range(1, participants + 1)]
    with aside(place, "stock") as folder, desks(course) as lessons:
        homes = folder / "seats"
        homes.mkdir(mode=0o711)
        try:
            for seat in seats:
                people.make(seat, homes / seat)
                (homes / seat).mkdir()
                people.fill(seat, lessons, homes / seat)
            with _running(folder, homes, f"/lab/tree/{course.about.lessons[lesson - 1].file}", prefix) as address:
                forms = {seat: {"username": f"{prefix}{seat}", "password": ""} for seat in seats}
                yield Stock(address, forms, users(prefix, seats))
        finally:
            with unhurried():
                end(users(prefix, seats))
                people.remove(seats)


@contextlib.contextmanager
def _running(folder: Path, homes: Path, opens: str, prefix: str) -> Iterator[str]:
    port, hub, api = _free_ports(3)
    write_text(folder / "config.py", _CONFIG.format(
        port=port, hub=hub, api=api, proxy=proxy(), homes=f"{homes}/{{username}}", opens=opens, python=sys.executable,
        spawner="jupyterhub.spawner.LocalProcessSpawner" if prefix else "simple",
        args=[f"--ServerApp.jpserver_extensions={name}=False" for name in _WITHOUT],
    ))  # fmt: skip
    log = folder / "hub.log"
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "HOME") if name in os.environ}
    with log.open("wb") as writes:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "jupyterhub", "-f", "config.py"], cwd=folder, env=kept, stdout=writes,
            stderr=writes, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_opening(folder, prefix),
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{hub}/hub/health", process, log)
        yield f"http://127.0.0.1:{port}/"
    finally:
        with unhurried():
            _end(process)


def _opening(folder: Path, prefix: str) -> Callable[[], None] | None:
    """Return what lets its users read an interpreter that lies in a closed folder, as the room's seats can."""
    modules = next((p for p in Path(proxy()[0]).resolve().parents if p.name == "node_modules"), None)
    readable = [*view.needed(), *([modules] if modules else [])]
    if not prefix or not view.closed(readable):
        return None
    plan = view._plan(readable, [folder], [])  # the same view, of one for all
    return lambda: seclude(plan)


def _wait(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(health, timeout=5).is_success:
                return
        time.sleep(0.1)
    last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    raise WorkbenchError(f"the stock JupyterHub did not come up: {last}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the hub, and all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        for left in psutil.wait_procs(tree, timeout=5)[1]:
            left.kill()


def _free_ports(many: int) -> list[int]:
    with contextlib.ExitStack() as until:
        socks = [until.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(many)]
        return [sock.getsockname()[1] for sock in socks]
