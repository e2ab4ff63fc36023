"""The RunTable: runs to sort and to sift, and two to ten of them side by side. Filled by the workbench.

Plain data in, small scripts of our own (``sifting.js``, ``comparison.js``, ``runrows.js``, ``runtable.js``), nothing
fetched. All of it happens in the browser, so that it works on a frozen page; thousands of runs are shown a page at a
time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import traitlets

from .panel import Panel, finite, joined, table
from .runwords import RUN_WORDS

#: What a run says of itself; only its id is needed.
Run = Mapping[str, Any]
#: Rows of the table that is left where no script runs; runs that fit side by side.
STILL, FEWEST, MOST = 50, 2, 10
_TEXTS = ("template", "title", "status", "target", "started", "error", "link")
#: Where a link may lead; none is a path.
_SCHEMES = ("", "http", "https")
#: Metrics that are columns at first.
_IN_SIGHT = 3


class RunTable(Panel):
    """Runs in a table.

    Parameters
    ----------
    runs : sequence of mapping
        One a run: ``id``; optional ``template``, ``title``, ``status``, ``target``, ``started`` (ISO 8601),
        ``duration`` in s, ``error``, ``link`` to its record, ``parameters`` and ``metrics`` by name, ``units`` of
        metrics where they are others than in ``about``. A metric that is ``None`` is undefined.
    about : mapping of str to mapping, optional
        By metric: ``unit``, ``"1"`` by default; ``better``, ``"higher"`` or ``"lower"``. Only where that is said does
        a comparison call a run better or worse.
    columns : sequence of str, optional
        Metrics and parameters that are columns at first: ``"metric:dice"``, ``"parameter:seed"``; by default the
        first metrics that most runs have.
    chosen : sequence of str
        Ids of the runs that are compared at first.
    show : callable, optional
        Called with a run's id, returns HTML on its record, which is shown below; for runs without a ``link``.
    refresh : callable, optional
        Called without arguments where a person asks for the present runs; returns runs.
    words : mapping of str to str, optional
        See :class:`.panel.Panel`.

    Attributes
    ----------
    chosen : list of str
        Ids of the runs that a person chose.

    Raises
    ------
    ValueError
        If a run has no id, two have the same, a value is no plain data, or ``chosen`` or ``about`` is wrong.
    """

    _esm = joined("panel.js", "sifting.js", "comparison.js", "runrows.js", "runtable.js")
    _css = joined("panel.css", "runtable.css")
    WORDS: ClassVar[Mapping[str, str]] = RUN_WORDS
    runs = traitlets.List().tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    columns = traitlets.List().tag(sync=True)
    chosen = traitlets.List().tag(sync=True)
    comparing = traitlets.Bool(False).tag(sync=True)
    openable = traitlets.Bool(False).tag(sync=True)
    refreshable = traitlets.Bool(False).tag(sync=True)
    record = traitlets.Unicode("").tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        runs: Sequence[Run],
        about: Mapping[str, Mapping[str, str]] | None = None,
        columns: Sequence[str] | None = None,
        chosen: Sequence[str] = (),
        show: Callable[[str], str] | None = None,
        refresh: Callable[[], Sequence[Run]] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        shown, meant = plain(runs), {name: dict(told) for name, told in (about or {}).items()}
        for name, told in meant.items():
            if told.get("better") not in (None, "higher", "lower"):
                raise ValueError(f"metric {name}: better is 'higher' or 'lower', not {told['better']!r}")
        unknown = [name for name in chosen if all(name != run["id"] for run in shown)]
        if unknown or len(chosen) > MOST:
            why = f"there is no run {unknown[0]!r}" if unknown else f"{len(chosen)} runs are chosen"
            raise ValueError(f"{why}: choose at most {MOST} of the runs that are given")
        self._show, self._refresh, self._ids = show, refresh, {run["id"] for run in shown}
        super().__init__(
            words, runs=shown, about=meant, columns=list(columns) if columns is not None else _common(shown),
            chosen=list(chosen), comparing=len(chosen) > 1, openable=show is not None,
            refreshable=refresh is not None,
        )  # fmt: skip
        self.on_msg(self._told)
        self.observe(lambda _change: self._redraw(), names="chosen")
        self._redraw()

    @property
    def sentence(self) -> str:
        """How many runs there are."""
        return f"{self.words['title']}: {len(self.runs)}"

    def _told(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Answer a page that asks for a record, or for the present runs."""
        try:
            if content.get("ask") == "runs" and self._refresh is not None:
                self.runs = plain(self._refresh())
                self._ids = {run["id"] for run in self.runs}
                self._redraw()
            elif (
                self._show is not None and content.get("open") in self._ids
            ):  # of what was given: pages can write `runs`
                self.record = self._show(str(content["open"]))
            self.trouble = ""
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a record, the person gets a sentence
            self.trouble = self.words["refused"].format(why=error)

    def _redraw(self) -> None:
        words, names = self.words, [c.partition(":")[2] for c in self.columns]
        headings = [words[f"column_{name}"] for name in ("id", "status", "template", "started")]
        rows = [
            [run["id"], words.get(f"status_{run['status']}", run["status"]), run["template"], run["started"],
             *(_text({**run["parameters"], **run["metrics"]}.get(name, "")) for name in names)]
            for run in self.runs[:STILL]
        ]  # fmt: skip
        more = f"<p>{words['still'].format(shown=STILL, all=len(self.runs))}</p>" if len(self.runs) > STILL else ""
        self.value = table(words["title"], [*headings, *names], rows) + more + self._compared()

    def _compared(self) -> str:
        """Return the chosen runs side by side, for where no script runs."""
        words, them = self.words, [run for name in self.chosen for run in self.runs if run["id"] == name]
        if len(them) < FEWEST:
            return ""
        ids = [run["id"] for run in them]
        made = ""
        for caption, heading, part in (("differing", "parameter", "parameters"), ("metrics", "metric", "metrics")):
            each = {name: [run[part].get(name, "") for run in them] for run in them for name in run[part]}
            shown = {n: v for n, v in each.items() if part == "metrics" or len({json.dumps(x) for x in v}) > 1}
            rows = [[name, *map(_text, values)] for name, values in shown.items()]
            made += table(words[caption], [words[heading], *ids], rows) if rows else ""
        return made


def plain(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Return runs with all that a page shows of them.

    Raises
    ------
    ValueError
        If one has no id, two have the same, a link leads nowhere that a page may go, or a value is no plain data.
    """
    shown: dict[str, dict[str, Any]] = {}
    for run in runs:
        name = str(run.get("id") or "")
        if not name or name in shown:
            raise ValueError(f"two runs are called {name}" if name else f"a run has no id: {dict(run)!r}")
        metrics = {n: finite(v) for n, v in (run.get("metrics") or {}).items()}
        if urlsplit(str(run.get("link") or "")).scheme not in _SCHEMES:
            raise ValueError(f"run {name}: {run['link']!r} is no address of a page: give one with https, or a path")
        shown[name] = {
            "id": name, **{key: run.get(key) or "" for key in _TEXTS}, "duration": run.get("duration"),
            "parameters": dict(run.get("parameters") or {}), "metrics": metrics, "units": dict(run.get("units") or {}),
        }  # fmt: skip
        try:
            json.dumps(shown[name], allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"run {name} holds what is no plain data ({error}): give texts and numbers") from None
    return list(shown.values())


def _common(runs: Sequence[Run]) -> list[str]:
    """Return the metrics that most runs have, in their order."""
    counts: dict[str, int] = {}
    for run in runs:
        for name in run["metrics"]:
            counts[name] = counts.get(name, 0) + 1
    most = sorted(counts, key=lambda name: -counts[name])[:_IN_SIGHT]
    return [f"metric:{name}" for name in counts if name in most]


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "–" if value is None else str(value)
