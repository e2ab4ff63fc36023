"""An entry of the gallery: what it shows of one dashboard, read once and kept while its files stay as they are.

Called by the gallery, and by ``genai4eu dashboards list``.
"""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ...runs.store import runs_root
from ...verify import verdict
from ..bundle import Bundle
from ..dashboard import SITE, Dashboard
from .translated import first_sentence

_WORD = re.compile(r"\w+")
#: What a search looks at; whoever looks for a run knows its id.
_SEARCHED = ("question", "answer", "sector", "factory", "usecase", "template", "run")


@dataclass(frozen=True)
class Entry:
    """One dashboard as the gallery shows it.

    Attributes
    ----------
    slug : str
        Its name in addresses.
    about, site : mapping
        What ``dashboard.json`` says, and what the centre decided.
    sentence : str
        The first sentence of the answer.
    languages : tuple of str
        Codes of the languages that it can be read in, its own first.
    verified : bool
        Whether the latest verification had the result again.
    words : str
        All that a search looks at, folded, each word after a space.
    """

    slug: str
    about: Mapping[str, Any]
    site: Mapping[str, Any]
    sentence: str
    languages: tuple[str, ...]
    verified: bool
    words: str

    @property
    def sector(self) -> str:
        """Its sector."""
        return str(self.about["sector"] or "other")

    @property
    def factory(self) -> str:
        """The factory that computed it; empty where it was none."""
        return str(self.about.get("factory") or "")

    @property
    def headline(self) -> dict[str, Any] | None:
        """The most telling number: ``value`` and ``unit``, ``low`` and ``high`` where recorded, and its ``words``."""
        told = self.about.get("headline")
        if not isinstance(told, Mapping) or told.get("value") is None or not told.get("words"):
            return None  # a number without words would tell nobody anything
        metrics = self.about.get("metrics") or {}
        low, high = (metrics.get(f"{told['name']}_{bound}") for bound in ("low", "high"))
        words = str(told["words"]).partition(";")[0].removesuffix(f", {told['unit']}")
        value, low, high = (None if v is None else float(f"{v:.2g}") for v in (told["value"], low, high))
        return {"value": value, "unit": told["unit"], "low": low, "high": high, "words": words}

    @property
    def rank(self) -> tuple[bool, int]:
        """What sorts entries: those come first that the centre put first."""
        place = self.site["order"] if isinstance(self.site["order"], int) else 0
        return place <= 0, place


def entries(dashboards: Iterable[Dashboard]) -> tuple[list[Entry], list[str]]:
    """Return the entries in the gallery's order, and the slugs of dashboards that are damaged.

    Those that the centre put first come first, then the others, the latest published before earlier ones.
    """
    found, damaged, runs = [], [], runs_root()
    for dashboard in dashboards:
        try:
            found.append(entry(dashboard, runs))
        except (WorkbenchError, LookupError, TypeError, ValueError, AttributeError):
            damaged.append(dashboard.slug)  # whatever one of them holds, the others are shown
    found.sort(key=lambda e: (str(e.about["published"]), e.slug), reverse=True)
    found.sort(key=lambda e: e.rank)
    return found, damaged


def entry(dashboard: Dashboard, runs: Path | None = None) -> Entry:
    """Return the entry of a dashboard, from memory while nothing of it changed.

    Parameters
    ----------
    runs : Path, optional
        Folder of the runs, for whoever asks for many entries.

    Raises
    ------
    WorkbenchError
        If the dashboard is damaged.
    """
    folder = os.fspath(dashboard.folder)  # plain texts: hundreds of paths take longer to build than to look up
    decided = _stamp(f"{folder}/{SITE}")
    bundle = f"{folder}/versions/{_site(folder, decided)['current']}"
    made = _stamp(f"{bundle}/dashboard.json")
    record = f"{runs or runs_root()}/{_run(bundle, made)}"
    return _entry(folder, decided, bundle, made, record, _verdicts(record))


def fold(text: str) -> list[str]:
    """Return the words of a text without case and accents, as a search compares them."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(c for c in bare if not unicodedata.combining(c)))


@functools.lru_cache(maxsize=8192)
def _site(folder: str, _changed: object) -> dict[str, Any]:
    return Dashboard(Path(folder)).site


@functools.lru_cache(maxsize=8192)
def _run(bundle: str, _changed: object) -> str:
    return Path(Bundle(Path(bundle)).info["run"]).name


@functools.lru_cache(maxsize=8192)
def _entry(
    folder: str, decided: object, bundle: str, _made: object, record: str, verdicts: tuple[object, ...]
) -> Entry:
    """Make an entry; the arguments tell whether anything changed."""
    about = Bundle(Path(bundle)).info
    own = about.get("languages") or [about.get("language") or "en"]
    said = verdict.about(Path(record))[:1] if verdicts else []
    further = [text for texts in (about.get("texts") or {}).values() for text in texts.values()]
    searched = " ".join([*(str(about.get(name) or "") for name in _SEARCHED), *further])
    return Entry(
        slug=Path(folder).name,
        about=about,
        site=_site(folder, decided),
        sentence=first_sentence(about["answer"]),
        languages=tuple(map(str, own)),
        verified=bool(said and said[0]["verified"]),
        words="".join(f" {word}" for word in fold(searched)),
    )


def _stamp(path: str) -> tuple[int, int] | None:
    """Return what changes when a file is replaced."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _verdicts(record: str) -> tuple[object, ...]:
    """Return what changes when somebody verifies the run."""
    folder = os.fspath(verdict.folder(Path(record)))
    if _stamp(folder) is None:
        return ()
    return tuple((entry.name, _stamp(entry.path)) for entry in os.scandir(folder) if entry.name.endswith(".json"))
