"""The files of runs at a gateway: for their owner alone, nothing else by a trick, in pieces, also after the kernel."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai4eu.kernels.gateway.files import MOST
from genai4eu.kernels.gateway.runfiles import KEPT, RunFiles
from genai4eu.kernels.rest import Gateway, KernelGone
from genai4eu.kernels.transfer import Transfer, offered

from ..proxy import Proxy
from .conftest import Service, Someone, wait_for
from .test_fuzz import tries

RUN = "20260101-000000-ünï %41 it's-0000"
SECRET = "raven-47"
BIG = 3_000_001
#: What the kernel's side of a run does: make its folder, say whose it is, and tell the gateway.
BEGIN = f"""
import json, os
from pathlib import Path
place, folder = Path(os.environ['GENAI4EU_KERNEL_FILES']), Path(BASE) / {RUN!r}
(folder / 'outputs' / 'deep').mkdir(parents=True)
place.mkdir()
(folder / 'owner.json').write_text(json.dumps({{'kernel': place.name}}))
(place / ({RUN!r} + '.json')).write_text(json.dumps({{'folder': str(folder)}}))
(folder / 'sizes.json').write_text('{{}}')
(folder / 'metrics.json').write_text('{SECRET}')
(folder / 'outputs' / 'deep' / 'big.bin').write_bytes(bytes(range(256)) * 11718 + b'x' * 193)
(folder / 'outputs' / 'empty').touch()
(folder / 'outputs' / os.fsdecode(b'no utf-8 \\xff')).write_text('odd')
os.symlink('/etc/passwd', folder / 'outputs' / 'link')
os.symlink('/etc', folder / 'outputs' / 'linked')
os.symlink('../outputs/deep/../empty', folder / 'outputs' / 'inner')
os.mkfifo(folder / 'outputs' / 'pipe')
"""


@pytest.fixture(scope="module")
def run(shared: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Someone, str, Path]]:
    """Somebody with a kernel and a run that keeps files beside it."""
    base = tmp_path_factory.mktemp("scratch")
    someone = shared.user("keeper")
    kernel = someone.start()
    someone.talk(kernel).run(BEGIN.replace("BASE", repr(str(base))))
    yield someone, kernel, base / RUN


def address(kernel: str, path: str = "", run: str = RUN) -> str:
    return f"/api/genai4eu/kernels/{kernel}/files/{quote(run, safe='')}" + (f"/{quote(path)}" if path else "")


def content(folder: Path) -> bytes:
    data = (folder / "outputs" / "deep" / "big.bin").read_bytes()
    assert len(data) == BIG
    return data


def test_the_list_and_the_files(run: tuple[Someone, str, Path]) -> None:
    someone, kernel, folder = run
    assert someone.ask("GET", "/api")[1]["genai4eu"] == {"files": 1}
    status, answer = someone.ask("GET", address(kernel))
    assert (status, answer["kept"], answer["secrets"]) == (200, KEPT, False)
    files = {entry["path"]: entry for entry in answer["files"]}
    odd = os.fsdecode(b"outputs/no utf-8 \xff")
    names = {
        "outputs/deep/big.bin",
        "outputs/empty",
        "outputs/link",
        "outputs/linked",
        "outputs/inner",
        odd,
        "sizes.json",
    }
    assert files.keys() == names  # and no pipe, no metrics
    digest = hashlib.sha256(content(folder)).hexdigest()
    assert files["outputs/deep/big.bin"] == {"path": "outputs/deep/big.bin", "size": BIG, "sha256": digest}
    assert files["outputs/link"] == {"path": "outputs/link", "link": True}
    assert files["outputs/inner"] == {
        **files["outputs/empty"],
        "path": "outputs/inner",
        "link": True,
        "to": "outputs/empty",
    }
    for path, data in (("outputs/deep/big.bin", content(folder)), ("outputs/empty", b""), ("sizes.json", b"{}")):
        assert someone.raw("GET", address(kernel, path), None, {})[:2] == (200, data)
    assert someone.raw("GET", address(kernel) + "/" + quote(os.fsencode(odd)), None, {})[:2] == (200, b"odd")


def test_ranges(run: tuple[Someone, str, Path]) -> None:
    someone, kernel, folder = run
    path, data = address(kernel, "outputs/deep/big.bin"), content(folder)
    status, got, headers = someone.raw("GET", path, None, {"Range": "bytes=2000000-"})
    assert (status, got, headers["content-range"]) == (206, data[2_000_000:], f"bytes 2000000-{BIG - 1}/{BIG}")
    assert someone.raw("GET", path, None, {"Range": "bytes=5-9"})[:2] == (206, data[5:10])
    assert someone.raw("GET", path, None, {"Range": "bytes=5-9999999999"})[:2] == (206, data[5:])
    assert someone.raw("GET", path, None, {"Range": f"bytes={BIG}-"})[0] == 416
    for whole in ("bytes=-5", "bytes=1-2,4-5", "lines=1-2", "bytes=a-"):  # it may be ignored, and is
        assert someone.raw("GET", path, None, {"Range": whole})[:2] == (200, data)
    assert someone.raw("GET", path, None, {"Range": "bytes=5-9", "If-Range": headers["etag"]})[0] == 206
    assert someone.raw("GET", path, None, {"Range": "bytes=5-9", "If-Range": '"other"'})[:2] == (200, data)


def test_for_nobody_else(run: tuple[Someone, str, Path], shared: Service) -> None:
    _, kernel, _ = run
    thief, nobody = shared.user("thief"), Someone(shared.url, "")
    own = thief.start()
    for path in ("", "outputs/deep/big.bin", "sizes.json"):
        assert thief.ask("GET", address(kernel, path))[0] == 404
        assert thief.ask("GET", address(own, path))[0] == 404  # there is such a run, but not of this kernel
        assert nobody.ask("GET", address(kernel, path))[0] == 401
    assert thief.ask("DELETE", address(kernel))[0] == 404
    thief.talk(own).run(  # who says that it is here
        "import json, os; from pathlib import Path; place = Path(os.environ['GENAI4EU_KERNEL_FILES']); place.mkdir()\n"
        f"for name, folder in {{'a': {str(run[2])!r}, 'b': '/etc', 'c': 'outputs', 'd': 3}}.items():\n"
        "    (place / f'{name}.json').write_text(json.dumps({'folder': folder}))"
    )
    for name in "abcd":
        assert thief.ask("GET", address(own, run=name))[0] == 404
        assert thief.ask("DELETE", address(own, run=name))[0] == 404
    assert run[2].is_dir()


names = st.sampled_from([
    "outputs", "deep", "big.bin", "..", ".", "", "link", "linked", "pipe", "passwd", "metrics.json", "owner.json",
    "%2e%2e", "%2F", "..%2f..", "%00", "a" * 300, "\xff", "/etc/passwd", "sizes.json", "outputs%2Fdeep%2Fbig.bin", "*",
])  # fmt: skip


def test_no_path_leads_anywhere_else(run: tuple[Someone, str, Path]) -> None:
    someone, kernel, folder = run
    allowed = {b"", b"{}", b"odd", content(folder)}
    runs = st.just(RUN) | st.sampled_from(["..", ".", "x", f"../{kernel}/{RUN}", "%00", "a" * 300])
    tried: list[int] = []

    @tries(300)
    @given(st.lists(names, max_size=6), runs)
    def attempt(parts: list[str], name: str) -> None:
        path = address(kernel, run=name) + "/" + "/".join(quote(p, safe="%") for p in parts)
        status, got, _ = someone.raw("GET", path, None, {})
        tried.append(status)
        assert status < 500, (path, got)
        assert status != 200 or got in allowed, path
        assert SECRET.encode() not in got and b"root:" not in got

    attempt()
    assert 404 in tried
    print(f"\nPaths: {len(tried)}, answered {sorted({s: tried.count(s) for s in set(tried)}.items())}")


def test_a_slow_reader_holds_up_nobody_and_is_bounded(run: tuple[Someone, str, Path]) -> None:
    someone, kernel, folder = run
    (folder / "outputs" / "huge").write_bytes(b"\0" * (64 << 20))
    host, port = someone.url.split("://")[1].split(":")
    lines = [
        f"GET {address(kernel, 'outputs/huge')} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: token {someone.token}",
    ]
    request = "\r\n".join([*lines, "", ""])
    readers = [socket.create_connection((host, int(port))) for _ in range(MOST)]
    for reader in readers:
        reader.sendall(request.encode())
        assert reader.recv(100).startswith(b"HTTP/1.1 200")  # and nothing more is read
    status, answer, headers = someone.raw("GET", address(kernel, "sizes.json"), None, {})
    assert (status, headers["retry-after"]) == (429, "1"), answer
    assert kernel in someone.kernels()  # everything else is answered
    for reader in readers:
        reader.close()
    wait_for(lambda: someone.ask("GET", address(kernel, "sizes.json"))[0] == 200)
    (folder / "outputs" / "huge").unlink()


class Memory:
    """Where a transfer goes in these tests."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)

    def tell(self) -> int:
        return len(self.data)

    def write(self, data: bytes, /) -> None:
        self.data += data

    def restart(self) -> None:
        self.data.clear()


@pytest.fixture
def transfer(run: tuple[Someone, str, Path], tmp_path: Path) -> Iterator[tuple[Transfer, Proxy, bytes]]:
    """A transfer through a network that can be spoilt, and what is to arrive."""
    someone, kernel, folder = run
    (tmp_path / "token").write_text(someone.token)
    (tmp_path / "token").chmod(0o600)
    proxy = Proxy(int(someone.url.rpartition(":")[2]))
    gateway = Gateway(proxy.url, tmp_path / "token")
    assert offered(gateway)
    yield Transfer(gateway, kernel, RUN), proxy, content(folder)
    proxy.close()


def test_a_transfer_goes_on_where_it_broke(transfer: tuple[Transfer, Proxy, bytes]) -> None:
    far, proxy, data = transfer
    sent: list[int] = []

    class Cut(Memory):
        def write(self, piece: bytes, /) -> None:
            sent.append(len(piece))
            if len(sent) in (1, 3):
                proxy.cut_after(200_000)
            super().write(piece)

    sink = Cut()
    far.copy("outputs/deep/big.bin", len(data), sink)
    assert sink.data == data
    assert sum(sent) == len(data)  # nothing came twice
    half = Memory(data[: BIG // 2])
    far.copy("outputs/deep/big.bin", len(data), half)
    assert half.data == data


def test_a_file_that_changes_meanwhile_is_begun_anew(
    transfer: tuple[Transfer, Proxy, bytes], run: tuple[Someone, str, Path]
) -> None:
    far, proxy, _ = transfer
    path = run[2] / "outputs" / "moving"
    path.write_bytes(b"a" * 4_000_000)

    class Changing(Memory):
        def write(self, piece: bytes, /) -> None:
            if self.tell() == 0 and piece[:1] == b"a":
                path.write_bytes(b"b" * 4_000_000)
                proxy.cut()
            super().write(piece)

    sink = Changing()
    far.copy("outputs/moving", 4_000_000, sink)
    assert set(sink.data) in ({ord("b")}, {ord("a"), ord("b")}) and len(sink.data) == 4_000_000
    path.unlink()


@pytest.mark.slow
def test_what_is_left_when_the_kernel_is_gone(shared: Service, tmp_path: Path) -> None:
    someone, other = shared.user("leaver"), shared.user("heir")
    kernel = someone.start()
    someone.talk(kernel).run(BEGIN.replace("BASE", repr(str(tmp_path))))
    assert someone.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    wait_for(lambda: someone.ask("GET", f"/api/kernels/{kernel}")[0] == 404)
    assert someone.raw("GET", address(kernel, "sizes.json"), None, {})[:2] == (200, b"{}")
    assert other.ask("GET", address(kernel))[0] == 404
    assert someone.ask("DELETE", address(kernel))[0] == 204
    assert not (tmp_path / RUN).exists()
    assert someone.ask("GET", address(kernel))[0] == 404
    (tmp_path / "token").write_text(someone.token)
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(KernelGone, match="has no such file of this run"):
        Transfer(Gateway(shared.url, tmp_path / "token"), kernel, RUN).listing()
    said = [line for line in shared.audit() if line["what"] == "files removed"]
    assert [line["user"] for line in said if line["kernel"] == kernel] == ["leaver"]


@pytest.mark.slow
def test_what_nobody_wanted_for_long_is_removed(tmp_path: Path) -> None:
    files, old = RunFiles(tmp_path / "files"), time.time() - KEPT - 60

    def left(kernel: str, when: float) -> Path:
        folder, place = tmp_path / kernel, Path(files.place(kernel))
        for path in (folder / "outputs", place):
            path.mkdir(parents=True)
        (folder / "owner.json").write_text(json.dumps({"kernel": kernel}))
        (place / "r.json").write_text(json.dumps({"folder": str(folder)}))
        files.keep(kernel, "ada")
        for path in (folder, place):
            os.utime(path, (when, when))
        return folder

    alive, gone, fresh = left("alive", old), left("gone", old), left("fresh", time.time() - 7200)
    files.tidy({"alive"})
    assert (alive.exists(), gone.exists(), fresh.exists()) == (True, False, True)
    assert [files.owner(kernel) for kernel in ("alive", "gone", "fresh")] == ["ada", None, "ada"]
