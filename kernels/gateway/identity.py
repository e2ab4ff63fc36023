"""Who asks: whoever's token stands in the Authorization header, and nobody else. Used by the app.

Neither the address (``?token=`` ends up in logs) nor a cookie (it outlives the token) is ever looked at.
"""

from __future__ import annotations

import re
from typing import Any

from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.auth.identity import User as Principal
from tornado.web import RequestHandler

from .users import Users

_HEADER = re.compile(r"(?:token|bearer) +(\S{1,4096}) *", re.IGNORECASE)


class HeaderIdentityProvider(IdentityProvider):  # type: ignore[misc]
    """Reads the token from the Authorization header alone; sets, reads and clears no cookie."""

    login_available = False
    logout_available = False
    auth_enabled = True
    need_token = True
    users = Users()  # nobody, until the app says who

    def sent(self, handler: RequestHandler) -> str | None:
        """Return the token that was sent, whether or not it is good for anything."""
        headers = handler.request.headers.get_list("Authorization")
        match = _HEADER.fullmatch(headers[0]) if len(headers) == 1 else None
        return match[1] if match else None

    def get_user(self, handler: RequestHandler) -> Principal | None:
        """Return the user whom the token stands for. Called by the guard and by jupyter_server, at each request."""
        token = self.sent(handler)
        user = self.users.find(token) if token else None
        if user is None:
            return None
        vars(handler)["_token_authenticated"] = True  # tells jupyter_server: no XSRF check, no origin check
        return Principal(user.name)

    def get_handlers(self) -> list[Any]:
        """Return no login and no logout page."""
        return []

    def set_login_cookie(self, handler: RequestHandler, user: Principal) -> None:
        """Set nothing."""

    def clear_login_cookie(self, handler: RequestHandler) -> None:
        """Clear nothing, because nothing was set."""

    def get_user_cookie(self, handler: RequestHandler) -> Principal | None:
        """Know nobody by a cookie."""
        return None

    def validate_security(self, app: Any, ssl_options: dict[str, Any] | None = None) -> None:
        """Warn of nothing: the app refuses to start open, by itself."""
