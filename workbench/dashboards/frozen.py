"""The pages of a bundle, put together where they are served: blocks from the bundle, frame and words in the visitor's
language, and what is known of the verification today. Called by the handlers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..runs.store import runs_root
from ..verify import verdict
from . import page, translated, verified
from .bundle import Bundle
from .language import LANGUAGES, SOURCE

_READ = ("parameters", "sizes", "metrics", "environment", "energy", "card")


def html(bundle: Bundle, name: str, language: str, root: str, *, wanted: tuple[str, ...] = (), asked: str = "") -> str:
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
    """
    made = (bundle.folder / "dashboard.json").stat().st_mtime_ns  # another may stand there after this was unpublished
    languages = _offered(bundle, made)
    content = next((found for found in (*wanted, language) if found in languages), languages[0])
    kept = asked if asked in (*LANGUAGES, *languages) else ""
    return _html(bundle, name, (language, content, kept), root, (made, _verdicts(bundle)))


@functools.lru_cache(maxsize=256)
def _html(bundle: Bundle, name: str, languages: tuple[str, str, str], root: str, _stamp: object) -> str:
    language, content, kept = languages
    about = translated.told(bundle.info, content)
    main = about["language"]
    seen: dict[str, Any] = {"lang": language, "kept": kept, "root": root, "about": about}
    seen["offered"] = (*LANGUAGES, *(code for code in offered(about) if code not in LANGUAGES))
    seen["current"] = kept or language
    seen["verdicts"] = verified.known(_record(bundle))
    if name == "index":
        blocks = [translated.block_in(block, content, main) for block in bundle.blocks]
        return page.render("index", blocks=blocks, part=bundle.read("page.json").get("part"), **seen)
    return page.render("evidence", files=_files(bundle), **seen, **_record_of(bundle))


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


def _record_of(bundle: Bundle) -> dict[str, Any]:
    """Return what the evidence rests on."""
    names = {name: f"{name}.json" for name in _READ}
    return {n: bundle.read(f) if (bundle.folder / f).exists() else {} for n, f in names.items()}


def _files(bundle: Bundle) -> list[tuple[str, int]]:
    outputs = bundle.folder / "outputs"
    return [(p.relative_to(outputs).as_posix(), p.stat().st_size) for p in sorted(outputs.rglob("*")) if p.is_file()]
