"""Look at what a participant did, with the trainer's own code, and say in words what it means.

Checks are deterministic; no model ever judges a person. Called by ``exercise``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..dashboards.pages.language import translations
from .desk import text_in


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes
    ----------
    passed : bool
        Whether every assertion held.
    sentence : str
        What is not right yet, in the participant's language; empty where it is.
    """

    passed: bool
    sentence: str = ""


def look(name: str, tests: str, space: Mapping[str, Any], language: str) -> Verdict:
    """Execute an exercise's checks on the participant's variables, and say what they find.

    Parameters
    ----------
    tests : str
        Python that raises ``AssertionError``; its message is a text, or a mapping of texts by language.
    space : mapping
        The participant's variables; what the checks assign stays out of it.
    """
    _ = translations(language).gettext
    file = f"<check of {name}>"
    try:
        exec(compile(tests, file, "exec"), dict(space))  # the trainer's own code, in the participant's kernel
    except AssertionError as error:
        said = error.args[0] if error.args else ""
        sentence = text_in(said, language) if isinstance(said, Mapping) and said else str(said)
        return Verdict(False, sentence or _("The result is not what the exercise asks for."))
    except NameError as error:
        words = _("There is no “%(name)s” yet: complete the cell above and execute it.")
        return Verdict(False, words % {"name": error.name or error})
    except SystemExit:  # sys.exit(), or a program's own end: it would stop the check without a word
        return Verdict(False, _("Your code ends the program, as exit() does: take that out, and the check can go on."))
    except Exception as error:  # noqa: BLE001  # whatever a participant's own objects raise is said in words
        words = _("Your code stopped the check with %(kind)s: %(why)s")
        return Verdict(False, words % {"kind": type(error).__name__, "why": error})
    return Verdict(True)


def digest(inputs: Iterable[str]) -> str:
    """Return what tells one attempt from another: which code was executed so far; the same once more is no new one."""
    return hashlib.sha256("\0".join(sorted(set(inputs))).encode()).hexdigest()[:16]
