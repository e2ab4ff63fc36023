"""Pages that people take home as they see them: on a phone, on a screen, on paper.

With ``GENAI4EU_PICTURES`` a folder, the pictures are kept there, as the documentation shows them::

    GENAI4EU_PICTURES=docs/pictures python -P -m pytest tests/courses/home/test_pages.py
"""

from __future__ import annotations

import datetime
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from genai4eu.courses.home.counts import Report
from genai4eu.courses.home.pages import render
from genai4eu.courses.home.record import Achievement, Lesson, Record

from ...barriers import without_barriers

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
DAY = datetime.date(2026, 11, 27)
LESSONS = {
    "Why scanners disagree": "say why two scanners give different pictures of one brain; measure how different",
    "A baseline": "train a classifier, and say on whom it fails",
    "A flow model": "say what a generative model learns, and what it cannot know",
    "Does synthetic data help, honestly?": "compare fairly: same data, same budget, several seeds",
    "Publish your result": "let somebody else check a result",
}


def _record(made_by: str, language: str, name: str | None = None) -> Record:
    lessons = [
        Lesson(title=title, goals=goals.split("; "), volumeOfLearning="PT20M", exercises=2, passed=2 - (at == 3))
        for at, (title, goals) in enumerate(LESSONS.items())
    ]
    course = Achievement(
        name="Generative AI for medical imaging in half a day", description="For who has never trained a model.",
        version="1.0", inLanguage=language, fieldOfStudy="health", level="introductory", licence="CC-BY-4.0",
        topics=["what a generative model cannot know", "bias between hospitals", "fair comparisons", "documentation"],
    )  # fmt: skip
    return Record(
        madeBy=made_by, seat="seat-07", name=name, issued=DAY, began=DAY, ended=DAY, seconds=9120, achievement=course,  # type: ignore[arg-type]
        exercises=10, passed=9, lessons=lessons,
    )  # fmt: skip


def _pages() -> Iterator[tuple[str, str]]:
    yield "completion", render("record", "en", records=[_record("room", "en")])
    yield "own", render("record", "nl", records=[_record("participant", "nl", "A. Jansen")])
    shown = {
        "title": "Generative AI for medical imaging",
        "folder": "medical-imaging-seat-07",
        "named": "completion-record",
    }
    lessons = [{"file": "lesson-1.ipynb", "title": title} for title in LESSONS]
    needs = {"needs": '"genai4eu[health]"', "extras": ["health"]}
    yield "home", render("home", "de", **shown, **needs, lessons=lessons, record=_record("room", "de"))
    counts = {
        "sector": {"health": 11, "public": 4, "unknown": 3},
        "organisation": {"small": 9, "research": 6, "unknown": 3},
    }
    report = Report(
        course={"name": "Generative AI for medical imaging", "version": "1.0", "sector": "health", "level": "advanced"},
        began=DAY, ended=DAY, participants=18, hours=41.5, passed=151, strange=1,
        counts={**counts, "service": {"skills": 18, "unknown": 0}},
    )  # fmt: skip
    yield "report", render("report", "fr", report=report)


@pytest.fixture(params=[name for name, _ in _pages()])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A page's file."""
    path = tmp_path / f"{request.param}.html"
    path.write_text(dict(_pages())[request.param], "utf-8")
    return path


def test_nobody_is_kept_out_and_nothing_is_fetched(browser: Browser, page: Path) -> None:
    without_barriers(browser, page)


def test_a_page_is_one_sheet_of_a4(browser: Browser, page: Path) -> None:
    shown = browser.new_page()
    shown.goto(page.as_uri())
    paper = shown.pdf(prefer_css_page_size=True)
    assert re.findall(rb"/Type\s*/Page\b", paper) == [b"/Type /Page"]
    (box,) = set(re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", paper))
    assert [round(float(side) / 72 * 25.4) for side in box] == [210, 297]
    shown.close()


def test_pages_are_seen(browser: Browser, page: Path) -> None:
    for width in (1280, 320):
        shown = browser.new_page(viewport={"width": width, "height": 800})
        shown.goto(page.as_uri())
        shown.evaluate("document.fonts.ready")
        picture = Image.open(io.BytesIO(shown.screenshot(full_page=page.stem == "completion" and width > 400)))
        assert len(picture.convert("L").getcolors(256) or ()) > 20, "the page is empty"
        if (folder := os.environ.get("GENAI4EU_PICTURES")) and page.stem == "completion":
            few = picture.convert("RGB").quantize(128, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(Path(folder) / f"{page.stem}-{width}.png", optimize=True)
        shown.close()
