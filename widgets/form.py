"""The ParameterForm: it asks for the values of a call, makes it and shows what came of it. Filled by the workbench.

Plain data in, a small script of our own (``form.js``, with the TargetPicker's ``targets.js``), nothing fetched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import traitlets

from .field import as_text, field
from .formwords import FORM_WORDS
from .panel import Panel, joined, table
from .picker import Target, first, plain

#: Called while a call is under way, with the part done (0 to 1, or ``None``) and a sentence.
Tell = Callable[[float | None, str], None]


class ParameterForm(Panel):
    """Fields, a choice of where to run, and a button.

    Parameters
    ----------
    title : str
        What is run.
    schema : mapping
        JSON Schema (2020-12) of the call: an object with a property a field.
    check : callable
        Called with all values by name, as they were entered; returns a sentence for each that will not do.
    targets : sequence of mapping
        Where it can run, as the :class:`.picker.TargetPicker` takes them. The first that is ready is chosen.
    start : callable, optional
        Called with the values, the target and ``tell``; returns HTML on what came of it, and the result. What it
        raises is shown as a sentence. Interrupting the kernel stops it. Without it nothing is started.
    refresh : callable, optional
        Called without arguments in a thread of its own, once; returns targets with their present state.
    words : mapping of str to str, optional
        See :class:`.panel.Panel`.

    Attributes
    ----------
    result : object
        What ``start`` returned last.
    values : dict
        What is entered, by name: a text, an option, a date (ISO 8601), or ``None`` where nothing was chosen.
    faults : dict
        A sentence for each value that will not do, by name.
    """

    _esm = joined("panel.js", "targets.js", "form.js")
    _css = joined("panel.css", "targets.css", "form.css")
    WORDS: ClassVar[Mapping[str, str]] = FORM_WORDS
    title = traitlets.Unicode("").tag(sync=True)
    fields = traitlets.List().tag(sync=True)
    entered = traitlets.Dict().tag(sync=True)
    faults = traitlets.Dict().tag(sync=True)
    #: The names of the values for which nothing was started.
    refused = traitlets.List().tag(sync=True)
    targets = traitlets.List().tag(sync=True)
    target = traitlets.Unicode("").tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    part = traitlets.Float(None, allow_none=True).tag(sync=True)
    progress = traitlets.Unicode("").tag(sync=True)
    #: HTML on what came of it; why nothing did.
    outcome = traitlets.Unicode("").tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        title: str,
        schema: Mapping[str, Any],
        check: Callable[[Mapping[str, Any]], Mapping[str, str]],
        targets: Sequence[Target],
        start: Callable[[Mapping[str, Any], str, Tell], tuple[str, Any]] | None,
        refresh: Callable[[], Sequence[Target]] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        self.result: Any = None
        self._check, self._start, shown = check, start, plain(targets)
        asked = [field(name, about, {**FORM_WORDS, **(words or {})}) for name, about in schema["properties"].items()]
        super().__init__(
            words, title=title, fields=asked, entered={f["name"]: f["value"] for f in asked}, targets=shown,
            target=first(shown, None),
        )  # fmt: skip
        self.observe(self._touched, names="entered")
        self.on_msg(self._told)
        self._redraw()
        if refresh is not None:
            threading.Thread(target=self._ask, args=[refresh], daemon=True, name="targets").start()

    @property
    def values(self) -> dict[str, Any]:
        """What is entered, by name."""
        return dict(self.entered)

    @property
    def sentence(self) -> str:
        """What it runs, with what."""
        return f"{self.title}: {', '.join(f'{n}={as_text(v)}' for n, v in self.entered.items())}"

    @traitlets.validate("entered")  # type: ignore[untyped-decorator]
    def _known(self, proposal: Any) -> dict[str, Any]:
        """Keep to the fields there are: a page may say what it likes."""
        return {f["name"]: proposal.value.get(f["name"], f["value"]) for f in self.fields}

    def enter(self, **values: Any) -> None:
        """Enter values by name, as a person would."""
        self.entered = {**self.entered, **values}

    def _touched(self, change: Any) -> None:
        """Say at a field whether what was just entered will do; others are judged when the button is pressed."""
        found = self._check(self.values)
        touched = [name for name, value in change.new.items() if value != (change.old or {}).get(name)]
        self.faults = {n: s for n, s in {**self.faults, **{n: found.get(n, "") for n in touched}}.items() if s}
        self._redraw()

    def _told(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Run with what the page has: its last change may still be on the way."""
        if content.get("ask") != "run" or self.running:
            return
        if isinstance(content.get("entered"), dict):
            self.entered = content["entered"]
        if content.get("target") in {t["name"] for t in self.targets}:
            self.target = content["target"]
        self.run()

    def run(self) -> None:
        """Check all fields; where all will do, make the call. Called where a person presses the button."""
        faults = {name: said for name, said in self._check(self.values).items() if said}
        self.faults, self.refused, self.outcome, self.trouble = faults, list(faults), "", ""
        if not faults and self._start is not None:
            self._go(self._start)

    def _go(self, start: Callable[[Mapping[str, Any], str, Tell], tuple[str, Any]]) -> None:
        self.running = True
        try:
            self.outcome, self.result = start(self.values, self.target, self.tell)
        except KeyboardInterrupt:
            self.trouble = self.words["stopped"]
        except Exception as error:  # noqa: BLE001  # whatever the call raises, the person gets a sentence
            self.trouble = self.words["failed"].format(why=error)
        finally:
            self.tell(None, "")
            self.running = False

    def tell(self, part: float | None, sentence: str) -> None:
        """Show how far the call has come; without a sentence, nothing is under way."""
        with self.hold_sync():
            self.part, self.progress = part, sentence

    def _ask(self, refresh: Callable[[], Sequence[Target]]) -> None:
        """Show the present state of the targets; a place that cannot be asked is told when it is to run there."""
        try:
            self.targets = plain(refresh())
        except Exception as error:  # noqa: BLE001  # whatever a place answers, the person gets a sentence
            self.trouble = self.words["refused"].format(why=error)

    def _redraw(self) -> None:
        words = self.words
        rows = [[f["label"], as_text(self.entered[f["name"]]), f["help"]] for f in self.fields]
        self.value = table(self.title, [words["parameter"], words["value"], words["allowed"]], rows)
