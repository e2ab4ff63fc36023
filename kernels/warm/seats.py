"""One import for many users: a process that becomes each user's template by forking. Started by a room of a course.

``python -P -m genai4eu.kernels.warm.seats SOCKET`` imports what a template imports, as root, and runs nobody's code.
Asked for a seat it forks; the fork gives up root for good, takes over that user's variables, and is from then on an
ordinary template at that user's own place. Seats share the pages of what was imported, which none of them can write to:
the first write copies. No process is ever shared between two users.
"""

from __future__ import annotations

import functools
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from .adopt import call_process
from .channel import Channel, ChannelError, listen, same_user
from .client import place_for
from .preload import Preloaded, StartedThreadError, preload
from .settings import UNTIL
from .template import Template


class Seats:
    """Forks a process for each seat that its owner names.

    Parameters
    ----------
    path : Path
        Where to listen; only this user may ask.
    live : callable
        What the fork does once it is the seat's user: it is given the request, and returns its exit code.
    """

    def __init__(self, path: Path, live: Callable[[dict[str, Any]], int]) -> None:
        self._live = live
        self._keep = {0, 1, 2}
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._listener = listen(path)
        self._watch(self._listener.fileno(), self._accept)
        if owner := os.environ.get(UNTIL):
            self._watch(os.pidfd_open(int(owner)), sys.exit)

    def run(self) -> None:
        """Serve until the owner is gone, or tells us to end."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        call_process("genai4eu-seats")
        while True:
            for fd, _ in self._poll.poll():
                if fd in self._handlers:
                    self._handlers[fd]()

    def _watch(self, fd: int, handler: Callable[[], None]) -> None:
        self._handlers[fd] = handler
        self._poll.register(fd, select.POLLIN)

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        with sock:
            if not same_user(sock):
                return
            sock.settimeout(2)
            channel = Channel(sock)
            try:
                request, _ = channel.receive()
                channel.send(self._seat(request))
            except (ChannelError, TimeoutError, KeyError, TypeError, ValueError) as error:
                with suppress(OSError):
                    channel.send({"refused": f"{type(error).__name__}: {error}"})

    def _seat(self, request: dict[str, Any]) -> dict[str, Any]:
        """Fork a seat's process, and return its number."""
        who = (int(request["uid"]), int(request["gid"]), [int(group) for group in request["groups"]])
        if who[0] == 0 and not request.get("shared"):
            raise ValueError("a seat is never root's")
        pid = os.fork()
        if pid == 0:
            _become(self._live, who, request, self._keep)
        self._watch(pidfd := os.pidfd_open(pid), lambda: self._ended(pid, pidfd))
        return {"pid": pid}

    def _ended(self, pid: int, pidfd: int) -> None:
        self._handlers.pop(pidfd, None)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        os.waitpid(pid, 0)


def _become(
    live: Callable[[dict[str, Any]], int], who: tuple[int, int, list[int]], request: dict[str, Any], keep: set[int]
) -> NoReturn:
    """Be a seat's process until it ends. Called in the fork, and never returns."""
    code = 1
    try:
        _close_all_but(keep)
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        uid, gid, groups = who
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        os.umask(0o077)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["env"]["HOME"])
        _log(request.get("log"))
        code = live(request)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  # the log is the only place to say it
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _log(path: str | None) -> None:
    """Write to a file of the seat's own what the process says."""
    if path is not None:
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)


def _template(loaded: Preloaded, request: dict[str, Any]) -> int:
    """Serve kernels at the seat's own place."""
    env: dict[str, str] = request["env"]
    _forget_home()
    for renew in loaded.renewals:
        renew()
    place = place_for(sys.executable, env)
    if place.take():
        template = Template(place, loaded, env, {0, 1, 2})
        try:
            template.run()
        finally:
            template.retire()
    return 0


def _forget_home() -> None:
    """Let matplotlib look again where its user's settings are: it asks once, and keeps the answer in a closure."""
    matplotlib: Any = sys.modules.get("matplotlib")
    for name in ("get_configdir", "get_cachedir") if matplotlib else ():
        function = getattr(matplotlib, name)
        kept = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        if "called" in kept:
            kept["called"].cell_contents = False


def _close_all_but(keep: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) not in keep:
            with suppress(OSError):  # the listing's own
                os.close(int(name))


def main() -> None:
    """Import everything, and serve; begin again, in the same process, without an import that starts a thread."""
    path, without = Path(sys.argv[1]), sys.argv[2:]
    began = dict(os.environ)
    try:
        loaded = preload(without)
    except StartedThreadError as error:
        print(f"importing {error.name} starts a thread: beginning again without it", flush=True)
        command = [sys.executable, "-P", "-m", "genai4eu.kernels.warm.seats", str(path), *without, error.name]
        os.execve(sys.executable, command, began)
    try:
        Seats(path, functools.partial(_template, loaded)).run()
    except SystemExit:
        path.unlink(missing_ok=True)
        os._exit(0)


if __name__ == "__main__":
    main()
