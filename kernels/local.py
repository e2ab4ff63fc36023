"""The local kernelspec ``genai4eu``: kernels on this computer, of this interpreter. Called by whatever starts one."""

from __future__ import annotations

import json
import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from jupyter_core.paths import ENV_JUPYTER_PATH, jupyter_data_dir, jupyter_path

from .errors import KernelsError
from .files import write_json

NAME = "genai4eu"
#: Forks the kernel from a template; what knows no provisioners starts the command instead.
PROVISIONER = "genai4eu-warm"
#: What the folders of kernelspecs depend on.
_WHERE = ("JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_PREFER_ENV_PATH", "JUPYTER_PLATFORM_DIRS", "HOME",
          "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX")  # fmt: skip


def _spec() -> dict[str, Any]:
    """Return the kernelspec; ``-P`` keeps a folder named like a package in the working folder from hiding it."""
    return {
        "argv": [sys.executable, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "GenAI4EU (warm)",
        "language": "python",
        "metadata": {
            "debugger": True,
            "supported_encryption": ["curve"],
            "genai4eu": {"local": True},
            "kernel_provisioner": {"provisioner_name": PROVISIONER},
        },
    }


def ensure() -> str:
    """Make sure that the kernelspec ``genai4eu`` exists and starts this interpreter; return its name.

    Cheap where it stands already, and safe when several processes do it at once.

    Raises
    ------
    KernelsError
        If no folder for kernelspecs can be written.
    """
    wanted = _spec()
    for folder in _folders():
        path = folder / NAME / "kernel.json"
        if _read(path) == wanted or _write(path, wanted):
            return NAME
    raise KernelsError("no folder for kernelspecs can be written: set JUPYTER_DATA_DIR to a folder of your own")


def lay(folder: Path) -> None:
    """Write the kernelspec into a folder of Jupyter's data, for users other than this one.

    Raises
    ------
    KernelsError
        If it cannot be written.
    """
    if not _write(folder / "kernels" / NAME / "kernel.json", _spec()):
        raise KernelsError(f"{folder} cannot be written: name a folder of your own")


def stands_for(name: str) -> bool:
    """Tell whether ``genai4eu`` may serve in place of a kernelspec, because that starts the very same interpreter."""
    from jupyter_client.kernelspec import NoSuchKernel

    try:
        spec = specs().get_kernel_spec(name)
    except NoSuchKernel:
        return False
    program, *rest = [a for a in spec.argv if a not in ("-P", "-Xfrozen_modules=off")] or [""]
    plain = rest == ["-m", "ipykernel_launcher", "-f", "{connection_file}"] and not spec.env
    same = re.fullmatch(r"python[0-9.]*", program) or Path(program) == Path(sys.executable)
    return bool(plain and same) and spec.interrupt_mode == "signal"


def specs() -> Any:
    """Return a manager of the kernelspecs; one serves as long as the variables stay that say where to look."""
    return _specs(tuple(os.environ.get(name) for name in _WHERE))


@lru_cache(maxsize=4)
def _specs(where: tuple[str | None, ...]) -> Any:
    from jupyter_client.kernelspec import KernelSpecManager

    return KernelSpecManager()  # to find its folders takes several milliseconds each time


def _folders() -> list[Path]:
    """Return the environment's and the user's folder, first the one that Jupyter would look into first."""
    ours = {str(Path(base) / "kernels") for base in (*ENV_JUPYTER_PATH, jupyter_data_dir())}
    return [Path(folder) for folder in jupyter_path("kernels") if folder in ours]


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # absent or broken: it will be written
        return None


def _write(path: Path, spec: dict[str, Any]) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK):
            return False
        write_json(path, spec)
    except OSError:  # a read-only installation: the next folder may do
        return False
    return True
