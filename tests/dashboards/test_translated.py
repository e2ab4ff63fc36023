"""A dashboard's own text in several languages: frozen with all, shown in the visitor's, and what is missing told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup

from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.pages import translated
from genai4eu.dashboards.part import dashboard_cells
from genai4eu.dashboards.publishing.freeze import freeze
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record
from genai4eu.widgets import say

from .conftest import RUN, execute, seal

SOURCE = """import matplotlib.pyplot as plt
from genai4eu.widgets import figure, say
say({"en": "Yes: it is **0.5** higher. It stays.", "nl": "Ja: hij is **0,5** hoger. Dat blijft.", "it": "Sì."})
fig, axes = plt.subplots()
axes.plot([1, 2], [0.25, 4])
axes.set(xlabel="distance (m)", ylabel="height (m)")
alt = {"en": "The wave rises; line", "nl": "De golf stijgt; lijn", "it": "L'onda sale; linea"}
figure(fig, alt, title={"en": "It rises", "nl": "Hij stijgt"})"""
TEXTS = {
    1: {"nl": "# Draagt een hogere golf verder?", "it": "# Un'onda più alta va più lontano?"},
    3: {"nl": "## Wat dit niet laat zien\n\nEen echte zee.", "it": "## Cosa non mostra\n\nUn mare vero."},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed record of a notebook in several languages."""
    cells = [
        ("", "1"),
        ("dashboard", "# Does a higher wave carry further?"),
        ("dashboard", SOURCE),
        ("dashboard", "## What this does not show\n\nA real sea."),
    ]
    folder = tmp_path_factory.mktemp("runs") / RUN
    path = execute(folder, cells) / "notebook.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    for number, texts in TEXTS.items():
        notebook["cells"][number]["metadata"]["genai4eu"] = {"text": texts}
    notebook["metadata"]["genai4eu"] = {"languages": ["en", "nl", "it"]}
    path.write_text(json.dumps(notebook), "utf-8")
    seal(folder)
    return folder


@pytest.fixture
def server(made: Path, house: Path) -> Iterator[Server]:
    publish(Record(made), languages=["en", "nl"])
    with running(dashboards_root()) as started:
        yield started


def _soup(server: Server, query: str = "", accepted: str = "en", path: str = "d/tiny-wave-a1b2/") -> BeautifulSoup:
    answer = httpx.get(server.address + path + query, headers={"Accept-Language": accepted})
    return BeautifulSoup(answer.text, "html.parser")


def _text(soup: BeautifulSoup, selector: str) -> str:
    found = soup.select_one(selector)
    assert found is not None, selector
    return " ".join(found.get_text(" ", strip=True).split())


def test_a_visitor_reads_the_dashboard_in_their_language(server: Server) -> None:
    soup = _soup(server, accepted="nl")
    assert _text(soup, "h1") == "Draagt een hogere golf verder?" and _text(soup, ".answer").startswith("Ja: hij is 0,5")
    image = soup.select_one(".main-figure img")
    assert image is not None and image["alt"] == "De golf stijgt; lijn"
    assert _text(soup, "figcaption") == "Hij stijgt" and "Een echte zee" in soup.text
    assert [h.name for h in soup.select("article h1, article h2")] == ["h1", "h2"]
    assert not soup.select("article [lang]"), "all of it is in the page's language"


def test_what_is_not_there_stays_in_the_main_language_and_says_so(server: Server) -> None:
    soup = _soup(server, accepted="de")
    assert _text(soup, "h1") == "Does a higher wave carry further?"
    assert {str(e["lang"]) for e in soup.select("h1, .answer, .main-figure > div, .prose")} == {"en"}
    assert "Der Text dieses Dashboards ist auf Englisch." in soup.text
    assert "language of" not in soup.text and "is in English" not in _soup(server, accepted="en").text


def test_the_second_wish_counts_for_the_text_before_the_main_language(server: Server) -> None:
    soup = _soup(server, accepted="fr,nl;q=0.5")
    assert soup.html is not None and soup.html["lang"] == "fr"
    heading = soup.select_one("h1")
    assert heading is not None and heading["lang"] == "nl" and heading.text == "Draagt een hogere golf verder?"


def test_a_language_that_only_the_dashboard_has_is_in_its_switch(made: Path, house: Path) -> None:
    publish(Record(made), languages=["en", "nl", "it"])
    with running(dashboards_root()) as server:
        soup = _soup(server, "?lang=it", accepted="de")
        gallery = _soup(server, path="")
    assert soup.html is not None and soup.html["lang"] == "de"
    assert _text(soup, "h1") == "Un'onda più alta va più lontano?"
    assert [a["hreflang"] for a in soup.select(".languages a[aria-current]")] == ["it"]
    assert soup.select(".trust a.evidence[href='evidence?lang=it']")
    assert "it" not in {a["hreflang"] for a in gallery.select(".languages a")}


def test_the_gallery_tells_it_in_the_visitor_s_language_and_finds_it_in_any(server: Server) -> None:
    soup = _soup(server, accepted="nl", path="")
    assert (
        _text(soup, ".card h3") == "Draagt een hogere golf verder?"
        and _text(soup, ".sentence") == "Ja: hij is 0,5 hoger."
    )
    assert _soup(server, "?q=hogere", path="").select(".card")


def test_the_data_of_a_figure_is_a_table_in_the_reader_s_numbers(server: Server) -> None:
    soup = _soup(server, accepted="nl")
    assert _text(soup, ".figure-data summary") == "Gegevens van deze figuur"
    assert [th.text for th in soup.select(".figure-data thead th")] == ["distance (m)", "height (m)"]
    assert [td.text for td in soup.select(".figure-data td")] == ["0,25", "4"]


def test_words_given_at_publishing_stand_in_every_language(made: Path, house: Path) -> None:
    published = publish(Record(made), title="Is it <higher>?", languages=["en", "nl"])
    told = translated.told(Bundle(published.folder).info, "nl")
    assert told["question"] == "Is it <higher>?" and told["spoken"] == {"question": "en", "answer": "nl"}


def test_every_language_is_frozen(made: Path) -> None:
    notebook = json.loads((made / "notebook.ipynb").read_text("utf-8"))
    frozen = freeze(dashboard_cells(notebook), notebook)
    assert frozen.texts["nl"]["answer"] == "Ja: hij is 0,5 hoger. Dat blijft."
    assert frozen.texts["it"] == {"question": "Un'onda più alta va più lontano?", "answer": "Sì."}
    figure = next(b for b in frozen.blocks if b.kind == "figure")
    assert figure.texts["nl"].count("media/") == 1 and len(frozen.media.files) == 1, "one picture serves all languages"


def test_unsafe_translations_are_cleaned(made: Path) -> None:
    notebook = json.loads((made / "notebook.ipynb").read_text("utf-8"))
    notebook["cells"][3]["metadata"]["genai4eu"]["text"]["nl"] = "<script>alert(1)</script><b onclick='x()'>dik</b>"
    (html,) = [b.texts["nl"] for b in freeze(dashboard_cells(notebook), notebook).blocks if "real sea" in b.html]
    assert "dik" in html and "script" not in html and "onclick" not in html


def test_what_is_missing_is_told(made: Path) -> None:
    notebook = json.loads((made / "notebook.ipynb").read_text("utf-8"))
    cells = [(n, c) for n, c in enumerate(notebook["cells"], 1) if "dashboard" in c["metadata"].get("tags", [])]
    assert not list(translated.missing(cells, ["nl", "it"]))
    found = list(translated.missing(cells, ["fr"]))
    assert [(number, what) for number, what, _ in found] == [
        (2, "its text is not there in fr"), (3, "its sentence is not there in fr"),
        (3, "its figure has no alternative text in fr"), (4, "its text is not there in fr"),
    ]  # fmt: skip
    assert all("fr" in remedy for *_, remedy in found)


@pytest.mark.parametrize("about", [None, "nl", {"text": "x"}, {"text": {"nl": " "}}, {"text": {"nl": 3}}])
def test_metadata_of_others_is_no_text(about: Any) -> None:
    assert translated.texts_of({"cell_type": "markdown", "source": "x", "metadata": {"genai4eu": about}}) == {}


def test_title_and_summary_may_stand_in_the_notebook_s_metadata() -> None:
    about = {"genai4eu": {"title": {"nl": "Vraag?"}, "summary": {"nl": "Antwoord.", "de": "Antwort."}}}
    assert translated.headings({"metadata": about}) == {
        "nl": {"question": "Vraag?", "answer": "Antwoord."}, "de": {"answer": "Antwort."},
    }  # fmt: skip


@pytest.mark.parametrize("texts", [{}, {"en": " "}, {"en": "Yes", "nl": ""}])
def test_saying_nothing_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="say needs a text in each language"):
        say(texts)
