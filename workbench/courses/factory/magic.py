"""``%%factory``: a cell that is executed on a kernel of the room's factory, all others stay on the seat's own.

Registered by importing from ``genai4eu.courses`` in a notebook, or with ``%load_ext genai4eu.courses``.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from pathlib import Path
from typing import Any

from IPython.core.magic import no_var_expand
from IPython.display import clear_output, publish_display_data

from ...errors import WorkbenchError
from ..desk import here
from .asked import Options, options
from .frames import BadFrameError, Line
from .inside import MOST, pack, unpack
from .words import Card

#: As the room's spawner sets them; also in the room's ``factory``, which a seat's kernel need not import.
SOCKET, SECRET = "GENAI4EU_FACTORY", "GENAI4EU_FACTORY_SECRET"
#: Seconds for a broker that is started again, and for a cell's last words after an interrupt.
_AGAIN = 15.0
#: Ends after which a cell that may runs here: the factory has done nothing of it.
_NOTHING_DONE = ("refused", "budget")


class FactoryError(WorkbenchError):
    """A marked cell did not end well; shown as one line, or as the factory's kernel showed it.

    Parameters
    ----------
    lines : list of str, optional
        The traceback.
    """

    def __init__(self, sentence: str, lines: list[str] | None = None) -> None:
        super().__init__(sentence)
        self._lines = lines

    def _render_traceback_(self) -> list[str]:
        return self._lines or [str(self)]


class Interrupted(KeyboardInterrupt):
    """A marked cell was interrupted; shown as the factory's kernel showed it."""

    def __init__(self, sentence: str, lines: list[str] | None = None) -> None:
        super().__init__(sentence)
        self._lines = lines

    def _render_traceback_(self) -> list[str]:
        return self._lines or [str(self)]


class NoFactory(FactoryError):
    """There is no factory, and the cell may not run here."""


def register(shell: Any) -> None:
    """Let a notebook's shell know ``%%factory``."""

    @no_var_expand  # type: ignore[untyped-decorator]
    def marked(line: str, cell: str) -> Any:
        return factory(shell, line, cell)

    shell.register_magic_function(marked, "cell", "factory")


def factory(shell: Any, line: str, cell: str) -> Any:
    """Execute a marked cell at the room's factory.

    Parameters
    ----------
    line : str
        Options: ``--seconds N`` that it may run, ``--in a,b`` variables to take along, ``--out c`` to bring back,
        ``--here`` to run it on the seat's own kernel where no factory can be had.

    Returns
    -------
    object
        The value of the last line, where the cell ran here.

    Raises
    ------
    WorkbenchError
        If an option will not do, a variable does not travel, or the cell did not end well.
    """
    told = options(line)
    card = Card(_language())
    address = os.environ.get(SOCKET)
    if not address:
        why = card.absent()
        if not told.here:
            raise NoFactory(why)
    else:
        packed = _packed(shell, told)
        end = Visit(shell, card, Path(address)).ask(told, cell, packed)
        if end["why"] == "done":
            return None
        why = end["told"]
        if not (told.here and end["why"] in _NOTHING_DONE):
            raise end["error"]
    card.here()
    return _run_here(shell, cell)


def _language() -> str:
    try:
        return here().language
    except WorkbenchError:  # a marked cell outside of a course
        return "en"


def _packed(shell: Any, told: Options) -> list[tuple[str, str, bytes]]:
    """Return the values that go along."""
    absent = [name for name in told.take if name not in shell.user_ns]
    if absent:
        raise WorkbenchError(f"--in names {', '.join(absent)}, which is not there yet: execute the cells above first")
    found = []
    for name in told.take:
        try:
            found.append((name, *pack(name, shell.user_ns[name])))
        except (ValueError, RecursionError) as error:
            raise WorkbenchError(f"--in: {error}") from None
    if (size := sum(len(data) for _, _, data in found)) > MOST:
        raise WorkbenchError(f"--in: {size >> 20} MB are too much, and {MOST >> 20} travel: take less along")
    return found


def _run_here(shell: Any, cell: str) -> Any:
    """Execute a cell on this kernel, with its variables, as if it were not marked."""
    source = shell.transform_cell(cell)
    name = shell.compile.cache(source, shell.execution_count, raw_code=cell)
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), shell.user_ns)  # the participant's own cell, in the participant's kernel
    if isinstance(last, ast.Expr) and not cell.rstrip().endswith(";"):
        return eval(compile(ast.Expression(last.value), name, "eval"), shell.user_ns)
    if last is not None:
        exec(compile(ast.Module([last], []), name, "exec"), shell.user_ns)
    return None


class Visit:
    """One cell's way to the factory and back."""

    def __init__(self, shell: Any, card: Card, address: Path) -> None:
        self._shell, self._card, self._address = shell, card, address
        self._lines: list[str] | None = None
        self._sentence = ""
        self._began = self._interrupted = False
        self._line: Line | None = None

    def ask(self, told: Options, cell: str, packed: list[tuple[str, str, bytes]]) -> dict[str, Any]:
        """Return how the cell ended: ``why``, ``told`` in words, and the ``error`` to raise, if any."""
        asked = {
            "seat": os.environ.get("GENAI4EU_SEAT", ""), "secret": os.environ.get(SECRET, ""), "code": cell,
            "seconds": told.seconds, "give": list(told.give),
        }  # fmt: skip
        until = time.monotonic() + _AGAIN
        while True:
            try:
                self._line = Line(self._address)
                self._line.send(asked)
                return self._hear(packed)
            except OSError as error:
                if self._began or self._interrupted or time.monotonic() > until:
                    kind = "lost" if self._began or isinstance(error, BadFrameError) else "refused"
                    return self._ended({"why": kind}, self._card.lost())
                time.sleep(0.3)  # a broker that ended is started again by the room
            finally:
                if self._line is not None:
                    self._line.close()

    def _hear(self, packed: list[tuple[str, str, bytes]]) -> dict[str, Any]:
        while True:
            try:
                said, data = self._line.receive()  # type: ignore[union-attr]
                if said["say"] == "end":
                    return self._ended(said, self._card.end(said))
                self._heard(said, data, packed)
            except KeyboardInterrupt:
                if self._interrupted:  # twice: now
                    raise
                self._interrupted = True
                self._line.send({"ask": "interrupt"})  # type: ignore[union-attr]

    def _ended(self, said: dict[str, Any], sentence: str) -> dict[str, Any]:
        kind = Interrupted if self._interrupted else FactoryError
        own = said["why"] in ("failed", "interrupted") and self._lines  # else where it was says nothing to anybody
        error = kind(self._sentence, self._lines) if own else kind(sentence)
        return {**said, "told": sentence, "error": error}

    def _heard(self, said: dict[str, Any], data: bytes, packed: list[tuple[str, str, bytes]]) -> None:
        """Show what the cell says, and do what the broker asks for."""
        kind = said["say"]
        if kind in ("queue", "starting", "running"):
            self._card.progress(said)
        if kind == "starting":
            told = [{"name": name, "kind": form, "size": len(content)} for name, form, content in packed]
            self._line.send({"ask": "values", "values": told}, b"".join(c for _, _, c in packed))  # type: ignore[union-attr]
        elif kind == "running":
            self._began = True
        elif kind == "stream":
            print(said["text"], end="", file=sys.stderr if said["name"] == "stderr" else sys.stdout, flush=True)
        elif kind == "display":
            self._display(said)
        elif kind == "clear":
            clear_output(wait=said["wait"])
            self._card.again()
        elif kind == "lost":
            self._card.cut()
        elif kind == "error":
            self._sentence, self._lines = f"{said['ename']}: {said['evalue']}", said["traceback"]
        elif kind == "values":
            self._take(said["values"], data)

    def _display(self, said: dict[str, Any]) -> None:
        shown = {"display_id": said["display_id"]} if said["display_id"] else {}
        publish_display_data(said["data"], said["metadata"], transient=shown, update=said["update"])

    def _take(self, told: list[dict[str, Any]], data: bytes) -> None:
        """Make variables of what came back."""
        begin = 0
        for value in told:
            name, end = value["name"], begin + value["size"]
            self._shell.user_ns[name] = unpack(name, value["kind"], data[begin:end])
            begin = end
