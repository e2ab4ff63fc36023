"""What a user may have is decided when it is asked for; what cannot be had leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from genai4eu.kernels.gateway.quotas import Refused, check_count
from genai4eu.kernels.gateway.records import Record
from genai4eu.kernels.gateway.users import User

from .conftest import SPEC, Service, Someone

pytestmark = pytest.mark.slow


def processes(service: Service) -> list[psutil.Process]:
    """Kernels of the gateway that are there, recorded or not."""
    assert service.process is not None
    children = psutil.Process(service.process.pid).children(recursive=True)
    return [child for child in children if str(service.folder / "runtime") in " ".join(child.cmdline())]


def test_fifty_at_once_against_a_quota_of_three(shared: Service) -> None:
    anna = shared.user("anna", kernels=3)
    before = len(processes(shared))
    with ThreadPoolExecutor(50) as people:
        answers = list(people.map(lambda _: anna.ask("POST", "/api/kernels", {"name": SPEC}), range(50)))
    assert sorted(status for status, _ in answers) == [201] * 3 + [429] * 47
    kernels = anna.kernels()
    assert len(kernels) == 3
    assert len(processes(shared)) - before == 3
    for refusal in [model["message"] for status, model in answers if status == 429]:
        assert "anna has 3 of 3 kernels at once (python3 for" in refusal
        assert "DELETE /api/kernels/" in refusal
        assert refusal.rsplit("/", 1)[1].split(",")[0] in kernels
    anna.ask("DELETE", f"/api/kernels/{next(iter(kernels))}")
    again = anna.start()
    for kernel in {again, *kernels} & anna.kernels().keys():
        assert anna.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    assert len(processes(shared)) == before
    assert {line["reason"] for line in shared.audit() if line["what"] == "kernel refused"} >= {"kernels"}


def test_sessions_count_too(shared: Service) -> None:
    bob = shared.user("bob", kernels=1)
    notebook = {"path": "a.ipynb", "type": "notebook", "name": "a", "kernel": {"name": SPEC}}
    status, session = bob.ask("POST", "/api/sessions", notebook)
    assert status == 201
    assert bob.ask("POST", "/api/sessions", notebook)[1]["id"] == session["id"]
    assert bob.ask("POST", "/api/sessions", {**notebook, "path": "b.ipynb"})[0] == 429
    assert bob.ask("POST", "/api/kernels", {"name": SPEC})[0] == 429
    assert bob.ask("PATCH", f"/api/sessions/{session['id']}", {"path": "c.ipynb"})[1]["path"] == "c.ipynb"
    assert bob.ask("DELETE", f"/api/sessions/{session['id']}")[0] == 204
    assert (bob.kernels(), bob.ask("GET", "/api/sessions")) == ({}, (200, []))


def test_only_allowed_kernelspecs(shared: Service) -> None:
    carl = shared.user("carl", kernelspecs=["genai4eu"])
    assert list(carl.ask("GET", "/api/kernelspecs")[1]["kernelspecs"]) == ["genai4eu"]
    assert carl.ask("GET", f"/api/kernelspecs/{SPEC}")[0] == 404
    status, answer = carl.ask("POST", "/api/kernels", {"name": SPEC})
    assert status == 403
    assert "not among those allowed to carl: use one of genai4eu" in answer["message"]
    assert carl.ask("POST", "/api/kernels", {"name": "nope"})[0] == 404
    assert not carl.kernels()


@pytest.fixture
def broken(home: dict[str, str]) -> Iterator[str]:
    """A kernelspec whose program is not there."""
    folder = Path(home["JUPYTER_DATA_DIR"]) / "kernels" / "broken"
    folder.mkdir(parents=True, exist_ok=True)
    argv = ["/nonexistent/python", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Broken", "language": "python"}))
    yield "broken"
    shutil.rmtree(folder)  # the home is shared


def test_a_start_that_fails_gives_its_place_back(shared: Service, broken: str) -> None:
    dora = shared.user("dora", kernels=2)
    for _ in range(5):
        status, answer = dora.ask("POST", "/api/kernels", {"name": broken})
        assert (status, answer["message"].count("\n")) == (500, 0)
        assert "the kernelspec 'broken' cannot be started (No such file or directory)" in answer["message"]
    assert not dora.kernels()
    assert not [path for path in (shared.folder / "runtime").iterdir() if path.suffix != ".log"]
    assert not list((shared.folder / "kernels").iterdir())
    kernels = [dora.start() for _ in range(2)]
    for kernel in kernels:
        dora.ask("DELETE", f"/api/kernels/{kernel}")


def test_the_same_id_twice(shared: Service) -> None:
    eve, kernel = shared.user("eve"), str(uuid.uuid4())
    with ThreadPoolExecutor(4) as people:
        wish = {"name": SPEC, "kernel_id": kernel}
        answers = list(people.map(lambda _: eve.ask("POST", "/api/kernels", wish)[0], range(4)))
    assert sorted(answers) == [201, 409, 409, 409]
    assert eve.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204


def test_each_kernel_has_its_own_variables(shared: Service) -> None:
    """Twenty at once, each with a value of its own; and nothing of what is not allowed, or is the gateway's."""
    fay = shared.user("fay", kernels=20)
    names = [f"notebook-{number}" for number in range(20)]

    def start(name: str) -> str:
        env = {"JPY_SESSION_NAME": name, "LD_PRELOAD": "x", "KERNEL_USERNAME": "root", "PATH": "x", "a\nb": "x"}
        status, model = fay.ask("POST", "/api/kernels", {"name": SPEC, "env": env})
        assert (status, model["ignored_env"]) == (201, ["KERNEL_USERNAME", "LD_PRELOAD", "PATH", "(no name)"])
        return str(model["id"])

    with ThreadPoolExecutor(20) as people:
        kernels = dict(zip(names, people.map(start, names), strict=True))
    for name, kernel in kernels.items():
        variables = shared.process_of(kernel).environ()
        assert variables["JPY_SESSION_NAME"] == name
        assert variables["GENAI4EU_WARM_OWNER"] == "fay"
        assert not {"LD_PRELOAD", "KERNEL_USERNAME", "JPY_PARENT_PID"} & variables.keys()
        assert variables["PATH"] != "x"
        assert fay.token not in str(variables)
    with ThreadPoolExecutor(20) as people:
        assert set(people.map(lambda k: fay.ask("DELETE", f"/api/kernels/{k}")[0], kernels.values())) == {204}


def test_others_are_answered_while_a_start_takes_long(shared: Service, home: dict[str, str]) -> None:
    """A kernel that is slow to come keeps nobody waiting."""
    folder = Path(home["JUPYTER_DATA_DIR"]) / "kernels" / "slow"
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-c", "import time; time.sleep(60)", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Slow", "language": "python"}))
    gina = shared.user("gina")
    kernel = gina.start("slow")
    nobody = Someone(shared.url, "")
    assert nobody.ask("GET", "/health") == (200, {"status": "ok"})
    assert gina.kernels()[kernel]["execution_state"] == "starting"
    assert gina.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    shutil.rmtree(folder)  # the home is shared


def test_a_person_in_a_notebook_is_told_of_menus_not_of_rest() -> None:
    kernels = [Record(str(uuid.uuid4()), "hal", SPEC)]
    with pytest.raises(Refused, match=r"under Running Terminals and Kernels, or end the program that uses it, and ask"):
        check_count(User("hal", "", kernels=1), kernels, bridge=True)
