"""The pages of a bundle, put together where they are served: blocks from the bundle, frame and words in the visitor's
language, and what is known of the verification today. Called by the handlers.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from ..runs.store import runs_root
from ..verify import verdict
from . import page, verified
from .bundle import Bundle

_READ = ("parameters", "sizes", "metrics", "environment", "energy", "card")


def html(bundle: Bundle, name: str, language: str, root: str, *, kept: bool = False) -> str:
    """Return a page, from memory while nothing changed.

    Parameters
    ----------
    bundle : Bundle
        The version that is shown.
    name : {"index", "evidence"}
        Which page.
    language : str
        The visitor's.
    root : str
        Relative address of the gallery.
    kept : bool, optional
        True where the visitor asked for the language, so that links must keep it.
    """
    made = (bundle.folder / "dashboard.json").stat().st_mtime_ns  # another may stand there after this was unpublished
    return _html(bundle, name, language, root, kept, (made, _verdicts(bundle)))


@functools.lru_cache(maxsize=256)
def _html(bundle: Bundle, name: str, language: str, root: str, kept: bool, _stamp: object) -> str:
    about = bundle.info
    seen: dict[str, Any] = {"lang": language, "kept": kept, "root": root, "about": about}
    seen["verdicts"] = verified.known(_record(bundle))
    if name == "index":
        return page.render("index", blocks=bundle.blocks, part=bundle.read("page.json").get("part"), **seen)
    return page.render("evidence", files=_files(bundle), **seen, **_record_of(bundle))


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
