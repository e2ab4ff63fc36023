"""How to cite a version of a dashboard: as a sentence, as BibTeX, as a CITATION.cff. Called by the evidence page.

Authors are those that the run's notebook names in its metadata, else those of the package that the template comes
from. Where neither names any, none are made up.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import getaddresses
from typing import Any

import yaml

from ..bundle import Bundle
from ..part import read_notebook

#: Licence of records, as their crates say.
LICENCE = "CC-BY-4.0"
#: What BibTeX would take for a command.
_BIBTEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_BIBTEX |= {sign: f"\\{sign}" for sign in "&%$#_"}
_BIBTEX |= {"{": r"\textbraceleft{}", "}": r"\textbraceright{}"}  # it counts braces, escaped or not
_MESSAGE = "If you use this result, please cite it as below."


@dataclass(frozen=True)
class Citation:
    """What a citation is made of.

    Attributes
    ----------
    authors : tuple of str
        Names as they are written; empty where nobody is named.
    address : str
        Absolute address of the version; empty where nobody knows it.
    """

    slug: str
    title: str
    authors: tuple[str, ...]
    published: datetime
    version: int
    run: str
    address: str
    usecase: str

    @classmethod
    def of(cls, bundle: Bundle, address: str) -> Citation:
        """Read what a bundle says of itself."""
        about = bundle.info
        usecase = " ".join(filter(None, (about.get("usecase"), about.get("usecase_version"))))
        when = datetime.fromisoformat(about["published"])
        who = authors(bundle)
        return cls(bundle.slug, about["question"], who, when, bundle.number, about["run"], address, usecase)

    @property
    def sentence(self) -> str:
        """The citation as one writes it in a list of references."""
        who = f"{'; '.join(self.authors)} " if self.authors else ""
        made = f", use case {self.usecase}" if self.usecase else ""
        title = self.title if self.title.endswith(("?", "!", ".")) else f"{self.title}."
        said = f"{who}({self.published.year}). {title} Version {self.version}, run {self.run}{made}."
        return f"{said} {self.address}".rstrip()

    @property
    def bibtex(self) -> str:
        """The citation as an entry of BibTeX."""
        fields = {
            "author": " and ".join(f"{{{_escaped(name)}}}" for name in self.authors),
            "title": f"{{{_escaped(self.title)}}}",
            "year": str(self.published.year),
            "version": str(self.version),
            "note": _escaped(f"Run {self.run}" + (f", use case {self.usecase}" if self.usecase else "")),
            "url": self.address,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{self.slug}-v{self.version},", *lines, "}"]) + "\n"

    @property
    def cff(self) -> str | None:
        """The citation as a ``CITATION.cff`` of format 1.2.0; None where nobody is named, whom the format demands."""
        if not self.authors:
            return None
        content = {
            "cff-version": "1.2.0",
            "message": _MESSAGE,
            "type": "dataset",
            "title": self.title,
            "authors": [{"name": name} for name in self.authors],
            "version": str(self.version),
            "date-released": self.published.date().isoformat(),
            "url": self.address,
            "license": LICENCE,
            "identifiers": [{"type": "other", "value": self.run, "description": "The run that made the result"}],
        }
        content = {name: value for name, value in content.items() if value}
        return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000))


def authors(bundle: Bundle) -> tuple[str, ...]:
    """Return who made what a dashboard shows."""
    metadata = read_notebook(bundle.folder / "notebook.ipynb").get("metadata", {})
    said = metadata.get("authors", []) if isinstance(metadata, Mapping) else []
    named = [str(a.get("name", "")).strip() for a in said if isinstance(a, Mapping)] if isinstance(said, list) else []
    usecase = bundle.info.get("usecase")
    return tuple(filter(None, named)) or (of_usecase(usecase) if usecase else ())


@functools.cache
def of_usecase(name: str) -> tuple[str, ...]:
    """Return the authors of the package that brings a use case, where it is installed."""
    from ...catalogue import GROUP

    for point in importlib.metadata.entry_points(group=GROUP, name=name):
        if point.dist is not None:
            return _of_distribution(point.dist.metadata)
    return ()


def _of_distribution(metadata: Any) -> tuple[str, ...]:
    """Return the names in a package's metadata: ``Author``, else those before the addresses of ``Author-email``."""
    plain = [name.strip() for name in re.split(r",\s*", metadata.get("Author") or "")]
    mailed = [name.strip() for name, _ in getaddresses([metadata.get("Author-email") or ""])]
    return tuple(filter(None, plain)) or tuple(filter(None, mailed))


def _escaped(text: str) -> str:
    """Return a text as BibTeX reads it."""
    return "".join(_BIBTEX.get(sign, sign) for sign in text)
