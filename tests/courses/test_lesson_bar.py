"""A lesson in a real JupyterLab: its bar, a clean notebook, the trainer's news, a server that was restarted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from genai4eu.courses.build import build
from genai4eu.courses.course import Course
from genai4eu.courses.desk import SHARED

from ..barriers import barriers_in, looks, sideways
from ..patience import eventually
from .seats import Seat, seated, two_lessons

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
_PATIENCE = 60_000  # ms
LESSON = "lesson-1.ipynb"
DUTCH = "Het gemiddelde verbergt wie ver weg zit"


#: No control of the bar is cut off.
WITHIN = """bar => [...bar.querySelectorAll("button, select")].every(one => {
  const box = one.getBoundingClientRect();
  return !one.offsetParent || (box.width > 40 && box.right <= innerWidth && box.left >= 0);
})"""


@pytest.fixture(scope="module")
def open_seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    folder = tmp_path_factory.mktemp("seat")
    course = Course(two_lessons(folder / "mean"))
    shared = build(course, folder / "shared")
    with seated(folder, build(course, folder / "desk"), **{SHARED: str(shared)}) as seat:
        yield seat


@pytest.fixture
def seat(open_seat: Seat) -> Seat:
    open_seat.tidy()
    return open_seat


Sit = Callable[..., Page]


@pytest.fixture
def sit(browser: Browser, seat: Seat) -> Iterator[Sit]:
    """Open a lesson; in the end hold the page to having asked no other host, and our scripts to have raised nothing."""
    asked: set[str | None] = set()
    raised: list[str] = []

    def seated_at(lesson: str = LESSON, width: int = 1280) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("pageerror", lambda error: raised.append(error.stack or ""))
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        page.goto(f"{seat.address}/lab/tree/{lesson}?reset&token={seat.token}")
        bar(page).wait_for(timeout=_PATIENCE)
        return page

    yield seated_at
    assert asked <= {"127.0.0.1", None, ""}
    assert not [stack for stack in raised if "genai4eu" in stack]


def bar(page: Page) -> Locator:
    return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .genai4eu-lesson")


def _happened(seat: Seat, event: str) -> list[dict[str, object]]:
    return [one for one in seat.desk.happened() if one["event"] == event]


def test_a_lesson_has_its_bar_and_other_notebooks_have_none(sit: Sit, seat: Seat) -> None:
    page = sit()
    row = page.get_by_role("group", name="Lesson: The mean hides who is far off")
    expect(row).to_contain_text("0 of 1 exercise is right")
    select = row.get_by_label("Language of the lesson")
    expect(select.locator("option")).to_have_text(["English", "Nederlands"])
    select.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", name=DUTCH)).to_be_visible()
    row = page.get_by_role("group", name=re.compile("^Les:"))
    row.get_by_role("button", name="Hand opsteken").press("Enter")
    expect(row.get_by_role("button", name="Hand laten zakken")).to_have_attribute("aria-pressed", "true")
    seat.desk.note("passed", exercise="exercise-1", lesson=LESSON)
    expect(row).to_contain_text("1 van 1 oefening is goed")
    expect(row.get_by_role("button", name="Hand opsteken")).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(page.get_by_role("heading", name=DUTCH)).to_be_visible(timeout=_PATIENCE)
    expect(page.get_by_label("Taal van de les")).to_have_value("nl")
    eventually(lambda: [one["lesson"] for one in _happened(seat, "opened")] == [LESSON, LESSON])
    nbformat.write(nbformat.v4.new_notebook(), seat.desk.folder / "mine.ipynb")
    page.goto(f"{seat.address}/lab/tree/mine.ipynb?reset")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=_PATIENCE)
    page.wait_for_timeout(1000)
    assert page.locator(".genai4eu-lesson").count() == 0


def test_the_bar_has_no_barriers_on_a_phone_and_in_the_dark(sit: Sit, seat: Seat) -> None:
    page = sit(width=320)
    for look in looks(page):
        page.locator(f"body[data-jp-theme-light={'true' if 'light' in look else 'false'}]").wait_for(state="attached")
        page.wait_for_timeout(500)
        assert not (found := barriers_in(page, context=".genai4eu-lesson")), (look, found)
        assert sideways(page) == 0
        assert bar(page).evaluate(WITHIN), look
        assert bar(page).evaluate("e => e.scrollHeight <= e.clientHeight + 1"), look


def test_a_lesson_begins_anew_from_its_bar(sit: Sit, seat: Seat) -> None:
    page = sit()
    page.get_by_label("Language of the lesson").select_option("nl")
    expect(page.get_by_role("heading", name=DUTCH)).to_be_visible()
    page.locator(".jp-CodeCell .cm-content").nth(1).fill("middle = 'my own work'")
    page.get_by_role("button", name="Dit notebook opnieuw beginnen").click()
    page.get_by_role("dialog").get_by_role("button", name="Annuleren").click()
    assert not _happened(seat, "reset")
    page.get_by_role("button", name="Dit notebook opnieuw beginnen").click()
    page.get_by_role("dialog").get_by_role("button", name="Dit notebook opnieuw beginnen").click()
    expect(page.get_by_text("Uw eigen versie is bewaard als")).to_be_visible()
    expect(page.locator(".jp-NotebookPanel").get_by_text("YOUR CODE HERE")).to_be_visible()
    expect(page.get_by_role("heading", name=DUTCH)).to_be_visible()
    expect(page.locator(".jp-CodeCell .cm-content").first.locator("span").first).to_have_text("from")  # has colours
    (kept,) = seat.desk.folder.glob("lesson-1 (*).ipynb")
    assert "my own work" in kept.read_text()
    assert "YOUR CODE HERE" in (seat.desk.folder / LESSON).read_text()


def test_the_trainers_news_arrive_and_stay_until_they_are_read(sit: Sit, seat: Seat) -> None:
    page = sit()
    message = seat.tell("message", text={"en": "Five minutes <b>more</b>. " + "Then we look at it together. " * 8})
    expect(page.locator(".jp-toastContainer")).to_contain_text("From your trainer: Five minutes <b>more</b>.")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Then we look at it together. " * 7)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.reload()
    page.locator(".jp-toastContainer").get_by_role("button", name="Got it").click(timeout=_PATIENCE)
    eventually(lambda: [one["id"] for one in _happened(seat, "read")] == [message])
    seat.tell("solution", exercise="exercise-1", code="middle = sorted(values)[2]  # given")
    page.get_by_role("button", name="Insert", exact=True).click()
    sources = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content")
    expect(sources.nth(2)).to_contain_text("# given")
    expect(sources.nth(3)).to_contain_text("check(")
    eventually(lambda: [one["exercise"] for one in _happened(seat, "solution-shown")] == ["exercise-1"])
    improved = [seat.tell("lesson-changed", lesson="lesson-2.ipynb") for _ in range(2)]
    eventually(lambda: [one["id"] for one in _happened(seat, "read")][-1] == improved[0])  # one stands for both
    expect(page.get_by_text("has improved the lesson")).to_have_count(1)
    (seat.desk.folder / "lesson-2.ipynb").unlink()  # deleted: opening gives a clean one
    seat.tell("open", lesson="lesson-2.ipynb")
    expect(page.get_by_role("group", name="Lesson: The second")).to_be_visible(timeout=_PATIENCE)
    _consents(page, seat)


def _consents(page: Page, seat: Seat) -> None:
    asked = [seat.tell("ask-look", minutes=5)]
    page.get_by_role("dialog").get_by_role("button", name="Refuse").click()
    asked.append(seat.tell("ask-look", minutes=5))
    page.get_by_role("dialog").get_by_role("button", name="Allow").click()
    look = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .genai4eu-look")
    expect(look).to_contain_text("Your trainer may look at your notebook until")
    look.get_by_role("button", name="End it now").click()
    expect(look).to_be_hidden()
    answers = [(one["id"], one["answer"]) for one in _happened(seat, "consent")]
    assert answers == [(asked[0], False), (asked[1], True), (asked[1], False)]


def test_the_bar_comes_back_after_the_server_was_restarted(sit: Sit, seat: Seat) -> None:
    page = sit()
    seat.end()
    expect(page.locator(".genai4eu-lost")).to_be_visible(timeout=_PATIENCE)
    seat.tell("message", text="While you were away")
    seat.begin()
    expect(page.locator(".genai4eu-lost")).to_be_hidden(timeout=_PATIENCE)
    expect(page.locator(".jp-toastContainer")).to_contain_text("While you were away")
