"""The TargetPicker: a choice of where to run, with state, queue and cost of each place. Filled by the workbench.

Plain data in, a small script of our own (``targets.js``, ``picker.js``), nothing fetched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import traitlets

from .panel import Panel, joined, table

#: What a target says of itself; only its name is needed.
Target = Mapping[str, Any]
_TEXTS = ("name", "title", "where", "state", "queue", "cost", "note")
WORDS = {
    "legend": "Where to run",
    "search": "Look for a target",
    "no_target": "No target is like “{text}”.",
    "empty": "There is no target yet.",
    "ready": "ready",
    "target": "Target",
    "where": "Where",
    "state": "State",
    "queue": "Queue",
    "cost": "Cost",
    "refresh": "Ask them all again",
    "asking": "Asking all targets…",
    "asked": "As of {time}",
    "needs_kernel": "This is how the targets were when it was recorded. Asking again needs a running kernel.",
    "refused": "The targets could not be asked: {why}",
}


class TargetPicker(Panel):
    """A choice of where to run.

    Parameters
    ----------
    targets : sequence of mapping
        One a target: ``name``; optional ``title``, what is shown for it; ``where``; ``state``, ``"ready"`` or in a few
        words why not; ``queue``, ``cost`` and ``note``, a few words each. One that is not ready cannot be chosen,
        unless it says ``ready: True``.
    chosen : str, optional
        Name of the first choice; the first that is ready by default.
    choose : callable, optional
        Called with the name of the target that a person chose.
    refresh : callable, optional
        Called without arguments, in a thread of its own, where a person asks for the present state; returns targets.
    words : mapping of str to str, optional
        See :class:`.panel.Panel`.

    Attributes
    ----------
    chosen : str
        Name of the target; empty where none is ready.

    Raises
    ------
    ValueError
        If a target has no name, two have the same, or ``chosen`` is none of them.
    """

    _esm = joined("panel.js", "targets.js", "picker.js")
    _css = joined("panel.css", "targets.css")
    WORDS: ClassVar[Mapping[str, str]] = WORDS
    targets = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
    refreshable = traitlets.Bool(False).tag(sync=True)
    asking = traitlets.Bool(False).tag(sync=True)
    asked = traitlets.Unicode("").tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        targets: Sequence[Target],
        chosen: str | None = None,
        choose: Callable[[str], None] | None = None,
        refresh: Callable[[], Sequence[Target]] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        shown = plain(targets)
        self._choose, self._refresh = choose, refresh
        super().__init__(
            words, targets=shown, chosen=first(shown, chosen), refreshable=refresh is not None, asked=_now()
        )
        self.observe(self._chosen, names="chosen")
        self.on_msg(self._told)
        self._redraw()

    @property
    def sentence(self) -> str:
        """Where it runs, and the state of all."""
        states = "; ".join(f"{t['name']}: {t['state']}" for t in self.targets)
        return f"{self.words['legend']}: {self.chosen or '–'} ({states})"

    @traitlets.validate("chosen")  # type: ignore[untyped-decorator]
    def _known(self, proposal: Any) -> str:
        """Keep to what there is: a page may say what it likes."""
        names = ["", *(t["name"] for t in self.targets)]
        return str(proposal.value if proposal.value in names else self.chosen)

    def _chosen(self, change: Any) -> None:
        self._redraw()
        if self._choose is not None:
            self._choose(change.new)

    def _told(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Ask all targets anew, beside what the kernel is doing."""
        if content.get("ask") == "targets" and self._refresh is not None and not self.asking:
            self.asking = True
            threading.Thread(target=self.refresh, daemon=True, name="targets").start()

    def refresh(self) -> None:
        """Ask all targets for their state, and show it."""
        try:
            shown = plain(self._refresh() if self._refresh is not None else self.targets)
            with self.hold_sync():
                self.targets, self.asked, self.trouble = shown, _now(), ""
                if not any(t["name"] == self.chosen and t["ready"] for t in shown):
                    self.chosen = first(shown, None)
        except Exception as error:  # noqa: BLE001  # whatever a place answers, the person gets a sentence
            self.trouble = self.words["refused"].format(why=error)
        finally:
            self.asking = False
            self._redraw()

    def _redraw(self) -> None:
        self.value = as_table(self.targets, self.chosen, self.words)


def plain(targets: Sequence[Target]) -> list[dict[str, Any]]:
    """Return targets with all that a page shows of them.

    Raises
    ------
    ValueError
        If one has no name, or two have the same.
    """
    shown: list[dict[str, Any]] = []
    for target in targets:
        texts = {key: str(target.get(key) or "") for key in _TEXTS}
        texts["state"] = texts["state"] or "ready"
        if not texts["name"]:
            raise ValueError(f"a target has no name: {dict(target)!r}")
        if any(texts["name"] == other["name"] for other in shown):
            raise ValueError(f"two targets are called {texts['name']!r}: names must differ")
        shown.append({**texts, "ready": bool(target.get("ready", texts["state"] == "ready"))})
    return shown


def first(targets: Sequence[Target], wanted: str | None) -> str:
    """Return the target that is chosen at first: the wanted one, or the first that is ready.

    Raises
    ------
    ValueError
        If the wanted one is not among them.
    """
    names = [str(t["name"]) for t in targets]
    if wanted is not None and wanted not in names:
        raise ValueError(f"there is no target {wanted!r}: choose among {', '.join(names) or 'none'}")
    return wanted if wanted is not None else next((str(t["name"]) for t in targets if t["ready"]), "")


def as_table(targets: Sequence[Target], chosen: str, words: Mapping[str, str]) -> str:
    """Return targets as HTML for where no script runs."""
    rows = [
        [f"{t['title'] or t['name']}{' ✓' if t['name'] == chosen else ''}",
         words["ready"] if t["state"] == "ready" else t["state"], t["where"], t["queue"], t["cost"]]
        for t in targets
    ]  # fmt: skip
    return table(words["legend"], [words[name] for name in ("target", "state", "where", "queue", "cost")], rows)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
