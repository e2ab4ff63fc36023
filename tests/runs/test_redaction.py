"""A notebook that shows a secret by mistake, in every way there is: the value is in no record, log or process list."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest

import genai4eu
from genai4eu.kernels import local
from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.kernels.warm import client
from genai4eu.redact import forms
from genai4eu.vault import keep

from ..patience import PAPERMILL

pytestmark = pytest.mark.slow  # nearly every test starts kernels or servers

VALUE = "hünt<er2>'&\"/+ Zq9xKw\\pL"
CELLS = [
    ("parameters", 'key: str = "secret:hub"  # key of the hub'),
    "import genai4eu, hashlib, json, logging, os, subprocess, sys, time\nimport ipywidgets\n"
    "from IPython.display import HTML, display\n"
    "value = genai4eu.secret(key)\nrun = genai4eu.current_run()\n"
    f"assert hashlib.sha256(value.encode()).hexdigest() == {hashlib.sha256(VALUE.encode()).hexdigest()!r}",
    "print('said', value)\nprint([value], file=sys.stderr)\ndisplay(HTML(f'<b>{value}</b>'))\n"
    "display({'application/json': {value: value}, 'text/plain': value}, metadata={'a': value}, raw=True)\n"
    "display(ipywidgets.Text(value=value, description='Key'))\nrun.progress(1, 2, value)\nvalue",
    "print(value, file=sys.__stderr__, flush=True)\nlogging.getLogger('study').warning('key %s', value)\n"
    "os.write(1, b'raw ' + value.encode() + b'\\n')\nsubprocess.run(['cat'], input=value.encode())\n"
    "subprocess.run(['cat'], input=value.encode(), stdout=sys.stdout.fileno())\n"
    "os.write(2, value.encode()[:9]); time.sleep(0.1); os.write(2, value.encode()[9:] + b'\\n')\n"
    "os.write(1, b'hung\\n'); time.sleep(1)",
    "(run.outputs / 'config.json').write_text(json.dumps({'key': value}))\n"
    "(run.outputs / 'large.bin').write_bytes(b'\\0' * (2**20 - 9) + value.encode())\n"
    "(run.outputs / 'kept.txt').write_text('nothing here')",
    "def login(password):\n    raise PermissionError(f'no entry with {password!r}')\nlogin(value)",
]  # fmt: skip


@pytest.fixture
def seen(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Collect what any process of this computer shows of itself while a notebook runs."""
    monkeypatch.setenv("GENAI4EU_SECRETS", str(house / "kept"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(house / "run"))  # a template of this test alone
    (house / "run").mkdir(mode=0o700)
    keep("hub", VALUE.encode())
    shown: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            for one in psutil.process_iter(["cmdline", "environ"]):
                shown.update(one.info["cmdline"] or [])
                shown.update((one.info["environ"] or {}).values())

    thread = threading.Thread(target=look)
    thread.start()
    yield shown
    over.set()
    thread.join()


def holds(content: bytes) -> list[str]:
    """Return the forms of the value that are in a file; also in files within its base64."""
    known = [*forms(VALUE), VALUE.encode("utf-16-le").decode("latin-1")]
    return [form for form in known if form.encode() in content]


def nowhere(folder: Path) -> None:
    """Hold every file below a folder to not showing the value."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert files
    for path in files:
        assert not holds(path.read_bytes()), path


def test_the_test_itself_finds_a_value() -> None:
    assert holds(f"a {VALUE} b".encode()) and holds(json.dumps({"a": VALUE}).encode())
    assert holds(base64.b64encode(f"xx{VALUE}xx".encode()))


@pytest.mark.parametrize("warm", ["off", pytest.param("on", marks=pytest.mark.slow)])
def test_a_run_keeps_a_secret(
    warm: str, notebook: Callable[..., Path], house: Path, seen: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAI4EU_WARM", warm)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel leaves out something where it sees it
    heard: list[str] = []
    local.ensure()
    assert warm == "off" or client.ensure(wait=True)
    try:
        record = genai4eu.run(notebook(*CELLS), listener=lambda event, data: heard.append(f"{event} {data}"))
    finally:
        client.stop()
    assert record.info["status"] == "failed" and record.info["error"].startswith("PermissionError: no entry with")
    assert record.parameters == {"key": "secret:hub"}
    outputs = json.dumps(nbformat.read(record.notebook_path, as_version=4).cells, ensure_ascii=False)
    assert outputs.count("secret:hub") > 12 and "said secret:hub" in outputs and "raw secret:hub" in outputs
    assert sorted(p.name for p in record.outputs.iterdir()) == [
        "config.json.withheld.txt", "kept.txt", "large.bin.withheld.txt"
    ]  # fmt: skip
    assert "held the value of secret:hub" in (record.outputs / "config.json.withheld.txt").read_text()
    log = (record.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
    assert "secret:hub" in log and "hung" in log
    nowhere(house / "runs")
    assert not holds("\n".join(heard).encode())
    assert seen and not any(VALUE in text for text in seen)


def test_a_secret_is_the_targets(
    notebook: Callable[..., Path], house: Path, seen: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway's kernel finds it where it runs: here there is another of that name, which nobody asks for."""
    with process.start(house / "gateway") as gateway:
        monkeypatch.setenv("GENAI4EU_SECRETS", str(house / "here"))
        keep("hub", b"this one is of no use there")
        connect("factory", gateway.url, gateway.token_file)
        study = notebook(*CELLS[:3], CELLS[4])
        record = genai4eu.run(study, on="factory-genai4eu", listener=lambda event, data: None)
    assert record.info["status"] == "completed", record.info["error"]
    assert "said secret:hub" in record.notebook_path.read_text(encoding="utf-8")
    kept = {p.name for p in record.outputs.iterdir()}
    assert kept == {"config.json.withheld.txt", "kept.txt", "large.bin.withheld.txt"}
    nowhere(house / "runs")
    nowhere(house / "gateway")
    assert not any(VALUE in text for text in seen)


def test_stock_papermill_keeps_a_secret(
    notebook: Callable[..., Path], house: Path, seen: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    study = notebook(*CELLS)
    command = [*PAPERMILL, "--cwd", str(house), "-k", "python3", "--log-output"]
    done = subprocess.run(
        [*command, str(study), "out.ipynb"], cwd=house, capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode != 0 and "PermissionError" in done.stderr
    assert not holds((done.stdout + done.stderr).encode())
    assert (house / "out.ipynb").read_text(encoding="utf-8").count("secret:hub") > 10
    assert not holds((house / "out.ipynb").read_bytes())
