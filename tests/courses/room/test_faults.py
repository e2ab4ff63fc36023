"""What goes wrong in a lesson: nobody else notices, and nothing is lost. In a real room of three seats."""

from __future__ import annotations

import contextlib
import datetime
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from genai4eu.courses.course import Course
from genai4eu.courses.room import caretaker, disks, processes
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.news import told
from genai4eu.courses.room.removing import give_back

from ...stack import MOST as LEFT_OUT  # kernels are forked with torch, and no lesson here wants more
from .browser import Browser
from .opened import TOOL, Opened, left_behind, opened

pytestmark = pytest.mark.slow
_PATIENCE = 90_000  # ms


@pytest.fixture(scope="module")
def one(open_room: Opened) -> Browser:
    """Who has bad luck, at the first seat."""
    return open_room.browser("seat-01")


@pytest.fixture(scope="module")
def other(open_room: Opened) -> Browser:
    """Who must not notice, at the second seat."""
    return open_room.browser("seat-02")


@pytest.fixture(scope="module")
def unmoved(other: Browser) -> Callable[[], None]:
    """Look whether the other seat's kernel still has its variable."""
    kernel = other.kernel()
    other.run("kept = 41", kernel)

    def look() -> None:
        assert other.run("print(kept + 1)", kernel).strip() == "42"

    return look


def _until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.2)


def _again(browser: Browser, kernel: str, code: str) -> str:
    """Execute in a kernel that may just be started again."""
    for _ in range(20):
        try:
            return browser.run(code, kernel, patience=15)
        except (TimeoutError, OSError):
            time.sleep(0.5)
    raise AssertionError("the kernel does not come back")


def test_a_killed_kernel_is_started_again(one: Browser, unmoved: Callable[[], None]) -> None:
    kernel = one.kernel()
    pid = int(one.run("import os; print(os.getpid())", kernel))
    psutil.Process(pid).kill()
    _until(lambda: not psutil.pid_exists(pid), "the kernel is still there")
    assert int(_again(one, kernel, "import os; print(os.getpid())")) != pid
    assert "Nothing is called “check” here yet" in one.run("check('exercise-1')", kernel)  # the imports are gone
    unmoved()


def test_a_seat_without_memory_loses_its_kernel_and_keeps_its_server(
    open_room: Opened, one: Browser, unmoved: Callable[[], None]
) -> None:
    server, kernel = open_room.server("seat-01").pid, one.kernel()
    pid = int(one.run("import os; print(os.getpid())", kernel))
    with contextlib.suppress(TimeoutError, OSError):  # whichever comes first to who asks a kernel that is killed
        one.run("held = [bytearray(b'x') * (64 << 20) for _ in range(40)]", kernel, patience=20)
    _until(lambda: not psutil.pid_exists(pid), "a kernel that takes more than its seat has lives on")
    assert open_room.server("seat-01").pid == server
    assert _again(one, kernel, "print('back')").strip() == "back"
    _until(
        lambda: "memory" in [news["event"] for news in told(open_room.room, "seat-01")],
        "its participant is not told that it was the memory",
    )
    assert "memory" not in [news["event"] for news in told(open_room.room, "seat-02")]
    unmoved()


def test_a_full_disk_is_the_seats_own(one: Browser, other: Browser, unmoved: Callable[[], None]) -> None:
    kernel = one.kernel()
    assert "No space left" in one.run("open('full', 'wb').write(bytes(100 << 20))", kernel)
    assert other.run("print(open('small', 'w').write('x'))").strip() == "1"
    assert one.run("import os; os.remove('full'); print(open('small', 'w').write('x'))", kernel).strip() == "1"
    unmoved()


def test_a_closed_browser_finds_its_variables_again(open_room: Opened, one: Browser) -> None:
    kernel = one.kernel()
    one.run("before = 1", kernel)
    fresh = Browser(open_room.room.address)
    fresh.seat, fresh.http.cookies = one.seat, one.http.cookies
    assert fresh.run("print(before)", kernel).strip() == "1"


def test_output_without_an_end_is_the_seats_own_trouble(
    open_room: Opened, one: Browser, unmoved: Callable[[], None]
) -> None:
    kernel = one.kernel()
    begun = open_room.room.home("seat-01") / "begun"
    with pytest.raises(TimeoutError):
        one.run("import pathlib\npathlib.Path('begun').touch()\nwhile True: print('x' * 1000)", kernel, patience=3)
    _until(begun.exists, "the cell did not begin")
    unmoved()
    assert one.api("POST", f"kernels/{kernel}/interrupt").status_code == 204
    _until(lambda: "calm" in _again(one, kernel, "print('calm')"), "the kernel is not calm")


def test_who_deletes_everything_gets_it_back(open_room: Opened, one: Browser) -> None:
    home = open_room.room.home("seat-01")
    one.run("from genai4eu.courses.desk import here; here().note('tried', exercise='exercise-1')")
    kept = open_room.room.folder / "kept" / "seat-01"
    _until(lambda: (kept / "progress.jsonl").exists() and (kept / "kept.jsonl").exists(), "nothing was kept")
    lesson = (home / "lesson-1.ipynb").read_bytes()
    one.run("import os; os.system('rm -rf ~/* ~/.[!.]* /tmp/* 2>/dev/null')")
    assert not (home / "lesson-1.ipynb").exists()
    _until(lambda: (home / ".course" / "progress.jsonl").exists(), "progress did not come back")
    assert '"exercise-1"' in (home / ".course" / "progress.jsonl").read_text()
    assert "lesson-1.ipynb" in give_back(open_room.room, "seat-01")
    assert (home / "lesson-1.ipynb").read_bytes() == lesson
    assert (home / "lesson-1.ipynb").stat().st_uid == open_room.room.people.owner("seat-01")[0]
    assert one.run("from genai4eu.courses.desk import here; print(here().folder)").strip() == str(home)


def test_a_code_opens_once_and_who_has_none_is_told_so(open_room: Opened) -> None:
    code = open_room.codes["seat-03"]
    open_room.browser("seat-03", code.lower().replace("-", " "))
    late = Browser(open_room.room.address)
    answer = late.sign_in(code)
    assert answer.status_code == 403 and "has been used already" in answer.text and not late.seat
    assert "No seat has this code" in late.sign_in("ABCD-EFGH").text


def test_twelve_people_with_three_codes_come_at_once(open_room: Opened, unmoved: Callable[[], None]) -> None:
    codes = [open_room.room.give_code(seat) for seat in open_room.room.seats]
    people = [Browser(open_room.room.address) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda who: who[0].sign_in(who[1]), zip(people, codes * 4, strict=True)))
    assert sorted(person.seat for person in people if person.seat) == open_room.room.seats
    refused = [answer for person, answer in zip(people, answers, strict=True) if not person.seat]
    assert len(refused) == 9 and all("has been used already" in answer.text for answer in refused)
    unmoved()


def test_a_lesson_that_is_edited_while_people_work(
    open_room: Opened, one: Browser, unmoved: Callable[[], None]
) -> None:
    room, kernel = open_room.room, one.kernel()
    course = Course(room.folder.with_name("mean"))
    lesson = course.folder / "lesson-1.ipynb"
    one.run("mine = 7", kernel)
    lesson.write_text(lesson.read_text("utf-8").replace("The mean hides", "A mean conceals"), "utf-8")
    assert "conceals" not in (room.home("seat-02") / "lesson-1.ipynb").read_text("utf-8")
    subprocess.run([TOOL, "course", "update", str(room.folder), str(course.folder)], check=True, timeout=120)
    assert "conceals" in (room.home("seat-02") / "lesson-1.ipynb").read_text("utf-8")
    assert "lesson-changed" in [news["event"] for news in told(room, "seat-02")]
    assert one.run("print(mine)", kernel).strip() == "7"
    unmoved()


def test_a_killed_hub_interrupts_nobody(open_room: Opened, one: Browser, unmoved: Callable[[], None]) -> None:
    server = open_room.server("seat-01").pid
    open_room.part("hub").kill()
    unmoved()
    assert one.run("print('meanwhile')").strip() == "meanwhile"
    _until(lambda: "hub" in processes.living(open_room.room), "no other hub")
    _until(lambda: one.http.get("/hub/home").status_code == 200, "the hub has forgotten a browser")
    assert open_room.server("seat-01").pid == server
    assert one.api("GET", "contents").status_code == 200


def test_a_killed_proxy_comes_back_with_its_seats(open_room: Opened, one: Browser) -> None:
    open_room.kill("proxy")

    def there() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return one.api("GET", "contents").status_code == 200
        return False

    _until(there, "the seat is not there again")
    assert one.run("print('here')").strip() == "here"


def test_a_server_that_nobody_uses_is_ended_and_comes_again(
    open_room: Opened, unmoved: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = open_room.room
    open_room.browser("seat-03").run("open('mine.txt', 'w').write('my work')")
    idle, used = open_room.server("seat-03"), open_room.server("seat-02")
    monkeypatch.setattr(caretaker, "UNUSED", 2.0)  # seconds
    time.sleep(2)
    for seat in ("seat-01", "seat-02"):  # as their pages do while they are open
        _active(room, seat)
    said: list[str] = []
    caretaker.Caretaker(room, said.append).cull()
    _until(lambda: not idle.is_running(), "a server that nobody uses lives on")
    assert used.is_running() and open_room.server("seat-01").is_running() and said == []
    unmoved()
    assert open_room.browser("seat-03").run("print(open('mine.txt').read())").strip() == "my work"


def _active(room: Room, seat: str) -> None:
    """Tell the hub that a seat is used at this moment."""
    address = f"http://127.0.0.1:{room.about['hub_port']}/hub/api/users/{seat}/activity"
    now = datetime.datetime.now(datetime.UTC).isoformat()
    asked = {"last_activity": now, "servers": {"": {"last_activity": now}}}
    httpx.post(address, json=asked, headers={"Authorization": f"token {room.about['token']}"}).raise_for_status()


def test_killed_forges_leave_seats_alone(open_room: Opened, one: Browser, unmoved: Callable[[], None]) -> None:
    server = open_room.server("seat-01").pid
    for name in ("servers", "kernels"):
        open_room.kill(name)
    unmoved()
    assert psutil.pid_exists(server)
    assert one.run("import sys; print('torch' in sys.modules)").strip() == "True"


@pytest.mark.chromium
def test_stopped_and_gone_the_room_comes_back_as_it_was(open_room: Opened, one: Browser, browser: Chromium) -> None:
    """Last, for it ends the room: like a computer that is switched off, and installed anew."""
    room, used = open_room.room, open_room.room.give_code("seat-03")
    open_room.browser("seat-03", used)
    one.run("open('mine.txt', 'w').write('my work')")
    page = browser.new_page()
    page.goto(room.address)
    page.get_by_role("textbox").fill(room.give_code("seat-02"))
    page.keyboard.press("Enter")
    page.get_by_text("| Idle").first.wait_for(timeout=_PATIENCE)
    _executes(page, 0)
    page.wait_for_timeout(3000)  # JupyterLab asks whoever is there about each request that fails half way
    for process in [*processes.living(room).values(), *processes.left(room)]:
        process.kill()
    open_room.process.wait(60)
    _until(lambda: not list(processes.left(room)), "processes are left")
    for seat in room.seats:
        disks.unmount(room, seat)
    room.people.remove(room.seats)
    with opened(room.folder, "resume", str(room.folder), left_out=LEFT_OUT) as again:
        assert (room.home("seat-01") / "mine.txt").read_text() == "my work"
        expect(page.locator(".genai4eu-lost")).to_be_hidden(timeout=_PATIENCE)  # it has signed in by itself
        _executes(page, 1)
        assert one.http.get("/user/seat-01/lab").url.path == "/user/seat-01/lab"  # as a browser that loads it again
        assert one.run("print(open('mine.txt').read())").strip() == "my work"
        late = Browser(room.address)
        assert late.sign_in(used).status_code == 403
        out = room.folder.with_name("work.zip")
        subprocess.run([TOOL, "course", "stop", str(room.folder), "--out", str(out)], check=True, timeout=120)
        assert again.process.wait(60) == 0
    assert out.stat().st_size > 1000 and left_behind(room) == []


def _executes(page: Page, number: int) -> None:
    """Execute a cell as the first one of a kernel, with nothing to answer before."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.locator(".cm-content").click(timeout=_PATIENCE)
    page.keyboard.press("Shift+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text("[1]:", timeout=_PATIENCE)
    expect(page.get_by_role("dialog")).to_have_count(0)
