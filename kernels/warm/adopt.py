"""What a child takes over from the client that asked for its kernel: all that a process of its own would have had."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .preload import Preloaded

#: Of prctl(2).
_SET_NAME = 15


def describe() -> dict[str, Any]:
    """Return what a process inherits beside variables and open files. Called by the client, for its kernel."""
    return {
        "umask": _umask(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "processors": sorted(os.sched_getaffinity(0)),
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in _limits()},
    }


def adopt(request: dict[str, Any], fds: dict[str, int], loaded: Preloaded) -> None:
    """Take over variables, folder, output, limits and threads."""
    os.environ.clear()
    os.environ.update(request["env"])
    os.umask(request["umask"])
    _limit(request)
    os.chdir(request["cwd"])
    _redirect(fds)
    time.tzset()
    tempfile.tempdir = None  # asked anew: a job has its own
    launcher = Path(sys.modules["ipykernel"].__path__[0]).with_name("ipykernel_launcher.py")
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.argv = [str(launcher), "-f", request["connection_file"], *request["options"]]
    use_threads(loaded.pools, os.environ)
    _use_matplotlib(loaded.matplotlibrc)


def call_process(name: str) -> None:
    """Let ``ps -o comm`` and ``top`` show a name of up to 15 letters. Called by the template and by each kernel."""
    try:
        Path("/proc/self/comm").write_text(name, encoding="ascii")
    except OSError:  # a process that gave up root does not own this file of its own; a container may forbid both
        ctypes.CDLL(None).prctl(_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def _umask() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next((int(line.split()[1], 8) for line in status.splitlines() if line.startswith("Umask:")), 0o022)


def _limits() -> list[str]:
    return sorted(name for name in dir(resource) if name.startswith("RLIMIT_") and name != "RLIMIT_OFILE")


def beyond(request: dict[str, Any]) -> str | None:
    """Return what of a request this process could not give its child, for lack of the right. Asked by the template."""
    mine = describe()
    if request["nice"] < mine["nice"]:
        return "nice"
    for name, (_, hard) in request["limits"].items():
        own = mine["limits"].get(name, (0, 0))[1]
        if own != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or hard > own):
            return str(name)
    return None


def _limit(request: dict[str, Any]) -> None:
    for thread in map(int, os.listdir("/proc/self/task")):  # noqa: PTH208  # each has its own
        os.setpriority(os.PRIO_PROCESS, thread, request["nice"])
        os.sched_setaffinity(thread, request["processors"])
    for name, limit in request["limits"].items():
        if resource.getrlimit(getattr(resource, name)) != tuple(limit):
            resource.setrlimit(getattr(resource, name), tuple(limit))


def _redirect(fds: dict[str, int]) -> None:
    """Let output go where the client's would; a kernel made ahead has put its own pipes in between."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        target = getattr(getattr(sys, name), "_original_stdstream_copy", None) or number
        os.dup2(fds[name], target, inheritable=target <= 2)
        os.close(fds[name])
    _encode()


def _encode() -> None:
    """Write to the standard streams themselves as the variable says, which an interpreter reads as it begins."""
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    for stream, handler in ((sys.__stdout__, errors or None), (sys.__stderr__, None)):
        if isinstance(stream, TextIOWrapper) and encoding:
            stream.reconfigure(encoding=encoding, errors=handler)


def use_threads(pools: Any, env: Mapping[str, str]) -> None:
    """Give each numerical library as many threads as it would have taken at its import in that environment."""
    processors = len(os.sched_getaffinity(0))
    everyone = _asked(env, "OMP_NUM_THREADS") or processors
    names = {"openblas": "OPENBLAS_NUM_THREADS", "mkl": "MKL_NUM_THREADS"}
    for library in pools.lib_controllers if pools else ():
        wanted = _asked(env, names.get(library.internal_api, "")) or everyone
        if library.num_threads != wanted:
            library.set_num_threads(wanted)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        mkl = torch.backends.mkl.is_available()
        wanted = (mkl and _asked(env, "MKL_NUM_THREADS")) or _asked(env, "OMP_NUM_THREADS")
        wanted = wanted or (cores() if mkl else processors)
        if torch.get_num_threads() != wanted:
            torch.set_num_threads(wanted)


def _asked(env: Mapping[str, str], name: str) -> int:
    value = env.get(name, "").split(",")[0].strip()
    return int(value) if value.isdigit() else 0


def cores() -> int:
    """Return the number of cores, each counted once, on which this process may run: what MKL takes."""
    found = set()
    for cpu in os.sched_getaffinity(0):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            found.add(tuple((topology / name).read_text() for name in ("physical_package_id", "core_id")))
        except OSError:  # not told in this container: each processor counts
            found.add((str(cpu), ""))
    return len(found)


def _use_matplotlib(read: str | None) -> None:
    """Read the settings of the client's folder, and the variable that names the backend."""
    matplotlib: Any = sys.modules.get("matplotlib")
    if matplotlib is None:
        return
    if matplotlib.matplotlib_fname() != read:
        matplotlib.rc_file(matplotlib.matplotlib_fname())
    backend = os.environ.get("MPLBACKEND") or "module://matplotlib_inline.backend_inline"  # as ipykernel does
    dict.__setitem__(matplotlib.rcParams, "backend", backend)
