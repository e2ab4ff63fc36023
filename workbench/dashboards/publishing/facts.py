"""What the gallery shows of a run at a glance: its most telling number, and the factory it came from. By publishing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...card import FILE
from ...catalogue import usecases
from ...errors import WorkbenchError
from ...runs.record import Record


def headline(record: Record, notebook: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return name, value, unit and meaning of the metric that says most; ``None`` where a run has no metrics.

    The record's card names it, or the notebook's metadata (``{"genai4eu": {"headline": "dice"}}``), or the card of the
    use case as it is installed now; where none of them does, it is the first that the run recorded.
    """
    metrics = record.metrics
    card = record.read(FILE) if (record.folder / FILE).exists() else {}
    about = notebook.get("metadata", {}).get("genai4eu")
    named = (card.get("headline"), about.get("headline") if isinstance(about, Mapping) else None, _installed(record))
    name = next((n for n in named if n in metrics), next(iter(metrics), None))
    if name is None:
        return None
    meanings = card.get("metrics")
    words = meanings.get(name) if isinstance(meanings, Mapping) else None
    return {"name": name, **{k: metrics[name][k] for k in ("value", "unit")}, "words": words}


def factory(info: Mapping[str, Any]) -> str | None:
    """Return the name of the AI Factory whose gateway a run was computed at; ``None`` where it was none."""
    from genai4eu.kernels.factories import factory_of
    from genai4eu.kernels.targets import all_targets

    target = str(info.get("target") or "")
    known = next((t for t in all_targets() if t.name == target), None)
    found = factory_of(known.gateway, known.url) if known else factory_of(target, None)
    return found.name if found else None


def _installed(record: Record) -> str | None:
    """Return what the card of the use case names today; runs of earlier versions did not name any."""
    from ...card import declared

    usecase = next((u for u in usecases() if u.name == record.info.get("usecase")), None)
    try:
        card = declared(usecase) if usecase else None
    except WorkbenchError:  # a broken card of another package is no reason not to publish
        return None
    return card.headline if card else None
