"""What JupyterHub's pages need to speak a participant's language and to look like the house. Loaded by its settings."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler

from ....dashboards.pages.language import chosen, own_name, translations
from ...desk import COOKIE, Desk, text_in
from ..folder import COURSE, Room


def install(room: Room) -> None:
    """Have every page of JupyterHub know the course and the reader's language.

    Only a page's handler knows the request, and JupyterHub offers no other way to put something of it into all pages.
    """
    about = Desk(room.folder / COURSE).about["course"]
    before = BaseHandler.template_namespace.fget

    def namespace(self: Any) -> dict[str, Any]:
        language = language_of(self, about["languages"])
        words = translations(language)
        found: dict[str, Any] = before(self)
        return {
            **found, "language": language, "_": words.gettext, "ngettext": words.ngettext,
            "course": text_in(about["title"], language), "seat": found["user"].name if found["user"] else "",
            "spoken": lambda text: {name: translations(name).gettext(text) for name in about["languages"]},
            "languages": [(name, own_name(name)) for name in about["languages"]],
        }  # fmt: skip

    BaseHandler.template_namespace = property(namespace)


def language_of(handler: Any, offered: list[str]) -> str:
    """Return the reader's language, of the course's: what they asked for, or else what their browser wants."""
    asked = handler.get_query_argument("lang", None)
    if asked in offered:
        handler.set_cookie(COOKIE, asked, path="/", samesite="Lax")  # seats read it, too
    else:
        asked = handler.get_cookie(COOKIE)
    return chosen(asked, handler.request.headers.get("Accept-Language", ""), offered)


class CodeHandler(LoginHandler):  # type: ignore[misc]
    """The page on which the code from the sheet is typed; says in words why one opens nothing."""

    async def post(self) -> None:
        """Look at a code."""
        user = await self.login_user({"code": self.get_body_argument("code", "")})
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        refusal = getattr(self, "genai4eu_refusal", "unknown")
        self.set_status(429 if refusal == "slow" else 403)
        self.finish(await self._render(login_error=refusal))
