"""Looking at a notebook: not without consent, not for longer than agreed, and nothing of it runs."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbformat import v4

from genai4eu.courses.board import looking, notebook
from genai4eu.courses.board.diary import Diary
from genai4eu.courses.board.seat import Seat
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.keeping import Keeping
from genai4eu.courses.room.news import told
from genai4eu.courses.standing import looking as seen_by_the_participant

from . import stage

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()


def _question(few: Room, ask: Callable[..., Any], minutes: int = 5) -> int:
    click = f"ask-{time.monotonic_ns()}"
    assert (
        ask("api/act", json={"act": "ask-look", "once": click, "seat": "seat-01", "minutes": minutes}).status_code
        == 200
    )
    return int(told(few, "seat-01")[-1]["id"])


def _answer(few: Room, number: int, answer: object) -> None:
    stage.tell(few, "seat-01", {"event": "consent", "id": number, "answer": answer})


def _status(ask: Callable[..., Any]) -> int:
    return int(ask("api/look/seat-01").status_code)


def test_without_a_yes_nothing_is_shown(few: Room, ask: Callable[..., Any]) -> None:
    assert _status(ask) == 403
    number = _question(few, ask)
    assert _status(ask) == 403
    for answer in (False, "yes", 1, None):
        _answer(few, number, answer)
        assert _status(ask) == 403
    _answer(few, number + 1, True)  # to a question that nobody asked
    assert _status(ask) == 403


def test_after_a_yes_the_saved_notebook_is_shown_until_it_is_taken_back(few: Room, ask: Callable[..., Any]) -> None:
    number = _question(few, ask)
    _answer(few, number, True)
    shown = ask("api/look/seat-01").json()
    assert "Why scanners disagree" in shown["html"] and "You may look until" in shown["words"]
    assert ask("api/look/seat-02").status_code == 403
    _answer(few, number, False)
    assert _status(ask) == 403


def test_the_trainer_ends_it_and_the_participant_sees_that(few: Room, ask: Callable[..., Any]) -> None:
    number = _question(few, ask)
    _answer(few, number, True)
    agreed = [{"at": time.time(), "event": "consent", "id": number, "answer": True}]
    assert seen_by_the_participant(agreed, told(few, "seat-01"), time.time()) is not None
    assert ask("api/act", json={"act": "look-end", "once": "click-1234", "seat": "seat-01"}).status_code == 200
    assert _status(ask) == 403
    assert seen_by_the_participant(agreed, told(few, "seat-01"), time.time()) is None


def test_board_and_participant_agree_on_when_it_ends(few: Room, ask: Callable[..., Any]) -> None:
    number = _question(few, ask, 10)
    agreed = [{"at": time.time(), "event": "consent", "id": number, "answer": True}]
    theirs = seen_by_the_participant(agreed, told(few, "seat-01"), time.time())
    seat = Seat("seat-01", answers={number: True})
    ours = looking.look(Diary(few), seat, time.time())
    assert theirs is not None and ours.state == "yes" and abs(ours.until - theirs["until"]) < 5
    assert looking.look(Diary(few), seat, ours.until + 1).state == "over"


def test_what_was_deleted_is_shown_as_the_room_kept_it(few: Room, ask: Callable[..., Any]) -> None:
    Keeping(few, "seat-01").look()
    (few.home("seat-01") / "lesson-1.ipynb").unlink()
    _answer(few, _question(few, ask), True)
    assert "Why scanners disagree" in ask("api/look/seat-01").json()["html"]
    for copy in (few.folder / "kept" / "seat-01").glob("*.ipynb"):
        copy.unlink()
    assert "no notebook" in ask("api/look/seat-01").json()["html"]


def test_a_link_in_place_of_the_notebook_shows_nothing_of_the_room(few: Room, ask: Callable[..., Any]) -> None:
    path = few.home("seat-01") / "lesson-1.ipynb"
    path.unlink()
    path.symlink_to(few.folder / "room.json")
    _answer(few, _question(few, ask), True)
    html = ask("api/look/seat-01").json()["html"]
    assert "no notebook" in html and few.about["token"] not in html


EVIL = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<iframe src='//evil.example'></iframe>",
    "<svg onload=alert(1)>", "<a href='javascript:alert(1)'>x</a>", "<form action='//evil.example'><input></form>",
    "<style>body{background:url(//evil.example)}</style>", "<p style='background:url(//evil.example)'>x</p>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", "<base href='//evil.example'>",
    "</pre></div></body><b>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "<link rel=stylesheet href=//evil.example>",
)  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_html_is_text_or_nothing(few: Room, evil: str) -> None:
    html = v4.new_output("display_data", data={"text/html": evil, "text/plain": evil})
    picture = v4.new_output("display_data", data={"image/png": f'"><{evil}'})
    code = v4.new_code_cell(evil, outputs=[html, picture, v4.new_output("stream", text=evil)])
    content = nbformat.writes(v4.new_notebook(cells=[v4.new_markdown_cell(evil), code])).encode()
    page = looking.page(looking.Saved(0, content), "lesson-1.ipynb", "en")
    body = page.partition("</style>")[2].lower()
    assert not re.search(r"<(script|img|iframe|svg|form|style|meta|base|link|a|input)\b", body), body
    assert not re.search(r"<[^>]*\s(style|on\w+|href|src)=", body), body
    assert body.count("</body>") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"[" * 100_000, b"{}", b'{"cells": 3}', b'{"cells": {"a": 1}}', b"null",
        b'{"cells": [1, null, "x"]}',
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_told_so(content: bytes) -> None:
    assert not notebook.cells(content)
    assert "<h1>" in looking.page(looking.Saved(0, content), "x", "en")


def test_odd_cells_are_shown_as_far_as_they_are_any() -> None:
    odd = [
        {"cell_type": "code", "source": ["a\n", 3, "b"], "outputs": {"a": 1}}, {"cell_type": 3, "source": None},
        {"cell_type": "code", "source": "x", "outputs": [3, {"output_type": "error", "ename": 1, "evalue": "<b>"},
         {"output_type": "display_data", "data": [1]}, {"output_type": "display_data", "data": {"image/png": ["a"]}}]},
    ]  # fmt: skip
    found = notebook.cells(json.dumps({"cells": odd}).encode())
    assert found is not None and len(found) == 3 and found[0]["html"] == "a\nb"
    assert "&lt;b&gt;" in str(found[2]["outputs"])


def test_pictures_are_shown_and_floods_are_cut() -> None:
    outputs = [v4.new_output("display_data", data={"image/png": PNG})]
    outputs += [v4.new_output("stream", text="x" * 100_000) for _ in range(50)]
    many = [v4.new_code_cell("1", outputs=outputs)] + [v4.new_code_cell("2") for _ in range(5000)]
    found = notebook.cells(nbformat.writes(v4.new_notebook(cells=many)).encode())
    assert found is not None and len(found) == 400
    assert f'src="data:image/png;base64,{PNG}"' in found[0]["outputs"][0]
    assert sum(len(str(output)) for cell in found for output in cell["outputs"]) < 800_000


@pytest.mark.parametrize("letters", ["[", "_*", "<", "<b>"])
def test_no_text_keeps_the_board_busy(letters: str) -> None:
    began = time.process_time()
    content = {"cells": [{"cell_type": "markdown", "source": letters * 2500}] * 400}
    assert notebook.cells(json.dumps(content).encode()) is not None
    assert time.process_time() - began < 20  # of a processor: what is quadratic takes minutes


def _shown(html: str, kind: str = "text/html") -> str:
    """Return what is shown of an output."""
    output = {"output_type": "display_data", "data": {kind: html}}
    found = notebook.cells(json.dumps({"cells": [{"cell_type": "code", "source": "", "outputs": [output]}]}).encode())
    assert found is not None
    return "".join(found[0]["outputs"])


def test_marks_left_open_are_shown_as_text() -> None:
    bomb = "<p>" + "".join(f"<B/a={number}>" for number in range(1250)) + "<p>x" * 2500
    assert _shown(bomb).startswith("<pre>&lt;p&gt;&lt;B/a=0&gt;")
    markdown = {"cells": [{"cell_type": "markdown", "source": bomb[:900] + "<p>x" * 500}] * 13}
    began = time.process_time()
    found = notebook.cells(json.dumps(markdown).encode())
    assert found is not None and sum(len(cell["html"]) for cell in found) < 2_000_000
    assert time.process_time() - began < 20  # of a processor
    table = "<table>" + "<tr><td><b>1</b></td><td>2</td></tr>" * 50 + "</table>"
    assert _shown(table).count("<b>") == 50


def test_a_notebook_that_fills_the_memory_is_not_read() -> None:
    assert notebook.cells(b'{"cells": [' + b"{}," * 3_000_000 + b"{}]}") is None
    big = json.dumps({"cells": [], "metadata": {"x": "x" * (9 << 20)}}).encode()
    assert notebook.cells(big) is None and notebook.cells(big.replace(b"x" * (2 << 20), b"")) == []
