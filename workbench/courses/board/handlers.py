"""Answers of the board: a page that holds nothing, and behind the key what there is to see and to do."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import tornado.web

from ...dashboards.pages.language import LANGUAGES, chosen, translations
from ..room.folder import Room
from . import looking, pages
from .actions import Actions
from .asked import Refused
from .diary import Diary
from .door import Door
from .sheets import Sheets
from .shown import Shown
from .watch import Watch
from .words import person

#: Bytes of a request; the longest is a message in some languages.
MOST = 64 << 10
#: Answers that are no page: nothing may come of them where they are opened as one.
NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


@dataclass
class Board:
    """What the handlers share."""

    room: Room
    diary: Diary
    watch: Watch
    actions: Actions
    door: Door
    sheets: Sheets


class Base(tornado.web.RequestHandler):
    """Headers of every answer: nothing is kept, nothing from elsewhere is loaded, no other page shows ours."""

    def initialize(self, board: Board) -> None:
        """Take what the handlers share."""
        self.board = board

    def set_default_headers(self) -> None:
        """Set the headers of every answer."""
        for name, value in {
            "Server": "genai4eu",
            "Content-Security-Policy": NOTHING,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }.items():
            self.set_header(name, value)

    @property
    def language(self) -> str:
        """Language that the trainer reads: one in which the board has words."""
        return chosen(
            self.get_query_argument("lang", None), self.request.headers.get("Accept-Language", ""), self.offered
        )

    @property
    def offered(self) -> tuple[str, ...]:
        """Languages to choose from."""
        return LANGUAGES

    def write_error(self, status_code: int, **options: Any) -> None:
        """Say in a word what happened; the script has the sentences."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": HTTPStatus(status_code).phrase}))

    def log_exception(self, *error: Any) -> None:
        """Let tornado tell of what failed here; refusals are no failures."""
        if not isinstance(error[1], tornado.web.HTTPError):
            super().log_exception(*error)


class Missing(Base):
    """Any address that stands for nothing."""

    def prepare(self) -> None:
        """Answer 404 to all."""
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)


class Slash(Base):
    """The address without its closing slash."""

    def get(self) -> None:
        """Send the trainer on; what stands behind # goes along by itself."""
        self.redirect("board/")


class Shell(Base):
    """The page that anybody may load."""

    def get(self) -> None:
        """Send it; only the script of this answer may run in it."""
        nonce = secrets.token_urlsafe(16)
        styles = " ".join(pages.style_hash(name) for name in ("sheet.css", "notebook.css"))
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' {styles}; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        self.finish(pages.render("shell", self.language, nonce=nonce))


class Asset(Base):
    """Style, script and fonts, which hold nothing of the room either."""

    def get(self, name: str) -> None:
        """Send a file."""
        path = pages.asset(name)
        if path is None:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        self.set_header("Content-Type", _TYPES[path.suffix])
        self.set_header("Cache-Control", "max-age=86400" if path.suffix == ".woff2" else "no-cache")
        self.finish(path.read_bytes())


class Closed(Base):
    """What only who has the key gets."""

    async def prepare(self) -> None:
        """Ask the door."""
        await self.board.door.admit(self.request)

    @property
    def offered(self) -> tuple[str, ...]:
        """The course's languages."""
        return self.board.watch.course.offered

    async def shown(self, fresh: bool = False) -> Shown:
        """Return what there is to see."""
        view = await self.board.watch.now(fresh)
        return Shown(self.board.watch, self.board.diary, view, self.language, self.get_query_argument("lesson", ""))

    def hands(self, shown: Shown) -> dict[str, str]:
        """Return the seats that ask for help, and what a screen reader says when one begins to."""
        said = translations(self.language).gettext("%(seat)s asks for help.")
        waiting = [seat for seat in shown.view.seats if self.board.watch.hand(seat)]
        return {seat: said % {"seat": person(seat, self.board.diary, self.language)} for seat in waiting}

    def seat(self, name: str) -> str:
        """Return a seat of this room, or answer 404."""
        if name not in self.board.watch.seats:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        return name


class Page(Closed):
    """The whole board, into which the script puts newer parts."""

    async def get(self) -> None:
        """Send it with the frame's words in the trainer's language."""
        shown = await self.shown()
        top = pages.render("top", self.language, offered=self.offered)
        page = pages.render("page", self.language, **shown.all())
        self.finish({"language": self.language, "top": top, "page": page, "hands": self.hands(shown)})


class State(Closed):
    """The parts as they are now."""

    async def get(self) -> None:
        """Send them; with them how it stands with the seat whose dialog is open."""
        shown = await self.shown()
        found = pages.parts(self.language, **shown.all())
        if name := self.get_query_argument("seat", ""):
            found[f"look-{name}"] = pages.look_part(self.language, **shown.of_seat(self.seat(name)))
        self.finish({"parts": found, "hands": self.hands(shown)})


class OfSeat(Closed):
    """What the dialog of a seat shows."""

    async def get(self, name: str) -> None:
        """Send it."""
        shown = await self.shown()
        self.finish({"html": pages.render("seat", self.language, **shown.of_seat(self.seat(name)))})


class Act(Closed):
    """What the trainer does."""

    async def post(self) -> None:
        """Do it, and say so."""
        if self.request.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            raise tornado.web.HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            asked = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise tornado.web.HTTPError(HTTPStatus.BAD_REQUEST) from None
        if not isinstance(asked, dict):
            raise tornado.web.HTTPError(HTTPStatus.BAD_REQUEST)
        try:
            await self.board.watch.now()
            done = self.board.actions.do(asked, self.language)
        except Refused as refused:
            self.set_status(HTTPStatus.CONFLICT)
            self.finish({"said": str(refused)})
            return
        card = self._card(str(asked.get("seat")), done.code) if done.code else ""
        self.finish({"said": done.said, "undo": done.undo, "card": card})

    def _card(self, seat: str, code: str) -> str:
        """Return a code as it is held up to a participant."""
        room = self.board.room
        known = {"person": person(seat, self.board.diary, self.language), "code": code, "address": room.address}
        return pages.render("card", self.language, **known, qr=pages.picture(self.board.sheets.address(code)))


class Look(Closed):
    """A participant's notebook, as long as they agree."""

    async def get(self, name: str) -> None:
        """Send it as a page on which nothing runs, or say that one may not look."""
        shown = await self.shown(fresh=True)
        seat = shown.view.seats[self.seat(name)]
        look = looking.look(self.board.diary, seat, shown.view.at)
        if look.state != "yes":
            raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)
        part = shown.course.part(seat.lesson) or shown.course.parts[0]
        html, words = await asyncio.get_running_loop().run_in_executor(None, self._page, shown, name, part.file)
        self.finish({"html": html, "head": person(name, self.board.diary, self.language), "words": words})

    def _page(self, shown: Shown, name: str, file: str) -> tuple[str, str]:
        saved, until = looking.saved(self.board.room, name, file), shown.row.of(name)["look_until"]
        return looking.page(saved, file, self.language), looking.words(saved, until, self.language)


class Sheet(Closed):
    """Something to print."""

    def get(self, name: str) -> None:
        """Send it as a page of its own."""
        html = self.board.sheets.page(name)
        if html is None:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        self.finish({"html": html})
