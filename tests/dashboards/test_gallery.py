"""The gallery: which dashboards it shows in which order, search and filters, with and without script."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from bs4 import BeautifulSoup

from genai4eu.dashboards.dashboard import Dashboard, all_dashboards, dashboards_root
from genai4eu.dashboards.pages.choice import PAGE, Choice, options
from genai4eu.dashboards.pages.entry import Entry, entries, entry, fold
from genai4eu.dashboards.pages.translated import first_sentence
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record
from genai4eu.verify.verdict import Verdict, keep, seal_of

Add = Callable[..., Dashboard]


@pytest.fixture
def add(published: Published) -> Add:
    """Put a copy of the small dashboard beside it, which says other things of itself."""

    def make(slug: str, site: dict[str, Any] | None = None, **about: Any) -> Dashboard:
        house = dashboards_root()
        shutil.copytree(house / published.slug, house / slug)
        path = house / slug / "versions" / "1" / "dashboard.json"
        said = json.loads(path.read_text("utf-8")) | {"slug": slug, **about}
        path.chmod(0o644)
        path.write_text(json.dumps(said), "utf-8")
        Dashboard(house / slug).decide(**(site or {}))
        return Dashboard(house / slug)

    return make


def _slugs(server: Server, query: str = "", **headers: str) -> list[str]:
    """Return which dashboards a page of the gallery shows, in its order."""
    answer = httpx.get(f"{server.address}{query}", headers=headers)
    assert answer.status_code == 200
    links = BeautifulSoup(answer.text, "html.parser").select(".card h3 a")
    return [str(link["href"]).split("/")[-2] for link in links]


def _choice(query: str) -> Choice:
    return Choice.asked(lambda name: parse_qs(query).get(name, [""])[0])


def _entries() -> list[Entry]:
    return entries(all_dashboards(dashboards_root()))[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Yes: 36 % (30 to 41) less. The price: none.", "Yes: 36 % (30 to 41) less."),
        ("Within 0.1 eV/atom. Über alles.", "Within 0.1 eV/atom."),
        ("As J. Smith found, e.g. rain. No.", "As J. Smith found, e.g. rain."),
        ("No end at all", "No end at all"),
        ("", ""),
    ],
)
def test_a_card_shows_the_first_sentence(text: str, found: str) -> None:
    assert first_sentence(text) == found


def test_words_are_compared_without_case_and_accents() -> None:
    assert fold("Überflutung: Łódź, CO₂ où?") == ["uberflutung", "łodz", "co2", "ou"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("q=wave", True),
        ("q=WAV higher", True),  # the beginning of each word is enough
        ("q=ave", False),
        ("q=wave storm", False),
        ("q=tiny-wave", True),
        ("q=%2B%2A%28", True),  # signs alone are no words
        ("sector=climate", True),
        ("sector=health", False),
        ("language=en&q=peak", True),
        ("factory=LUMI", False),
    ],
)
def test_what_a_choice_finds(published: Published, query: str, found: bool) -> None:
    assert bool(_choice(query).among(_entries())) is found


def test_each_filter_leaves_its_own(add: Add) -> None:
    add("soil-0001", sector="agrifood", factory="LUMI", languages=["nl", "en"], question="Hoeveel water?")
    standing = _entries()
    assert options(standing, _choice("")) == {
        "sector": ["agrifood", "climate"],
        "factory": ["LUMI"],
        "language": ["en", "nl"],
    }
    for query in ("sector=agrifood", "factory=LUMI", "language=nl", "q=lumi", "q=hoeveel"):
        assert [e.slug for e in _choice(query).among(standing)] == ["soil-0001"], query


def test_a_filter_that_parts_nothing_is_left_out(published: Published) -> None:
    assert options(_entries(), _choice("")) == {}
    assert options(_entries(), _choice("sector=health")) == {"sector": ["climate", "health"]}  # it can be undone


@pytest.mark.parametrize("page", ["", "0", "-3", "x", "٣", "9" * 30])
def test_a_page_that_is_none_is_the_first(page: str) -> None:
    assert Choice.asked(lambda name: page if name == "page" else "").page == 1


def test_the_centre_decides_the_order(add: Add, published: Published) -> None:
    add("older-0001", published="2026-01-01T00:00:00+00:00")
    add("newer-0002", published="2099-01-01T00:00:00+00:00")
    assert [e.slug for e in _entries()] == ["newer-0002", published.slug, "older-0001"]
    Dashboard(dashboards_root() / "older-0001").decide(order=2)
    Dashboard(dashboards_root() / published.slug).decide(order=1)
    assert [e.slug for e in _entries()] == [published.slug, "older-0001", "newer-0002"]


def test_an_entry_is_read_again_only_when_something_changed(
    add: Add, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    dashboard = add("soil-0001", answer="First. Second.")
    assert entry(dashboard).sentence == "First."
    reads: list[str] = []
    read = Path.read_text

    def counted(path: Path, *given: Any, **options: Any) -> str:
        reads.append(path.name)
        return read(path, *given, **options)

    monkeypatch.setattr(Path, "read_text", counted)
    assert entry(dashboard).sentence == "First." and not reads
    (dashboard.folder / "versions" / "1" / "dashboard.json").write_text(
        json.dumps({**dashboard.current.info, "answer": "Other."})
    )
    dashboard.decide(order=7)
    assert entry(dashboard).sentence == "Other." and entry(dashboard).rank == (False, 7)


@pytest.mark.parametrize(("outcome", "verified"), [("equal", True), ("different", False), ("failed", False)])
def test_the_mark_of_verification_comes_and_goes(server: Server, record: Record, outcome: str, verified: bool) -> None:
    assert "Verified" not in httpx.get(server.address).text
    seal = seal_of(record.folder)
    assert seal
    said = {"run": record.id, "seal": seal, "by": "another", "outcome": outcome, "target": "genai4eu"}
    said |= {"where": "laptop", "environment": "target", "tolerance": "exact", "started": "2026-11-21T10:00:00+00:00"}
    keep(record.folder, Verdict.model_validate(said))
    assert ("Verified" in httpx.get(server.address).text) is verified


def test_many_dashboards_come_in_pages_that_keep_the_choice(add: Add, published: Published) -> None:
    for number in range(PAGE + 3):
        add(f"wave-{number:04d}")
    add("soil-0001", sector="agrifood")
    with running(dashboards_root()) as server:
        first, second = _slugs(server, "?sector=climate&q=wave"), _slugs(server, "?sector=climate&q=wave&page=2")
        assert (len(first), len(second)) == (PAGE, 4) and not set(first) & set(second)
        assert _slugs(server, "?sector=climate&q=wave&page=99") == second
        page = BeautifulSoup(httpx.get(server.address + "?sector=climate&q=wave").text, "html.parser")
        link = page.select_one(".pages a[rel=next]")
        assert link and _slugs(server, str(link["href"]).removeprefix("./")) == second
        assert not page.select(".pages a[rel=prev]")
        images = page.select(".card img")
        assert all(i["width"] and i["height"] for i in images) and images[-1]["loading"] == "lazy"


def test_the_search_is_a_form_that_needs_no_script(server: Server, published: Published) -> None:
    answer = httpx.get(server.address + "?q=h%C3%B6her+%3Cb%3E%22")
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    page = BeautifulSoup(answer.text, "html.parser")
    form = page.select_one("form[role=search]")
    assert form and form["method"] == "get" and form.select_one("button[type=submit]")
    field = form.select_one("input[name=q]")
    assert field and field["value"] == 'höher <b>"' and "<b>" not in answer.text
    assert "0 dashboards" in page.get_text() and "fewer or shorter words" in page.get_text()
    assert _slugs(server, "?q=wave") == [published.slug]


def test_a_card_says_what_it_is_of(add: Add) -> None:
    add(
        "soil-0001",
        sector="agrifood",
        factory="LUMI",
        language="nl",
        languages=["nl", "en"],
        question="Hoeveel <i>water</i>?",
    )
    with running(dashboards_root()) as server:
        text = httpx.get(server.address + "?factory=LUMI").text
    page = BeautifulSoup(text, "html.parser")
    card = page.select_one(".card")
    assert card and "Hoeveel <i>water</i>?" in card.get_text() and "<i>" not in text
    heading = card.select_one("h3")
    assert heading and heading["lang"] == "nl"
    facts = [fact.get_text() for fact in card.select(".facts li")]
    assert facts == ["LUMI", "Nederlands", "English", "20 November 2026"]


@pytest.mark.parametrize(
    ("told", "metrics", "shown"),
    [
        ({"name": "dice", "value": 0.2663, "unit": "1", "words": "Dice at C; 1 is best"}, {}, "0.27 Dice at C"),
        (
            {"name": "water", "value": 35.597, "unit": "%", "words": "water saved, %"},
            {"water_low": 30.2, "water_high": 41.0},
            "36 % (30 to 41) water saved",
        ),
        ({"name": "dice", "value": None, "unit": "1", "words": "Dice"}, {}, None),
        ({"name": "dice", "value": 0.5, "unit": "1", "words": None}, {}, None),
        (None, {}, None),
    ],
)
def test_a_card_leads_with_its_number(add: Add, told: Any, metrics: dict[str, float], shown: str | None) -> None:
    add("soil-0001", sector="agrifood", headline=told, metrics=metrics)
    with running(dashboards_root()) as server:
        page = BeautifulSoup(httpx.get(server.address + "?sector=agrifood").text, "html.parser")
    line = page.select_one(".card .headline")
    assert (" ".join(line.get_text(" ").split()) if line else None) == shown
