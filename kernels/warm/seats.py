"""One import for many users: a process that becomes each user's template by forking. Started by a room of a course.

``python -P -m genai4eu.kernels.warm.seats SOCKET`` imports what a template imports, as root, and runs nobody's code.
Asked for a seat it forks; the fork gives up root for good, takes over that user's variables, and is from then on an
ordinary template at that user's own place. Seats share the pages of what was imported, which none of them can write to:
the first write copies. No process is ever shared between two users.
"""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from .adopt import call_process
from .channel import Channel, listen, same_user
from .client import place_for
from .preload import Preloaded, StartedThreadError, preload
from .sealed import unsealed
from .seclusion import SPACES, join, seclude
from .settings import UNTIL
from .template import Template

#: Seconds in which a fork is its seat's, or ended: everybody's next seat waits for it.
_PATIENCE = 5.0
#: <sys/prctl.h>: programs that run as another user, as su does, run as ours.
_NO_NEW_PRIVS = 38


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
        self._spaces: dict[str, tuple[int, ...]] = {}  # open for as long as we are: a seat finds its own /tmp again
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
            given: list[int] = []
            try:
                request, given = channel.receive()
                own, *spaces = given or [-1]
                channel.send(*self._seat(request, own, spaces))
            except (OSError, KeyError, TypeError, ValueError) as error:
                with suppress(OSError):
                    channel.send({"refused": f"{type(error).__name__}: {error}"})
            finally:
                for file in given:
                    os.close(file)

    def _seat(self, request: dict[str, Any], own: int, given: list[int]) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Fork a seat's process, and return its number, and the namespaces of the seat for its other processes.

        Parameters
        ----------
        own : int
            An open file that is never read here: the process's variables, tokens among them; see ``sealed``.
        given : list of int
            The namespaces to enter; where there are none, those that an earlier process of the seat made.
        """
        who = (int(request["uid"]), int(request["gid"]), [int(group) for group in request["groups"]])
        if who[0] == 0 and not request.get("shared"):
            raise ValueError("a seat is never root's")
        spaces = tuple(given) or self._spaces.get(request.get("seat", ""), ())
        pid = _forked(lambda ready: _become(self._live, who, request, own, spaces, self._keep, ready))
        self._watch(pidfd := os.pidfd_open(pid), lambda: self._ended(pid, pidfd))
        if request.get("view") and not spaces:
            spaces = tuple(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in SPACES)
            self._spaces[request["seat"]] = spaces
        return {"pid": pid}, spaces

    def _ended(self, pid: int, pidfd: int) -> None:
        self._handlers.pop(pidfd, None)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        os.waitpid(pid, 0)


def _forked(become: Callable[[int], NoReturn]) -> int:
    """Fork, wait until the child is its seat's, and return its number.

    Raises
    ------
    OSError
        If it could not become that, or was held up; the message says why.
    """
    mine, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        become(its)
    os.close(its)
    try:
        why = _said(mine)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        os.close(mine)
    if why:
        os.waitpid(pid, 0)
        raise OSError(why.decode(errors="replace"))
    return pid


def _said(pipe: int) -> bytes:
    """Return all that is written into a pipe until nobody has it open for that any more."""
    found, until = b"", time.monotonic() + _PATIENCE
    while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
        if not (more := os.read(pipe, 4096)):
            return found
        found += more
    raise TimeoutError(f"the seat's process was held up for {_PATIENCE:g} s and is ended")


def _become(
    live: Callable[[dict[str, Any]], int], who: tuple[int, int, list[int]], request: dict[str, Any],
    own: int, spaces: tuple[int, ...], keep: set[int], ready: int,
) -> NoReturn:  # fmt: skip
    """Be a seat's process until it ends. Called in the fork, and never returns."""
    code = 1
    try:
        _confine(who, request, own, spaces, keep, ready)
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
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


def _confine(
    who: tuple[int, int, list[int]], request: dict[str, Any], own: int, spaces: tuple[int, ...], keep: set[int],
    ready: int,
) -> None:  # fmt: skip
    """Take on the seat's limits, view and user, for good; say over ``ready`` what cannot be, and end.

    The mother waits until ``ready`` is closed. So that nobody keeps her waiting, that happens while two of our three
    numbers are still root's, whom the seat's user cannot stop, and out of the seat's group, which may have used up its
    processor time.
    """
    uid, gid, groups = who
    try:
        request |= unsealed(own)
        joining = [os.open(Path(group, "cgroup.procs"), os.O_WRONLY) for group in request.get("control", ())]
        _bound(request, spaces)
        if not request.get("shared"):
            os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.seteuid(uid)
        os.access(request["env"]["HOME"], os.X_OK, effective_ids=True) or _cannot(request["env"]["HOME"])
        os.seteuid(os.getuid())
    except Exception as error:  # noqa: BLE001  # told to whoever asked, word for word
        os.write(ready, str(error).encode()[:4096])
        os._exit(1)
    _close_all_but({*keep, *joining})
    for group in joining:
        os.write(group, b"0")
        os.close(group)
    os.setresuid(uid, uid, uid)
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program gives more rights, su and mount neither


def _bound(request: dict[str, Any], spaces: tuple[int, ...]) -> None:
    """Take on the seat's view and limits."""
    if spaces:
        join(spaces)
    elif view := request.get("view"):
        seclude(view)
    for name, most in request.get("limits", {}).items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (int(most), int(most)))
    if "oom" in request:
        Path("/proc/self/oom_score_adj").write_text(str(int(request["oom"])), encoding="ascii")


def _cannot(home: str) -> NoReturn:
    raise PermissionError(f"{home} cannot be entered by its seat: a folder on the way is closed to others")


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


def _preloaded(path: Path, without: list[str]) -> Preloaded:
    """Import everything. What this holds is gone before a seat is forked, whose code can walk up the stack."""
    began = dict(os.environ)
    try:
        return preload(without)
    except StartedThreadError as error:
        print(f"importing {error.name} starts a thread: beginning again without it", flush=True)
        command = [sys.executable, "-P", "-m", "genai4eu.kernels.warm.seats", str(path), *without, error.name]
        os.execve(sys.executable, command, began)


def main() -> None:
    """Import everything, and serve; begin again, in the same process, without an import that starts a thread."""
    path, without = Path(sys.argv[1]), sys.argv[2:]
    loaded = _preloaded(path, without)
    try:
        Seats(path, functools.partial(_template, loaded)).run()
    except SystemExit:
        path.unlink(missing_ok=True)
        os._exit(0)


if __name__ == "__main__":
    main()
