"""Connecting to a gateway, what becomes a target, and what is said when it cannot be used."""

from __future__ import annotations

import http.server
import json
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from genai4eu.kernels import local, targets
from genai4eu.kernels.connect import connect, disconnect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway import process
from genai4eu.kernels.gateway.process import GatewayProcess

from ..patience import genai4eu


def kernels() -> Path:
    return Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A private file with a token that no gateway knows."""
    path = tmp_path / "wrong-token"
    path.touch(0o600)
    path.write_text("wrong")
    return path


@pytest.fixture
def other_server() -> Iterator[str]:
    """Address of a web server that is no gateway."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}" if self.path.startswith("/json") else b"<html>")

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_ensure_is_cheap_and_safe_to_repeat() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: local.ensure(), range(16))) == {"genai4eu"}
    spec = KernelSpecManager().get_kernel_spec("genai4eu")
    assert spec.argv[:2] == [sys.executable, "-P"]
    written = Path(spec.resource_dir, "kernel.json").stat().st_mtime_ns
    local.ensure()
    assert Path(spec.resource_dir, "kernel.json").stat().st_mtime_ns == written


def test_ensure_falls_back_to_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setattr(local, "_folders", lambda: [blocked / "kernels", tmp_path / "kernels"])
    local.ensure()
    assert json.loads((tmp_path / "kernels/genai4eu/kernel.json").read_text())["argv"][0] == sys.executable
    monkeypatch.setattr(local, "_folders", lambda: [blocked / "kernels"])
    with pytest.raises(KernelsError, match="JUPYTER_DATA_DIR"):
        local.ensure()


def test_connect_writes_and_refreshes(gateway: GatewayProcess) -> None:
    names = connect("here", gateway.url + "/", gateway.token_file)
    assert {"here-genai4eu", "here-python3"} <= set(names)
    text = (kernels() / "here-genai4eu/kernel.json").read_text()
    spec = json.loads(text)
    assert spec["argv"][:4] == [sys.executable, "-P", "-m", "genai4eu.kernels.bridge"]
    assert spec["display_name"] == "here · GenAI4EU (warm)"
    assert gateway.token_file.read_text().strip() not in text
    (kernels() / "here-python3").rename(kernels() / "here-gone")
    assert connect("here", gateway.url, gateway.token_file) == names
    assert not (kernels() / "here-gone").exists()
    assert disconnect("here") == names
    assert not list(kernels().glob("here-*"))


def test_connect_takes_nobody_elses_kernelspec(gateway: GatewayProcess) -> None:
    connect("a", gateway.url, gateway.token_file)
    folder = kernels() / "b-genai4eu"
    folder.mkdir()
    (folder / "kernel.json").write_text('{"argv": ["x"], "display_name": "mine", "language": "x"}')
    with pytest.raises(KernelsError, match="of something else already"):
        connect("b", gateway.url, gateway.token_file)
    assert not (kernels() / "b-python3").exists()
    assert "mine" in (folder / "kernel.json").read_text()
    (folder / "kernel.json").unlink()
    folder.rmdir()
    disconnect("a")


@pytest.mark.parametrize(
    ("name", "url", "said"),
    [
        ("Far", None, "cannot name a gateway"),
        ("../x", None, "cannot name a gateway"),
        ("", None, "cannot name a gateway"),
        ("x", "http://127.0.0.1:9", "does not answer"),
        ("x", "127.0.0.1:8899", "write it like http://127.0.0.1:8899"),
        ("x", "http://127.0.0.1:port", "is not a gateway's address"),
        ("x", "http://token@127.0.0.1:1", "is not a gateway's address"),
        ("x", "http://192.0.2.1:8899", "unencrypted"),
        ("x", None, "may have expired or been revoked; ask the operator for a fresh one"),
    ],
)
def test_what_connect_says(gateway: GatewayProcess, token: Path, name: str, url: str | None, said: str) -> None:
    answer = genai4eu("connect", name, "--url", url or gateway.url, "--token-file", token)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert said in answer.stderr
    assert answer.stderr.startswith("genai4eu: ")
    assert answer.stderr.count("\n") == 1
    assert not list(kernels().glob("x-*"))


@pytest.mark.parametrize("path", ["", "/json"])
def test_connect_to_something_else(other_server: str, token: Path, path: str) -> None:
    with pytest.raises(KernelsError, match=r"kernel gateway.*check the address"):
        connect("x", other_server + path, token)


def test_connect_without_a_good_token_file(gateway: GatewayProcess, tmp_path: Path, token: Path) -> None:
    token.chmod(0o644)
    for path, said in [(tmp_path / "none", "does not exist"), (token, "chmod 600"), (tmp_path, "plain file|directory")]:
        with pytest.raises(KernelsError, match=said):
            connect("x", gateway.url, path)


@pytest.mark.slow
def test_targets_and_what_is_wrong_with_them(gateway: GatewayProcess, tmp_path: Path, target: str) -> None:
    down = process.start(tmp_path)
    connect("down", down.url, down.token_file)
    down.stop()
    rows = {row["name"]: row for row in json.loads(genai4eu("targets", "--json").stdout)}
    assert rows["genai4eu"]["where"] == "this computer"
    assert rows["genai4eu"]["state"] == rows[target]["state"] == "ready"
    assert (rows["down-genai4eu"]["state"], rows["down-genai4eu"]["where"]) == ("gateway down", down.url)
    with pytest.raises(KernelsError, match="does not answer"):
        targets.check(targets.find("down-genai4eu"))
    (tmp_path / "token").write_text("wrong")
    connect_file = kernels() / "down-genai4eu/kernel.json"
    connect_file.write_text(connect_file.read_text().replace(down.url, gateway.url))
    assert "wrong token" in genai4eu("targets").stdout
    with pytest.raises(KernelsError, match="refuses the token"):
        targets.check(targets.find("down-genai4eu"))
    disconnect("down")


def test_a_target_that_the_gateway_no_longer_has(target: str) -> None:
    file = kernels() / target / "kernel.json"
    file.write_text(file.read_text().replace('"spec": "genai4eu"', '"spec": "lost"'))
    with pytest.raises(KernelsError, match="no longer offers lost: type genai4eu connect far"):
        targets.check(targets.find(target))


def test_an_unknown_target(target: str) -> None:
    with pytest.raises(KernelsError, match=f"unknown target 'far-genai': use one of {target}"):
        targets.find("far-genai")
    with pytest.raises(KernelsError, match="use one of genai4eu"):
        targets.find("zzzz")
    with pytest.raises(KernelsError, match="no gateway 'zzzz' is connected: use one of far"):
        disconnect("zzzz")


def test_the_local_target_is_checked_without_a_network() -> None:
    targets.check(targets.find("genai4eu"))
    missing = targets.Target("x", "X", "python", "x", "/nowhere/python")
    with pytest.raises(KernelsError, match="not on this computer"):
        targets.check(missing)
