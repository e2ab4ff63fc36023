"""Signing in and out, for private dashboards."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import tornado.web

from ...access.answers import Refused, same_origin
from ...access.visitor import Busy
from ...pages.language import N_
from .base import FROZEN, Base

#: Pages to come back to; nothing else, so that no address can lead elsewhere after signing in.
_BACK = re.compile(r"(?:d/[a-z0-9][a-z0-9-]{0,80}/(?:evidence)?)?")
_OLD = (N_("This form is too old"), N_("Nothing was sent on. Open the page again, then fill it in."))
_OFTEN = (
    N_("Too many tries"),
    N_("Signing in was tried too often from your network. Wait a minute, then try again."),
)
_BUSY = (N_("Many people are signing in"), N_("Wait a moment, then try again. The public dashboards are open."))


class _Form(Base):
    """A page with a form, which no other page may show in a frame, and no other may send."""

    policy = FROZEN.replace("form-action 'none'", "form-action 'self'").replace(
        "frame-ancestors 'self'", "frame-ancestors 'none'"
    )
    open_to_all = False

    def set_default_headers(self) -> None:
        """Let the browser say that a form is ours: with no referrer at all, it gives ``Origin: null``."""
        super().set_default_headers()
        self.set_header("Referrer-Policy", "same-origin")

    async def prepare(self) -> None:
        """Answer only where somebody can sign in; take forms of ours alone.

        Raises
        ------
        tornado.web.HTTPError
            404 where nobody can sign in, 403 for a form that is not ours.
        """
        if (who := super().prepare()) is not None:
            await who
        if self.door.identity is None:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        if self.request.method == "POST":
            self._check_form()

    def _check_form(self) -> None:
        if not same_origin(self.request):
            raise Refused(HTTPStatus.FORBIDDEN, *_OLD)
        try:
            self.check_xsrf_cookie()
        except tornado.web.HTTPError:
            raise Refused(HTTPStatus.FORBIDDEN, *_OLD) from None

    @property
    def back(self) -> str:
        """Page to come back to: a dashboard's, or the gallery."""
        asked = self.get_argument("to", "")
        return asked if _BACK.fullmatch(asked) else ""


class SignIn(_Form):
    """The sign-in page; for those who are signed in, the page on which to sign out."""

    def get(self) -> None:
        """Show the form."""
        self._show()

    head = get

    async def post(self) -> None:
        """Look at what was filled in, and go back to where it was asked for.

        Raises
        ------
        tornado.web.HTTPError
            429 where the address tries too often, 503 where too many sign in at once.
        """
        assert self.door.identity is not None
        address = self.door.address(self.request)
        if wait := self.door.tries.failed(address):  # counted before it is looked at: tries come together
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, *_OFTEN, wait)
        try:
            visitor = await self.door.identity.sign_in(self)
        except Busy:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, *_BUSY) from None
        if visitor is None:
            self.log.warning("sign-in refused, from %s", address)
            self.set_status(HTTPStatus.UNAUTHORIZED)
            self._show(wrong=True)
            return
        self.door.tries.forgive(address)
        self.redirect(f"./{self.back}", status=HTTPStatus.SEE_OTHER)

    def _show(self, **values: Any) -> None:
        assert self.door.identity is not None
        shown = {"named": self.door.identity.named, "visitor": self.visitor, "wrong": False, "to": self.back, **values}
        self.finish(self.render_page("sign_in", form=self.xsrf_token.decode(), **shown))


class SignOut(_Form):
    """Ends a session."""

    def post(self) -> None:
        """Forget who it was."""
        assert self.door.identity is not None
        self.door.identity.sign_out(self)
        self.visitor = None
        self.redirect("./", status=HTTPStatus.SEE_OTHER)
