"""What a participant reaches who wants to reach others: tried from a kernel of their own, in a real room."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from genai4eu.courses.shipped import shipped

from ...stack import MOST as LEFT_OUT  # noqa: F401  # the room has kernels with torch, and no more is asked of them
from .browser import Browser
from .opened import Opened

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def attacker(open_room: Opened) -> Browser:
    """A browser at the first seat."""
    return open_room.browser("seat-01")


@pytest.fixture(scope="module")
def victim(open_room: Opened) -> Browser:
    """A browser at the second seat."""
    return open_room.browser("seat-02")


@pytest.fixture(scope="module")
def tried(attacker: Browser) -> Callable[[str], str]:
    """Execute code in the attacker's kernel, and return what it printed."""
    kernel = attacker.kernel()
    return lambda code: attacker.run(code, kernel)


def test_the_kernel_is_forked_and_the_seats_own(open_room: Opened, tried: Callable[[str], str]) -> None:
    said = json.loads(
        tried("import os, json, sys; print(json.dumps([os.getuid(), 'torch' in sys.modules, os.getcwd()]))")
    )
    assert said == [open_room.room.people.owner("seat-01")[0], True, str(open_room.room.home("seat-01"))]


def test_nothing_of_the_room_or_of_others_is_visible(open_room: Opened, tried: Callable[[str], str]) -> None:
    folder = open_room.room.folder
    names = ["seats/seat-02", "room.json", "codes.json", "solutions.json", "run", "hub", "kept", "board.jsonl", "disks",
             "news/seat-02.jsonl", "tmp/seat-02"]  # fmt: skip
    code = f"import os; print([n for n in {names!r} if os.path.lexists(os.path.join({str(folder)!r}, n))])"
    assert tried(code).strip() == "[]"
    shown = tried(
        f"import os; print(os.access({str(folder / 'course')!r}, os.W_OK), os.path.exists({str(folder / 'course')!r}))"
    )
    assert shown.strip() == "False True"


def test_no_program_gives_more_rights(tried: Callable[[str], str]) -> None:
    assert "NoNewPrivs:\t1" in tried("print(open('/proc/self/status').read())")


def test_no_solution_is_within_reach(open_room: Opened, tried: Callable[[str], str]) -> None:
    own = open_room.room.folder.with_name("mean")
    assert "BEGIN SOLUTION" in (own / "lesson-1.ipynb").read_text()
    folders = [own, *shipped().values(), Path(__file__).parents[3] / ".git", Path(__file__).parent, Path("/root")]
    code = f"import os; print([p for p in {list(map(str, folders))!r} if os.path.isdir(p) and os.access(p, os.R_OK)])"
    assert tried(code).strip() == "[]"


def test_even_without_the_view_others_files_are_closed(open_room: Opened) -> None:
    folder = open_room.room.folder
    for path in (
        "room.json",
        "codes.json",
        "solutions.json",
        "run",
        "hub",
        "kept",
        "disks",
        "seats/seat-02",
        "tmp/seat-02",
    ):
        about = (folder / path).stat()
        assert not about.st_mode & 0o077, path
        assert about.st_uid in (0, open_room.room.people.owner("seat-02")[0])


def test_temporary_files_are_the_seats_own(tried: Callable[[str], str], victim: Browser) -> None:
    tried("open('/tmp/mine', 'w').write('x'); open('/dev/shm/mine', 'w').write('x')")
    assert victim.run("import os; print(os.listdir('/tmp').count('mine'), os.listdir('/dev/shm'))").strip() == "0 []"
    assert not Path("/tmp/mine").exists()


def test_nobody_elses_processes_are_visible_or_within_reach(open_room: Opened, tried: Callable[[str], str]) -> None:
    pids = [open_room.server("seat-02").pid, open_room.part("hub").pid, open_room.part("kernels").pid]
    code = f"""
import os, ctypes
found = []
for pid in {pids}:
    found.append(os.path.exists(f"/proc/{{pid}}"))
    for how in (lambda: os.kill(pid, 9), lambda: open(f"/proc/{{pid}}/environ", "rb").read()):
        try:
            how(); found.append("reached")
        except OSError as error:
            found.append(type(error).__name__)
    found.append(ctypes.CDLL(None).ptrace(16, pid, 0, 0))
print(found)
"""
    assert tried(code).strip() == str([False, "PermissionError", "FileNotFoundError", -1] * 3)


def test_a_kernels_ports_tell_others_nothing(open_room: Opened, tried: Callable[[str], str], victim: Browser) -> None:
    kernel = victim.kernel()
    runtime = open_room.room.temporary("seat-02")
    about = json.loads((runtime / f"kernel-{kernel}.json").read_text())
    code = f"""
import zmq, time
context = zmq.Context()
listening = context.socket(zmq.SUB)
listening.setsockopt(zmq.SUBSCRIBE, b"")
listening.connect("tcp://127.0.0.1:{about["iopub_port"]}")
asking = context.socket(zmq.DEALER)
asking.connect("tcp://127.0.0.1:{about["shell_port"]}")
try:
    asking.send_multipart([b"<IDS|MSG>", b"", b"{{}}", b"{{}}", b"{{}}", b"{{}}"], zmq.NOBLOCK)
except zmq.Again:
    pass  # it has been turned away before
"""
    tried(code)
    assert victim.run("print('a secret')", kernel).strip() == "a secret"
    assert tried("print(listening.poll(2000), asking.poll(100))").strip() == "0 0"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "users/seat-02"), ("DELETE", "users/seat-02/server"), ("POST", "users/seat-02/server"),
        ("POST", "users/seat-02/tokens"), ("PATCH", "users/seat-01"), ("POST", "users/mallory"), ("GET", "proxy"),
        ("POST", "shutdown"), ("GET", "services"), ("GET", "groups"),
    ],
)  # fmt: skip
def test_the_hub_does_nothing_for_a_seats_token(
    open_room: Opened, tried: Callable[[str], str], method: str, path: str
) -> None:
    code = f"""
import os, urllib.request, urllib.error
request = urllib.request.Request(
    "http://127.0.0.1:{open_room.room.about["hub_port"]}/hub/api/{path}", method="{method}", data=b"{{}}",
    headers={{"Authorization": "token " + os.environ.get("JUPYTERHUB_API_TOKEN", "")}})
if request.method == "GET": request.data = None
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
    assert tried(code).strip() in ("403", "404", "405")


def test_neither_proxy_nor_board_open_without_their_keys(open_room: Opened, attacker: Browser) -> None:
    about = open_room.room.about
    assert attacker.http.get(f"http://127.0.0.1:{about['proxy_port']}/api/routes").status_code == 403
    for address in ("/services/board/", f"http://127.0.0.1:{about['board_port']}/services/board/"):
        answer = attacker.http.get(address)
        assert "seat-02" not in answer.text and "seat-02" not in attacker.http.get(f"{address}state").text, answer.text


def test_another_seat_does_not_open_with_ones_own_cookies(
    open_room: Opened, attacker: Browser, victim: Browser
) -> None:
    for path in ("/user/seat-02/api/contents", "/user/seat-02/lab", "/user/seat-02/genai4eu/lesson/progress"):
        answer = attacker.http.get(path)
        assert answer.status_code in (403, 404), path
    port = open_room.room.about["port"]
    assert victim.http.get(f"http://127.0.0.1:{port}/user/seat-02/api/contents").status_code == 200


def test_variables_of_a_kernel_name_no_secret_of_the_room(open_room: Opened, tried: Callable[[str], str]) -> None:
    told = tried("import os; print(dict(os.environ))")
    about = open_room.room.about
    assert about["token"] not in told and about["board_key"] not in told and "CONFIGPROXY" not in told


#: All that code finds which may make its process readable and walk up the stack it was forked on.
_WALK = """
import ctypes, gc, json, re, sys
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
found, kept, frame = {open("/proc/self/environ", errors="replace").read()}, [], sys._getframe()
while frame is not None:
    kept += [dict(frame.f_locals), dict(frame.f_globals)]
    frame = frame.f_back
gc.unfreeze()
for one in kept + gc.get_objects():
    if type(one) in (dict, list, tuple):
        for part in list(one.values() if type(one) is dict else one):
            if type(part) in (str, bytes) and 20 <= len(part) < 10000:
                found.add(str(part))
walked = json.dumps(sorted({token for text in found for token in re.findall("[0-9A-Za-z_-]{20,}", text)}))
"""


def _memory(pid: int) -> Iterator[bytes]:
    """Yield what a process has in memory that it can write to. As root, from outside."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights, *_ = line.split()
            start, end = (int(part, 16) for part in where.split("-"))
            if "w" in rights and memory.seek(start):
                with contextlib.suppress(OSError):  # the system's own
                    yield memory.read(end - start)


def _held(pid: int, secrets: dict[str, str]) -> list[str]:
    """Return which secrets stand anywhere in a process's memory."""
    held: set[str] = set()
    for content in _memory(pid):
        held |= {name for name, secret in secrets.items() if secret.encode() in content}
    return sorted(held)


def _secrets(open_room: Opened) -> dict[str, str]:
    """What no seat may know: the proxy's token, the room's, the board's key, and the second seat's token at the hub."""
    begun = Path(f"/proc/{open_room.part('hub').pid}/environ").read_text().split("\0")
    proxys = next(entry.partition("=")[2] for entry in begun if entry.startswith("CONFIGPROXY_AUTH_TOKEN="))
    told = re.compile(rb"JUPYTERHUB_API_TOKEN=([0-9a-f]{32})")
    its = {found[1].decode() for part in _memory(open_room.server("seat-02").pid) for found in told.finditer(part)}
    assert len(its) == 1
    about = open_room.room.about
    return {"proxy": proxys, "room": about["token"], "board": about["board_key"], "seat-02": its.pop()}


def test_no_cell_finds_a_token_on_its_stack_or_in_its_memory(
    open_room: Opened, tried: Callable[[str], str], victim: Browser
) -> None:
    """Kernels are forks: what the process that forks them knew, they know."""
    victim.kernel()
    secrets = _secrets(open_room)
    walked = json.loads(tried(_WALK + "print(walked)"))
    assert len(walked) > 100 and not set(secrets.values()) & set(walked)
    uid = open_room.room.people.owner("seat-01")[0]
    own = [process for process in psutil.process_iter() if process.uids().real == uid]
    names = {process.name() for process in own}
    assert {"genai4eu-warm", "genai4eu-kernel"} <= names and len(own) >= 3  # kernels, their template, the server
    assert [_held(process.pid, secrets) for process in own] == [[]] * len(own)
    assert [_held(open_room.part(forge).pid, secrets) for forge in ("kernels", "servers")] == [[], []]


def test_no_server_finds_a_token_on_its_stack_or_in_its_memory(open_room: Opened, victim: Browser) -> None:
    """Settings in the seat's folder are code, which its server runs."""
    home = open_room.room.home("seat-03")
    (home / ".jupyter").mkdir(exist_ok=True)
    (home / ".jupyter" / "jupyter_server_config.py").write_text(
        f"{_WALK}\nimport os\nos.chdir({str(home)!r})\n"
        "open('walked.new', 'w').write(walked)\nos.replace('walked.new', 'walked.json')"
    )
    for path in (home / ".jupyter", home / ".jupyter" / "jupyter_server_config.py"):
        os.chown(path, *open_room.room.people.owner("seat-03"))
    about = open_room.room.about
    stop = f"http://127.0.0.1:{about['hub_port']}/hub/api/users/seat-03/server"
    while httpx.delete(stop, headers={"Authorization": f"token {about['token']}"}).status_code == 202:  # under way
        time.sleep(0.5)
    Browser(open_room.room.address).sign_in(open_room.room.give_code("seat-03"))
    until = time.monotonic() + 120
    while not (home / "walked.json").exists():
        assert time.monotonic() < until, (home / ".server.log").read_text()
        time.sleep(0.2)
    secrets, walked = _secrets(open_room), json.loads((home / "walked.json").read_text())
    assert len(walked) > 100 and not set(secrets.values()) & set(walked)
    assert _held(open_room.server("seat-03").pid, secrets) == []


def test_a_seat_makes_no_tokens_and_fills_nothing(open_room: Opened, attacker: Browser) -> None:
    """Neither its own: their notes are kept for ever, outside its bounds; nor does the hub take what is large."""
    headers = {"X-XSRFToken": attacker.http.cookies.get("_xsrf", path="/hub/") or ""}
    for note, status in (("short", {403}), ("x" * (2 << 20), {400, 503})):  # the proxy says that a hub hung up
        answer = attacker.http.post("/hub/api/users/seat-01/tokens", json={"note": note}, headers=headers)
        assert answer.status_code in status, answer.text
    assert attacker.http.get("/hub/api/users/seat-01", headers=headers).status_code == 200
    assert attacker.http.get("/hub/home").status_code == 200
    assert attacker.http.get(f"/user/{attacker.seat}/lab").status_code == 200


def test_a_seat_keeps_to_its_part(tried: Callable[[str], str]) -> None:
    assert "No space left" in tried("open('/tmp/big', 'wb').write(bytes(300 << 20))")
    code = """
import subprocess
held, many = [], ""
try:
    for _ in range(700):
        held.append(subprocess.Popen(["sleep", "60"]))
except OSError as error:
    many = type(error).__name__
for process in held:
    process.kill(), process.wait()
print(many, len(held) < 520)
"""
    assert tried(code).strip() == "BlockingIOError True"
