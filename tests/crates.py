"""The validator of RO-Crates, without a network: what it finds. Called by tests of records and of downloads."""

from __future__ import annotations

import io
from pathlib import Path

import rocrate
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests_cache import CachedSession
from rocrate_validator import models, services
from urllib3 import HTTPResponse

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


def warmed(folder: Path) -> Path:
    """Return the validator's HTTP cache, made in a folder, holding the one document that it would fetch."""
    with CachedSession(cache_name=str(folder / "http"), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", FromRocrate())
        session.get(CONTEXT, headers={"Accept": "application/ld+json, application/json, */*;q=0.1"})
    return folder / "http"


def faults(crate: Path, cache: Path, profile: str = "process-run-crate-0.5") -> list[str]:
    """Return what the validator finds against a crate, a folder; ``cache`` is from :func:`warmed`."""
    settings = services.ValidationSettings(
        rocrate_uri=str(crate), profile_identifier=profile, offline=True, cache_path=cache
    )
    result = services.validate(settings)
    found = [str(i.message) for i in result.get_issues(models.Severity.REQUIRED)]
    assert found or result.passed(models.Severity.REQUIRED)
    return found
