"""How the command line prints: aligned tables on standard output, JSON for scripts. Called by every command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

#: Letters for which a column has to have room; what is longer goes on in the next line.
_ROOM = 16

#: The option of every command that prints a table.
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def emit(content: Any) -> None:
    """Print JSON."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


def emit_rows(rows: list[Any]) -> None:
    """Print a JSON list, a line for each entry: many entries are printed at once, and ``grep`` finds its way."""
    encode = json.JSONEncoder(ensure_ascii=False).encode  # dumps would make one for each row
    print("[" + ",\n ".join(map(encode, rows)) + "]")


def table(headings: list[str], rows: list[list[str]], colours: dict[str, str] | None = None) -> None:
    """Print an aligned table; colours, by the first column, are a second signal only.

    Off a terminal every row stays on one line, whole, so that other programs can read it.
    """
    if not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR")):
        _plain(headings, rows)
        return
    from rich.console import Console  # takes as long as all else that a list into a pipe needs
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=False)
    if not _fits(headings, rows, console.width):
        for row in rows:
            console.print(Text("\n".join(_stacked(headings, row))), style=(colours or {}).get(row[0]) or None)
        return
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, heading in enumerate(headings):
        made.add_column(heading, overflow="fold", no_wrap=number == 0)  # a name must be fit to be copied
    for row in rows:
        made.add_row(*[Text(cell) for cell in row], style=(colours or {}).get(row[0]) or None)
    console.print(made)


def _fits(headings: list[str], rows: list[list[str]], width: int) -> bool:
    """Tell whether each column has room for what it holds, or at least for a few words of it."""
    first, *others = [max(map(_width, column)) for column in zip(headings, *rows, strict=True)]
    return first + sum(min(wanted, _ROOM) + 2 for wanted in others) <= width


def _stacked(headings: list[str], row: list[str]) -> list[str]:
    """Return a row as lines, for a terminal too narrow for a table."""
    return [row[0], *(f"  {heading}: {cell}" for heading, cell in zip(headings[1:], row[1:], strict=True) if cell)]


def _plain(headings: list[str], rows: list[list[str]]) -> None:
    """Print the table without colour, and at once also where it has ten thousand rows."""
    columns = [_column(column) for column in zip(headings, *rows, strict=True)]
    print("\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True)))


def _column(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column on one line each, all of one width."""
    lines = [" ".join(cell.splitlines()) for cell in cells]
    width = max(map(_width, lines))
    return [line.ljust(width) if line.isascii() else line + " " * (width - _width(line)) for line in lines]


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def ended(summary: dict[str, Any]) -> str:
    """Say how a run ended, or what it waits for, in a few words."""
    status = summary["status"]
    words = {"timeout": "ran into its timeout", "cancelled": "was cancelled", "preempted": "was preempted"}.get(
        status, status
    )
    why = summary["error"] or summary["waits"]
    return f"{words}: {why}" if why else words


def relation(summary: dict[str, Any]) -> str:
    """Say which other run this one belongs to, where it does."""
    if summary["verifies"]:
        return f"verifies {summary['verifies']}"
    return f"goes on from {summary['resumes']}" if summary["resumes"] else ""


def said(summary: dict[str, Any]) -> str:
    """Say in a list what there is to know besides how a run ended."""
    return "; ".join(filter(None, (summary["error"] or summary["waits"], relation(summary))))


def metrics(found: dict[str, Any]) -> None:
    """Print the metrics of a run, where it has any."""
    if found:
        table(["metric", "value", "unit"], [[n, _number(m["value"]), m["unit"]] for n, m in found.items()])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
