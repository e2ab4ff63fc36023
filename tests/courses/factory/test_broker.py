"""The broker between seats and a factory: turns, limits, what ends a cell, and what a seat cannot do."""

from __future__ import annotations

import json
import os
import pwd
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genai4eu.courses.factory.frames import Line
from genai4eu.courses.factory.inside import unpack
from genai4eu.courses.room.factory import secret_of, socket_of
from genai4eu.kernels.gateway.process import GatewayProcess

from ...patience import eventually
from .conftest import Seat, Served, a_room, hung_up

pytestmark = pytest.mark.slow

Serve = Callable[..., Served]
Kernels = Callable[[], int]
#: Runs until it is stopped, and says when it has begun.
LONG = "import time\nprint('begun')\nwhile True: time.sleep(0.05)"


def test_seats_take_turns_and_hear_nothing_of_each_other(serve: Serve, kernels: Kernels) -> None:
    served = serve()
    first, second, third = (served.seat(number) for number in (1, 2, 3))
    first.ask("secret = input_of_mine = 'of seat one'\nprint(secret)\n" + LONG)
    first.until("stream")
    second.ask("print('secret' in globals())")
    assert second.until("queue") == {"say": "queue", "place": 1, "of": 1}
    third.ask("print(3)")
    assert third.until("queue") == {"say": "queue", "place": 2, "of": 2}
    eventually(lambda: served.state["queue"] == ["seat-02", "seat-03"])
    assert [one["seat"] for one in served.state["running"]] == ["seat-01"]
    assert kernels() == 1
    first.line.send({"ask": "interrupt"})
    assert first.end()["why"] == "interrupted"
    assert second.end()["why"] == "done"
    assert second.printed == "False\n"
    assert third.end()["why"] == "done"
    assert {"say": "queue", "place": 1, "of": 1} in third.heard
    assert third.printed == "3\n"
    eventually(lambda: not served.state["running"] and kernels() == 0)
    assert served.state["used"]["seat-01"] > 0


def test_values_go_in_and_come_back(serve: Serve, gateway: GatewayProcess) -> None:
    served = serve()
    given = [{"name": "x", "kind": "json", "size": 6}, {"name": "big", "kind": "json", "size": 5_000_002}]
    seat = served.seat(1).ask("y = x + [len(big)]\nopen('mine', 'w').close()", give=["y"])
    assert seat.end(given=given, data=b"[1, 2]" + b'"' + b"a" * 5_000_000 + b'"')["why"] == "done"
    (told,) = next(said["values"] for said in seat.heard if said["say"] == "values")
    assert unpack("y", told["kind"], seat.values) == [1, 2, 5_000_000]
    assert not list((gateway.token_file.parent / "work" / ".genai4eu-cells").iterdir())


def test_what_does_not_listen_to_interrupts_ends_too(serve: Serve, kernels: Kernels) -> None:
    deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + LONG
    assert serve().seat(1).ask(deaf, seconds=1).end()["why"] == "limit"
    assert kernels() == 0


def test_a_cell_ends_at_its_limit_and_a_budget_is_used_up_once(serve: Serve, kernels: Kernels) -> None:
    served = serve(budget=2)
    seat = served.seat(1).ask(LONG, seconds=9)
    end = seat.end()
    assert (end["why"], end["left"], end["budget"]) == ("limit", 0, 2)
    assert end["seconds"] >= 2
    assert seat.printed == "begun\n"
    assert kernels() == 0  # the seat is told afterwards
    assert served.seat(1).ask("1").end() == {"say": "end", "why": "budget", "left": 0, "budget": 2}


def test_a_seat_that_goes_takes_its_kernel_along(serve: Serve, kernels: Kernels) -> None:
    served = serve()
    seat, waits = served.seat(1).ask(LONG), served.seat(2)
    seat.until("stream")
    waits.ask("1").until("queue")
    waits.line.close()
    eventually(lambda: served.state["queue"] == [])
    seat.line.close()
    eventually(lambda: kernels() == 0)
    assert served.seat(1).ask("print(1)").end()["why"] == "done"


def test_the_end_of_the_room_ends_all(serve: Serve, kernels: Kernels) -> None:
    served = serve()
    seat, waits = served.seat(1).ask(LONG), served.seat(2)
    seat.until("stream")
    waits.ask("1").until("queue")
    served.end()
    assert (seat.end()["why"], waits.end()["why"]) == ("closing", "closing")
    assert kernels() == 0
    assert not socket_of(served.room).exists()


def test_a_kernel_that_dies_is_no_riddle(serve: Serve) -> None:
    seat = serve().seat(1).ask("import os; os._exit(3)")
    assert seat.end()["why"] in ("failed", "dead")
    assert "died" in str(seat.heard)


def test_too_much_output_ends_a_cell_and_nobody_elses(serve: Serve) -> None:
    served = serve(kernels=2)
    flood, other = served.seat(1), served.seat(2)
    flood.ask("while True: print('x' * 1000)")
    other.ask("print('calm')")
    assert flood.end()["why"] == "output"
    assert len(flood.printed) < 9 << 20
    assert other.end()["why"] == "done"
    assert other.printed == "calm\n"


def test_one_enormous_message_costs_its_cell_the_output(serve: Serve) -> None:
    seat = serve().seat(1).ask("print('x' * 90_000_000)\nprint('y')")
    end = seat.end()
    assert end["why"] == "output" or {"say": "lost"} in seat.heard
    assert len(seat.printed) < 1000


def test_a_seat_that_does_not_listen_holds_nobody_up(serve: Serve) -> None:
    served = serve()
    deaf = served.seat(1).ask("for i in range(700): print('x' * 10_000)")
    deaf.until("starting")  # and never reads again
    assert served.seat(2).ask("print(2)").end()["why"] == "done"


def test_the_factory_says_in_words_that_it_is_down(serve: Serve, gateway: GatewayProcess) -> None:
    served = serve()
    home = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / "far-genai4eu" / "kernel.json"
    spec = home.read_text()
    try:
        home.write_text(spec.replace(gateway.url, "http://127.0.0.1:9"))
        end = served.seat(1).ask("1").end()
    finally:
        home.write_text(spec)
    assert end["why"] == "refused"
    assert "127.0.0.1:9 does not answer" in end["sentence"]
    assert end["left"] == 100
    eventually(lambda: served.state["why"] == end["sentence"])


def test_a_killed_broker_leaves_no_kernel_and_forgets_no_second(
    gateway: GatewayProcess, kernels: Kernels, tmp_path: Path
) -> None:
    room = a_room(tmp_path / "room")
    command = [sys.executable, "-P", "-m", "genai4eu.courses.factory", str(room.folder)]
    with subprocess.Popen(command) as broker:
        eventually(socket_of(room).exists)
        seat = Seat(room, "seat-01").ask(LONG)
        seat.until("stream")
        state = room.folder / "run" / "factory.json"
        eventually(lambda: json.loads(state.read_text())["running"])
        began = json.loads(state.read_text())["running"][0]["began"]
        eventually(lambda: json.loads(state.read_text())["at"] > began + 1)
        broker.kill()
    assert hung_up(seat.line)
    eventually(lambda: kernels() == 0)
    served = Served(room)
    served.begin()
    try:
        eventually(lambda: 1 <= served.state["used"]["seat-01"] < 30)
        assert served.seat(1).ask("print(1)").end()["why"] == "done"
    finally:
        served.end()


# What an attacker tries


def test_nobody_is_another_seat(serve: Serve) -> None:
    room = serve().room
    for seat, secret in (("seat-02", secret_of(room, "seat-01")), ("seat-01", ""), ("seat-09", secret_of(room, "x"))):
        line = Line(socket_of(room))
        line.send({"seat": seat, "secret": secret, "code": "1"})
        assert line.receive()[0] == {"say": "end", "why": "unknown"}


def test_a_seat_has_one_cell_at_a_time(serve: Serve) -> None:
    served = serve(kernels=2)
    first = served.seat(1).ask(LONG)
    first.until("stream")
    assert served.seat(1).ask("1").end()["why"] == "busy"
    first.line.send({"ask": "interrupt"})
    assert first.end()["why"] == "interrupted"


@pytest.mark.parametrize(
    "sent",
    [b"\xff" * 64, struct.pack("<II", 1 << 30, 0), struct.pack("<II", 2, 1 << 30) + b"{}",
     struct.pack("<II", 9, 0) + b"[[[[[[[[[",
     struct.pack("<II", 200_000, 0) + b"[" * 200_000, b"GET / HTTP/1.1\r\n\r\n"],
)  # fmt: skip
def test_nonsense_is_hung_up_on(serve: Serve, sent: bytes) -> None:
    served = serve()
    line = Line(socket_of(served.room))
    line._socket.sendall(sent)
    assert hung_up(line)
    assert served.seat(2).ask("print(1)").line is not None


def test_values_that_nobody_asked_for_are_not_held(serve: Serve) -> None:
    served = serve()
    seat = served.seat(1).ask(LONG)
    seat.until("stream")
    seat.line.send({"ask": "values", "values": []}, b"x" * 1000)
    assert seat.end()["why"] == "gone"


def test_a_flood_of_connections_keeps_nobody_out(serve: Serve) -> None:
    served = serve()
    lines = [Line(socket_of(served.room)) for _ in range(100)]  # twelve may stay: four a seat
    closed = [line for line in lines if _closed(line)]
    assert len(closed) == 100 - 12
    for line in lines:
        line.close()
    eventually(lambda: served.seat(2).ask("print(1)").end()["why"] == "done")


def _closed(line: Line) -> bool:
    line._socket.settimeout(0.3)
    try:
        return hung_up(line)
    except TimeoutError:
        return False


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes users of the system")
def test_users_of_the_system_are_seats_and_nobody_else_is(gateway: GatewayProcess, tmp_path: Path) -> None:
    prefix = f"t{os.getpid()}-"
    users = [f"{prefix}seat-0{number}" for number in (1, 2, 3)]
    for user in users:
        subprocess.run(["useradd", "--system", "--no-create-home", user], check=True)
    served = Served(a_room(tmp_path / "room", prefix=prefix))
    try:
        served.begin()
        assert _as_user(served, users[1]) == "done"
        used = [json.loads(line)["seat"] for line in (served.room.folder / "factory.jsonl").read_text().splitlines()]
        assert set(used) == {"seat-02"}
        assert _as_user(served, "nobody") == "hung up"
        assert _as_user(served, "root") == "hung up"
    finally:
        served.end()
        for user in users:
            subprocess.run(["userdel", user], check=True)


def _as_user(served: Served, user: str) -> str:
    """Ask as a user of the system who says that it is seat 1 and has its secret; return what comes of it."""
    about, secret, (reader, writer) = pwd.getpwnam(user), secret_of(served.room, "seat-01"), os.pipe()
    pid = os.fork()
    if pid == 0:  # only system calls: the threads of the test are not in here
        try:
            os.chdir(socket_of(served.room).parent)
            os.setgroups([])
            os.setresgid(about.pw_gid, about.pw_gid, about.pw_gid)
            os.setresuid(about.pw_uid, about.pw_uid, about.pw_uid)
            os.write(writer, _why(Line(Path("socket")), secret).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader) as stream:
        return stream.read()


def _why(line: Line, secret: str) -> str:
    try:
        line.send({"seat": "seat-01", "secret": secret, "code": "print(1)"})
        while (said := line.receive()[0])["say"] != "end":
            if said["say"] == "starting":
                line.send({"ask": "values", "values": []})
    except OSError:
        return "hung up"
    return str(said["why"])
