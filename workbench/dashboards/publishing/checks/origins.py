"""Whether the dashboard part says of its figures who made them: a generative model, or not. Called by the checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...pages import origin
from .finding import Finding, Numbered, cell

_VIEW = "application/vnd.jupyter.widget-view+json"


def check(part: Sequence[Numbered], *, generative: bool) -> Iterator[Finding]:
    """Yield cells that say something that is none, and, of a use case that generates, those that say nothing.

    Parameters
    ----------
    generative : bool
        Whether the use case says that it has a generative model.
    """
    known = ", ".join(origin.ORIGINS)
    for number, content in part:
        said = origin.declared(content)
        if said and said not in origin.ORIGINS:
            yield Finding("origin", cell(number), f"{said[:40]!r} is no origin of a figure", f"use {known}")
        elif not said and generative and any(map(_shows, content.get("outputs", []))):
            remedy = f'write {{"genai4eu": {{"origin": "…"}}}} into its metadata: {known}'
            yield Finding("origin", cell(number), "nothing says whether AI made what it shows", remedy, refused=False)


def _shows(output: Any) -> bool:
    """Tell whether an output is a picture or a widget."""
    data = output.get("data", {})
    return _VIEW in data or any(mime.startswith("image/") for mime in data) or "<img" in str(data.get("text/html", ""))
