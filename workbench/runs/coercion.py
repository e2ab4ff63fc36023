"""Dates and paths back from the texts they are injected as. Called by notebooks, on the kernel's side.

Standard library only: a kernel that only executes cells need not check them again.
"""

from __future__ import annotations

import types
import typing
from datetime import date, datetime
from pathlib import Path
from typing import Any, Union

from ..errors import WorkbenchError

_WRITTEN = {date: "a date, written as 2026-01-31", datetime: "a time, written as 2026-01-31T12:00"}


def coerce(value: Any, kind: Any) -> Any:
    """Return a parameter's value as the type that its cell declares, whether it was injected or not.

    So ``day = genai4eu.coerce(day, date)`` is the same date by "Run all", stock papermill and the workbench.

    Parameters
    ----------
    value : object
        What the variable holds: the cell's own value, or an injected text.
    kind : type or typing form
        Such as ``date``, ``Path | None``, ``list[date]``; values of other types come back as they are.

    Raises
    ------
    WorkbenchError
        If a text is no date or time.
    """
    kinds = typing.get_args(kind) if typing.get_origin(kind) in (Union, types.UnionType) else (kind,)
    if isinstance(value, list | tuple):
        inner = next((typing.get_args(k)[0] for k in kinds if typing.get_origin(k) is list), Any)
        return [coerce(item, inner) for item in value]
    if not isinstance(value, str) or str in kinds:
        return _whole(value, kinds)
    return _from_text(value, kinds)


def _whole(value: Any, kinds: tuple[Any, ...]) -> Any:
    """Return a float where one is declared and a whole number was written."""
    return float(value) if type(value) is int and float in kinds and int not in kinds else value


def _from_text(text: str, kinds: tuple[Any, ...]) -> Any:
    if Path in kinds:
        return Path(text)
    made = next((k for k in kinds if k in _WRITTEN), None)
    if made is None:
        return text
    try:
        return made.fromisoformat(text)
    except ValueError:
        raise WorkbenchError(f"{text!r} is not {_WRITTEN[made]}") from None
