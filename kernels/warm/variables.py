"""Which environment variables a fork can take over, and which were read when the template was imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping

#: Read once, by the interpreter, the loader, the C library or a library's import.
_FIXED_PREFIXES = (
    "ATEN_", "BLIS_", "GEVENT_", "GLIBC_", "GOMP_", "GOTO_", "HDF5_", "KMP_", "LC_", "LD_", "MALLOC_", "MKL_", "MONAI_",
    "NPY_", "NUMBA_", "NUMEXPR_", "NUMPY_", "OMP_", "OPENBLAS_", "PYDEVD_", "PYTHON", "PYTORCH_", "SCIPY_", "SKLEARN_",
    "TORCH", "TRAITLETS_",
)  # fmt: skip
_FIXED = frozenset({"HOME", "LANG", "LANGUAGE", "MATPLOTLIBRC", "MPLCONFIGDIR"})
#: Of those, what is read anew when it is used, or what the child sets again.
_FREE = frozenset({
    "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYDEVD_CONNECT_TIMEOUT", "PYTHONBREAKPOINT",
    "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONUNBUFFERED",
    "PYTORCH_NVML_BASED_CUDA_CHECK",
})  # fmt: skip
#: Of those, what tools or terminals set for themselves and no kernel heeds: the debugger's warning as it is imported,
#: which papermill's command silences for its kernels, too; the prompt of Python; what a terminal is called.
_IDLE = frozenset({
    "LC_TERMINAL", "LC_TERMINAL_VERSION", "PYDEVD_DISABLE_FILE_VALIDATION", "PYTHON_BASIC_REPL", "PYTHON_COLORS",
    "PYTHON_HISTORY",
})  # fmt: skip
#: What the imports of the debugger and of scikit-learn set for the processes that come after them.
_TRACES = {"KMP_DUPLICATE_LIB_OK": "True", "KMP_INIT_AT_FORK": "FALSE", "PYDEVD_USE_FRAME_EVAL": "NO"}
#: What IPython reads while a kernel is made: a child forked ahead made its kernel with the template's values.
_MAKING = ("IPYTHON", "IPYKERNEL", "JUPYTER_")

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def fixed(name: str) -> bool:
    """Tell whether a variable cannot be changed after the imports."""
    return name not in _FREE | _IDLE and (name in _FIXED or name.startswith(_FIXED_PREFIXES))


def without_traces(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what imports have set in it, as the imports of whoever takes it will again.

    A notebook that has imported the same libraries may start a template: it shall serve others, too, that have not.
    """
    plugins = env.get("HDF5_PLUGIN_PATH", "")  # netCDF4 names those it brings along
    left = {"HDF5_PLUGIN_PATH"} if plugins.startswith(sys.prefix) else set()
    return {name: value for name, value in env.items() if name not in left and _TRACES.get(name) != value}


def patient(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which threads soon sleep while they wait for each other; what its owner chose stays.

    OpenMP lets threads spin for milliseconds. Where several kernels compute, each then keeps the others from the
    processors that it waits for: under load a training step took 3 to 15 times as long as with a short spin. Threads
    that sleep at once (``OMP_WAIT_POLICY=PASSIVE``) do better still under load, and take twice as long alone.
    """
    own = {} if "OMP_WAIT_POLICY" in env else {"GOMP_SPINCOUNT": "1000"}
    return {**own, **env}


def unlike(asked: Mapping[str, str], began: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """Return a variable that a fork could not take over, or None.

    Parameters
    ----------
    asked : mapping
        The kernel's environment.
    began, now : mapping
        The template's at its start, and with what its imports have set since: a client that imported the same
        libraries has the same.
    """
    bare = without_traces(asked)  # of imports that the template has not made
    for name in sorted({*asked, *began, *now}):
        known = (began.get(name), now.get(name))
        if fixed(name) and asked.get(name) not in known and bare.get(name) not in known:
            return name
    return None


def made_alike(asked: Mapping[str, str], began: Mapping[str, str]) -> bool:
    """Tell whether a kernel made ahead is as one made with the asked environment."""
    names = {name for name in {*asked, *began} if name.startswith(_MAKING)}
    return all(asked.get(name) == began.get(name) for name in names)
