"""What a marked cell asks for: the options in its first line, and the request that the broker gets.

``%%factory --seconds 60 --in images,labels --out score --here``
"""

from __future__ import annotations

import argparse
import ast
import keyword
import shlex
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import pydantic

from ...errors import WorkbenchError

#: The first line of a marked cell begins with it.
MARK = "%%factory"
USAGE = f"{MARK} [--seconds N] [--in NAMES] [--out NAMES] [--here], names as a,b"
#: Characters of a cell; names that it may take in or give out.
_CODE, _NAMES = 200_000, 32


@dataclass(frozen=True)
class Options:
    """The options of a marked cell.

    Attributes
    ----------
    seconds : int or None
        How long it may run; None for as long as the room gives a cell.
    take, give : tuple of str
        Names of variables that it takes along, and that it brings back.
    here : bool
        Whether it may run on the seat's own kernel where no factory can be had.
    """

    seconds: int | None = None
    take: tuple[str, ...] = ()
    give: tuple[str, ...] = ()
    here: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WorkbenchError(f"{MARK}: {message}: write {USAGE}")


def options(line: str) -> Options:
    """Return the options in the first line of a marked cell, without the mark.

    Raises
    ------
    WorkbenchError
        If there is one that it does not know, or a name that is none.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--in", dest="take", default="")
    parser.add_argument("--out", dest="give", default="")
    parser.add_argument("--here", action="store_true")
    try:
        told = parser.parse_args(shlex.split(line))
    except ValueError as error:  # a quote that does not end
        raise WorkbenchError(f"{MARK}: {error}: write {USAGE}") from None
    if told.seconds is not None and not 1 <= told.seconds <= 86_400:
        raise WorkbenchError(f"{MARK}: --seconds {told.seconds} will not do: 1 to 86400")
    return Options(told.seconds, _names(told.take), _names(told.give), told.here)


def _names(given: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (name.strip() for name in given.split(",")))))
    for name in names:
        if not is_name(name):
            raise WorkbenchError(f"{MARK}: {name!r} is no name of a variable: write them as --out weights,score")
    if len(names) > _NAMES:
        raise WorkbenchError(f"{MARK}: {len(names)} names are too many, {_NAMES} travel: put them into a dict")
    return names


def is_name(name: str) -> bool:
    """Tell whether a variable may be called so."""
    return name.isidentifier() and not keyword.iskeyword(name) and len(name) <= 100


def marked(source: str) -> tuple[str, str] | None:
    """Return the options and the code of a marked cell; None for any other."""
    first, _, code = source.lstrip().partition("\n")
    mark, _, line = first.partition(" ")
    return (line.strip(), code) if mark.strip() == MARK else None


def fault(source: str) -> str:
    """Return what is wrong with a marked cell, with its remedy; nothing where all is well. For ``course check``."""
    found = marked(source)
    if found is None:
        return ""
    try:
        told = options(found[0])
    except WorkbenchError as error:
        return str(error)
    if not found[1].strip():
        return f"{MARK} stands over nothing: write the code below it"
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        tree = ast.parse(TransformerManager().transform_cell(found[1]))
    except SyntaxError as error:
        return f"the code below {MARK} is no Python (its line {error.lineno}: {error.msg})"
    absent = [name for name in told.give if name not in _made(tree)]
    return f"--out names {', '.join(absent)}, which the code below does not make" if absent else ""


def _made(tree: ast.AST) -> set[str]:
    """Return the names that code makes: by assignment, import, definition."""
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
    return made


def _is_name(name: str) -> str:
    if not is_name(name):
        raise ValueError("no name of a variable")
    return name


Name = Annotated[str, pydantic.AfterValidator(_is_name)]


class Asked(pydantic.BaseModel):
    """What a seat's kernel asks of the broker, which trusts none of it.

    Attributes
    ----------
    seat, secret : str
        Who asks; the secret counts only where seats have no users of their own.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    seat: str = pydantic.Field(default="", max_length=100)
    secret: str = pydantic.Field(default="", max_length=200)
    code: str = pydantic.Field(max_length=_CODE)
    seconds: int | None = pydantic.Field(default=None, ge=1, le=86_400)
    give: list[Name] = pydantic.Field(default_factory=list, max_length=_NAMES)


class Value(pydantic.BaseModel):
    """A value that travels along: its name, its kind, and how many of the bytes are its own."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Name
    kind: str = pydantic.Field(pattern=r"^(json|npy|netcdf|netcdf-array)$")
    size: int = pydantic.Field(ge=0)


def values(told: Any, data: bytes) -> list[tuple[str, str, bytes]]:
    """Return name, kind and bytes of values that a seat sent.

    Raises
    ------
    ValueError
        If what it says of them is not what it sent.
    """
    found = pydantic.TypeAdapter(Annotated[list[Value], pydantic.Field(max_length=_NAMES)]).validate_python(told)
    if sum(value.size for value in found) != len(data):
        raise ValueError("values of other sizes than they have")
    pieces, begin = [], 0
    for value in found:
        pieces.append((value.name, value.kind, data[begin : begin + value.size]))
        begin += value.size
    return pieces
