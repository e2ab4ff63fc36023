"""Who made a figure: said once in the notebook, shown at the figure, on its card, in its evidence, in all languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup

from genai4eu.catalogue import usecases
from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.pages.language import LANGUAGES, translations
from genai4eu.dashboards.pages.origin import BY_AI, ORIGINS
from genai4eu.dashboards.publishing.publish import check, publish
from genai4eu.dashboards.serving.server import running
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record

from .conftest import seal

Change = Callable[[str, Callable[[Any], None]], Record]
SHIPPED = [u for u in usecases() if u.distribution == "genai4eu"]
FIGURE, EXPLORER = 4, 5  # cells of the small run


def _says(**origins: str) -> Callable[[dict[str, Any]], None]:
    def edit(notebook: dict[str, Any]) -> None:
        for number, origin in origins.items():
            notebook["cells"][int(number[1:])]["metadata"]["genai4eu"] = {"origin": origin}

    return edit


def _page(address: str) -> BeautifulSoup:
    return BeautifulSoup(httpx.get(address).raise_for_status().text, "html.parser")


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_figure_says_who_made_it_wherever_it_is_seen(change: Change, origin: str) -> None:
    record = change("notebook.ipynb", _says(**{f"c{FIGURE}": origin, f"c{EXPLORER}": "generated"}))
    slug = publish(record).slug
    with running(dashboards_root()) as server:
        for language in LANGUAGES:
            words = translations(language).gettext
            label, sentence = map(words, ORIGINS[origin])
            page = _page(f"{server.address}d/{slug}/?lang={language}")
            at_figure = page.select_one(".main-figure .origin")
            assert at_figure and at_figure.get_text(" ", strip=True) == f"{label} {sentence}"
            at_controls = page.select_one("#explore .origin .origin-mark.by-ai")
            assert at_controls and at_controls.get_text() == words("AI-generated")
            assert len(page.select(".origin")) == 2, "what is not said of prose is not shown there"
            evidence = _page(f"{server.address}d/{slug}/evidence?lang={language}")
            listed = [item.get_text(" ", strip=True) for item in evidence.select(".origins li")]
            assert listed == [f"{label} The wave peaks early", f"{words('AI-generated')} A wave of 2 m"]
            card = _page(f"{server.address}?lang={language}").select_one(".thumb .origin-mark")
            assert (card.get_text() if card else None) == (label if origin in BY_AI else None)


def test_a_table_without_a_picture_says_it_too_and_prose_never(change: Change) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        _says(**{f"c{FIGURE}": "measured", "c6": "generated"})(notebook)
        data = notebook["cells"][FIGURE]["outputs"][0]["data"]
        data["text/html"] = "<table><tr><th>height</th></tr><tr><td>2</td></tr></table>"

    blocks = Bundle(publish(change("notebook.ipynb", edit)).folder).blocks
    said = {block["origin"] for block in blocks if "<table" in block["html"] and block["kind"] == "prose"}
    assert said == {"measured"} and blocks[-1]["origin"] == ""


def test_what_is_no_origin_is_refused(change: Change) -> None:
    record = change("notebook.ipynb", _says(**{f"c{FIGURE}": "magic"}))
    with pytest.raises(WorkbenchError, match="cell 5: 'magic' is no origin of a figure: use generated, mixed"):
        publish(record)


def test_a_use_case_that_generates_is_asked_who_made_its_figures(change: Change) -> None:
    record = change("notebook.ipynb", _says(**{f"c{FIGURE}": "measured"}))
    assert not [f for f in check(record) if f.kind == "origin"], "nothing is asked where no model generates"
    (record.folder / "card.json").write_text(json.dumps({"model": {"description": "A flow"}}), "utf-8")
    seal(record.folder)
    asked = [f for f in check(record) if f.kind == "origin"]
    assert [(f.where, f.refused) for f in asked] == [(f"cell {EXPLORER + 1}", False)]


@pytest.mark.parametrize("usecase", SHIPPED, ids=lambda u: u.name)
def test_every_shipped_template_says_it_of_all_that_it_shows(usecase: Any) -> None:
    cells = json.loads(usecase.notebook())["cells"]
    shown = [c for c in cells if "dashboard" in c["metadata"].get("tags", []) and c["cell_type"] == "code"][1:]
    origins = [c["metadata"].get("genai4eu", {}).get("origin") for c in shown]
    assert shown and all(origin in ORIGINS for origin in origins), origins
