"""The board as its trainer sees it, with twenty seats in the middle of a lesson, in a real browser.

With ``GENAI4EU_PICTURES`` a folder, the pictures that the documents show are kept there.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from genai4eu.courses.board import hub
from genai4eu.courses.board.diary import Diary
from genai4eu.courses.board.server import Server
from genai4eu.courses.board.sheets import Sheets
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.news import told
from genai4eu.courses.room.people import People

from ...barriers import barriers_in, looks, sideways
from ...pictures import keep
from . import stage

pytestmark = [pytest.mark.chromium, pytest.mark.slow]


@pytest.fixture
def full(lessons: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """Twenty seats in the middle of the second lesson, whose servers run but for one that waits for its turn."""
    monkeypatch.setattr(People, "possible", staticmethod(lambda: False))
    room, codes = stage.room(tmp_path, 20, *lessons)
    stage.lively(room, codes)

    async def servers(*_: object) -> dict[str, hub.Server]:
        return {seat: hub.Server("waiting" if seat == "seat-18" else "on", 1.0) for seat in room.seats}

    monkeypatch.setattr(hub, "servers", servers)
    return room


@pytest.fixture
def board(browser: Browser, full: Room, serve: Callable[[Room], Server]) -> Page:
    """The board, opened with its key; whatever a script complains of fails the test."""
    server = serve(full)
    page = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800}).new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{server.address}#key={full.about['board_key']}")
    expect(page.locator("#row-seat-20")).to_be_visible()
    return page


def test_the_key_stays_with_the_tab(board: Page, browser: Browser, full: Room) -> None:
    assert full.about["board_key"] not in board.url
    board.reload()
    expect(board.locator("#row-seat-01")).to_be_visible()
    stored = board.evaluate("[document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]")
    assert stored == ["", "{}", "{}"]
    other = board.context.new_page()  # of the same browser, on the same host: a participant's page would be one
    other.goto(board.url)
    expect(other.locator("#key")).to_be_focused()
    expect(other.locator("#row-seat-01")).to_have_count(0)
    other.fill("#key", "wrong")
    other.keyboard.press("Enter")
    expect(other.locator("#wrong")).to_be_visible()
    other.fill("#key", full.about["board_key"])
    other.keyboard.press("Enter")
    expect(other.locator("#row-seat-01")).to_be_visible()
    other.click("#leave")
    expect(other.locator("#row-seat-01")).to_have_count(0)
    other.reload()
    expect(other.locator("#key")).to_be_visible()


def test_no_barriers_at_any_width_and_colour(board: Page, full: Room) -> None:
    for name in looks(board):
        assert not (found := barriers_in(board)), (name, found)
        assert sideways(board) == 0, name
        board.click("#more-seat-07")
        expect(board.locator("#seat-dialog")).to_be_visible()
        assert not (found := barriers_in(board, context="#seat-dialog")), (name, found)
        board.keyboard.press("Escape")
        expect(board.locator("#more-seat-07")).to_be_focused()
    for code, words in (("nl", "Plaats 7"), ("de", "Platz 7"), ("fr", "Place 7")):
        board.click(f"[data-language={code}]")
        expect(board.locator("#row-seat-07 th")).to_contain_text(words)
        assert board.evaluate("document.documentElement.lang") == code and sideways(board) == 0


def test_who_waits_longest_stands_first_and_a_hand_is_heard_once(board: Page, full: Room) -> None:
    hands = board.locator("#hands ol strong")
    expect(hands).to_have_text(["Seat 7", "Seat 12"])
    board.evaluate("""() => {
        const news = document.getElementById("news");
        window.heard = [];
        new MutationObserver(() => heard.push(news.textContent)).observe(news, {childList: true});
    }""")
    stage.tell(full, "seat-01", {"event": "hand", "exercise": "exercise-4"})
    expect(hands).to_have_text(["Seat 7", "Seat 12", "Seat 1"], timeout=60_000)
    board.wait_for_timeout(2500)  # another look changes nothing: it is not said again
    assert board.evaluate("heard") == ["Seat 1 asks for help."]
    board.focus("#down-seat-07")
    board.keyboard.press("Enter")
    expect(hands).to_have_text(["Seat 12", "Seat 1"])
    expect(board.locator("#said")).to_have_text("The hand of Seat 7 is down.")
    board.click("#undo")
    expect(hands).to_have_text(["Seat 7", "Seat 12", "Seat 1"])


def test_the_next_lesson_opens_for_all_after_a_question_and_once(board: Page, full: Room) -> None:
    board.click("[data-act=open][data-lesson]")
    expect(board.locator("#sure-words")).to_contain_text("A flow model")
    board.click("#sure-no")
    assert not told(full, "seat-05")
    board.click("[data-act=open][data-lesson]")
    board.dblclick("#sure-yes", delay=5)
    expect(board.locator("#said")).to_contain_text("opens for everybody")
    assert [news["event"] for news in told(full, "seat-05")] == ["open"]


def test_what_is_being_typed_stays_while_the_board_goes_on(board: Page, full: Room) -> None:
    board.fill("#text-en", "Back at eleven")
    stage.tell(full, "seat-02", {"event": "hand"})
    expect(board.locator("#hands ol strong")).to_have_count(3, timeout=60_000)
    expect(board.locator("#text-en")).to_have_value("Back at eleven")
    board.locator("form[data-act=message] button").first.click()
    expect(board.locator("#said")).to_contain_text("sent to everybody")
    assert told(full, "seat-20")[-1]["text"] == {"en": "Back at eleven"}
    expect(board.locator("#diary")).to_contain_text("read by 0 of 20")


def test_a_board_that_hears_nothing_says_so_and_goes_on_by_itself(board: Page, full: Room) -> None:
    board.route("**/api/state*", lambda route: route.abort())
    expect(board.locator("#fresh")).to_have_class("fresh stale", timeout=30_000)
    expect(board.locator("#fresh")).to_contain_text("does not answer")
    board.unroute("**/api/state*")
    expect(board.locator("#fresh")).to_have_class("fresh", timeout=60_000)


def test_a_hostile_notebook_is_shown_and_does_nothing(board: Page, full: Room) -> None:
    asked: list[str] = []
    board.context.on("request", lambda request: asked.append(request.url))
    evil = "<script>top.x = 1</script><img src='http://evil.example/x' onerror='top.x = 1'><b>bold</b>"
    output = {"output_type": "display_data", "data": {"text/html": evil}}
    cells = [{"cell_type": "markdown", "source": evil}, {"cell_type": "code", "source": "1", "outputs": [output]}]
    (full.home("seat-07") / "lesson-2.ipynb").write_text(json.dumps({"cells": cells}))
    board.click("#more-seat-07")
    board.click("#seat-dialog [data-act=ask-look] button")
    expect(board.locator("#look-seat-07")).to_contain_text("not answered yet")
    stage.tell(full, "seat-07", {"event": "consent", "id": told(full, "seat-07")[-1]["id"], "answer": True})
    board.click("#look-seat-07 [data-look]", timeout=60_000)
    frame = board.frame_locator("#look-frame")
    expect(frame.locator("b")).to_have_text(["bold", "bold"])
    assert board.evaluate("window.x") is None and not [url for url in asked if "evil" in url]
    assert frame.locator("body").evaluate("getComputedStyle(document.querySelector('.cell')).borderRadius") == "4px"
    board.click("#look-stop")
    expect(board.locator("#look-seat-07 [data-act=ask-look]")).to_be_visible(timeout=60_000)


def test_what_is_typed_of_a_seat_is_shown_and_taken_back(board: Page, full: Room) -> None:
    board.click("#more-seat-09")
    board.fill("#seat-name", "Bo <i>")
    board.press("#seat-name", "Enter")
    expect(board.locator("#seat-said")).to_have_text("You call it Seat 9 (Bo <i>).")
    expect(board.locator("#seat-dialog-head")).to_have_text("Seat 9 (Bo <i>)")
    board.click("#seat-undo")
    expect(board.locator("#seat-dialog-head")).to_have_text("Seat 9")
    board.select_option("#seat-organisation", "small")
    board.click("form[data-act=about] button")
    expect(board.locator("#seat-said")).to_contain_text("written down")
    expect(board.locator("#seat-organisation")).to_have_value("small")
    assert Diary(full).about("seat-09")["organisation"] == "small"


def test_a_new_code_is_shown_large_and_printed(board: Page, full: Room) -> None:
    board.click("#more-seat-19")
    board.click("#seat-dialog [data-act=code]")
    board.click("#sure-yes")
    code = board.locator("#card .code").inner_text()
    assert not barriers_in(board, context="#card")
    board.click("#card [data-close]")
    board.click("#seat-dialog [data-close]")
    board.click("[data-sheet=codes]")
    sheet = board.frame_locator("#sheet-frame")
    expect(sheet.locator(".card .code")).to_have_text([code])
    assert sheet.locator(".qr").evaluate("qr => qr.complete && qr.naturalWidth > 0")
    assert sheet.locator("body").evaluate("body => getComputedStyle(body).maxWidth") != "none"


@pytest.mark.parametrize("name", ["codes", "information-en", "information-nl", "information-de", "information-fr"])
def test_sheets_have_no_barriers(browser: Browser, full: Room, name: str) -> None:
    sheets = Sheets(full)
    sheets.write({"seat-19": full.give_code("seat-19"), "seat-20": full.give_code("seat-20")})
    for width in (320, 1280):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto((sheets.folder / f"{name}.html").as_uri())
        assert not (found := barriers_in(page)), found
        assert sideways(page) == 0


def test_the_board_is_seen(board: Page, full: Room) -> None:
    for width in (1280, 320):
        board.set_viewport_size({"width": width, "height": 1100 if width > 400 else 640})
        board.evaluate("document.fonts.ready")
        time.sleep(0.3)
        seats = board.locator(".seats").bounding_box()
        assert seats is not None
        whole = {"x": 0, "y": 0, "width": width, "height": seats["y"] + seats["height"] + 24 if width > 400 else 640}
        picture = board.screenshot(full_page=True, clip=whole)  # type: ignore[arg-type]
        keep("board", width, Image.open(io.BytesIO(picture)).convert("RGB"))
    assert board.locator("td.passed .mark").count() > 20 and board.locator("td.help").count() == 1
