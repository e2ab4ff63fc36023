"""Kernels that have executed a dashboard's part already and wait for a visitor. Called by the reception.

A dashboard that somebody touched will be touched again: its next visitor finds a kernel that only has to be joined.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .kernel import LiveKernel

if TYPE_CHECKING:
    from ..bundle import Bundle

#: Seconds for which a kernel is held for a dashboard that nobody touches.
INTEREST = 300
#: Seconds until a part that failed is tried again ahead of a visitor.
_SULK = 600


class Reserve:
    """At most one kernel for each dashboard that was touched of late, or that shall always have one."""

    def __init__(self) -> None:
        self._held: dict[Path, LiveKernel] = {}
        self._touched: dict[Path, tuple[float, Bundle]] = {}
        self._failed: dict[Path, float] = {}
        self._always: dict[Path, Bundle] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[LiveKernel]:
        return iter(list(self._held.values()))

    def touch(self, bundle: Bundle) -> None:
        """Take note of interest in a dashboard."""
        self._touched[bundle.folder] = (time.monotonic(), bundle)

    def always(self, bundles: Sequence[Bundle]) -> None:
        """Name the dashboards for which a kernel is held whether or not somebody touches them."""
        self._always = {bundle.folder: bundle for bundle in bundles}

    def has(self, bundle: Bundle) -> bool:
        """Tell whether a kernel waits for a visitor of this dashboard."""
        return bundle.folder in self._held

    def take(self, bundle: Bundle) -> LiveKernel | None:
        """Return the kernel that waits for a visitor of this dashboard, who has it from now on."""
        kernel = self._held.pop(bundle.folder, None)
        if kernel is not None:
            kernel.on_end = lambda _: None
        return kernel

    def put(self, kernel: LiveKernel) -> bool:
        """Hold a kernel, and tell whether there was room: one is enough."""
        folder = kernel.bundle.folder
        if kernel.ended or folder in self._held or folder not in self._wanted():
            return False
        self._held[folder] = kernel
        kernel.on_end = lambda ended: self._lost(folder, ended)
        return True

    def lacking(self) -> Bundle | None:
        """Return a dashboard for which a kernel should be held and is not; of several the one touched last."""
        now = time.monotonic()
        lacking = [
            (self._touched.get(folder, (0.0, bundle))[0], bundle)
            for folder, bundle in self._wanted().items()
            if folder not in self._held and now - self._failed.get(folder, -_SULK) >= _SULK
        ]
        return max(lacking, key=lambda found: found[0])[1] if lacking else None

    def failed(self, bundle: Bundle) -> None:
        """Take note that a part could not be executed: a reserve of failures is none."""
        self._failed[bundle.folder] = time.monotonic()

    def stale(self) -> list[LiveKernel]:
        """Take out the kernels for which there is no interest any more; the caller ends them."""
        wanted = self._wanted()
        return [self._take_out(folder) for folder in list(self._held) if folder not in wanted]

    def give_way(self) -> LiveKernel | None:
        """Take out the kernel that is least likely to be wanted; the caller ends it, because a visitor waits."""
        if not self._held:
            return None
        return self._take_out(min(self._held, key=lambda f: self._touched[f][0] if f in self._touched else 0.0))

    def _take_out(self, folder: Path) -> LiveKernel:
        kernel = self._held.pop(folder)
        kernel.on_end = lambda _: None
        return kernel

    def _wanted(self) -> dict[Path, Bundle]:
        now = time.monotonic()
        recent = {f: bundle for f, (when, bundle) in self._touched.items() if now - when < INTEREST}
        self._touched = {f: self._touched[f] for f in recent}
        return {**self._always, **recent}

    def _lost(self, folder: Path, kernel: LiveKernel) -> None:
        if self._held.get(folder) is kernel:
            del self._held[folder]
