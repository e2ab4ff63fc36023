"""What the template imports, and how it is left ready to fork. Called once, before it listens."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import resource
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from .randomness import Renewal, inventory
from .settings import REHEARSE, WITHOUT
from .sharing import rehearse, share
from .variables import THREADS

#: The first is what every kernel needs; a light installation lacks some of the others.
_KERNEL = (
    "IPython", "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.history", "IPython.core.logger",
    "IPython.core.oinspect", "IPython.extensions.storemagic", "IPython.utils.wildcard", "asyncio", "psutil", "sqlite3",
    "ipykernel.debugger", "ipykernel.eventloops", "ipykernel.heartbeat", "ipykernel.ipkernel", "ipykernel.kernelapp",
    "ipykernel.subshell_manager", "multiprocessing.util", "tornado.platform.asyncio", "genai4eu", "genai4eu.widgets",
    "genai4eu.kernels.warm.kernel", "genai4eu.kernels.warm.child",
)  # fmt: skip
_STACK = (
    "numpy", "torch", "sklearn.ensemble", "xarray", "pandas", "matplotlib.pyplot", "ipywidgets", "threadpoolctl",
    "dask.array", "torch._dynamo",  # of xarray as it reads, of torch as it is seeded: 55 and 80 MB in each kernel
)  # fmt: skip
#: More than a child may have taken out of the list of modules.
_SLACK = 16


@dataclass
class Preloaded:
    """What was imported, and what a child must do because of it.

    Attributes
    ----------
    seconds : dict
        By module, how long its import took.
    skipped : dict
        By module or use case, why it is not there.
    renewals : list of callable
        What gives each random state fresh entropy.
    pools : object or None
        The thread pools of the loaded libraries, which stand at one thread.
    matplotlibrc : str or None
        The settings that matplotlib has read.
    code_files : list of str
        The files of all loaded modules, for the debugger.
    modules : set of str
        The names of all loaded modules.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    renewals: list[Renewal] = field(default_factory=list)
    pools: Any = None
    matplotlibrc: str | None = None
    code_files: list[str] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)

    def modules_now(self) -> set[str]:
        """Return the names of all modules without a look at each, which would copy its page. Called by a kernel."""
        number = len(sys.modules) - len(self.modules) + _SLACK
        self.modules.update(islice(reversed(sys.modules), max(0, number)))  # the newest come first
        return self.modules


class StartedThreadError(RuntimeError):
    """An import started a thread, which a fork would not have; ``name`` is the module that was imported."""

    def __init__(self, name: str) -> None:
        super().__init__(f"importing {name} started a thread")
        self.name = name


def preload(without: Collection[str] = ()) -> Preloaded:
    """Import everything, and leave one thread, no CUDA, and memory that forks share as long as possible.

    Parameters
    ----------
    without : collection of str
        Modules whose import is known to start a thread: kernels import these when they are asked to.

    Raises
    ------
    StartedThreadError
        If an import started a thread: a fork of this process could not be trusted. Without it another one can.
    RuntimeError
        If a kernel's own import did, or one started CUDA.
    """
    for name in THREADS:
        os.environ[name] = "1"  # a thread of a numerical library would be missing in the fork
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # asks for GPUs without starting CUDA
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # of pyarrow, which pandas imports if it is there
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # a second for a checker nobody asks for
    done = Preloaded(skipped=dict.fromkeys(without, "its import starts a thread"))
    for name in dict.fromkeys((*_KERNEL, *_wanted((*_STACK, *_of_usecases(done)), done))):
        if name not in without:
            _timed(name, done, partial(importlib.import_module, name))
    _rehearse(done, without)
    done.renewals = inventory()
    done.pools = _pools()
    done.matplotlibrc = sys.modules["matplotlib"].matplotlib_fname() if "matplotlib" in sys.modules else None
    done.code_files = [f for module in list(sys.modules.values()) if (f := getattr(module, "__file__", None))]
    done.modules = set(sys.modules)
    _check()
    rehearse()
    share()
    return done


def _wanted(names: Iterable[str], done: Preloaded) -> Iterator[str]:
    """Yield modules but those that are to be left out, with all that is below them."""
    left = tuple(f"{one.strip()}." for one in os.environ.get(WITHOUT, "").split(",") if one.strip())
    for name in names:
        if f"{name}.".startswith(left):
            done.skipped[name] = f"{WITHOUT} names it"
        else:
            yield name


def _timed(name: str, done: Preloaded, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    try:
        work()
    except Exception as error:  # noqa: BLE001  # whatever a library of others raises, the rest can be served
        done.skipped[name] = f"{type(error).__name__}: {error}"
        return
    done.seconds[name] = round(time.perf_counter() - began, 3)
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        raise RuntimeError(f"importing {name} started a thread") if name in _KERNEL else StartedThreadError(name)


def _rehearse(done: Preloaded, without: Collection[str]) -> None:
    """Let the use cases that are named do what their dashboards do first; one that fails has done a part of it."""
    asked = [name for name in os.environ.get(REHEARSE, "").split(",") if name]
    for about in _usecases(done) if asked else ():
        name, where = f"rehearsal of {about.get('name')}", about.get("rehearsal")
        if about.get("name") in asked and isinstance(where, str) and name not in without:
            module, _, function = where.partition(":")
            _timed(name, done, lambda m=module, f=function: getattr(importlib.import_module(m), f)())  # type: ignore[misc]


def _of_usecases(done: Preloaded) -> list[str]:
    """Return what the installed use cases want imported."""
    return [name for about in _usecases(done) for name in about.get("warm_imports", []) if isinstance(name, str)]


def _usecases(done: Preloaded) -> list[dict[str, Any]]:
    """Return what the installed use cases say of themselves; one that cannot be read is left out."""
    found = []
    for entry in importlib.metadata.entry_points(group="genai4eu.usecases"):
        try:
            found.append(dict(entry.load()))
        except Exception as error:  # noqa: BLE001  # a use case of others
            done.skipped[entry.name] = f"{type(error).__name__}: {error}"
    return found


def _pools() -> Any:
    threadpoolctl: Any = sys.modules.get("threadpoolctl")
    return threadpoolctl.ThreadpoolController() if threadpoolctl else None


def _check() -> None:
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        raise RuntimeError("an import started CUDA")


def peak_memory() -> int:
    """Return the most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
