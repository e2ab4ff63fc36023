"""Records are valid RO-Crates, checked by the profile's own validator, without a network."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
import rocrate
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests_cache import CachedSession
from rocrate_validator import models, services
from urllib3 import HTTPResponse

import genai4eu
from genai4eu.runs.record import Record
from genai4eu.runs.seal import check
from genai4eu.runs.store import all_runs

Write = Callable[..., Path]
CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class FromRocrate(BaseAdapter):
    """Answers with the RO-Crate context that the rocrate package ships: a later one, which keeps the terms of 1.1."""

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        body = (Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes()
        headers = {"Content-Type": "application/ld+json"}
        raw = HTTPResponse(body=io.BytesIO(body), headers=headers, status=200, preload_content=False)
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Hold nothing."""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The validator's HTTP cache, holding the one document that it would fetch."""
    with CachedSession(cache_name=str(tmp_path / "http"), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", FromRocrate())
        session.get(CONTEXT, headers={"Accept": "application/ld+json, application/json, */*;q=0.1"})
    return tmp_path / "http"


#: How a run may end, and the cell that makes it end so.
ENDS = {
    "completed": "genai4eu.current_run().metric('dice', 0.5)\nprint('x' * 2_000_000)",
    "failed": "1 / 0",
    "cancelled": "raise KeyboardInterrupt",
    "died": "import os\nos.kill(os.getpid(), 9)",
    "retried": "import os, pathlib\nif not pathlib.Path('once').exists():\n"
    "    pathlib.Path('once').touch()\n    os.kill(os.getpid(), 9)",
}


def faults(record: Record, cache: Path) -> list[str]:
    """Return what the validator finds against a record."""
    settings = services.ValidationSettings(
        rocrate_uri=str(record.folder), profile_identifier="process-run-crate-0.5", offline=True, cache_path=cache
    )
    result = services.validate(settings)
    found = [str(i.message) for i in result.get_issues(models.Severity.REQUIRED)]
    assert found or result.passed(models.Severity.REQUIRED)
    return found


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
    assert not faults(record, cache)
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
    assert faults(record, cache)


def test_every_file_is_described_with_its_checksum(notebook: Write) -> None:
    keep = "import genai4eu\n(genai4eu.current_run().outputs / 'a.txt').write_text('x')"
    record = genai4eu.run(notebook(("parameters", "n = 1"), keep))
    graph = json.loads((record.folder / "ro-crate-metadata.json").read_text())["@graph"]
    described = {unquote(e["@id"]): e["sha256"] for e in graph if "sha256" in e}
    files = {p.relative_to(record.folder).as_posix(): p for p in record.folder.rglob("*") if p.is_file()}
    files.pop("ro-crate-metadata.json")
    assert described == {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
    assert "outputs/a.txt" in described
