"""The bundle: an immutable folder that holds one version of a dashboard. Called by publishing and by the server.

::

    dashboard.json      what it is: question, answer, run, when, where
    page.json           the frozen page: its blocks in order, without the frame that the server puts around them
    card.json, .md      the use-case card, where the use case has one
    media/              images, widget state and scripts of the page, named by their content
    live.ipynb          the dashboard part alone, for the live view
    seal.json           what the record held: every file with its digest, and the fingerprint of the whole
    outputs/ …          what the dashboard part reads: the layout of the record
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from ..errors import WorkbenchError
from .memory import read_json

_STRICT = pydantic.ConfigDict(strict=True, extra="allow", allow_inf_nan=True)


class _Figure(pydantic.BaseModel):
    """The picture of a dashboard's card."""

    model_config = _STRICT

    src: str
    width: str
    height: str


class _Headline(pydantic.BaseModel):
    """Its most telling number."""

    model_config = _STRICT

    name: str = ""
    value: float | None = None
    unit: str | None = None
    words: str | None = None


class _Info(pydantic.BaseModel):
    """What pages show of ``dashboard.json``, with the types that they can show; it may come from another centre."""

    model_config = _STRICT

    slug: str
    question: str
    answer: str
    run: str
    published: str
    where: str
    sector: str | None
    started: str | None
    figure: _Figure | None
    headline: _Headline | None = None
    title: str = ""
    template: str | None = None
    usecase: str | None = None
    usecase_version: str | None = None
    status: str | None = None
    duration: float | None = None
    target: str | None = None
    host: str | None = None
    kernel_host: str | None = None
    factory: str | None = None
    metrics: dict[str, bool | float | str | None] = {}
    texts: dict[str, dict[str, str]] | None = None
    language: str | None = None
    languages: list[str] | None = None
    given: dict[str, Any] = {}


@dataclass(frozen=True)
class Bundle:
    """One version of a published dashboard, at ``<slug>/versions/<number>``."""

    folder: Path

    @property
    def slug(self) -> str:
        """Name of the dashboard in addresses."""
        return self.folder.parent.parent.name

    @property
    def number(self) -> int:
        """Number of the version, from 1."""
        return int(self.folder.name)

    @property
    def info(self) -> dict[str, Any]:
        """What ``dashboard.json`` says.

        Raises
        ------
        WorkbenchError
            If it is missing or damaged: whoever reads it may rely on every key that a page shows.
        """
        content = self.read("dashboard.json")
        try:
            _Info.model_validate(content)
        except pydantic.ValidationError:
            raise self._damaged() from None
        if content["slug"] != self.slug:
            raise self._damaged()
        return content

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """Blocks of the frozen page, as publishing wrote them.

        Raises
        ------
        WorkbenchError
            If they are missing or damaged.
        """
        blocks = self.read("page.json").get("blocks")
        if not isinstance(blocks, list):
            raise self._damaged()
        if not all(isinstance(block, dict) and {"kind", "html", "model"} <= block.keys() for block in blocks):
            raise self._damaged()
        return blocks

    def read(self, name: str) -> dict[str, Any]:
        """Return one of the JSON files.

        Raises
        ------
        WorkbenchError
            If it is missing, or no JSON object.
        """
        try:
            content = read_json(self.folder / name)
        except (OSError, ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise self._damaged()
        return content

    def _damaged(self) -> WorkbenchError:
        return WorkbenchError(f"dashboard {self.slug} is damaged: delete {self.folder} and publish its run again")
