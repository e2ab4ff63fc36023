"""What pages say of the verification of a run. Read anew whenever a page is served.

A dashboard never changes, but its run may be verified long after it was published. Called by the pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...verify import verdict
from .language import N_

_WORDS = {
    "identical": N_("Yes, bit by bit"),
    "equal": N_("Yes, within the tolerance"),
    "different": N_("No: run once more, it gave other values"),
    "failed": N_("No: run once more, it failed"),
}


def known(record: Path) -> list[dict[str, Any]]:
    """Return what is known of the verification of a record, the latest first, with words for the page, in English."""
    return [{**about, "words": _words(about)} for about in verdict.about(record)]


def _words(about: dict[str, Any]) -> str:
    if about["outcome"] == "equal" and about["exact"]:
        return N_("Yes, in every value")
    return _WORDS.get(about["outcome"], str(about["outcome"]))
