"""What ends by itself: idle kernels, old ones, those whose client went away; where one can hear it, with a warning."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from ...patience import eventually
from .conftest import SPEC, Serve, Service, lives

pytestmark = pytest.mark.slow


def reasons(service: Service, kernel: str) -> list[str]:
    return [line["reason"] for line in service.audit() if line["what"] == "kernel end" and line.get("kernel") == kernel]


@pytest.mark.slow
def test_an_idle_kernel_is_warned_and_ended_and_a_busy_one_never(serve: Serve) -> None:
    service = serve("--cull-idle", "8")
    anna = service.user("anna")
    idle, busy = anna.start(), anna.start()
    listening, working = anna.talk(idle), anna.talk(busy)
    listening.run("1")
    working.ask("import time; time.sleep(24); print('done')")
    text = listening.next("stream")["text"]
    assert text.startswith("genai4eu: this kernel is idle and ends in 2 s: run a cell to keep it")
    assert listening.run("print('still here')").endswith("still here\n")
    again = listening.next("stream")["text"]  # warned anew, after it was used
    assert again.startswith("genai4eu: this kernel is idle and ends in")
    eventually(lambda: idle not in anna.kernels())
    eventually(lambda: reasons(service, idle) == ["idle"])
    assert working.next("stream")["text"] == "done\n"
    assert busy in anna.kernels()
    eventually(lambda: busy not in anna.kernels())


def test_the_longest_life(serve: Serve) -> None:
    service = serve()
    anna = service.user("anna", longest=8.0)
    kernel = anna.start()
    talk = anna.talk(kernel)
    talk.ask("import time; time.sleep(600)")  # even in the middle of a cell
    assert "s, when it is 8 s old: save what you need" in talk.next("stream")["text"]
    assert "the gateway ends this kernel (longest life)" in talk.next("stream")["text"]
    eventually(lambda: kernel not in anna.kernels())
    eventually(lambda: reasons(service, kernel) == ["longest life"])


def test_a_kernel_whose_client_never_came(serve: Serve) -> None:
    service = serve()
    anna = service.user("anna")
    leased, stock, long = anna.start(lease=2), anna.start(), anna.start(lease=3600)
    process = service.process_of(leased)
    eventually(lambda: leased not in anna.kernels())
    assert not lives(process)
    eventually(lambda: reasons(service, leased) == ["lease"])
    assert set(anna.kernels()) == {stock, long}


def test_a_dead_kernel_stays_dead(shared: Service) -> None:
    anna = shared.user("anna")
    kernel = anna.start()
    talk, process = anna.talk(kernel), shared.process_of(kernel)
    talk.run("1")
    process.kill()
    while talk.next("status")["execution_state"] != "dead":
        pass
    assert kernel not in anna.kernels()
    assert not list((shared.folder / "kernels").glob(f"{kernel}*"))
    assert not list((shared.folder / "runtime").glob(f"*{kernel}*"))
    assert reasons(shared, kernel) == ["died"]
    assert anna.ask("GET", f"/api/kernels/{kernel}")[0] == 404


def test_a_kernel_that_ends_as_soon_as_it_starts(shared: Service) -> None:
    anna = shared.user("anna6", kernels=1)
    process = shared.process_of(anna.start())
    process.kill()
    eventually(lambda: not anna.kernels())
    assert anna.ask("DELETE", f"/api/kernels/{anna.start()}")[0] == 204


@pytest.mark.parametrize("wish", [{"batch": True}, {"lease": 600}])
def test_a_run_is_not_restarted(shared: Service, wish: dict[str, Any]) -> None:
    anna = shared.user("anna7") if "batch" in wish else shared.user("anna8")
    kernel = anna.start(**wish)
    status, answer = anna.ask("POST", f"/api/kernels/{kernel}/restart")
    assert (status, "a run is not restarted" in answer["message"]) == (409, True)
    assert anna.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204


def test_a_restart_keeps_the_place(shared: Service) -> None:
    anna = shared.user("anna9", kernels=1)
    kernel = anna.start(lease=600, batch=False)
    before = shared.process_of(kernel)
    assert anna.ask("POST", f"/api/kernels/{kernel}/restart")[0] == 200
    after = shared.process_of(kernel)
    assert after.pid != before.pid
    assert not lives(before)
    assert anna.ask("POST", "/api/kernels", {"name": SPEC})[0] == 429
    assert anna.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    psutil.wait_procs([after], timeout=30)
    assert not lives(after)
