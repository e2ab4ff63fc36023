"""What pages say of the verification of a run. Read anew whenever a page is served.

A dashboard never changes, but its run may be verified long after it was published. Called by the pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..verify import verdict

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
