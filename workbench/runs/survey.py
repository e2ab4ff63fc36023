"""Ask the kernel's side what it is: computer, packages, what the run reads; and at the end what it has used.

Called by the engine. The modules that answer are sent along, each once a kernel, so that nothing need be installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import WorkbenchError
from . import kernel_inputs, kernel_machine, kernel_packages, lockfile
from .energy import energy
from .files import write_json

#: Calls a function of the kernel's side; ``AskingClient.ask``.
Ask = Callable[..., str]


def survey(ask: Ask, record: Path, folder: str, paths: dict[str, str]) -> dict[str, Any]:
    """Note packages and inputs in the record, as the run begins; return what belongs to its environment.

    Parameters
    ----------
    record : Path
        The record's folder.
    folder : str
        The run's folder on the kernel's side.
    paths : dict
        The parameters that are paths: their names by path.
    """
    machine: dict[str, Any] = json.loads(_call(ask, kernel_machine, "begin"))
    found = json.loads(_call(ask, kernel_packages, "listing"))
    lockfile.keep(record, found, lambda name: json.loads(_call(ask, kernel_packages, "wheel", name, folder)), ask)
    if paths:
        inputs = json.loads(_call(ask, kernel_inputs, "note", folder, paths))
        if inputs:
            write_json(record / "inputs.json", inputs, durable=False)
    return {**machine, "packages": found["packages"]}


def measure(ask: Ask, record: Path) -> None:
    """Note in the record what the run has used, as it ends."""
    write_json(record / "energy.json", energy(json.loads(_call(ask, kernel_machine, "usage"))), durable=False)


def _call(ask: Ask, module: ModuleType, function: str, *arguments: object) -> str:
    """Call a function of a module on the kernel's side."""
    name = module.__name__.rpartition(".")[2]
    if module.__file__ is None:
        raise WorkbenchError(f"{name} has no text that could be sent: install genai4eu anew")
    return ask("call", name, Path(module.__file__).read_text(encoding="utf-8"), function, *arguments)
