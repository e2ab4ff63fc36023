"""The experience centre's screen: dashboards one after the other, until somebody touches one."""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path

import tornado.web

from ....errors import WorkbenchError
from ...access import admission
from ...access.answers import Refused
from ...dashboard import SLUG
from ...pages.language import translations
from .base import Asset, Base

_log = logging.getLogger("genai4eu.dashboards")
#: Seconds that a dashboard is shown, and that nobody may touch one before the tour goes on: least, default, most.
SECONDS = (5, 40, 3600)
IDLE = (10, 60, 3600)


class Kiosk(Base):
    """The tour, as its address says: ``/kiosk?show=a,b,c&seconds=40&idle=60``."""

    def initialize(self, root: Path) -> None:
        """Remember where the dashboards are."""
        self.root = root

    def get(self) -> None:
        """Show the tour, or say what of its address is wrong."""
        seconds, idle = self._number("seconds", SECONDS), self._number("idle", IDLE)
        stops = self._stops(self._places())
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language")
        self.finish(self.render_page("kiosk", stops=stops, seconds=seconds, idle=idle))

    head = get

    def _stops(self, places: list[str]) -> list[dict[str, str]]:
        """Return what the tour shows; what cannot be shown keeps the others from nobody, unless nothing is left."""
        stops: list[dict[str, str]] = []
        refused: tornado.web.HTTPError | None = None
        for place in places:
            try:
                question = self.admit(self.root, place).current.info["question"]
            except tornado.web.HTTPError as why:
                _log.warning("the tour leaves %s out: it is not there for everybody", place)
                refused = why
            except WorkbenchError as why:
                _log.warning("the tour leaves %s out: %s", place, why)
            else:
                stops.append({"address": f"{place}/", "question": question})
        if refused and not stops:
            raise refused
        return stops

    def _places(self) -> list[str]:
        """Return the dashboards in the order asked for; all of the gallery's where none is named."""
        asked = [name.strip() for name in self.get_query_argument("show", "").split(",") if name.strip()]
        if not asked:
            return [f"d/{dashboard.slug}" for dashboard in admission.listed(self.root, self.visitor)]
        if wrong := [name for name in asked if not SLUG.fullmatch(name)]:
            self._refuse(translations(self.language).gettext("There is no dashboard called %s.") % wrong[0][:80])
        return [f"d/{name}" for name in asked]

    def _number(self, name: str, limits: tuple[int, int, int]) -> int:
        least, default, most = limits
        given = self.get_query_argument(name, str(default))
        if not given.isdecimal() or not least <= int(given[:9]) <= most:
            told = translations(self.language).gettext("%(name)s must be a whole number from %(least)s to %(most)s.")
            self._refuse(told % {"name": name, "least": least, "most": most})
        return int(given)

    def _refuse(self, sentence: str) -> None:
        raise Refused(
            HTTPStatus.BAD_REQUEST, translations(self.language).gettext("This tour cannot be shown"), sentence
        )


class Worker(Asset):
    """The script that keeps the tour for a time without a network; it stands beside the tour, to reach all pages."""

    def parse_url_path(self, url_path: str) -> str:
        """Return the file's name."""
        return "kiosk_worker.js"
