"""Times, durations, numbers and energies as a reader of a language writes them. Called by the pages' templates."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import format_decimal

from ...runs.energy import joules_in
from .language import N_, SOURCE, translations

#: English as Europe writes it: the day before the month, hours to 24.
_EUROPEAN = {SOURCE: "en_150"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_HOW = {"scheduler": N_("measured by the scheduler"), "counters": N_("measured by the computer's counters")}
_ESTIMATE = N_("an estimate")


def locale(language: str) -> Locale:
    """Return the forms of a language; English ones for a language that nobody knows."""
    return Locale.parse(_EUROPEAN.get(language, language))


def moment(stamp: str | None, language: str = SOURCE, *, hours: bool = True) -> str:
    """Return an ISO 8601 time as a reader wants it, in UTC: ``20 November 2026, 19:15 UTC``."""
    if not stamp:
        return translations(language).gettext("unknown")
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    zone, forms = "", locale(language)
    if when.utcoffset() is not None:
        when, zone = when.astimezone(UTC), " UTC"
    date = str(format_date(when, "long", locale=forms))
    if not hours:
        return date
    time = format_time(when.time(), "HH:mm", locale=forms)
    return str(get_datetime_format("medium", locale=forms)).format(time, date).replace("'", "") + zone


def day(stamp: str | None, language: str = SOURCE) -> str:
    """Return the day of an ISO 8601 time, in UTC: ``20 November 2026``."""
    return moment(stamp, language, hours=False)


def duration(seconds: float | None, language: str = SOURCE) -> str:
    """Return a time span in two units at most: ``3 min 12 s``."""
    words = translations(language)
    if seconds is None:
        return words.gettext("unknown")
    if seconds < 10:
        return words.gettext("{seconds} s").format(seconds=decimal(f"{seconds:.1f}", language))
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    form = words.gettext("{hours} h {minutes} min") if hours else words.gettext("{minutes} min {seconds} s")
    if not hours and not minutes:
        form = words.gettext("{seconds} s")
    return form.format(hours=hours, minutes=minutes, seconds=rest)


def number(value: object, language: str = SOURCE) -> str:
    """Return a value of a table: floats with four digits at most, no value as a dash, whole numbers as they are.

    Whole numbers get no separators: many are years, seeds or identifiers.
    """
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        words = translations(language)
        return words.gettext("yes") if value else words.gettext("no")
    return decimal(f"{value:.4g}", language) if isinstance(value, float) else str(value)


def decimal(text: str, language: str) -> str:
    """Return a number, written as Python does, in the form of a language, with no digit more or less."""
    if not math.isfinite(float(text)):
        return text
    mantissa, _, exponent = text.partition("e")
    digits = max(0, -int(Decimal(mantissa).as_tuple().exponent))
    form = f"0.{'0' * digits}" if digits else "0"
    written = format_decimal(Decimal(mantissa), format=form, locale=locale(language))
    return f"{written} × 10{str(int(exponent)).translate(_RAISED)}" if exponent else written


def energy(about: dict[str, Any] | None, language: str) -> str:
    """Say the energy of a run (``energy.json``), with how it was found."""
    words = translations(language)
    if not about or about.get("joules") is None:
        return words.gettext("unknown")
    amount, unit = joules_in(about["joules"])
    how = words.gettext(_HOW.get(about["source"], _ESTIMATE))
    return f"{decimal(amount, language)} {unit}, {how}"


def size(count: float, language: str) -> str:
    """Return the size of a file [B] in kilobytes, megabytes or gigabytes."""
    amount, unit = count / 1000, "kB"
    for larger in ("MB", "GB"):
        if amount >= 1000:
            amount, unit = amount / 1000, larger
    return f"{decimal(f'{amount:.1f}', language)} {unit}"
