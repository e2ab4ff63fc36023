"""The RunMonitor: a run under way, its cells, progress, metrics and what it prints. Filled by the workbench.

Plain data in, a small script of our own (``monitor.js``), nothing fetched. It looks at the run from a thread, so that
the kernel is free meanwhile, and ends when the run is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import traitlets

from .panel import Panel, finite, joined, table
from .runwords import MONITOR_WORDS

#: Seconds between two looks.
EVERY = 1.0
#: Characters of what a run prints that are shown.
TAIL = 8000


class RunMonitor(Panel):
    """A run as it goes on.

    Parameters
    ----------
    look : callable
        Called without arguments, again and again from a thread of its own; returns how the run is, with these keys,
        each optional but the first three: ``id``; ``status`` (``running``, ``completed``, …); ``over``, whether
        nothing will change any more; ``title``; ``target``; ``started`` (ISO 8601); ``duration`` in s; ``error``, why
        it failed; ``waits``, what it waits for; ``cells``, mappings of ``index``, ``status``, ``duration`` and
        ``name``; ``progress``, a mapping of ``label``, ``done``, ``total`` and ``remaining`` s; ``metrics``, mappings
        of ``name``, ``value`` and ``unit``; ``log``, what it printed; ``record``, where its record lies.
    cancel : callable, optional
        Called from a thread where a person cancels the run and says so twice.
    every : float
        Seconds between two looks.
    words : mapping of str to str, optional
        See :class:`.panel.Panel`.

    Attributes
    ----------
    run : dict
        What ``look`` returned last.

    Raises
    ------
    Exception
        What ``look`` raises at its first call; later that is shown, and it looks again.
    """

    _esm = joined("panel.js", "monitor.js")
    _css = joined("panel.css", "monitor.css")
    WORDS: ClassVar[Mapping[str, str]] = MONITOR_WORDS
    run = traitlets.Dict().tag(sync=True)
    cancellable = traitlets.Bool(False).tag(sync=True)
    cancelling = traitlets.Bool(False).tag(sync=True)
    asked = traitlets.Unicode("").tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        look: Callable[[], Mapping[str, Any]],
        cancel: Callable[[], None] | None = None,
        every: float = EVERY,
        words: Mapping[str, str] | None = None,
    ) -> None:
        self._look, self._cancel, self._every = look, cancel, every
        self._ended = threading.Event()
        super().__init__(words, run=plain(look()), cancellable=cancel is not None, asked=_now())
        self._redraw()
        self.on_msg(self._told)
        self._thread = threading.Thread(target=self._follow, daemon=True, name=f"monitor {self.run['id']}")
        if self.run["over"]:
            self._ended.set()
        else:
            self._thread.start()

    @property
    def sentence(self) -> str:
        """How the run is."""
        status = self.words.get(f"status_{self.run['status']}", self.run["status"])
        why = self.run["error"] or self.run["waits"]
        return f"{self.run['id']}: {status}" + (f" ({why})" if why else "")

    def wait(self, timeout: float | None = None) -> bool:
        """Return when the run is over, or this was stopped; false where it took longer."""
        return self._ended.wait(timeout)

    def stop(self) -> None:
        """Look no more; the run goes on."""
        self._ended.set()

    def close(self) -> None:
        """Look no more, and go."""
        self.stop()
        super().close()

    def _follow(self) -> None:
        """Look until the run is over."""
        while not self._ended.wait(self._every):
            try:
                seen = plain(self._look())
            except Exception as error:  # noqa: BLE001  # a record may be unreadable for a moment: look again
                self.trouble = self.words["unknown"].format(why=error)
                continue
            self._show(seen)
            if seen["over"]:
                self._ended.set()

    def _show(self, seen: dict[str, Any]) -> None:
        with self.hold_sync():
            self.run, self.trouble, self.asked = seen, "", _now()
            self._redraw()

    def _told(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Cancel the run, beside what the kernel is doing."""
        if content.get("ask") == "cancel" and self._cancel and not self.cancelling and not self.run["over"]:
            self.cancelling = True
            threading.Thread(target=self._end, daemon=True, name=f"cancel {self.run['id']}").start()

    def _end(self) -> None:
        assert self._cancel is not None
        try:
            self._cancel()
            self._show(plain(self._look()))
        except Exception as error:  # noqa: BLE001  # whatever stands against it, the person gets a sentence
            self.trouble = self.words["not_cancelled"].format(why=error)
        finally:
            self.cancelling = False

    def _redraw(self) -> None:
        words, run = self.words, self.run
        rows = [
            [words["status"], words.get(f"status_{run['status']}", run["status"])],
            [words["target"], run["target"]], [words["started"], run["started"]],
            *([words["why"], text] for text in (run["error"] or run["waits"],) if text),
            *([m["name"], f"{_number(m['value'])} {m['unit'] if m['unit'] != '1' else ''}"] for m in run["metrics"]),
        ]  # fmt: skip
        self.value = table(run["title"] or run["id"], [words["what"], words["value"]], rows)


def plain(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a run is with all that a page shows of it.

    Raises
    ------
    KeyError
        If its id, its status or whether it is over is missing.
    """
    texts = {name: str(seen.get(name) or "") for name in ("title", "target", "started", "error", "waits", "record")}
    cells = [
        {"index": c["index"], "status": c["status"], "duration": c.get("duration"), "name": str(c.get("name") or "")}
        for c in seen.get("cells") or []
    ]
    metrics = [
        {"name": m["name"], "value": finite(m.get("value")), "unit": m.get("unit") or "1"}
        for m in seen.get("metrics") or []
    ]
    return {
        "id": str(seen["id"]), "status": str(seen["status"]), "over": bool(seen["over"]), **texts, "cells": cells,
        "duration": seen.get("duration"), "metrics": metrics, "log": str(seen.get("log") or "")[-TAIL:],
        "progress": dict(seen["progress"]) if seen.get("progress") else None,
    }  # fmt: skip


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
