"""What a participant may try against the board: without its key, and with everything that a seat can write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from genai4eu.courses.board import hub
from genai4eu.courses.board.server import Server
from genai4eu.courses.room.folder import Room

from . import stage

CLOSED = ("api/page", "api/state", "api/seat/seat-01", "api/look/seat-01", "api/sheet/codes")
WRONG: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer x"},
    {"Authorization": "token {}"},
    {"Cookie": "key={}"},
)
OPEN = {"act": "open", "once": "click-1234", "lesson": "lesson-1.ipynb"}
EVIL = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("headers", WRONG)
def test_without_the_key_there_is_nothing(
    few: Room, ask: Callable[..., Any], path: str, headers: dict[str, str]
) -> None:
    key = few.about["board_key"]
    answer = ask(path, headers={name: value.format(key) for name, value in headers.items()})
    assert answer.status_code == 401 and answer.json() == {"error": "Unauthorized"}
    assert ask(f"{path}?key={key}", headers={}).status_code == 401  # an address is in logs and histories


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:9999"}, {"Sec-Fetch-Site": "same-site"},
    ],
)  # fmt: skip
def test_another_page_gets_nothing_even_with_the_key(
    few: Room, ask: Callable[..., Any], headers: dict[str, str]
) -> None:
    own = {"Authorization": f"Bearer {few.about['board_key']}"}
    for path, body in (("api/state", None), ("api/act", OPEN)):
        answer = ask(path, json=body, headers={**own, **headers})
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert not (few.folder / "board.jsonl").exists()


def test_a_form_of_another_page_does_nothing(few: Room, serve: Callable[[Room], Server]) -> None:
    own = {"Authorization": f"Bearer {few.about['board_key']}"}
    told = {**own, "Content-Type": "application/json"}
    address = f"{serve(few).address}api/act"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = httpx.post(address, content=json.dumps(OPEN), headers={**own, "Content-Type": kind})
        assert answer.status_code in (400, 415)
    assert httpx.get(address, headers=own).status_code == 405
    assert httpx.options(address, headers=own).status_code == 405
    for broken in ("[" * 30_000, "[]", "{", ""):
        assert httpx.post(address, content=broken, headers=told).status_code == 400
    with pytest.raises(httpx.HTTPError):  # the connection is closed before so much is read
        httpx.post(address, content="x" * 200_000, headers=told).raise_for_status()
    assert not (few.folder / "board.jsonl").exists()


def test_a_thousand_wrong_keys_are_slow_and_the_right_one_is_not(few: Room, serve: Callable[[Room], Server]) -> None:
    server = serve(few)
    server.board.door.slow = 30.0

    def bearer(key: object) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    async def guess() -> tuple[list[int], int]:
        limits = httpx.Limits(max_connections=60)
        async with httpx.AsyncClient(base_url=server.address, timeout=60, limits=limits) as client:
            wrong = [asyncio.create_task(client.get("api/state", headers=bearer(n))) for n in range(40)]
            while sum(task.done() for task in wrong) < 24:
                await asyncio.sleep(0.05)
            refused = [task.result().status_code for task in wrong if task.done()]
            right = await client.get("api/state", headers=bearer(few.about["board_key"]))
            for task in wrong:
                task.cancel()
            await asyncio.gather(*wrong, return_exceptions=True)
            return refused, right.status_code

    refused, right = asyncio.run(guess())
    assert refused == [429] * 24 and right == 200


def test_what_seats_write_is_never_markup(few: Room, ask: Callable[..., Any]) -> None:
    path = few.home("seat-01") / ".course" / "progress.jsonl"
    names = ("exercise", "lesson", "language", "id", "code", "event")
    lines = [{"at": 1, "event": "hand", name: EVIL} for name in names] + [{"at": 1, "event": "tried", "exercise": EVIL}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "garbage\x00\n[[[[\n")
    for page in ("api/page", "api/state", "api/seat/seat-01"):
        answer = ask(page)
        assert answer.status_code == 200 and "<img src=x" not in answer.text


def test_what_the_trainer_types_is_never_markup(few: Room, ask: Callable[..., Any]) -> None:
    typed: list[dict[str, Any]] = [
        {"act": "name", "name": EVIL},
        {"act": "message", "text": {"en": EVIL, EVIL: EVIL}},
    ]  # fmt: skip
    for number, more in enumerate(typed):
        assert ask("api/act", json={"once": f"click-{number:04}", "seat": "seat-01", **more}).status_code == 200
    for page in ("api/page", "api/state", "api/seat/seat-01"):
        assert "<img src=x" not in ask(page).text and "&lt;img src=x" in ask(page).text


def test_files_of_seats_that_are_no_files_change_nothing(few: Room, ask: Callable[..., Any], tmp_path: Path) -> None:
    import os

    for seat, make in (("seat-01", os.mkfifo), ("seat-02", lambda path: path.symlink_to(few.folder / "room.json"))):
        path = few.home(seat) / ".course" / "progress.jsonl"
        path.unlink(missing_ok=True)
        make(path)
    stage.tell(few, "seat-03", {"event": "hand"})
    assert list(ask("api/state").json()["hands"]) == ["seat-03"]


@pytest.mark.parametrize(
    "path",
    [
        "static/../../room.json", "static/page.html.j2", "static/%2e%2e/parts.html.j2", "static//etc/passwd", "api/",
        "api/look/..%2f..", "api/seat/seat-99", "api/sheet/codes.json", "api/sheet/information-xx", "api/act/x",
    ],
)  # fmt: skip
def test_no_other_file_is_served(ask: Callable[..., Any], path: str) -> None:
    assert ask(path).status_code in (401, 404)


def test_the_page_that_anybody_may_load_holds_nothing_of_the_room(few: Room, ask: Callable[..., Any]) -> None:
    answer = ask("", headers={})
    assert answer.status_code == 200
    for secret in (few.about["board_key"], few.about["token"], "medical imaging", "seat-01"):
        assert secret not in answer.text
    policy = answer.headers["content-security-policy"]
    script = policy.split("script-src ")[1].split(";")[0]
    assert script.startswith("'nonce-") and "'self'" not in script and "unsafe" not in policy
    assert ask("", headers={}).headers["content-security-policy"] != policy  # no nonce serves twice
    assert answer.headers["x-frame-options"] == "DENY" and "frame-ancestors 'none'" in policy


def test_the_rooms_token_goes_to_jupyterhub_alone(few: Room) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        servers = {
            "": {"ready": True, "pending": None, "last_activity": "2026-11-27T10:00:00Z", "url": "http://evil.example/"}
        }
        waiting = {"": {"ready": False, "pending": "spawn", "started": "2026-11-27T10:00:00Z"}}
        return httpx.Response(200, json=[
            {"name": "seat-01", "servers": servers}, {"name": "seat-02", "servers": waiting},
            {"name": "seat-03", "servers": {}}, {"name": "stranger", "servers": servers},
        ])  # fmt: skip

    async def look() -> dict[str, hub.Server] | None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await hub.servers(few, client)

    found = asyncio.run(look())
    assert found is not None and {name: server.state for name, server in found.items()} == {
        "seat-01": "on", "seat-02": "waiting", "seat-03": "off",
    }  # fmt: skip
    assert hub.queue(found) == ["seat-02"]
    assert [request.url.port for request in asked] == [few.about["hub_port"]]
