"""The pages of a bundle, put together where they are served: blocks from the bundle, frame and words in the visitor's
language, and what is known of the verification today. Called by the handlers.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ...runs.store import runs_root
from ...verify import verdict
from ..bundle import Bundle
from ..dashboard import Dashboard
from . import evidence, origin, page, translated, verified
from .language import LANGUAGES, SOURCE
from .share import Address


@dataclass(frozen=True)
class _Seen:
    """How a page is seen: all that tells one from another of the same bundle.

    Attributes
    ----------
    languages : tuple of str
        Of the words around the content, of the content, and the one that links keep.
    """

    name: str
    languages: tuple[str, str, str]
    root: str
    address: Address
    older: bool
    guest: str | None
    versions: tuple[tuple[int, str, bool], ...]


def html(
    bundle: Bundle,
    name: str,
    language: str,
    root: str,
    *,
    wanted: tuple[str, ...] = (),
    asked: str = "",
    address: Address | None = None,
    older: bool = False,
    guest: str | None = None,
) -> str:
    """Return a page, from memory while nothing changed.

    Parameters
    ----------
    bundle : Bundle
        The version that is shown.
    name : {"index", "evidence"}
        Which page.
    language : str
        Of the words around the content.
    root : str
        Relative address of the gallery.
    wanted : tuple of str, optional
        Languages that the visitor reads: the content is in the first that it is there in.
    asked : str, optional
        The language that the address asks for, which links keep.
    address : Address, optional
        Absolute address of the dashboard; without one the page names none.
    older : bool, optional
        Whether another version stands now: then nothing here goes live, and the page says so.
    guest : {"recorded", "trusted"}, optional
        How it is shown where it came from another centre.
    """
    made = (bundle.folder / "dashboard.json").stat().st_mtime_ns  # another may stand there after this was unpublished
    languages = _offered(bundle, made)
    content = next((found for found in (*wanted, language) if found in languages), languages[0])
    kept = asked if asked in (*LANGUAGES, *languages) else ""
    versions = _versions(bundle) if older or name == "evidence" else ()
    seen = _Seen(name, (language, content, kept), root, address or Address(""), older, guest, versions)
    return _html(bundle, seen, (made, _verdicts(bundle)))


@functools.lru_cache(maxsize=256)
def _html(bundle: Bundle, seen: _Seen, _stamp: object) -> str:
    language, content, kept = seen.languages
    about = translated.told(bundle.info, content)
    shown: dict[str, Any] = {
        **{name: getattr(seen, name) for name in ("root", "address", "older", "guest", "versions")},
        "lang": language,
        "kept": kept,
        "about": about,
        "offered": (*LANGUAGES, *(code for code in offered(about) if code not in LANGUAGES)),
        "current": kept or language,
        "verdicts": verified.known(_record(bundle)),
        "version": bundle.number,
        "up": "../../" if seen.older else "",
        "generated": evidence.generated(bundle),
    }
    blocks = [translated.block_in(block, content, about["language"]) for block in bundle.blocks]
    if seen.name == "index":
        part = None if seen.older else bundle.read("page.json").get("part")
        can_be_live = (bundle.folder / "live.ipynb").is_file()
        said = {k: v for block in blocks for k, v in translated.words_in(block, content).items()}
        return page.render("index", blocks=blocks, part=part, live=can_be_live, said=said, **shown)
    shown["labelled"] = list(origin.labelled(blocks))
    return page.render("evidence", **shown, **evidence.shown(bundle, seen.address, language))


def _versions(bundle: Bundle) -> tuple[tuple[int, str, bool], ...]:
    """Return number and date of each version of the dashboard, the latest first, and whether it stands now."""
    dashboard = Dashboard(bundle.folder.parent.parent)
    found = []
    for version in reversed(dashboard.bundles):
        with contextlib.suppress(WorkbenchError):  # a damaged one is not shown
            published = _published(version, (version.folder / "dashboard.json").stat().st_mtime_ns)
            found.append((version.number, published, version.number == dashboard.site["current"]))
    return tuple(found)


@functools.lru_cache(maxsize=4096)
def _published(bundle: Bundle, _made: int) -> str:
    return str(bundle.info["published"])


@functools.lru_cache(maxsize=1024)
def _offered(bundle: Bundle, _made: int) -> list[str]:
    return offered(bundle.info)


def offered(about: Mapping[str, Any]) -> list[str]:
    """Return the languages that a dashboard can be read in, its own first."""
    return [str(code) for code in about.get("languages") or [about.get("language") or SOURCE]]


def _record(bundle: Bundle) -> Path:
    """Return where the record would be, if it is on this computer."""
    return runs_root() / Path(bundle.info["run"]).name


def _verdicts(bundle: Bundle) -> tuple[tuple[str, int], ...]:
    """Return what changes when somebody verifies the run: a dashboard never does."""
    folder = verdict.folder(_record(bundle))
    return tuple(sorted((p.name, p.stat().st_mtime_ns) for p in folder.glob("*"))) if folder.is_dir() else ()
