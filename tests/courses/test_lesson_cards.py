"""What a check shows in a real JupyterLab, in light and dark: words, a hint, questions that load nothing.

With ``GENAI4EU_PICTURES`` a folder, pictures are kept there; with ``GENAI4EU_PICTURES_COURSE`` a course's folder, of
its first lesson instead of the tests' small one::

    GENAI4EU_PICTURES=docs/pictures GENAI4EU_PICTURES_COURSE=notebooks/courses/medical-imaging \\
        python -P -m pytest tests/courses/test_lesson_cards.py
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from genai4eu.courses.build import build
from genai4eu.courses.course import Course
from genai4eu.courses.desk import SHARED

from ..barriers import barriers_in, looks
from .seats import Seat, seated, two_lessons
from .test_questions import ASKED

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
_PATIENCE = 120_000  # ms
#: A wrong answer to the first exercise, of the tests' course and of the one in the README's pictures.
WRONG = {"exercise-1": "middle = sum(values) / len(values)", "brightest": 'order = ["fluid", "white matter", "lesion"]'}
CARD = ".jp-OutputArea-output [role=status]"


@pytest.fixture(scope="module")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    folder = tmp_path_factory.mktemp("seat")
    given = os.environ.get("GENAI4EU_PICTURES_COURSE")
    made = Path(given) if given else two_lessons(folder / "mean")
    if not given:
        (made / "questions-1.json").write_text(json.dumps(ASKED))
        notebook = nbformat.read(made / "lesson-2.ipynb", as_version=4)
        notebook.cells.append(
            nbformat.v4.new_code_cell('from genai4eu.courses import questions\nquestions("questions-1")')
        )
        nbformat.write(notebook, made / "lesson-2.ipynb")
    course = Course(made)
    shared = build(course, folder / "shared")
    with seated(folder, build(course, folder / "desk"), **{SHARED: str(shared)}) as seat:
        yield seat


def _open(browser: Browser, seat: Seat, lesson: str, width: int = 1280) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, device_scale_factor=1)
    page.goto(f"{seat.address}/lab/tree/{lesson}?reset&token={seat.token}")
    page.locator(".genai4eu-lesson").wait_for(timeout=_PATIENCE)
    page.get_by_text("| Idle").or_(page.locator("[title*='Idle']")).first.wait_for(timeout=_PATIENCE)
    return page


def _cell(page: Page, code: str) -> Locator:
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=code)).first


def _execute(page: Page, code: str) -> Locator:
    """Execute the cell that holds some code, and return it once it has its number."""
    cell = _cell(page, code)
    before = cell.locator(".jp-InputPrompt").inner_text()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    numbered = "([b, before]) => { const t = b.textContent; return t !== before && /[0-9]/.test(t); }"
    page.wait_for_function(numbered, arg=[cell.locator(".jp-InputPrompt").element_handle(), before], timeout=_PATIENCE)
    return cell


def _attempt(page: Page) -> Locator:
    """Answer the first exercise wrongly, execute the lesson until its check, ask for a hint; return that cell."""
    check = _cell(page, "check(")
    name = re.search(r'check\("([\w-]+)"', check.locator(".cm-content").inner_text())
    assert name
    own = page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text="YOUR CODE HERE")).first
    own.locator(".cm-content").fill(WRONG[name[1]])
    check.locator(".cm-content").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Above Selected Cell", exact=True).click()
    _execute(page, "check(")
    check.locator(".cm-content").fill(f'check("{name[1]}")\nhint("{name[1]}")')
    return _execute(page, 'hint("')


def _themed(page: Page, look: str) -> None:
    page.locator(f"body[data-jp-theme-light={'true' if 'light' in look else 'false'}]").wait_for(state="attached")


def test_an_attempt_is_answered_in_light_and_dark(browser: Browser, seat: Seat) -> None:
    for width in (1280, 320):
        page = _open(browser, seat, seat.desk.about["lessons"][0]["file"], width)
        _keep(page, f"lesson-{width}")
        page.set_viewport_size({"width": 1280, "height": 900})
        cell = _attempt(page)
        expect(cell.locator(CARD).first).to_contain_text("Not yet.")
        expect(cell.locator(CARD).nth(1)).to_contain_text("Hint ")
        expect(page.locator(".genai4eu-strip")).to_contain_text("0 of")
        for look in looks(page):
            _themed(page, look)
            assert not (found := barriers_in(page, context=CARD)), (look, found)
        page.emulate_media(color_scheme="light")
        _themed(page, "light")
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)
        cell.locator(CARD).first.scroll_into_view_if_needed()
        assert cell.locator(CARD).first.evaluate("e => e.scrollWidth <= e.clientWidth"), "words are cut off"
        _keep(page, f"hint-{width}")
        page.emulate_media(color_scheme="dark")
        _themed(page, "dark")  # a busy computer takes longer to change than the picture waits
        _keep(page, f"hint-dark-{width}", shown=False)
        page.close()


def test_questions_are_answered_in_the_page_and_ask_no_other_host(browser: Browser, seat: Seat) -> None:
    if "GENAI4EU_PICTURES_COURSE" in os.environ:
        pytest.skip("the tests' own course has questions")
    page = _open(browser, seat, "lesson-2.ipynb")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("window.MathJax = {version: '3.2.0'}")  # what makes jupyterquiz load one from elsewhere
    cell = _execute(page, "questions(")
    quiz = cell.locator(".Quiz").first
    expect(quiz).to_contain_text("Which value is far off?")
    quiz.locator("input").first.focus()
    page.keyboard.press("Space")
    expect(quiz.get_by_role("status")).to_have_text("Near the others.")
    page.keyboard.press("ArrowDown")
    expect(quiz.get_by_role("status")).to_have_text("Right.")
    number = cell.locator(".Quiz").nth(1)
    number.locator("input").fill("4")
    page.keyboard.press("Enter")
    expect(number.get_by_role("status")).to_have_text("Not yet.")
    page.wait_for_timeout(1000)  # jupyterquiz waits half a second before it loads
    assert not [url for url in asked if urlsplit(url).hostname not in ("127.0.0.1", None, "")]
    for look in looks(page):
        _themed(page, look)
        page.wait_for_timeout(1000)  # jupyterquiz fades its colours
        found = barriers_in(page, context=".Quiz")
        assert not found, (look, found)
    _keep(page, "questions-1280", shown=False)
    page.close()


def _keep(page: Page, name: str, shown: bool = True) -> None:
    """Hold a picture to showing something; keep it where the pictures are made, the README's or all."""
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    grey = np.asarray(picture.convert("L")).astype(int)
    assert (abs(grey - np.median(grey)) > 60).mean() > 0.01, f"{name} is empty"
    folder = os.environ.get("GENAI4EU_PICTURES") if shown else os.environ.get("GENAI4EU_PICTURES_ALL")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        few = picture.quantize(128, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(Path(folder) / f"{name}.png", optimize=True)
