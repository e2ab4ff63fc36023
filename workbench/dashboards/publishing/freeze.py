"""Stored outputs to the blocks of a frozen page, with no kernel and no script. Called by publishing."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ...errors import WorkbenchError
from ..pages import origin, translated
from ..part import Json, text_of
from . import recorded
from .attached import rendered
from .markup import Media, clean, from_markdown, shift_headings

VIEW_MIME = "application/vnd.jupyter.widget-view+json"
#: Written by the Explorer beside its view; a name, not an import, because any widget library may write it.
CONTROLS_MIME = "application/vnd.genai4eu.controls+json"
#: Written by ``figure`` beside its picture: the numbers that it draws.
DATA_MIME = "application/vnd.genai4eu.data+json"
_STATE_MIME = "application/vnd.jupyter.widget-state+json"
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@dataclass
class Block:
    """A piece of the page: ``prose``, ``answer``, ``figure``, ``viewer`` (a widget's picture) or ``controls``."""

    kind: str
    html: str
    settings: list[dict[str, str]] = field(default_factory=list)
    #: The HTML in the dashboard's further languages, and the numbers that a figure draws.
    texts: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    #: Of controls: their words in further languages, ``{"nl": {"Height": "Hoogte"}}``.
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Who made what it shows, one of ``pages.origin.ORIGINS``; empty where the notebook does not say.
    origin: str = ""
    #: Of a widget: its model, and which view of which code cell it is, by which the live one is found.
    model: str = ""
    cell: int = 0
    view: int = 0


@dataclass
class Frozen:
    """All blocks of a page, in the notebook's order, and the files they show."""

    blocks: list[Block] = field(default_factory=list)
    media: Media = field(default_factory=Media)
    answer: str = ""
    #: Question and answer in further languages: ``{"nl": {"question": …}}``.
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    figure: dict[str, str] | None = None
    #: Where the state of the widgets stands, and the scripts of their libraries.
    part: dict[str, Any] = field(default_factory=dict)


def freeze(cells: Sequence[Json], notebook: Json) -> Frozen:
    """Return the page's blocks.

    Parameters
    ----------
    cells : sequence of dict
        The dashboard part, executed. Its first heading is the question, which the page's frame shows.
    notebook : dict
        The whole notebook; its metadata holds the state of the widgets.

    Raises
    ------
    WorkbenchError
        If a cell failed, or shows something that a frozen page cannot hold.
    """
    page = Frozen()
    state = notebook.get("metadata", {}).get("widgets", {}).get(_STATE_MIME, {}).get("state", {})
    level, headed, number = 1, False, -1
    for cell in cells:
        number += cell["cell_type"] == "code"
        blocks = _code(cell, state, number) if cell["cell_type"] == "code" else [_prose(cell)]
        _mark(blocks, origin.declared(cell))
        for block in blocks:
            before = level, headed
            soup, level, headed = _tidy(block.html, page.media, *before)
            further = {name: _tidy(html, page.media, *before)[0] for name, html in block.texts.items()}
            block.html = str(soup).strip()
            block.texts = {name: str(other).strip() for name, other in further.items()}
            _note(block, {"": soup, **further}, page)
            if block.html or block.settings or block.model:
                page.blocks.append(block)
    _choose_controls(page.blocks)
    for name, asked in translated.questions(cells).items():
        page.texts.setdefault(name, {})["question"] = asked
    for name, given in translated.headings(notebook).items():
        page.texts.setdefault(name, {}).update(given)
    if roots := [block.model for block in page.blocks if block.model]:
        page.part = recorded.keep(roots, state, page.media)
    return page


def _mark(blocks: Sequence[Block], said: str) -> None:
    """Let the pictures of a cell say who made them; its tables, where it has no picture."""
    drawn = [b for b in blocks if b.kind in ("figure", "viewer") or "<img" in b.html]
    for block in drawn or [b for b in blocks if "<table" in b.html]:
        block.origin = said


def _tidy(html: str, media: Media, level: int, headed: bool) -> tuple[Any, int, bool]:
    """Return a piece as the page holds it, the level of its last heading, and whether the page's own was met."""
    soup = clean(html, media)
    if not headed and (first := soup.find(["h1", "h2", "h3"])):
        first.decompose()
        headed = True
    return soup, shift_headings(soup, level), headed


def _choose_controls(blocks: Sequence[Block]) -> None:
    """Make one widget the place to touch a page: the first that has controls, or else the first that is one."""
    widgets = [b for b in blocks if b.kind == "viewer"]
    chosen = next((b for b in widgets if b.settings), next(iter(widgets), None))
    if chosen:
        chosen.kind = "controls"
    for block in widgets:
        if block is not chosen:
            block.settings = []  # it shows what it recorded


def _note(block: Block, soups: Mapping[str, Any], page: Frozen) -> None:
    """Remember the answer and the main figure, which the gallery shows too."""
    if block.kind == "markdown":
        block.kind = "prose" if page.answer else "answer"
        if block.kind == "answer":
            page.answer = soups[""].get_text(" ", strip=True)
            for name in block.texts:
                page.texts.setdefault(name, {})["answer"] = soups[name].get_text(" ", strip=True)
    image = soups[""].find("img")
    if image is not None and page.figure is None:
        page.figure = {name: str(image.get(name, "")) for name in ("src", "alt", "width", "height")}
        page.figure["origin"] = block.origin


def _prose(cell: Json) -> Block:
    further = {name: rendered(text, cell) for name, text in translated.texts_of(cell).items()}
    return Block("prose", rendered(text_of(cell["source"]), cell), texts=further)


def _code(cell: Json, state: Mapping[str, Any], number: int) -> list[Block]:
    blocks = [b for b in (_output(output, state) for output in cell.get("outputs", [])) if b]
    for view, block in enumerate(b for b in blocks if b.kind == "viewer"):
        block.cell, block.view = number, view
    return blocks


def _output(output: Json, state: Mapping[str, Any]) -> Block | None:
    """Return the block of one stored output, from the richest form that needs no script."""
    if output["output_type"] == "error":
        raise WorkbenchError(
            f"the dashboard part failed with {output.get('ename', 'an error')}: mend the cell and run again"
        )
    if output["output_type"] == "stream":
        text = text_of(output["text"])
        return Block("prose", f"<pre>{escape(text)}</pre>") if output["name"] == "stdout" else None
    data: Mapping[str, Any] = output.get("data", {})
    if VIEW_MIME in data:
        return _widget(data, state)
    if "text/html" in data:
        html = text_of(data["text/html"])
        drawn = data.get(DATA_MIME, {})
        return Block("figure" if "<img" in html else "prose", html, [], translated.figure_texts(output, html), drawn)
    if "text/markdown" in data:
        further = {name: from_markdown(text) for name, text in translated.said(output).items()}
        return Block("markdown", from_markdown(text_of(data["text/markdown"])), [], further)
    if any(mime in data for mime in (*_IMAGES, "image/svg+xml")):
        return Block("figure", _image(data, output.get("metadata", {})))
    if "text/plain" in data and "application/javascript" not in data and not _ours(data):
        return Block("prose", f"<pre>{escape(text_of(data['text/plain']))}</pre>")
    return None


def _ours(data: Mapping[str, Any]) -> bool:
    """Tell whether it is a message to the workbench (metric, progress), not to the reader."""
    return any(mime.startswith("application/vnd.genai4eu.") for mime in data)


def _image(data: Mapping[str, Any], metadata: Json) -> str:
    """Return a bare image; its metadata may hold the alternative text, as IPython's ``Image(alt=…)`` writes it."""
    mime = next((m for m in _IMAGES if m in data), "image/svg+xml")
    alt = str(metadata.get(mime, {}).get("alt") or metadata.get("alt") or "")
    text = text_of(data[mime])
    body = text.replace("\n", "") if mime in _IMAGES else base64.b64encode(text.encode()).decode()
    source = f"data:{mime};base64,{body}"
    return f'<figure class="genai4eu-figure"><img alt="{escape(alt)}" src="{escape(source)}"></figure>'


def _widget(data: Mapping[str, Any], state: Mapping[str, Any]) -> Block:
    """Return the recorded picture of a widget and what its controls were set to."""
    told = data.get(CONTROLS_MIME, {})
    model = str(data[VIEW_MIME]["model_id"])
    models = _descendants(model, state)
    pictures = [told["picture"]] if "picture" in told else models
    values = [str(state.get(m, {}).get("state", {}).get("value", "")) for m in pictures]
    html = next((v for v in values if "<img" in v or "<table" in v), "")
    settings = [{**s, "help": s.get("help", "")} for s in told["controls"]] if "controls" in told else []
    shown = settings or _plain_settings(models, state)
    words = told.get("words", {})
    return Block("viewer", html, shown, words=words, model=model if _can_be_drawn(model, state) else "")


def _can_be_drawn(model: str, state: Mapping[str, Any]) -> bool:
    """Tell whether the page's script can draw a widget; of others, it shows the recorded picture."""
    names = recorded.below([model], state)
    return bool(names) and all(recorded.module(library) for library in recorded.libraries(names, state))


def _descendants(model: str, state: Mapping[str, Any]) -> list[str]:
    """Return the ids of a widget and all it contains, in the order they are shown."""
    found, waiting = [], [model]
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in state:
            continue
        found.append(name)
        children = state[name].get("state", {}).get("children", [])
        waiting[:0] = [c.removeprefix("IPY_MODEL_") for c in children]
    return found


def _plain_settings(models: Sequence[str], state: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return label and value of ordinary widgets, for notebooks that do not use the Explorer."""
    settings = []
    for name in models:
        own = state[name].get("state", {})
        value = own.get("value")
        if value is None and own.get("index") is not None and own.get("_options_labels"):
            value = own["_options_labels"][own["index"]]
        if own.get("description") and value is not None:
            settings.append({"label": str(own["description"]), "value": str(value), "unit": "", "help": ""})
    return settings
