"""Words of the pages into all catalogues: ``python -m genai4eu.dashboards.pages.messages [NEW_LANGUAGE]``.

Called by ``make messages`` and by the test that no catalogue lacks any. A catalogue keeps its translations; of a
sentence that changed it keeps the old one, marked ``fuzzy``, which is not shown until a person has read it.
"""

from __future__ import annotations

import io
import re
import string
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import babel
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from . import language
from .page import ASSETS

#: Where words stand: templates, scripts' data in them, and the Python of the pages.
_PLACES = (
    (ASSETS / "pages", "**.j2", "jinja2.ext.babel_extract"),
    (ASSETS.parent / "course", "**.html", "jinja2.ext.babel_extract"),
    (ASSETS.parent / "course", "**.j2", "jinja2.ext.babel_extract"),
    (Path(__file__).parents[1], "**.py", "python"),
    (Path(__file__).parents[2] / "courses", "**.py", "python"),
)
_OPTIONS = {"newstyle_gettext": "true", "trimmed": "false", "silent": "false"}
#: Names of functions whose first argument is for the catalogue.
_KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
_HEADERS = re.compile(
    r'^"(?:POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Report-Msgid-Bugs-To|'
    r'Project-Id-Version|Language-Team).*\n', re.MULTILINE,
)  # fmt: skip
_HEAD = """# Words of the pages in {name}.
# Reviewed: no
# (Once somebody who speaks {name} has read it all: the day and their name instead of "no".)"""


def extracted() -> Catalog:
    """Return a catalogue of all words of the pages."""
    found = Catalog(project="genai4eu", charset="utf-8")
    for folder, pattern, method in _PLACES:
        for name, _line, words, comments, context in extract_from_dir(
            folder, [(pattern, method)], {pattern: _OPTIONS}, keywords=_KEYWORDS, comment_tags=("Translators:",)
        ):
            found.add(words, locations=[(f"{folder.name}/{name}", 0)], auto_comments=comments, context=context)
    return found


def updated(name: str, words: Catalog) -> str:
    """Return the text of a language's catalogue with all words, new ones untranslated."""
    path = language.catalogue_path(name)
    locale = babel.Locale.parse(name)
    if path.is_file():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=name, domain=language.DOMAIN)
    else:
        catalogue = Catalog(locale=name, header_comment=_HEAD.format(name=locale.english_name))
    catalogue.update(words, no_fuzzy_matching=False, update_header_comment=False)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    return as_text(catalogue)


def as_text(catalogue: Catalog) -> str:
    """Return the text of a catalogue, which changes only when its words do: without dates, addresses and lines."""
    written = io.BytesIO()
    write_po(written, catalogue, width=110, sort_output=True, include_lineno=False)
    return _HEADERS.sub("", written.getvalue().decode())


def findings(catalogue: Catalog, words: Catalog) -> Iterator[str]:
    """Tell what a catalogue lacks, and which translations would show other values than the original."""
    for message in words:
        if not message.id:
            continue
        found = catalogue.get(message.id, message.context)
        forms = _forms(found)
        if found is None or not all(forms) or (message.pluralizable and len(forms) != catalogue.num_plurals):
            yield f"not translated: {message.id}"
        elif found.fuzzy:
            yield f"changed since it was translated: {message.id}"
        elif wrong := [form for form in forms if not _same_values(message, form)]:
            yield f"other values than {message.id}: {wrong[0]}"


def _forms(message: Message | None) -> tuple[str, ...]:
    if message is None:
        return ()
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _same_values(message: Message, form: str) -> bool:
    """Tell whether a form shows the values of the original; a plural's form for one thing may leave its number out."""
    originals = [message.id] if isinstance(message.id, str) else list(message.id)
    allowed = set().union(*(_values(original) for original in originals))
    needed = set.intersection(*(_values(original) for original in originals)) - ({"count", "n", "num"} & allowed)
    return needed <= _values(form) <= allowed


def _values(text: str) -> set[str]:
    """Return the names of the values in ``%(name)s`` and ``{name}``."""
    braces = {field for _, field, _, _ in string.Formatter().parse(text.replace("%(", "(")) if field}
    return braces | set(re.findall(r"%\((\w+)\)[a-z]", text))


def write(names: Iterable[str]) -> int:
    """Update catalogues; say how much of each is translated."""
    words, lacking = extracted(), 0
    for name in names:
        path = language.catalogue_path(name)
        text = updated(name, words)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        missing = len(list(findings(read_po(io.BytesIO(text.encode()), locale=name), words)))
        lacking += missing
        print(f"{name}: {len(words) - missing} of {len(words)} translated: {path}")
    return lacking


def main(arguments: list[str]) -> None:
    """Update the catalogues that stand, and start those named."""
    for name in arguments:
        if name != str(babel.Locale.parse(name)) or name == language.SOURCE:
            sys.exit(f"{name}: give a language as in 'it' or 'pt'")
    write(dict.fromkeys([*language.LANGUAGES[1:], *arguments]))


if __name__ == "__main__":
    main(sys.argv[1:])
