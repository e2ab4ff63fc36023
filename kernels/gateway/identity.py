"""Who may use the gateway: whoever sends its token in the Authorization header, and nobody else. Used by the app.

Neither the address (``?token=`` ends up in logs) nor a cookie (it outlives the token) is ever looked at.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import RequestHandler

from ..errors import KernelsError

_HEADER = re.compile(r"(?:token|bearer) +(\S+) *", re.IGNORECASE)


class HeaderIdentityProvider(IdentityProvider):  # type: ignore[misc]
    """Reads the token from the Authorization header alone; sets, reads and clears no cookie."""

    login_available = False
    logout_available = False
    auth_enabled = True
    need_token = True

    def get_user(self, handler: RequestHandler) -> User | None:
        """Return the one user whom the token stands for. Called by jupyter_server once a request."""
        headers = handler.request.headers.get_list("Authorization")
        match = _HEADER.fullmatch(headers[0]) if len(headers) == 1 else None
        if match is None or not hmac.compare_digest(match[1].encode(), self.token.encode()):
            return None
        vars(handler)["_token_authenticated"] = True  # tells jupyter_server: no XSRF check, no origin check
        return User("gateway")

    def get_handlers(self) -> list[Any]:
        """Return no login and no logout page."""
        return []

    def set_login_cookie(self, handler: RequestHandler, user: User) -> None:
        """Set nothing."""

    def clear_login_cookie(self, handler: RequestHandler) -> None:
        """Clear nothing, because nothing was set."""

    def get_user_cookie(self, handler: RequestHandler) -> User | None:
        """Know nobody by a cookie."""
        return None

    def validate_security(self, app: Any, ssl_options: dict[str, Any] | None = None) -> None:
        """Refuse to start open. Called by the app before it listens."""
        if not self.token:
            raise KernelsError("a gateway needs a token: name a token file with --token-file")
