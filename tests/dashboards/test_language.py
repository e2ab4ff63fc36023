"""Pages in the visitor's language: chosen, kept, written in its forms, complete; what is not translated says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup

from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.pages import frozen, language, messages, page, values
from genai4eu.dashboards.pages.anchors import keep_language
from genai4eu.dashboards.publishing.publish import Published
from genai4eu.dashboards.serving.server import Server, running

OTHERS = ("nl", "de", "fr")
STAMP = "2026-11-20T20:15:00+01:00"


@pytest.fixture(scope="module")
def words() -> Catalog:
    return messages.extracted()


def _soup(server: Server, path: str = "", **headers: str) -> BeautifulSoup:
    answer = httpx.get(server.address + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return BeautifulSoup(answer.text, "html.parser")


def test_the_four_languages_are_there() -> None:
    assert language.LANGUAGES[0] == "en" and set(OTHERS) <= set(language.LANGUAGES)
    assert [language.own_name(name) for name in ("en", *OTHERS)] == ["English", "Nederlands", "Deutsch", "Français"]
    assert language.name_in("nl", "fr") == "néerlandais"


@pytest.mark.parametrize("name", language.LANGUAGES[1:])
def test_no_catalogue_lacks_a_word_or_shows_other_values(name: str, words: Catalog) -> None:
    assert not list(messages.findings(language.catalogue(name), words)), "run 'make messages' and translate"


@pytest.mark.parametrize("name", language.LANGUAGES[1:])
def test_catalogues_are_as_make_messages_leaves_them(name: str, words: Catalog) -> None:
    assert language.catalogue_path(name).read_text("utf-8") == messages.updated(name, words)


def test_what_a_catalogue_lacks_is_found() -> None:
    original = Catalog()
    for text in ("kept", "{n} runs", "100 %% of %(what)s", "gone"):
        original.add(text)
    original.add(("one run", "%(count)s runs"))
    catalogue = Catalog(locale="nl")
    catalogue.add("kept", "behouden")
    catalogue.add("{n} runs", "{m} berekeningen")
    catalogue.add("100 %% of %(what)s", "100 %% van %(wat)s")
    catalogue.add("gone", "weg", flags=["fuzzy"])
    catalogue.add(("one run", "%(count)s runs"), ("een berekening", ""))
    assert [f.partition(":")[0] for f in messages.findings(catalogue, original)] == [
        "other values than {n} runs", "other values than 100 %% of %(what)s", "changed since it was translated",
        "not translated",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "en;q=0.2,fr-BE;q=0.9", "fr"),
        (None, "ja,zz;q=x,nl;q=0.1", "nl"),
        ("nl", "de", "nl"),
        ("ja", "de", "de"),
        ("<script>", "", "en"),
        (None, "nl;q=0", "en"),
    ],
)
def test_the_visitor_s_language_is_chosen(asked: str | None, accepted: str, expected: str) -> None:
    assert language.chosen(asked, accepted) == expected


def test_a_language_that_is_not_offered_falls_back_to_the_first() -> None:
    assert language.chosen("de", "fr,nl", ["it", "nl"]) == "nl" and language.chosen("de", "", ["it"]) == "it"


@pytest.mark.parametrize(
    ("name", "moment", "duration", "number", "energy"),
    [
        ("en", "20 November 2026, 19:15 UTC", "1 h 2 min", "0.1235", "15.1 Wh, an estimate"),
        ("nl", "20 november 2026, 19:15 UTC", "1 u 2 min", "0,1235", "15,1 Wh, een schatting"),
        ("de", "20. November 2026, 19:15 UTC", "1 h 2 min", "0,1235", "15,1 Wh, eine Schätzung"),
        ("fr", "20 novembre 2026, 19:15 UTC", "1 h 2 min", "0,1235", "15,1 Wh, une estimation"),
        ("bg", "20 ноември 2026\u202fг., 19:15 UTC", "1 h 2 min", "0,1235", "15,1 Wh, an estimate"),
    ],
)
def test_values_are_written_as_the_reader_does(name: str, moment: str, duration: str, number: str, energy: str) -> None:
    assert values.moment(STAMP, name) == moment
    assert values.duration(3725, name) == duration
    assert values.number(0.12345, name) == number
    assert values.energy({"joules": 54321, "source": "estimate"}, name) == energy


def test_numbers_keep_their_digits() -> None:
    assert [values.number(v, "de") for v in (2026, 1.2e-7, -0.5, 1234567.0, True, None, "a.b", float("nan"))] == [
        "2026", "1,2 × 10⁻⁷", "-0,5", "1,235 × 10⁶", "ja", "–", "a.b", "nan",
    ]  # fmt: skip
    assert values.duration(3.21, "nl") == "3,2 s" and values.duration(None, "fr") == "inconnu"
    assert values.size(1_234_567, "de") == "1,2 MB" and values.moment("soon", "de") == "soon"


@pytest.mark.parametrize(
    ("name", "expected"), [("en", ["0 runs", "1 run", "2 runs"]), ("fr", ["0 essai", "1 essai", "2 essais"])]
)
def test_plurals_have_the_forms_of_the_language(name: str, expected: list[str]) -> None:
    """The forms are French's own, in which nothing is one thing."""
    catalogue = Catalog(locale=name)
    catalogue.add(("{n} run", "{n} runs"), ("{n} essai", "{n} essais") if name == "fr" else ("{n} run", "{n} runs"))
    words = language.compiled(catalogue)
    assert [words.ngettext("{n} run", "{n} runs", n).format(n=n) for n in (0, 1, 2)] == expected
    assert words.ngettext("not there", "not there either", 2) == "not there either"


@pytest.mark.parametrize("name", OTHERS)
def test_every_page_is_in_the_language_that_was_asked_for_and_keeps_it(server: Server, name: str) -> None:
    for path in ("", "d/tiny-wave-a1b2/", "d/tiny-wave-a1b2/evidence", "no/such/page"):
        soup = _soup(server, f"{path}?lang={name}", Accept_Language="en")
        assert soup.html is not None and soup.html["lang"] == name
        links = [a for a in soup.select("a[href]") if re.match(r"[^#:]*$", str(a["href"]))]
        kept = [a for a in links if not a.find_parent(class_="languages")]
        assert kept and all(f"lang={name}" in a["href"] for a in kept), path
        switch = {str(a["hreflang"]): a for a in soup.select(".languages a")}
        assert set(switch) == set(language.LANGUAGES)
        assert switch["de"].text == "Deutsch" and switch["de"]["lang"] == "de" and switch["de"]["href"] == "?lang=de"
        assert [code for code, a in switch.items() if a.get("aria-current")] == [name]


def test_without_a_wish_in_the_address_links_stay_short(server: Server) -> None:
    soup = _soup(server, "d/tiny-wave-a1b2/", Accept_Language="nl-BE")
    assert soup.html is not None and soup.html["lang"] == "nl"
    assert not any("lang=" in str(a["href"]) for a in soup.select("main a[href]"))
    answer = httpx.get(server.address + "d/tiny-wave-a1b2?lang=nl", headers={"Accept-Language": "en"})
    assert answer.headers["location"] == "tiny-wave-a1b2/?lang=nl"


def test_the_dashboard_s_own_text_says_its_language(published: Published) -> None:
    def parts(name: str) -> set[str | None]:
        soup = BeautifulSoup(frozen.html(Bundle(published.folder), "index", name, "../../"), "html.parser")
        return {
            str(e.get("lang")) for e in soup.select("h1, .answer, .prose, .main-figure > div, .settings dl, .picture")
        }

    assert parts("nl") == {"en"} and parts("en") == {"None"}


def test_links_and_forms_keep_the_language() -> None:
    kept = {
        '<a href="evidence">': '<a href="evidence?lang=nl">',
        '<a class="x" href="../?q=a#top">': '<a class="x" href="../?q=a&amp;lang=nl#top">',
        '<a href="./">': '<a href="./?lang=nl">',
        '<a href="?lang=de" lang="de">': '<a href="?lang=de" lang="de">',
        '<a href="https://example.org/">': '<a href="https://example.org/">',
        '<a href="#main">': '<a href="#main">',
        '<a href="mailto:a@b.eu">': '<a href="mailto:a@b.eu">',
        '<a href="//example.org">': '<a href="//example.org">',
        '<link href="x.css">': '<link href="x.css">',
        "<form>": '<form><input type="hidden" name="lang" value="nl">',
        '<form method="post" action="in">': '<form method="post" action="in?lang=nl">',
    }
    for html, expected in kept.items():
        assert keep_language(html, "nl") == expected


def test_the_switch_keeps_what_the_address_says_and_is_no_way_in_for_scripts(server: Server) -> None:
    soup = _soup(server, "?q=%22%3E%3Cscript%3E&lang=de")
    assert not soup.select(".languages script")
    assert str(soup.select(".languages a")[0]["href"]) == "?q=%22%3E%3Cscript%3E&lang=en"


def test_an_unreviewed_translation_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = BeautifulSoup(page.render("message", "nl", heading="x", sentence="y", root="./"), "html.parser")
    assert "nog niet nagekeken" in shown.text and not language.reviewed("nl") and language.reviewed("en")
    assert "not been reviewed" not in page.render("message", "en", heading="x", sentence="y", root="./")


@pytest.mark.parametrize(("head", "expected"), [("2027-01-20, J. Jansen", True), ("no", False), ("", False)])
def test_a_review_is_a_line_in_the_catalogue_s_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, expected: bool
) -> None:
    text = language.catalogue_path("nl").read_text("utf-8").replace("# Reviewed: no", f"# Reviewed: {head}")
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    path = language.catalogue_path("nl")
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    language.catalogue.cache_clear()
    try:
        assert language.reviewed("nl") is expected
    finally:
        language.catalogue.cache_clear()


@pytest.fixture
def pseudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: Catalog) -> Iterator[str]:
    """A Dutch whose every word is marked: what shows without the marks was never given to translators."""
    monkeypatch.setattr(language, "LOCALES", tmp_path / "locale")
    name = "nl"
    catalogue = read_po(iter(messages.updated(name, words).splitlines(keepends=True)), locale=name)
    for message in catalogue:
        if message.id:
            marked = [f"⟦{form}⟧" for form in ([message.id] if isinstance(message.id, str) else message.id)]
            message.string = marked[0] if isinstance(message.id, str) else tuple(marked)
    path = language.catalogue_path(name)
    path.parent.mkdir(parents=True)
    path.write_text(messages.as_text(catalogue), "utf-8")
    caches = (language.catalogue, language.translations, page._environment, frozen._html)
    for cache in caches:
        cache.cache_clear()
    yield name
    for cache in caches:
        cache.cache_clear()


#: Not words of ours: names, values and what the notebook says.
_DATA = (
    "script, style, title, .brand, [lang], td, th[scope=row], code, .id, time, .facts, dd, details > summary, .value, "
    ".packages li, .lacking li, dt:-soup-contains-own('Python')"
)
_PAGES = ("", "?q=zebra", "d/tiny-wave-a1b2/", "d/tiny-wave-a1b2/evidence", "no/such/page")


def test_nothing_on_a_page_is_left_untranslated(server: Server, pseudo: str, tmp_path: Path) -> None:
    with running(tmp_path / "empty") as nothing:
        places = [(at, path) for at in (server, nothing) for path in _PAGES]
        pages = {f"{at.port}/{path}": _soup(at, path, Accept_Language=pseudo) for at, path in places}
    for path, soup in pages.items():
        assert soup.html is not None and soup.html["lang"] == pseudo
        part = soup.select_one("script#part")
        said = list(_strings(json.loads(part.text)["words"])) if part else []
        said += [str(e[a]) for e in soup.find_all(True) for a in ("aria-label", "placeholder") if e.get(a)]
        assert all(text.startswith("⟦") for text in said), (path, said)
        del soup.html["lang"]
        for element in soup.select(_DATA):
            element.extract()
        left = re.sub(r"⟦[^⟦⟧]*⟧", "", soup.get_text(" "))
        assert not re.findall(r"[^\W\d_]{2,}", left), f"{path}: {left.split()}"


def _strings(words: Any) -> Iterator[str]:
    for value in words.values():
        yield from _strings(value) if isinstance(value, dict) else (value,)
