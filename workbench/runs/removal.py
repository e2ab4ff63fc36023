"""Remove a record: whole, or not yet. Called by ``genai4eu runs rm``."""

from __future__ import annotations

import secrets
import shutil

from ..errors import WorkbenchError
from .record import Record

#: Beginning of the name of a folder that is being removed.
_ASIDE = ".removed-"


def refusal(record: Record) -> str | None:
    """Return what speaks against removing a run, in words that follow its id; None where nothing does."""
    from ..dashboards.dashboard import all_bundles, dashboards_root

    if record.running:
        return "still runs: stop it first"
    for bundle in all_bundles(dashboards_root()):
        try:
            published = bundle.info["run"]
        except WorkbenchError:
            continue  # a damaged dashboard shows no run
        if published == record.id:
            return f"is what the dashboard {bundle.slug} was published from"
    return None


def remove(record: Record) -> None:
    """Remove a record and what lies beside it; it is gone from every list at once, whatever happens meanwhile.

    Raises
    ------
    WorkbenchError
        If the folder may not be changed.
    """
    for left in record.folder.parent.glob(f"{_ASIDE}*"):
        shutil.rmtree(left, ignore_errors=True)  # an earlier removal was stopped, or goes on
    beside = [record.folder.with_name(f"{record.id}.{kind}") for kind in ("verdicts", "checkpoints")]
    for folder in (record.folder, *beside):
        if not folder.exists():
            continue
        aside = folder.with_name(f"{_ASIDE}{record.id}-{secrets.token_hex(4)}")
        try:
            folder.rename(aside)
            shutil.rmtree(aside)
        except OSError as error:
            raise WorkbenchError(f"cannot remove {folder}: {error.strerror}") from None
