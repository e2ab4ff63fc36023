"""Controls speak the visitor's language: without a script, as they were recorded, and once a kernel answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, expect

from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.pages import translated
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from .conftest import RUN, execute, seal

_PATIENCE = 90_000  # ms; the first live view of a computer starts a server and a kernel
CELLS = [
    ("dashboard", "# Does a higher wave carry further?"),
    (
        "dashboard",
        "import matplotlib.pyplot as plt\n"
        "from genai4eu.widgets import Choice, Explorer, Range, say\n"
        "say({'en': 'Yes, by half.', 'nl': 'Ja, met de helft.'})\n"
        "def draw(height, colour, more, last):\n"
        "    fig, ax = plt.subplots()\n"
        "    ax.plot([0, height], color=colour)\n"
        "    return fig, f'A wave of {height:g} m; line'\n"
        "said = {'Height': 'Hoogte', 'How high <it> is.': 'Hoe hoog <hij> is.', 'Colour': 'Kleur', 'blue': 'blauw',\n"
        "        'More': 'Meer', 'Last': 'Laatste'}\n"
        "Explorer(draw, words={'nl': said},\n"
        "    height=Range('Height', 0, 10, step=1, value=2, unit='m', help='How high <it> is.'),\n"
        "    colour=Choice('Colour', {'blue': 'C0', 'orange': 'C1'}),\n"
        "    more=Range('More', 0, 1), last=Range('Last', 0, 1))",
    ),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed record of a notebook in two languages whose controls have words in both."""
    folder = execute(tmp_path_factory.mktemp("runs") / RUN, CELLS)
    notebook = json.loads((folder / "notebook.ipynb").read_text("utf-8"))
    notebook["cells"][0]["metadata"]["genai4eu"] = {"text": {"nl": "# Draagt een hogere golf verder?"}}
    notebook["metadata"]["genai4eu"] = {"languages": ["en", "nl"]}
    (folder / "notebook.ipynb").write_text(json.dumps(notebook), "utf-8")
    seal(folder)
    return folder


@pytest.fixture
def spoken(made: Path, house: Path) -> Iterator[Server]:
    """Serve its dashboard."""
    publish(Record(made))
    with running(dashboards_root()) as server:
        yield server


def _page(server: Server, language: str) -> BeautifulSoup:
    address = f"{server.address}d/tiny-wave-a1b2/?lang={language}"
    return BeautifulSoup(httpx.get(address).raise_for_status().text, "html.parser")


def test_the_recorded_settings_are_in_the_language_of_the_page(spoken: Server) -> None:
    dutch, english, german = (_page(spoken, name).select_one(".settings dl") for name in ("nl", "en", "de"))
    assert dutch and english and german
    assert dutch.get_text(" ", strip=True) == "Hoogte 2 m Hoe hoog <hij> is. Kleur blauw Meer 0 Laatste 0"
    assert english.get_text(" ", strip=True).startswith("Height 2 m How high <it> is. Colour blue")
    assert [found.get("lang") for found in (dutch, english, german)] == [None, None, "en"]
    bound = _page(spoken, "de").select_one("#explore .bound")
    assert bound and bound["lang"] == "en", "what is not there in a language says in which it is"


def test_half_a_translation_is_not_called_one() -> None:
    block = {"html": "", "settings": [{"label": "Height"}, {"label": "Colour"}], "words": {"nl": {"Height": "Hoogte"}}}
    assert translated.block_in(block, "nl", "en")["settings_lang"] == "en"
    assert translated.block_in({**block, "words": ["x"]}, "nl", "en")["settings"] == block["settings"]


@pytest.mark.slow
@pytest.mark.chromium
def test_widgets_speak_it_recorded_live_and_recorded_again(spoken: Server, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{spoken.address}d/tiny-wave-a1b2/?lang=nl")
    expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=_PATIENCE)

    def says_it() -> None:
        expect(page.get_by_role("slider", name="Hoogte (m)")).to_be_visible()
        expect(page.get_by_text("Hoe hoog <hij> is.").locator("visible=true")).to_have_count(1)
        expect(page.get_by_role("radio", name="blauw")).to_be_visible()
        expect(page.get_by_role("button", name="Meer instellingen")).to_be_visible()
        assert page.locator(".bound").get_by_text("Height").count() == 0

    says_it()
    page.get_by_role("slider", name="Hoogte (m)").press("ArrowRight")
    expect(page.locator("#explore-chip")).to_have_class("chip live", timeout=_PATIENCE)
    expect(page.locator(".genai4eu-picture img")).to_have_attribute("alt", "A wave of 3 m; line", timeout=_PATIENCE)
    says_it()
    page.get_by_text("orange").click()  # has no word in Dutch, and keeps its own
    expect(page.get_by_role("radio", name="orange")).to_be_checked()
    page.locator("#explore-back").click()
    says_it()
    page.close()


def test_the_words_are_in_the_bundle_once(spoken: Server) -> None:
    blocks = Bundle(Dashboard(dashboards_root() / "tiny-wave-a1b2").current.folder).blocks
    (words,) = [block["words"]["nl"] for block in blocks if block.get("words")]
    assert words["Height (m)"] == "Hoogte (m)" and words["More settings"] == "Meer instellingen"
