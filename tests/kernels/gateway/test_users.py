"""Who a token stands for, and whose kernels they see. Access ends at once, also where a socket is open."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import websocket

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway.throttle import BURST, Throttle
from genai4eu.kernels.gateway.userfile import UserFile
from genai4eu.kernels.gateway.users import digest

from ...patience import eventually
from .conftest import SPEC, Serve, Service, Someone

pytestmark = pytest.mark.slow


def test_no_token_is_kept(tmp_path: Path) -> None:
    users = UserFile(tmp_path / "users.json")
    tokens = users.add(["anna", "bob"], kernels=2)
    content = (tmp_path / "users.json").read_text()
    for name, token in tokens.items():
        assert token not in content
        assert digest(token) in content
        assert users.find(token) == users.all()[name]
    assert len(set(tokens.values())) == 2
    assert (tmp_path / "users.json").stat().st_mode & 0o077 == 0
    assert users.find("") is users.find("x") is users.find(tokens["anna"] + "x") is None


def test_a_change_by_another_process_acts_at_once(tmp_path: Path) -> None:
    ours, theirs = UserFile(tmp_path / "users.json"), UserFile(tmp_path / "users.json")
    token = theirs.add(["anna"], kernels=7)["anna"]
    assert ours.find(token)
    fresh = theirs.add(["anna"], renew=True)["anna"]
    assert ours.find(token) is None
    assert (found := ours.find(fresh))
    assert found.kernels == 7
    theirs.revoke(["anna"])
    assert ours.find(fresh) is None
    short = theirs.add(["bob"], expires=time.time() + 0.3)["bob"]
    assert ours.find(short)
    eventually(lambda: ours.find(short) is None)


def test_many_operators_at_once(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    code = "import sys; from pathlib import Path; from genai4eu.kernels.gateway.userfile import UserFile\n"
    code += "for n in range(20): UserFile(Path(sys.argv[1])).add([f'u{sys.argv[2]}-{n}'])"
    command = [sys.executable, "-P", "-c", code, str(path)]
    adding = [subprocess.Popen([*command, str(number)]) for number in range(4)]
    assert [one.wait(60) for one in adding] == [0] * 4
    assert len(UserFile(path).all()) == 80


def test_names_and_takers(tmp_path: Path) -> None:
    users = UserFile(tmp_path / "users.json")
    for name in ("", "Anna", "a/b", "../x", "a" * 41, ".hidden", "a b", "ä"):
        with pytest.raises(KernelsError, match="cannot name a user"):
            users.add(["fine", name])
    assert not users.all()
    users.add(["anna"])
    with pytest.raises(KernelsError, match="a user anna already: --renew"):
        users.add(["anna"])
    with pytest.raises(KernelsError, match="no user 'bob': use one of anna"):
        users.revoke(["bob"])
    users.revoke(["anna"])
    users.add(["anna"])  # the name is free again


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    users = UserFile(path)
    token = users.add(["anna"])["anna"]
    path.write_text("{")
    assert users.find(token)  # what stood there holds on, the typing error locks nobody out
    with pytest.raises(KernelsError, match="is no list of users"):
        UserFile(path)
    path.unlink()
    assert users.find(token) is None
    path.write_text('{"users": {}}')
    path.chmod(0o644)
    with pytest.raises(KernelsError, match="chmod 600"):
        UserFile(path)


def test_a_flood_of_wrong_tokens_is_slowed_down(serve: Serve) -> None:
    service = serve()
    anna, stranger = service.user("anna"), Someone(service.url, "wrong")
    answers = [stranger.raw("GET", "/api/kernels", None, {}) for _ in range(BURST + 20)]
    assert answers[0][0] == 401
    status, _, headers = answers[-1]
    assert (status, int(headers["retry-after"]) > 0) == (429, True)
    assert anna.ask("GET", "/api/kernels")[0] == 200  # the same address, with a token that is known
    refused = [line for line in service.audit() if line["what"] == "token refused"]
    assert len(refused) < BURST + 10
    assert "wrong" not in {line.get("user") for line in refused}


def test_the_throttle_forgets() -> None:
    throttle = Throttle()
    waits = [throttle.failed("a") for _ in range(BURST + 5)]
    assert waits[:BURST] == [0] * BURST
    assert waits[-1] > 0
    assert throttle.failed("b") == 0
    for number in range(20_000):
        throttle.failed(str(number))
    assert len(throttle._until) <= 10_000


def test_others_kernels_are_not_there(shared: Service) -> None:
    """Not in a list, not by their id, not by any verb, not as a session, not as a WebSocket."""
    anna, bob = shared.user("anna2"), shared.user("bob2")
    kernel = anna.start(env={"KERNEL_USERNAME": "bob2"})
    session = anna.ask("POST", "/api/sessions", {"path": "x", "type": "notebook", "kernel": {"id": kernel}})[1]["id"]
    never = str(uuid.uuid4())
    for path in ("", "/interrupt", "/restart", "/channels"):
        for method in ("GET", "POST", "DELETE", "PATCH", "PUT", "HEAD"):
            theirs = bob.ask(method, f"/api/kernels/{kernel}{path}", KERNEL_USERNAME="anna2")
            assert str(theirs).replace(kernel, "") == str(bob.ask(method, f"/api/kernels/{never}{path}")).replace(
                never, ""
            )
            assert theirs[0] == 404
    for method in ("GET", "PATCH", "DELETE"):
        assert bob.ask(method, f"/api/sessions/{session}", {"kernel": {"id": kernel}})[0] == 404
    assert bob.ask("POST", "/api/sessions", {"path": "y", "kernel": {"id": kernel}})[0] == 404
    assert (bob.kernels(), bob.ask("GET", "/api/sessions")[1]) == ({}, [])
    assert bob.ask("GET", "/api/status")[1]["kernels"] == 0
    assert bob.ask("GET", "/api/me")[1]["identity"]["username"] == "bob2"
    with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
        bob.talk(kernel)
    assert list(anna.kernels()) == [kernel]
    talk = anna.talk(kernel)
    assert talk.run("print(6 * 7)") == "42\n"
    talk.socket.close()
    assert anna.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    assert anna.ask("GET", "/api/sessions") == (200, [])


def test_revoked_with_an_open_socket(shared: Service) -> None:
    anna, bob = shared.user("anna3"), shared.user("bob3")
    kernel, other = anna.start(), bob.start()
    talk, still = anna.talk(kernel), bob.talk(other)
    assert talk.run("print(1)") == "1\n"
    process = shared.process_of(kernel)
    assert shared.cli("revoke", "anna3").returncode == 0
    assert anna.ask("GET", "/api/kernels")[0] == 401
    assert talk.closed() == 4401
    process.wait(30)
    assert still.run("print(2)") == "2\n"
    assert bob.ask("DELETE", f"/api/kernels/{other}")[0] == 204
    ends = {line["reason"] for line in shared.audit() if line.get("kernel") == kernel and line["what"] == "kernel end"}
    assert ends == {"revoked"}


def test_a_fresh_token_keeps_the_kernels(shared: Service) -> None:
    anna = shared.user("anna4")
    kernel = anna.start()
    talk = anna.talk(kernel)
    again = shared.user("anna4", renew=True)
    assert talk.closed() == 4401
    assert list(again.kernels()) == [kernel]
    assert anna.ask("GET", "/api/kernels")[0] == 401
    assert again.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204


def test_expired_with_an_open_socket(shared: Service) -> None:
    anna = shared.user("anna5", expires=time.time() + 5)
    kernel = anna.start(SPEC)
    talk, process = anna.talk(kernel), shared.process_of(kernel)
    assert talk.closed() == 4401
    assert anna.ask("GET", "/api/kernels")[0] == 401
    process.wait(30)
