"""Records are valid RO-Crates, checked by the profile's own validator, without a network."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import rocrate
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests_cache import CachedSession
from rocrate_validator import models, services
from urllib3 import HTTPResponse

import genai4eu

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


@pytest.mark.slow
@pytest.mark.parametrize("body", ["genai4eu.current_run().metric('dice', 0.5)", "1 / 0"], ids=["completed", "failed"])
def test_record_is_a_valid_process_run_crate(notebook: Write, cache: Path, body: str) -> None:
    parameters = ("parameters", "n: int | None = None  # count [1] in 1..5\nnames: list[str] = ['a']")
    record = genai4eu.run(notebook(parameters, "import genai4eu", body))
    settings = services.ValidationSettings(
        rocrate_uri=str(record.folder), profile_identifier="process-run-crate-0.5", offline=True, cache_path=cache
    )
    result = services.validate(settings)
    assert not [i.message for i in result.get_issues(models.Severity.REQUIRED)]
    assert result.passed(models.Severity.REQUIRED)


def test_every_file_is_described_with_its_checksum(notebook: Write) -> None:
    keep = "import genai4eu\n(genai4eu.current_run().outputs / 'a.txt').write_text('x')"
    record = genai4eu.run(notebook(("parameters", "n = 1"), keep))
    graph = json.loads((record.folder / "ro-crate-metadata.json").read_text())["@graph"]
    described = {e["@id"]: e["sha256"] for e in graph if "sha256" in e}
    files = {p.relative_to(record.folder).as_posix(): p for p in record.folder.rglob("*") if p.is_file()}
    files.pop("ro-crate-metadata.json")
    assert described == {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
    assert "outputs/a.txt" in described
