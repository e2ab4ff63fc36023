"""What the checks of a lesson say to whoever is wrong, and in which languages. Called by checking a course.

Nothing is executed: what is read are the assertions themselves, and mappings of texts by language beside them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from .lesson import Exercise
from .texts import alike


def faults(exercise: Exercise, languages: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the messages of an exercise's check, each with its remedy.

    Parameters
    ----------
    languages : sequence of str
        Of the course; a message has a text for each.
    """
    where = f"cell {exercise.cell + 1}:"
    try:
        tree = ast.parse(exercise.tests)
    except SyntaxError as error:
        yield f"{where} the check of {exercise.name} is no Python: {error}"
        return
    for line, fault in sorted({*_missing(tree, languages), *_partial(tree, languages)}):
        yield f"{where} line {line} of the check of {exercise.name} {fault}"


def _missing(tree: ast.AST, languages: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield assertions that say nothing, or say it in one language where the course has several."""
    for line, message in _said(tree):
        if message is None:
            yield line, f"says nothing when it fails: add a message, as assert …, {_example(languages[:1])}"
        elif len(languages) > 1 and any(map(_plain, _branches(message))):
            yield line, f"speaks one language: give a text for each, as assert …, {_example(languages)}"


def _partial(tree: ast.AST, languages: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield messages by language that lack one, or say the same in two."""
    for node, texts in _spoken(tree, languages):
        for name in languages:
            if name not in texts:
                yield node.lineno, f'is not there in {name}: add "{name}": "…" to its message'
        plain = {n: t.value for n, t in texts.items() if isinstance(t, ast.Constant) and isinstance(t.value, str)}
        for one, other in alike({name: plain[name] for name in languages if name in plain}):
            yield node.lineno, f"says the same in {one} and {other}: not translated yet"


def _said(tree: ast.AST) -> Iterator[tuple[int, ast.expr | None]]:
    """Yield the line and the message of each assertion, however it is raised."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, node.msg
        elif isinstance(node, ast.Raise) and node.exc is not None:
            called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(called, ast.Name) and called.id == "AssertionError":
                given = node.exc.args if isinstance(node.exc, ast.Call) else []
                yield node.lineno, given[0] if given else None


def _spoken(tree: ast.AST, languages: Sequence[str]) -> Iterator[tuple[ast.Dict, dict[str, ast.expr]]]:
    """Yield mappings of texts by language: messages, and what else names one of the course's languages."""
    messages = {id(part) for _line, message in _said(tree) if message for part in _branches(message)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Dict):
            continue
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        texts = {str(key): value for key, value in zip(keys, node.values, strict=True)}
        numbers = any(isinstance(v, ast.Constant) and not isinstance(v.value, str) for v in texts.values())
        if None not in keys and (id(node) in messages or (set(texts) & set(languages) and not numbers)):
            yield node, texts


def _branches(message: ast.expr) -> list[ast.expr]:
    return [*_branches(message.body), *_branches(message.orelse)] if isinstance(message, ast.IfExp) else [message]


def _plain(message: ast.expr) -> bool:
    """Tell whether a message is one text, also one that values are put into."""
    if isinstance(message, ast.Call) and isinstance(message.func, ast.Attribute):
        return _plain(message.func.value)  # "…".format(…)
    if isinstance(message, ast.BinOp):
        return _plain(message.left)  # "…" % …
    return isinstance(message, ast.JoinedStr) or (isinstance(message, ast.Constant) and isinstance(message.value, str))


def _example(languages: Sequence[str]) -> str:
    return "{" + ", ".join(f'"{name}": "…"' for name in languages) + "}"
