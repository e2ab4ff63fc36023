"""What a lesson's toolbar asks of the seat's server: events, a clean notebook, news. And what attackers ask of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from genai4eu.courses.build import build
from genai4eu.courses.course import Course
from genai4eu.courses.desk import ASIDE, COOKIE, HAPPENED, SHARED
from genai4eu.courses.seat import WITHOUT
from genai4eu.courses.skeleton import make

from .seats import Seat, seated

pytestmark = pytest.mark.slow
LESSON = "lesson-1.ipynb"


@pytest.fixture(scope="module")
def open_seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    """One server for all tests of this file."""
    folder = tmp_path_factory.mktemp("seat")
    course = Course(make(folder / "mean", ("en", "nl")))
    shared = build(course, folder / "shared")
    with seated(folder, build(course, folder / "desk"), **{SHARED: str(shared)}) as seat:
        yield seat


@pytest.fixture
def seat(open_seat: Seat) -> Seat:
    """The seat, with nothing that happened yet."""
    shutil.rmtree(open_seat.desk.folder / ASIDE, ignore_errors=True)
    open_seat.news.write_text("")
    open_seat.told = 0
    return open_seat


def _events(seat: Seat) -> list[dict[str, Any]]:
    return [{k: v for k, v in event.items() if k != "at"} for event in seat.desk.happened()]


def test_the_language_of_the_first_page_is_the_lessons_until_another_is_chosen(seat: Seat) -> None:
    with seat.client as client:
        wanting = {"Accept-Language": "nl-BE,nl;q=0.9"}
        assert client.get("about", headers=wanting).json()["language"] == "nl"
        assert _events(seat) == [{"event": "language", "language": "nl"}]  # which the trainer's board reads
        shutil.rmtree(seat.desk.folder / ASIDE)
        clicked = {**wanting, "Cookie": f"{COOKIE}=en"}
        assert client.get("about", headers=clicked).json()["language"] == "en"
        client.post("language", json={"language": "nl"}).raise_for_status()
        assert client.get("about", headers=clicked).json()["language"] == "nl"


def test_what_a_participant_does_becomes_an_event(seat: Seat) -> None:
    asked = seat.tell("ask-look", minutes=5)
    with seat.client as client:
        for name, given in (
            ("opened", {"lesson": LESSON}),
            ("hand", {"up": True, "exercise": "exercise-1"}),
            ("language", {"language": "nl"}),
            ("consent", {"id": asked, "answer": False}),
            ("hand", {"up": False}),
        ):
            assert client.post(name, json=given).raise_for_status()
        about, progress = client.get("about").json(), client.get("progress").json()
    assert _events(seat) == [
        {"event": "opened", "lesson": LESSON},
        {"event": "hand", "exercise": "exercise-1", "lesson": LESSON},
        {"event": "language", "language": "nl"},
        {"event": "consent", "id": asked, "answer": False},
        {"event": "hand-down"},
    ]
    assert about["language"] == "nl" and about["room"]
    assert [one["own"] for one in about["languages"]] == ["English", "Nederlands"]
    assert about["lessons"][LESSON]["path"] == LESSON
    assert about["words"]["raise"] == "Hand opsteken"
    assert progress["hand"] is False
    assert progress["lessons"][LESSON]["exercises"] == [{"name": "exercise-1", "state": "trying"}]


def test_a_lesson_begins_anew_and_nothing_is_lost(seat: Seat) -> None:
    own = seat.desk.folder / LESSON
    pristine = own.read_bytes()
    with seat.client as client:
        own.write_text("mine")
        kept = client.post("reset", json={"lesson": LESSON}).json()["kept"]
        assert (seat.desk.folder / kept).read_text() == "mine"
        assert own.read_bytes() == pristine
        shutil.rmtree(seat.desk.folder / ASIDE)  # the participant deletes everything
        own.unlink()
        assert client.post("reset", json={"lesson": LESSON}).json() == {"kept": None}
        assert own.read_bytes() == pristine
        own.unlink()
        assert client.post("lay", json={"lesson": LESSON}).json() == {"laid": True}
        assert own.read_bytes() == pristine
        own.write_text("mine")
        assert client.post("lay", json={"lesson": LESSON}).json() == {"laid": False}
        assert own.read_text() == "mine"
    assert _events(seat) == [{"event": "reset", "lesson": LESSON}] * 2


def test_news_waits_until_it_is_read(seat: Seat) -> None:
    first = seat.tell("message", text={"en": "Five minutes more", "nl": "Nog vijf minuten"})
    seat.tell("ask-look", minutes=5, at=time.time() - 3600)  # nobody asks any more
    with seat.client as client:
        told = client.get("news").json()
        assert [one["text"] for one in told["news"]] == ["Five minutes more"]
        assert told["last"] == 2
        late = client.post("consent", json={"id": 2, "answer": True})
        assert late.json()["message"] == "Your trainer does not ask any more."
        client.post("read", json={"id": first}).raise_for_status()
        assert client.get("news").json()["news"] == []
        seen = client.get("news").json()["seen"]
        with httpx.Client(headers=client.headers, timeout=60) as other:  # who waits is told of what is new
            request = other.build_request("GET", f"{client.base_url}news", params={"after": 2, "seen": seen})
            seat.tell("solution", exercise="exercise-1", code="middle = 3")
            assert [one["event"] for one in other.send(request).json()["news"]] == ["solution"]
        assert client.post("solution-shown", json={"exercise": "exercise-1"}).json() == {"code": "middle = 3"}
        client.post("hand", json={"up": True})
        assert client.get("progress").json()["hand"] is True
        seat.tell("hand-down")
        assert client.get("progress").json()["hand"] is False


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("reset", {"lesson": "../../etc/passwd"}, "is no lesson of this course"),
        ("reset", {"lesson": "/etc/passwd"}, "is no lesson of this course"),
        ("reset", {"lesson": ".course/course.json"}, "is no lesson of this course"),
        ("reset", {"lesson": ["lesson-1.ipynb"]}, "lesson must be a text"),
        ("reset", {}, "lesson must be a text"),
        ("opened", {"lesson": "x\n\0"}, "is no lesson of this course"),
        ("hand", {"up": "yes"}, "up must be true or false"),
        ("hand", {"up": True, "exercise": "exercise-9"}, "has no exercise"),
        ("language", {"language": "../nl"}, "this course is in en, nl"),
        ("consent", {"id": 7, "answer": True}, "is no news of this seat"),
        ("consent", {"id": True, "answer": True}, "is no news of this seat"),
        ("read", {"id": "1"}, "is no news of this seat"),
        ("solution-shown", {"exercise": "exercise-1"}, "has not been given"),
        ("hand", [], "is no object"),
    ],
)
def test_what_nobody_may_ask_is_refused_in_words(seat: Seat, name: str, given: Any, said: str) -> None:
    with seat.client as client:
        answer = client.post(name, json=given)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert _events(seat) == []


def test_long_requests_are_refused_before_they_are_read(seat: Seat) -> None:
    with seat.client as client:
        with contextlib.suppress(httpx.TransportError):  # who is refused may still be sending
            assert client.post("hand", content=b"[" * 100_000).status_code == 400
        assert client.post("hand", content=b"[" * 9_000).status_code == 400  # deep, and short enough to be read
        assert client.post("hand", content=b"no json").status_code == 400
    with socket.create_connection(("127.0.0.1", seat.port)) as raw:  # says that gigabytes come, and sends none
        head = f"POST /genai4eu/lesson/hand HTTP/1.1\r\nHost: 127.0.0.1:{seat.port}\r\nContent-Length: 9999999999\r\n"
        raw.sendall(f"{head}Authorization: token {seat.token}\r\n\r\n".encode())
        raw.settimeout(30)
        assert b"400" in raw.recv(100)
    assert _events(seat) == []


def _refused(client: httpx.Client, address: str, headers: dict[str, str]) -> bool:
    """Tell whether a request is refused; who is refused before the request was read may find the line cut."""
    try:
        with httpx.Client(cookies=client.cookies) as fresh:  # the line is not used again
            return fresh.post(address, json={"up": True}, headers=headers).status_code in (403, 404)
    except httpx.TransportError:
        return True


def test_other_pages_and_strangers_get_nothing(seat: Seat) -> None:
    address = f"{seat.address}/genai4eu/lesson"
    with httpx.Client() as stranger:
        for path in ("about", "progress", "news"):
            assert stranger.get(f"{address}/{path}").status_code == 403
        assert _refused(stranger, f"{address}/hand", {})
    with httpx.Client() as browser:  # signed in with a cookie, as a participant's browser
        browser.get(f"{seat.address}/lab", params={"token": seat.token}, follow_redirects=True)
        assert _refused(browser, f"{address}/hand", {}), "without the token against forged requests"
        right = {"X-XSRFToken": browser.cookies["_xsrf"]}
        for origin in ("http://evil.example", "null"):
            assert _refused(browser, f"{address}/hand", {**right, "Origin": origin}), origin
        assert _events(seat) == []
        browser.post(f"{address}/hand", json={"up": True}, headers=right).raise_for_status()
    assert _events(seat) == [{"event": "hand"}]


def test_a_file_of_events_that_is_none_stops_nothing(seat: Seat) -> None:
    happened = seat.desk.folder / ASIDE / HAPPENED
    happened.parent.mkdir()
    with seat.client as client:
        os.mkfifo(happened)
        assert client.get("progress").json()["hand"] is False
        assert "cannot be written" in client.post("hand", json={"up": True}).json()["message"]
        happened.unlink()
        with happened.open("wb") as file:
            file.truncate(1 << 40)
        assert client.get("progress").json()["hand"] is False
        happened.unlink()
        happened.write_bytes(b"\xff\n" + b"[" * 5000 + b'\n{"event": 1}\n{"event": "hand", "at": "x"}\n')
        assert client.get("progress").json()["hand"] is True


def test_lab_has_the_toolbar_and_nothing_that_asks_elsewhere(seat: Seat) -> None:
    with httpx.Client() as client:
        page = client.get(f"{seat.address}/lab", params={"token": seat.token}, follow_redirects=True).text
    config = json.loads(
        page.partition('id="jupyter-config-data" type="application/json">')[2].partition("</script>")[0]
    )
    assert set(WITHOUT) <= set(config["disabledExtensions"])
    assert "genai4eu-lesson" in [one["name"] for one in config["federated_extensions"]]
    assert not config.get("news", {}).get("url") if isinstance(config.get("news"), dict) else True


def test_a_seat_without_a_course_has_no_such_pages(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with seated(tmp_path, empty) as seat, seat.client as client:
        for path in ("about", "progress", "news"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert "holds no course" in answer.json()["message"]
