"""How a client gets a warm kernel, and what it may ask of templates. Called by the provisioner, CLI and Slurm agent."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import KernelsError
from .channel import Channel, ChannelError, connect
from .place import Place, base, place_of
from .process import WarmProcess
from .settings import settings
from .variables import patient, without_traces

#: Seconds for an answer that takes a millisecond; a template that is slower hangs, or the computer does.
_PATIENCE = 3.0
#: Seconds in which a template that did not come up is not tried again.
_PAUSE = 60.0
#: Seconds for which a template that did not answer is left alone.
_SULK = 30.0
_hung: dict[Path, float] = {}
_DETACH = "import os, sys\nif os.fork(): os._exit(0)\nos.setsid()\nos.execv(sys.argv[1], sys.argv[1:])"
_OWN = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "JPY_INTERRUPT_EVENT", "IPY_INTERRUPT_EVENT")


class Ordinary(KernelsError):
    """The kernel must be started the ordinary way; the text says why."""


class PortTaken(Ordinary):
    """Another process took a port that was free a moment ago: others will do."""


def place_for(interpreter: str, env: Mapping[str, str]) -> Place:
    """Return the place of the template that serves an interpreter and an environment."""
    return place_of(interpreter, env.get("GENAI4EU_WARM_OWNER", ""))


def take(place: Place, request: dict[str, Any], fds: dict[str, int], interpreter: str) -> WarmProcess:
    """Take a kernel from the template at ``place``, and return it when clients can reach it.

    Raises
    ------
    Ordinary
        If there is none to take; where that helps, a template has been started for the next time.
    """
    if time.monotonic() < _hung.get(place.folder, 0):
        raise Ordinary("the template does not answer; genai4eu warm stop ends it")
    try:
        channel = connect(place.socket, _PATIENCE)
    except OSError:
        raise Ordinary(_begin(place, interpreter, request["env"])) from None
    try:
        return _taken(channel, request, fds)
    except TimeoutError:
        _hung[place.folder] = time.monotonic() + _SULK
        channel.close()
        raise Ordinary("the template does not answer; genai4eu warm stop ends it") from None
    except _Retired as end:
        channel.close()
        raise Ordinary(f"{end}: {_begin(place, interpreter, request['env'])}") from None
    except ChannelError as error:
        channel.close()
        raise Ordinary(str(error)) from None
    except BaseException:
        channel.close()
        raise


class _Retired(Exception):
    """The template serves nobody any more."""


def _taken(channel: Channel, request: dict[str, Any], fds: dict[str, int]) -> WarmProcess:
    """Ask, agree, and wait until the kernel is bound: a client that connects sooner waits long to try again."""
    channel.send({**request, "ask": "kernel"})
    offer, pidfds = channel.receive()
    if "refused" in offer:
        raise _Retired(offer["refused"]) if offer["retired"] else Ordinary(offer["refused"])
    process = WarmProcess(int(offer["pid"]), pidfds[0], channel)
    # Not before it answered: open files would stay open in the queue of one that hangs, and with them our pipes.
    channel.send({"ask": "go", "fds": list(fds)}, tuple(fds.values()))
    channel.sock.settimeout(15)
    with suppress(TimeoutError):  # a computer with much to do: the client's own patience decides
        message, _ = channel.receive()
        if message.get("returncode") == errno.EADDRINUSE:
            raise PortTaken("a port of its was taken by another process")
        if "bound" not in message:
            raise Ordinary(f"the fork ended at once with {message.get('returncode')}")
    channel.sock.settimeout(1)
    return process


def _begin(place: Place, interpreter: str, env: Mapping[str, str]) -> str:
    """Start a template unless one is about to be there, and return why there is none yet."""
    if place.taken():
        return "the template is still importing"
    coming = "a template is being started, the next kernels will be warm"
    with suppress(OSError):
        if not place.socket.exists() and time.time() - place.log.stat().st_mtime < _PAUSE:
            said = _last_line(place.log)
            return f"the template could not start: {said} ({place.log})" if said else coming
    start(place, interpreter, env)
    return coming


def start(place: Place, interpreter: str, env: Mapping[str, str]) -> None:
    """Start a template in background, in a session of its own, with nothing of ours open.

    Raises
    ------
    Ordinary
        If that cannot be done here.
    """
    try:
        settings(env)
        place.make()
        with place.log.open("wb") as log:
            command = [interpreter, "-I", "-S", "-c", _DETACH, interpreter, "-P", "-m", "genai4eu.kernels.warm"]
            own = {name: value for name, value in patient(without_traces(env)).items() if name not in _OWN}
            subprocess.run(
                [*command, str(place.folder)], env=own, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                check=True, timeout=30,
            )  # fmt: skip
    except (OSError, subprocess.SubprocessError, KernelsError) as error:
        raise Ordinary(f"no template can be started: {error}") from error


def _last_line(log: Path) -> str:
    """Return the last that a template said; nothing if it has not come so far."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except FileNotFoundError:  # it has come and gone
        lines = []
    return lines[-1][:200] if lines else ""


def ensure(wait: bool = False, interpreter: str = sys.executable, timeout: float = 120) -> bool:
    """Make sure that a template is there or coming, and tell whether it serves. Called before kernels are wanted.

    Parameters
    ----------
    wait : bool
        Whether to wait until it serves, with a line on standard error if that takes over two seconds.

    Raises
    ------
    KernelsError
        If it cannot be started.
    """
    place = place_for(interpreter, os.environ)
    serves = ask(place, "status") is not None
    if not serves and not place.taken():
        start(place, interpreter, os.environ)
    return serves or (wait and _wait(place, timeout))


def _wait(place: Place, timeout: float) -> bool:
    began, told = time.monotonic(), False
    while ask(place, "status") is None:
        passed = time.monotonic() - began
        if not place.taken() and ((said := _last_line(place.log)) or passed > _PAUSE):
            raise KernelsError(f"the template could not start: {said or 'it said nothing'} (see {place.log})")
        if passed > timeout:
            return False
        if passed > 2 and not told:
            print("genai4eu: preparing warm kernels ...", file=sys.stderr, flush=True)
            told = True
        time.sleep(0.1)
    return True


def status() -> list[dict[str, Any]]:
    """Return what each of this user's templates on this computer says of itself, with ``state`` and ``folder``.

    ``state`` is ``ready``, ``importing`` or ``hangs``.
    """
    found = []
    for place in _places():
        if place.taken():
            about = ask(place, "status")
            state = "ready" if about else "hangs" if place.socket.exists() else "importing"
            more = {"memory": _memory(about["pid"]), "ordinary": _last_ordinary(place)} if about else {}
            found.append({"folder": str(place.folder), "state": state, **(about or {}), **more})
    return found


def _memory(pid: int) -> int | None:
    """Return the bytes of a process's own memory and its share of what others have, too (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:  # it has just ended
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


def trouble() -> str | None:
    """Return why kernels here cannot start warm, and what to do; None where nothing is known to be wrong.

    Called by ``genai4eu doctor`` and ``genai4eu warm status``.
    """
    place = place_for(sys.executable, os.environ)
    try:
        settings(os.environ)
        place.check()
    except KernelsError as error:
        return f"kernels start the ordinary way: {error}"
    hanging = [template["folder"] for template in status() if template["state"] == "hangs"]
    if hanging:
        return f"the template in {hanging[0]} does not answer, kernels start the ordinary way: type genai4eu warm stop"
    return None if place.taken() else _failed(place)


def _failed(place: Place) -> str | None:
    """Return why the last template here did not come up; one that served has left nothing, or its socket."""
    said = "" if place.socket.exists() else _last_line(place.log)
    if not said:
        return None
    return f"the template could not start: {said}: see {place.log}; the next kernel tries again"


def _last_ordinary(place: Place) -> str | None:
    try:
        return place.ordinary.read_text(encoding="utf-8")
    except OSError:  # there was none
        return None


def stop() -> int:
    """End all of this user's templates on this computer, and return how many. Running kernels go on."""
    return sum(_stop(place) for place in _places())


def _stop(place: Place) -> bool:
    pidfd = place.holder()
    if pidfd is None:
        return False
    try:
        if ask(place, "stop") is None or not _gone(pidfd, 5):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)  # it hangs, or is still importing
            _gone(pidfd, 5)
    except ProcessLookupError:  # it has ended meanwhile
        pass
    finally:
        os.close(pidfd)
    place.sweep()
    return True


def _gone(pidfd: int, timeout: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def _places() -> Iterator[Place]:
    with suppress(OSError):
        yield from (Place(folder) for folder in sorted(base().iterdir()) if folder.is_dir())


def ask(place: Place, what: str) -> dict[str, Any] | None:
    """Return a template's answer, or None if there is none."""
    try:
        channel = connect(place.socket, _PATIENCE)
    except OSError:
        return None
    try:
        channel.send({"ask": what})
        return channel.receive()[0]
    except OSError:  # it hangs or has just ended
        return None
    finally:
        channel.close()
