"""What a participant reaches who wants to reach others: tried from a kernel of their own, in a real room."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

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
asking.send_multipart([b"<IDS|MSG>", b"", b"{{}}", b"{{}}", b"{{}}", b"{{}}"])
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
