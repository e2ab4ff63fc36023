"""Starts kernels of the kernelspec ``genai4eu`` from the template. Loaded by jupyter_client through its entry point."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.connect import port_names
from jupyter_client.provisioning import LocalProvisioner

from . import ports
from .adopt import describe
from .client import Ordinary, PortTaken, place_for, take
from .place import Place
from .process import WarmProcess, attach
from .settings import wanted
from .variables import patient

#: What a fork does exactly as the ordinary command would; any other command is started the ordinary way.
COMMAND = ("-P", "-m", "ipykernel_launcher", "-f")
_KNOWN = {"stdin", "stdout", "stderr", "env", "independent", "cwd", "kernel_id", "extra_arguments"}


class WarmProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Forks a kernel from the user's template; where that cannot be, starts it the ordinary way and says why."""

    #: Whether an ordinary kernel may still be without some of its ports, and where its errors go.
    _binding = False
    _errors: Any = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare a launch as for any local kernel, with ports that nobody else is given meanwhile."""
        manager = self.parent
        if manager is not None and manager.cache_ports and not self.ports_cached:  # type: ignore[has-type]
            for name in port_names:
                setattr(manager, name, ports.find(manager.ip))
            self.ports_cached = True
        prepared: dict[str, Any] = await super().pre_launch(**kwargs)
        return prepared

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Launch a kernel. Called by the kernel manager, also for a restart."""
        kwargs["env"] = patient(kwargs.get("env") or os.environ)
        self._binding = False
        if not wanted(kwargs["env"]):
            return await self._launched(cmd, kwargs)
        try:
            process = await self._bound(cmd, kwargs)
        except Ordinary as why:
            print(f"genai4eu: an ordinary kernel start, not a warm one: {why}", file=sys.stderr, flush=True)
            return await self._launched(cmd, kwargs)
        self.process: Any = process
        self.pid = self.pgid = process.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    async def _launched(self, cmd: list[str], kwargs: dict[str, Any]) -> Any:
        """Launch the ordinary way, and look whether others have its ports until it has all of them itself."""
        info = await super().launch_kernel(cmd, **kwargs)
        self._binding = tuple(cmd[1:5]) == COMMAND and info.get("transport") == "tcp"
        self._errors = kwargs.get("stderr")
        return info

    async def poll(self) -> int | None:
        """Return the exit status of a kernel that has ended, and kill one that can never have all its ports."""
        code: int | None = await super().poll()
        if code is None and self._binding:
            self._look()
        return code

    def _look(self) -> None:
        """Kill an ordinary kernel without one of its ports: it may wait for ever while it closes the others."""
        try:
            missed = ports.missed({getattr(self.parent, name) for name in port_names}, self.pid)
        except psutil.Error:  # it has just ended, or this system does not tell
            return
        self._binding = missed is None
        if missed:
            why = f"another process listens on port {min(missed)}: Address already in use"
            _write(self._errors, f"genai4eu: ended the kernel, {why}\n")
            self.process.kill()

    async def _bound(self, cmd: list[str], kwargs: dict[str, Any]) -> WarmProcess:
        """Take a kernel; with other ports where one was taken meanwhile, as among many starts at once."""
        for _ in range(3):
            try:
                return await self._forked(cmd, kwargs)
            except PortTaken:
                self._choose_ports(kwargs.get("env") or {})
        return await self._forked(cmd, kwargs)

    def _choose_ports(self, env: Mapping[str, str]) -> None:
        for name in port_names:
            setattr(self.parent, name, ports.find(self.parent.ip))
        self.parent._connection_file_written = False
        self.parent.write_connection_file(jupyter_session=env.get("JPY_SESSION_NAME", ""))
        self.connection_info = self.parent.get_connection_info()

    async def _forked(self, cmd: list[str], kwargs: dict[str, Any]) -> WarmProcess:
        """Take a kernel, in a thread: a template that hangs must not hold up a gateway's other users."""
        about = describe()  # of this thread: each has its own processors
        future = asyncio.get_running_loop().run_in_executor(None, fork, cmd, kwargs, about)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(_unwanted)
            raise

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and what it started."""
        if isinstance(self.process, WarmProcess):
            with suppress(ProcessLookupError):
                self.process.send_signal(signum)
        else:
            await super().send_signal(signum)

    async def wait(self) -> int | None:
        """Wait for the end of the kernel's process, and look closely at first: it takes milliseconds."""
        for _ in range(50):
            if self.process is None or self.process.poll() is not None:
                break
            await asyncio.sleep(0.01)
        code: int | None = await super().wait()
        return code

    async def get_provisioner_info(self) -> dict[str, Any]:
        """Return what ``load_provisioner_info`` needs to take up the kernel again."""
        info: dict[str, Any] = await super().get_provisioner_info()
        with suppress(psutil.Error, TypeError):
            info["created"] = psutil.Process(self.pid).create_time()
        return info

    async def load_provisioner_info(self, provisioner_info: dict[str, Any]) -> None:
        """Take up a kernel that another process started; if it has ended, there is no process."""
        await super().load_provisioner_info(provisioner_info)
        self.process = attach(provisioner_info["pid"], provisioner_info.get("created", 0.0))


def _unwanted(future: asyncio.Future[WarmProcess]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().kill()


def fork(cmd: list[str], kwargs: Mapping[str, Any], about: dict[str, Any]) -> WarmProcess:
    """Take a kernel from the template as ``Popen(cmd, **kwargs)`` would start one; ``about`` is what it inherits.

    Raises
    ------
    Ordinary
        If it must be started that way.
    """
    interpreter, connection_file, options = _parsed(cmd)
    env = patient(kwargs.get("env") or os.environ)
    place = place_for(interpreter, env)
    try:
        request = {**about, **_request(env, connection_file, options, kwargs.get("cwd"))}
        return _fork(place, interpreter, request, kwargs)
    except Ordinary as why:
        place.note(str(why))
        raise


def _fork(place: Place, interpreter: str, request: dict[str, Any], kwargs: Mapping[str, Any]) -> WarmProcess:
    if unknown := {name for name, value in kwargs.items() if name not in _KNOWN and value is not None}:
        raise Ordinary(f"the option {min(unknown)} of its process")
    with ExitStack() as files:
        fds = _outputs(kwargs, files)
        parent = _parent(request["env"], bool(kwargs.get("independent")))
        if parent is not None:
            files.callback(os.close, parent)
            fds["parent"] = parent
        return take(place, request, fds, interpreter)


def _request(env: dict[str, str], connection_file: str, options: list[str], cwd: Any) -> dict[str, Any]:
    folder = Path(cwd or ".").absolute()
    if not os.access(folder, os.X_OK):
        raise Ordinary(f"{folder} is no folder that can be entered")
    return {"env": env, "connection_file": connection_file, "options": options, "cwd": str(folder)}


def _parsed(cmd: list[str]) -> tuple[str, str, list[str]]:
    """Return interpreter, connection file and further options of a kernel's command."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        raise Ordinary("warm kernels need Linux")
    if tuple(cmd[1:5]) != COMMAND or len(cmd) < 6:
        raise Ordinary("its kernelspec has a command of its own")
    return cmd[0], cmd[5], cmd[6:]


def _outputs(kwargs: Mapping[str, Any], files: ExitStack) -> dict[str, int]:
    """Return where output goes, as descriptors, by the rules of ``Popen``."""
    fds: dict[str, int] = {}
    for name, default in (("stdout", 1), ("stderr", 2)):
        wish = kwargs.get(name)
        if wish == subprocess.PIPE or kwargs.get("stdin") not in (None, subprocess.PIPE, subprocess.DEVNULL):
            raise Ordinary("its input or output is a pipe of its client")
        if wish == subprocess.STDOUT:
            fds[name] = fds["stdout"]
        elif wish == subprocess.DEVNULL:
            fds[name] = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            files.callback(os.close, fds[name])
        else:
            fds[name] = default if wish is None else wish if isinstance(wish, int) else wish.fileno()
    return fds


def _write(errors: Any, said: str) -> None:
    """Write where a process's errors go, by the rules of ``Popen``, or to our own where that is nowhere."""
    fd = errors if isinstance(errors, int) else 2 if errors is None else errors.fileno()
    os.write(fd if fd >= 0 else 2, said.encode())


def _parent(env: dict[str, str], independent: bool) -> int | None:
    """Return a descriptor of the process whose end is to be the kernel's, and name that in its variables."""
    if not independent:
        env["JPY_PARENT_PID"] = str(os.getpid())
    pid = env.get("JPY_PARENT_PID", "")
    try:
        return os.pidfd_open(int(pid)) if pid.isdigit() and int(pid) > 1 else None
    except ProcessLookupError:  # a name left over from somewhere else
        return None
