"""A stock Jupyter server, as JupyterLab runs it, with ``--gateway-url``: one user's kernels, and cells run there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...patience import eventually
from .conftest import SPEC, Service, Someone

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def server(shared: Service, tmp_path: Path) -> Iterator[tuple[Someone, Someone]]:
    """A user of the gateway, and a stock server that uses it with this user's token."""
    anna = shared.user("anna", kernels=2)
    port = free_port()
    command = [sys.executable, "-P", "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--allow-root", "--no-browser", "--IdentityProvider.token=local", f"--gateway-url={shared.url}"]
    command += [f"--ServerApp.root_dir={tmp_path}", "--ServerApp.jpserver_extensions={}"]
    env = {**os.environ, "JUPYTER_GATEWAY_AUTH_TOKEN": anna.token, "JUPYTER_GATEWAY_AUTH_SCHEME": "token"}
    log = (tmp_path / "log").open("wb")
    with log, subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True) as stock:
        lab = Someone(f"http://127.0.0.1:{port}", "local")
        eventually(lambda: _answers(lab))
        yield anna, lab
        stock.terminate()
        stock.wait(30)


def _answers(lab: Someone) -> bool:
    try:
        return lab.ask("GET", "/api")[0] == 200
    except OSError:
        return False


def test_a_notebook_of_a_stock_server(server: tuple[Someone, Someone]) -> None:
    anna, lab = server
    assert set(lab.ask("GET", "/api/kernelspecs")[1]["kernelspecs"]) >= {"genai4eu", SPEC}
    notebook = {"path": "a.ipynb", "type": "notebook", "name": "a", "kernel": {"name": SPEC}}
    status, session = lab.ask("POST", "/api/sessions", notebook)
    assert status == 201, session
    kernel = session["kernel"]["id"]
    assert list(anna.kernels()) == [kernel]
    talk = lab.talk(kernel)
    assert talk.run("import os; print('there', 'GENAI4EU_WARM_OWNER' in os.environ)") == "there True\n"
    assert lab.ask("POST", f"/api/kernels/{kernel}/interrupt")[0] == 204
    assert lab.ask("POST", f"/api/kernels/{kernel}/restart")[0] == 200
    talk = lab.talk(kernel)
    assert talk.run("print(2)") == "2\n"
    talk.socket.close()
    assert lab.ask("DELETE", f"/api/sessions/{session['id']}")[0] == 204
    assert not anna.kernels()
