"""One page to take along: all of it inside, nothing asked of anybody, evidence below, in the language asked for."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from genai4eu.dashboards.access.links import links_of
from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.publishing import single
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record

from ..barriers import barriers_in


@pytest.fixture
def page(published: Published, tmp_path: Path) -> Path:
    return single.write(Bundle(published.folder), tmp_path / "page.html")


def test_all_is_inside_and_nothing_runs(page: Path) -> None:
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    assert page.stat().st_size < 2**20
    assert soup.find(["script", "form", "button", "iframe", "noscript"]) is None
    assert all(str(i["src"]).startswith("data:image/") and i["alt"] for i in soup.find_all("img"))
    assert [str(tag["href"])[:5] for tag in soup.find_all("link")] == ["data:"]
    assert not re.search(r"url\((?!\s*[\"']?data:)", "".join(s.get_text() for s in soup.find_all("style")))
    for link in soup.find_all("a", href=True):
        target = str(link["href"])
        assert target.startswith("https://") or soup.find(id=target[1:]), target


def test_it_is_one_document_with_its_evidence_below(page: Path) -> None:
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    text = soup.get_text(" ", strip=True)
    place = 0
    for words in ("Does a higher wave", "Yes: the peak", "a copy to keep", "Height", "Evidence", "Parameters", "numpy"):
        place = text.index(words, place)
    assert "Download" not in text and "All dashboards" not in text
    levels = [int(h.name[1]) for h in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1 and all(b <= a + 1 for a, b in itertools.pairwise(levels))
    ids = [str(tag["id"]) for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_the_words_around_are_in_the_language_asked_for(published: Published) -> None:
    soup = BeautifulSoup(single.html(Bundle(published.folder), "nl"), "html.parser")
    assert soup.html is not None and soup.html["lang"] == "nl" and "kopie om te bewaren" in soup.get_text()


def test_a_hostile_title_stays_text(record: Record) -> None:
    made = publish(record, title="</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>")
    soup = BeautifulSoup(single.html(Bundle(made.folder), "en"), "html.parser")
    assert soup.find("script") is None and soup.find(onerror=True) is None and "<script>" in soup.get_text()


def test_only_such_pages_are_overwritten(published: Published, page: Path, tmp_path: Path) -> None:
    bundle = Bundle(published.folder)
    assert single.write(bundle, page, "de").read_text("utf-8") != ""
    (tmp_path / "mine.html").write_text("<p>mine", encoding="utf-8")
    for name, says in (
        ("mine.html", "something else"),
        ("x.pdf", "end with .html"),
        ("no/x.html", "cannot write"),
    ):
        with pytest.raises(WorkbenchError, match=says):
            single.write(bundle, tmp_path / name)
    assert (tmp_path / "mine.html").read_text("utf-8") == "<p>mine"


def test_a_page_too_large_to_send_is_refused(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "LARGEST", 1000)
    with pytest.raises(WorkbenchError, match=r"too large to send: write a bundle"):
        single.write(Bundle(published.folder), tmp_path / "page.html")
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.chromium
@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_chromium_opens_it_from_a_file_and_asks_nobody(
    browser: Browser, page: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    asked: list[str] = []
    said: list[str] = []
    shown = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))
    shown.goto(page.as_uri())
    assert shown.evaluate("Array.from(document.images).every(i => i.naturalWidth > 0)")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert barriers_in(shown) == []
    assert [a for a in asked if not a.startswith("data:")] == [page.as_uri()] and said == []


def test_the_command_line_writes_it_and_a_link(
    record: Record, tmp_path: Path, genai4eu: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    options = ("--html", str(tmp_path / "p.html"), "--visibility", "link", "--json")
    told = json.loads(genai4eu("publish", record.id, *options).stdout)
    assert Path(told["html"]).stat().st_size > 10_000 and re.fullmatch(r"/l/[A-Za-z0-9_-]{43}/", told["link"])
    again = publish(record, visibility="link")
    assert again.link is None and len(links_of(again.dashboard)) == 1, "a link is made once"
