"""What a room may offer of a factory, and what of the trainer's account the broker is given."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.courses.factory.offer import Wish, offer
from genai4eu.courses.room.factory import account, broker, secret_of, socket_of, variables
from genai4eu.courses.room.view import plan
from genai4eu.errors import WorkbenchError
from genai4eu.kernels.connect import connect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

from .conftest import TARGET, a_room


def test_an_offer_says_what_there_is(gateway: GatewayProcess) -> None:
    told: list[str] = []
    made = offer(Wish(TARGET, 2, 120, 60), False, told.append)
    assert made == {"target": TARGET, "kernels": 2, "seconds": 60, "budget": 60}  # no cell longer than the budget
    assert not told
    offer(Wish(TARGET), True, told.append)
    assert told == ["the factory's gateway is on this computer: have it run as a user who may read nothing of the room"]


@pytest.mark.parametrize(
    ("quota", "kernels", "words"),
    [(None, 3, ""), (5, 3, ""), (2, 2, "your account may have 2 kernels at"), (0, 0, "may have no kernels")],
)
def test_an_offer_keeps_to_the_accounts_quota(
    gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch, quota: int | None, kernels: int, words: str
) -> None:
    call = Gateway.call

    def called(self: Gateway, method: str, path: str, **more: Any) -> Any:
        return {"quota": {"kernels": quota}} if path == "/api/status" else call(self, method, path, **more)

    monkeypatch.setattr(Gateway, "call", called)
    told: list[str] = []
    if quota == 0:
        with pytest.raises(WorkbenchError, match=words):
            offer(Wish(TARGET, 3), False, told.append)
        return
    assert offer(Wish(TARGET, 3), False, told.append)["kernels"] == kernels
    assert words in "".join(told)


def test_what_cannot_be_offered(gateway: GatewayProcess, home: dict[str, str]) -> None:
    with pytest.raises(KernelsError, match="unknown target 'far'"):
        offer(Wish("far"), False)
    with pytest.raises(WorkbenchError, match="every participant could then read the whole room"):
        offer(Wish("genai4eu"), True)
    assert offer(Wish("genai4eu"), False)["target"] == "genai4eu"  # seats are this user already
    other = Path(home["JUPYTER_DATA_DIR"]) / "kernels" / "julia"
    other.mkdir()
    (other / "kernel.json").write_text(json.dumps({"argv": ["julia"], "display_name": "J", "language": "julia"}))
    with pytest.raises(WorkbenchError, match="julia is not one of Python"):
        offer(Wish("julia"), False)


def test_a_gateway_that_is_down_is_no_offer(gateway: GatewayProcess, home: dict[str, str]) -> None:
    connect("gone", gateway.url, gateway.token_file)
    spec = Path(home["JUPYTER_DATA_DIR"]) / "kernels" / "gone-genai4eu" / "kernel.json"
    spec.write_text(spec.read_text().replace(gateway.url, "http://127.0.0.1:9"))
    with pytest.raises(KernelsError, match="does not answer"):
        offer(Wish("gone-genai4eu"), False)


def test_what_a_seat_knows_of_the_factory(tmp_path: Path) -> None:
    alone, shared = a_room(tmp_path / "alone", prefix="g-"), a_room(tmp_path / "shared")
    assert variables(alone, "seat-01") == {"GENAI4EU_FACTORY": str(socket_of(alone))}
    known = variables(shared, "seat-01")
    assert known["GENAI4EU_FACTORY_SECRET"] == secret_of(shared, "seat-01") != secret_of(shared, "seat-02")
    assert "of the room" not in str(known)
    without = json.loads((shared.folder / "room.json").read_text())
    del without["factory"]
    (shared.folder / "room.json").write_text(json.dumps(without))
    assert variables(shared, "seat-01") == {}
    assert broker(shared)[0] == []


def test_a_seats_view_shows_the_brokers_folder_and_nothing_beside_it(tmp_path: Path) -> None:
    room = a_room(tmp_path / "room", prefix="g-")
    shown = [Path(path) for path, _ in plan(room, "seat-01")["show"]]
    assert [path for path in shown if path.is_relative_to(room.folder) and "factory" in path.name] == [
        socket_of(room).parent
    ]


def test_the_broker_gets_of_the_account_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_TOKEN", "GENAI4EU_SECRET_KEY", "AWS_SESSION", "GENAI4EU_WARM_UNTIL", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "1")
    given = account()
    assert given["HOME"] == os.environ["HOME"]
    assert given["CUDA_VISIBLE_DEVICES"] == "1"
    assert not {"JUPYTER_TOKEN", "GENAI4EU_SECRET_KEY", "AWS_SESSION", "GENAI4EU_WARM_UNTIL", "PATH"} & given.keys()


def test_the_command_line_takes_a_factory(genai4eu: Callable[..., Any], tmp_path: Path) -> None:
    assert genai4eu("course", "new", str(tmp_path / "mean")).returncode == 0
    done = genai4eu("course", "start", str(tmp_path / "mean"), "--factory", "nowhere")
    assert done.returncode == 1
    assert "unknown target 'nowhere'" in done.stderr
    assert not (tmp_path / "mean-room").exists()
