"""A dashboard as one page that needs nothing else: for e-mail, or a USB stick. Called by publishing.

It is made of the frozen page and the evidence as a server would send them: style, fonts and pictures go inside, scripts
and what only a server can do go out.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

from ...errors import WorkbenchError
from ...runs.files import write_text
from ..bundle import Bundle
from ..pages import frozen, page
from ..pages.language import LANGUAGES

#: Bytes that an e-mail may still have.
LARGEST = 10 * 2**20
_GENERATOR = "GenAI4EU workbench, a page to take along"
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
)
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml", "gif": "image/gif", "webp": "image/webp"}
#: Nothing of these means anything without a server.
_SERVED = (
    "script", "noscript", "link[rel=modulepreload]", "nav", ".languages", "[download]", ".bound", "button", "form",
    "link[href*='/front/']", "meta[property]",
)  # fmt: skip
_FONT = re.compile(r"@font-face \{[^}]*?url\(\"(fonts/[\w.-]+)\"\)[^}]*\}\n?")


def write(bundle: Bundle, target: Path, language: str | None = None) -> Path:
    """Write a version of a dashboard, with its evidence, as one page.

    Parameters
    ----------
    target : Path
        A name that ends with ``.html``; an earlier page of this kind is replaced, nothing else is.
    language : str, optional
        Language of the words around the dashboard's own; else the dashboard's, where pages speak it.

    Raises
    ------
    WorkbenchError
        If the dashboard is damaged or too large for one page, or the file cannot be written.
    """
    target = target.absolute()
    if target.suffix not in (".html", ".htm"):
        raise WorkbenchError(f"{target.name} is no name for a page: let it end with .html")
    if target.exists() and _GENERATOR not in target.read_text(encoding="utf-8", errors="replace")[:2000]:
        raise WorkbenchError(f"{target} is something else than such a page: choose another name, or move it away")
    own = language or str(bundle.info.get("language"))
    text = html(bundle, own if own in LANGUAGES else "en")
    if len(text.encode()) > LARGEST:
        size = f"{len(text.encode()) / 1e6:.0f} MB"
        raise WorkbenchError(f"{bundle.slug} would be a page of {size}, too large to send: write a bundle (.zip)")
    try:
        write_text(target, text)
    except OSError as error:
        raise WorkbenchError(f"cannot write {target} ({error.strerror or error}): choose another folder") from None
    return target


def html(bundle: Bundle, language: str) -> str:
    """Return the page."""
    shown, evidence = (
        BeautifulSoup(frozen.html(bundle, name, language, ""), "html.parser") for name in ("index", "evidence")
    )
    main = _one(shown, "main")
    for soup in (shown, evidence):
        for tag in soup.select(", ".join(_SERVED)):
            if tag.decomposed:
                continue
            # a sentence about what is gone goes with it
            gone = tag.parent if tag.has_attr("download") and tag.parent and tag.parent.name == "p" else tag
            gone.decompose()
    _say_that_it_is_a_copy(shown, language)
    main.append(_below(evidence))
    _one(shown, "head").extend(_styles(evidence, shown))
    _inline_pictures(shown, bundle.folder)
    _inline_head(shown)
    _mend_links(shown)
    for tag in shown.find_all(True):
        for name in [n for n in tag.attrs if n.startswith("data-") and n != "data-sector"]:
            del tag[name]
    return str(shown)


def _one(soup: BeautifulSoup, selector: str) -> Tag:
    found = soup.select_one(selector)
    if found is None:
        raise WorkbenchError(f"the page has no {selector}: this workbench is damaged, install it again")
    return found


def _say_that_it_is_a_copy(shown: BeautifulSoup, language: str) -> None:
    note = BeautifulSoup(page.render("copy", lang=language), "html.parser")
    place = shown.select_one(".lead") or _one(shown, "main")
    place.append(note)


def _below(evidence: BeautifulSoup) -> Tag:
    """Return the evidence as a section: its headings a level lower, its ids its own."""
    section = evidence.new_tag("section", attrs={"id": "evidence"})
    ids = {str(tag["id"]): f"evidence-{tag['id']}" for tag in evidence.find_all(id=True)}
    for back in evidence.select(".back"):
        back.decompose()
    for tag in evidence.find_all(True):
        if heading := re.fullmatch(r"h([1-5])", tag.name):
            tag.name = f"h{int(heading[1]) + 1}"
        for name in ("id", "for", "aria-labelledby", "aria-describedby", "aria-controls"):
            if name in tag.attrs:
                tag[name] = " ".join(ids.get(word, word) for word in str(tag[name]).split())
        if tag.name == "a" and str(tag.get("href", "")).startswith("#"):
            tag["href"] = f"#{ids.get(str(tag['href'])[1:], str(tag['href'])[1:])}"
    for child in list(_one(evidence, "main").children):
        section.append(child.extract())
    return section


def _styles(evidence: BeautifulSoup, shown: BeautifulSoup) -> list[Tag]:
    """Return the style sheets that the evidence has and the result has not."""
    known = {str(link.get("href")) for link in shown.select("link[rel=stylesheet]")}
    return [link.extract() for link in evidence.select("link[rel=stylesheet]") if str(link.get("href")) not in known]


def _inline_pictures(shown: BeautifulSoup, folder: Path) -> None:
    for image in shown.find_all("img"):
        name = re.fullmatch(r"media/[0-9a-f]{16}\.(\w+)", str(image.get("src", "")))
        if name is None or name[1] not in _TYPES:
            image.decompose()
            continue
        image["src"] = _data(folder / name[0], _TYPES[name[1]])
        image.attrs.pop("loading", None)


def _inline_head(shown: BeautifulSoup) -> None:
    """Put style and icon inside, and let the browser fetch nothing, whatever the page says."""
    words = shown.get_text()
    for link in shown.find_all("link"):
        name = urlsplit(str(link.get("href", ""))).path.partition("static/")[2]
        path = page.ASSETS / "static" / name
        if name and path.is_file() and link.get("rel") == ["stylesheet"]:
            style = shown.new_tag("style", attrs={"media": str(link["media"])} if link.has_attr("media") else {})
            style.string = _FONT.sub(lambda m: _font(m, words), path.read_text(encoding="utf-8"))
            link.replace_with(style)
        elif name and path.is_file() and link.get("rel") == ["icon"]:
            link["href"] = _data(path, _TYPES["svg"])
        else:
            link.decompose()
    head = _one(shown, "head")
    head.insert(1, shown.new_tag("meta", attrs={"http-equiv": "Content-Security-Policy", "content": _POLICY}))
    head.insert(1, shown.new_tag("meta", attrs={"name": "generator", "content": _GENERATOR}))


def _font(face: re.Match[str], words: str) -> str:
    """Return a font inside its rule; the one of rarer letters only where some of them stand on the page."""
    if "latin-ext" in face[1] and not re.search("[\u0100-\u02ba\u1e00-\u1eff]", words):
        return ""
    return face[0].replace(face[1], _data(page.ASSETS / "static" / face[1], "font/woff2"))


def _mend_links(shown: BeautifulSoup) -> None:
    """Let links lead within the page or to the open web; others lead nowhere here, their words stay."""
    for link in shown.find_all("a"):
        address = str(link.get("href", ""))
        if address.partition("?")[0] == "evidence":
            link["href"] = "#evidence"
        elif not address.startswith(("#", "http://", "https://", "mailto:")):
            link.attrs = {k: v for k, v in link.attrs.items() if k in ("class", "lang")}


def _data(path: Path, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"
