"""What passes between the runner and the engine while a run executes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from genai4eu.kernels.targets import Target

from .clock import Clock
from .status import Status

#: Called with ``("cell" | "progress" | "metric" | "stream" | "output" | "notice" | "collect", data)`` as things happen.
Listener = Callable[[str, dict[str, Any]], None]


@dataclass
class Session:
    """What the runner gives the engine, and what the engine tells it back.

    Attributes
    ----------
    run_id : str
        Id of the run.
    parameters : dict
        All parameter values, for the kernel-side folder.
    folder : Path
        The record's folder, where outputs are brought.
    paths : dict
        The parameters that are paths: their names by path.
    usecase : dict or None
        Name, version and requirements that the kernel must meet.
    change_folder : bool
        Whether the kernel moves into its side of the run's folder.
    began : callable
        Called with the kernel's environment as soon as it is known, before the first cell.
    clock : Clock
        How long cells and the run may take.
    tick : callable
        Called every two seconds while something happens, to keep the record's other files current.
    target : Target or None
        Where the kernel runs.
    warm : bool
        Whether the kernel was forked from a template; the engine says so.
    remote : dict
        Where the kernel's side is; the engine says so before ``began``.
    missing : str or None
        Why something of what the run kept is not at home.
    """

    run_id: str
    parameters: dict[str, Any]
    folder: Path
    paths: dict[str, str] = field(default_factory=dict)
    usecase: dict[str, Any] | None = None
    change_folder: bool = True
    began: Callable[[dict[str, Any]], None] = lambda environment: None
    listener: Listener | None = None
    kernel_log: IO[bytes] | None = None
    kernel_options: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    tick: Callable[[], None] = lambda: None
    target: Target | None = None
    warm: bool = False
    remote: dict[str, Any] = field(default_factory=dict)
    missing: str | None = None
    status: Status = "running"
    error: str | None = None
    cells: list[dict[str, Any]] = field(default_factory=list)
    unexpected: bool = False
