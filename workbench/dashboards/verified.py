"""What pages say of the verification of a run. Frozen with the page, and put in anew when it is served.

A dashboard never changes, but its run may be verified long after it was published: where the record is found, the
server puts what is known today into the marked place of the page. Called by publishing and by the server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..runs.store import runs_root
from ..verify import verdict
from . import page

_BEGIN, _END = b"<!--verified-->", b"<!--/verified-->"
_WORDS = {
    "identical": "Yes, bit by bit",
    "equal": "Yes, within the tolerance",
    "different": "No: run once more, it gave other values",
    "failed": "No: run once more, it failed",
}


def known(record: Path) -> list[dict[str, Any]]:
    """Return what is known of the verification of a record, the latest first, with words for the page."""
    return [{**about, "words": _words(about)} for about in verdict.about(record)]


def _words(about: dict[str, Any]) -> str:
    if about["outcome"] == "equal" and about["exact"]:
        return "Yes, in every value"
    return _WORDS.get(about["outcome"], str(about["outcome"]))


def fragment(name: str, verdicts: list[dict[str, Any]]) -> str:
    """Return the marked place of a page: ``index`` or ``evidence``."""
    return page.render("verified", kind=name, verdicts=verdicts).strip()


def refreshed(content: bytes, name: str, run: str) -> bytes:
    """Return a frozen page with what is known today; without the record, or verdicts on it, as it was frozen."""
    record = runs_root() / run
    if Path(run).name != run or not verdict.folder(record).is_dir():
        return content
    before, begin, rest = content.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end or not (verdicts := known(record)):
        return content
    return before + begin + fragment(name, verdicts).encode() + end + after
