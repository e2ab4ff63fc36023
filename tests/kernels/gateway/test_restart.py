"""Kernels outlive their gateway, and the next one finds them; nothing is left where none comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from ... import stack
from ...patience import eventually
from .conftest import Serve, Service, Talk, lives, wait_for

pytestmark = pytest.mark.slow


def again(service: Service) -> Service:
    """The next gateway of the same folder."""
    following = Service(service.folder, service.options, service.env)
    following.begin()
    service.process = following.process  # for the fixture to end
    service.url = following.url
    return following


def begin(talk: Talk, code: str) -> None:
    """Have a cell run; that the kernel is called busy may still be about the cell before."""
    talk.run("1")
    talk.ask(f"print('begun', flush=True)\n{code}")
    assert talk.next("stream")["text"] == "begun\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_an_idle_kernel_is_found_again(serve: Serve, number: signal.Signals) -> None:
    service = serve()
    anna = service.user("anna", kernels=1)
    kernel = anna.start(env={"JPY_SESSION_NAME": "study"})
    talk = anna.talk(kernel)
    talk.run("kept = 42")
    process = service.process_of(kernel)
    service.end(number)
    assert lives(process)
    anna.url = again(service).url
    assert anna.kernels()[kernel]["execution_state"] == "idle"
    assert anna.ask("POST", "/api/kernels", {"name": "python3"})[0] == 429  # it counts
    talk = anna.talk(kernel)
    assert talk.run("import os; print(kept, os.getpid())") == f"42 {process.pid}\n"
    assert anna.ask("POST", f"/api/kernels/{kernel}/interrupt")[0] == 204
    assert anna.ask("POST", f"/api/kernels/{kernel}/restart")[0] == 200
    talk = anna.talk(kernel)
    assert talk.run("print('kept' in globals(), __import__('os').environ['JPY_SESSION_NAME'])") == "False study\n"
    assert service.process_of(kernel).pid != process.pid
    assert anna.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    eventually(lambda: not lives(process))
    assert not [path for path in (service.folder / "runtime").iterdir() if kernel in path.name]
    assert [line["what"] for line in service.audit() if line.get("kernel") == kernel].count("kernel attach") == 1


def test_a_busy_kernel_is_busy_until_it_says_otherwise(serve: Serve) -> None:
    service = serve()
    anna = service.user("anna")
    kernel = anna.start()
    flag = service.folder / "go"
    talk = anna.talk(kernel)
    begin(talk, f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(.05)")
    eventually(lambda: anna.kernels()[kernel]["execution_state"] == "busy")
    service.end(signal.SIGKILL)
    anna.url = again(service).url
    assert anna.kernels()[kernel]["execution_state"] == "busy"
    time.sleep(1)  # no sooner
    assert anna.kernels()[kernel]["execution_state"] == "busy"
    assert anna.ask("POST", f"/api/kernels/{kernel}/interrupt")[0] == 204
    eventually(lambda: anna.kernels()[kernel]["execution_state"] == "idle")
    assert anna.talk(kernel).run("print(flag if 'flag' in globals() else 'as it was')") == "as it was\n"


@pytest.mark.slow
def test_a_warm_kernel_is_found_again(serve: Serve) -> None:
    """Its process is the template's child, which the gateway never had."""
    owner = f"anna-{os.getpid()}"  # a template of its own, which soon ends
    light = {"GENAI4EU_WARM_IDLE": "20", stack.WITHOUT: stack.ALL}
    service = serve(GENAI4EU_WARM="on", **light)
    anna = service.user(owner)
    code = "from genai4eu.kernels.warm import client; client.ensure(wait=True)"
    env = {**os.environ, "GENAI4EU_WARM_OWNER": owner, **light}
    subprocess.run([sys.executable, "-P", "-c", code], env=env, check=True, timeout=60)
    kernel = anna.start("genai4eu")
    assert service.process is not None
    assert service.process_of(kernel).ppid() != service.process.pid
    anna.talk(kernel).run("kept = 1")
    process = service.process_of(kernel)
    service.end(signal.SIGKILL)
    anna.url = again(service).url
    talk = anna.talk(kernel)
    assert talk.run("import os; print(kept, os.getpid())") == f"1 {process.pid}\n"
    process.kill()
    eventually(lambda: kernel not in anna.kernels())


def test_dead_kernels_are_dropped(serve: Serve) -> None:
    service = serve()
    anna = service.user("anna", kernels=2)
    dead, other = anna.start(), anna.start()
    path = service.folder / "kernels" / f"{other}.json"
    process, innocent = service.process_of(dead), service.process_of(other)
    service.end(signal.SIGKILL)
    process.kill()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"born": 1.0}))  # as if the number had been reused
    anna.url = again(service).url
    assert not anna.kernels()
    assert lives(innocent)  # somebody else's, as far as the gateway can know
    lost = [line["kernel"] for line in service.audit() if line.get("reason") == "lost while no gateway ran"]
    assert sorted(lost) == sorted([dead, other])
    assert not list((service.folder / "kernels").iterdir())
    innocent.kill()


def test_sigterm_waits_for_running_cells(serve: Serve) -> None:
    service = serve("--drain-seconds", "60")
    anna, flag = service.user("anna"), service.folder / "go"
    kernel = anna.start()
    talk = anna.talk(kernel)
    begin(talk, f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(.05)\nprint('last words')")
    eventually(lambda: anna.kernels()[kernel]["execution_state"] == "busy")
    assert service.process is not None
    service.process.send_signal(signal.SIGTERM)
    wait_for(lambda: anna.ask("GET", "/health")[1] == {"status": "draining"})
    status, answer = anna.ask("POST", "/api/kernels", {"name": "python3"})
    assert (status, "about to restart" in answer["message"]) == (503, True)
    assert "Retry-After".lower() in anna.raw("POST", "/api/kernels", b"", {})[2]
    assert list(anna.kernels()) == [kernel]
    flag.touch()
    assert talk.next("stream")["text"] == "last words\n"
    assert service.process.wait(30) == 0
    assert lives(service.process_of(kernel))


def test_sigterm_waits_no_longer_than_it_may(serve: Serve) -> None:
    service = serve("--drain-seconds", "1")
    anna = service.user("anna")
    kernel = anna.start()
    talk = anna.talk(kernel)
    begin(talk, "import time; time.sleep(600)")
    eventually(lambda: anna.kernels()[kernel]["execution_state"] == "busy")
    assert service.end(signal.SIGTERM) == 0
    assert lives(service.process_of(kernel))


def test_sigint_and_stop_end_all(serve: Serve) -> None:
    service = serve()
    anna = service.user("anna")
    processes = [service.process_of(anna.start()) for _ in range(2)]
    assert service.end(signal.SIGINT) == 0
    assert not any(lives(process) for process in processes)
    anna.url = again(service).url
    process = service.process_of(anna.start())
    answer = service.cli("stop")
    assert (answer.returncode, "stopped; kernels ended: 1" in answer.stderr) == (0, True)
    assert not lives(process)
    answer = service.cli("stop")
    assert (answer.returncode, "no gateway ran" in answer.stderr) == (0, True)


def test_stop_ends_what_a_killed_gateway_left(serve: Serve) -> None:
    service = serve()
    process = service.process_of(service.user("anna").start())
    service.end(signal.SIGKILL)
    assert lives(process)
    assert "no gateway ran; kernels ended: 1" in service.cli("stop").stderr
    assert not lives(process)


def keepers(service: Service) -> list[psutil.Process]:
    mine = str(service.folder)
    return [p for p in psutil.process_iter(["cmdline"])
            if mine in (p.info["cmdline"] or []) and "genai4eu.kernels.gateway.keeper" in str(p.info)]  # fmt: skip


@pytest.mark.slow
def test_orphans_are_ended(serve: Serve) -> None:
    service = serve("--keep-kernels", "3")
    anna = service.user("anna")
    process = service.process_of(anna.start())
    anna.start()
    (keeper,) = wait_for(lambda: keepers(service))
    assert os.getsid(keeper.pid) == keeper.pid
    service.end(signal.SIGKILL)
    time.sleep(1)
    assert lives(process)
    eventually(lambda: not lives(process) and not keepers(service))
    reasons = [line.get("reason") for line in service.audit() if line["what"] == "kernel end"]
    assert reasons == ["no gateway came back"] * 2


def test_only_one_in_a_folder(serve: Serve) -> None:
    service = serve()
    assert service.process is not None
    answer = service.cli("start", "--port", "0")
    assert answer.returncode == 1
    assert f"already ({service.url}, process {service.process.pid}): end it with genai4eu gateway stop" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_kernels_of_another_computer(serve: Serve) -> None:
    service = serve()
    kernel = service.user("anna").start()
    service.end(signal.SIGKILL)
    path = service.folder / "kernels" / f"{kernel}.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"host": "login7"}))
    answer = service.cli("start", "--port", "0")
    assert (answer.returncode, "kernels of login7 stand in" in answer.stderr) == (1, True)
    assert service.cli("stop").returncode == 1
    process = service.process_of(kernel)
    assert service.cli("stop", "--forget").returncode == 0
    assert not list((service.folder / "kernels").iterdir())
    process.kill()
