"""Records are valid RO-Crates, checked by the profile's own validator, without a network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

import genai4eu
from genai4eu.runs.seal import check
from genai4eu.runs.store import all_runs

from ..crates import faults, warmed

pytestmark = pytest.mark.usefixtures("forked_kernels")

Write = Callable[..., Path]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The validator's HTTP cache."""
    return warmed(tmp_path)


#: How a run may end, and the cell that makes it end so.
ENDS = {
    "completed": "genai4eu.current_run().metric('dice', 0.5)\nprint('x' * 2_000_000)",
    "failed": "1 / 0",
    "cancelled": "raise KeyboardInterrupt",
    "died": "import os\nos.kill(os.getpid(), 9)",
    "retried": "import os, pathlib\nif not pathlib.Path('once').exists():\n"
    "    pathlib.Path('once').touch()\n    os.kill(os.getpid(), 9)",
}


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_record_is_a_valid_process_run_crate(notebook: Write, cache: Path, house: Path, end: str) -> None:
    (house / "näme 1.csv").write_text("1,2")
    declared = "from pathlib import Path\nn: int | None = None  # count [1] in 1..5\nnames: list[str] = ['a']\n"
    parameters = ("parameters", f"{declared}data: Path = Path('näme 1.csv')  # data")
    keep = "import genai4eu\n(genai4eu.current_run().outputs / 'ä #1%.txt').write_text('x')"
    path = notebook(parameters, keep, ENDS[end])
    try:
        record = genai4eu.run(path, parameters={}, retries=int(end == "retried"), listener=lambda *_: None)
    except KeyboardInterrupt:
        assert end == "cancelled"
        (record,) = all_runs()
    assert record.info["status"] == ("completed" if end == "retried" else end)
    assert not faults(record.folder, cache)
    assert check(record).whole
    assert (record.folder / "attempts" / "1" / "notebook.ipynb").exists() is (end == "retried")
    assert record.read("inputs.json")["näme 1.csv"]["size"] == 3


@pytest.mark.slow
def test_the_validator_finds_faults(notebook: Write, cache: Path) -> None:
    record = genai4eu.run(notebook(("parameters", "n = 1"), "n"), listener=lambda *_: None)
    path = record.folder / "ro-crate-metadata.json"
    graph = json.loads(path.read_text())
    graph["@graph"] = [e for e in graph["@graph"] if e["@type"] != "SoftwareApplication"]
    path.write_text(json.dumps(graph))
    assert faults(record.folder, cache)


def test_every_file_is_described_with_its_checksum(notebook: Write) -> None:
    keep = "import genai4eu\n(genai4eu.current_run().outputs / 'a.txt').write_text('x')"
    record = genai4eu.run(notebook(("parameters", "n = 1"), keep))
    graph = json.loads((record.folder / "ro-crate-metadata.json").read_text())["@graph"]
    described = {unquote(e["@id"]): e["sha256"] for e in graph if "sha256" in e}
    files = {p.relative_to(record.folder).as_posix(): p for p in record.folder.rglob("*") if p.is_file()}
    files.pop("ro-crate-metadata.json")
    assert described == {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
    assert "outputs/a.txt" in described
