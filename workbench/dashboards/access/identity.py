"""Who a visitor is, as an identity provider of jupyter_server says. Called by the handlers; made by the server.

The provider is jupyter_server's own for one shared password (``jupyter server password`` sets it), or the class that
the operator names. It may have a sign-in form (``process_login_form``), or know visitors by what a proxy says of them
(``get_user``). It sees our handlers as it sees those of jupyter_server; its cookie, though, holds a session's id alone.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from ...errors import WorkbenchError
from .visitor import Busy, Visitor

#: Passwords that are looked at at the same time, and those that may wait: each takes a tenth of a second to compare.
AT_ONCE, WAITING = 2, 20


class Identity:
    """Tells visitors apart.

    Parameters
    ----------
    provider : IdentityProvider
        A provider of jupyter_server's kind, configured.
    """

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider
        kind = type(provider)
        own = (IdentityProvider.process_login_form, PasswordIdentityProvider.process_login_form)
        #: Whether the form asks for a name, besides the password.
        self.named = kind.process_login_form not in own
        #: Whether it knows visitors who did not fill in the form, by what their requests say.
        self.ambient = (
            kind.get_user is not IdentityProvider.get_user or kind._get_user is not IdentityProvider._get_user
        )
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sign-in")
        self._waiting = 0

    async def visitor(self, handler: Any) -> Visitor | None:
        """Return who sent a request, or ``None`` for somebody who is not signed in."""
        if not self.ambient and not handler.get_cookie(self.provider.cookie_name):
            return None
        return _visitor(await _done(self.provider.get_user(handler)))

    async def sign_in(self, handler: Any) -> Visitor | None:
        """Look at what was filled in; begin a session where it is right.

        Raises
        ------
        Busy
            If too many are waiting.
        """
        if self._waiting >= WAITING:
            raise Busy
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:  # comparing a password takes long, on purpose: others must not wait for it
            user = await _done(await loop.run_in_executor(self._pool, self.provider.process_login_form, handler))
        finally:
            self._waiting -= 1
        if user is not None:
            self.provider.set_login_cookie(handler, user)
        return _visitor(user)

    def sign_out(self, handler: Any) -> None:
        """End the session."""
        self.provider.clear_login_cookie(handler)


async def _done(found: Any) -> Any:
    return await found if isinstance(found, Awaitable) else found


def _visitor(user: Any) -> Visitor | None:
    if user is None:
        return None
    groups = getattr(user, "groups", None) or ()
    return Visitor(str(user.username), str(user.display_name or user.username), frozenset(map(str, groups)))


def load(name: str | None, config: Config) -> Identity:
    """Return what the operator configured.

    Parameters
    ----------
    name : str, optional
        ``module.Class``; without, what the configuration names, or the one of a shared password.
    config : Config
        The provider's settings.

    Raises
    ------
    WorkbenchError
        If the class cannot be used, or the class would let in everybody.
    """
    chosen = name or config.get("ServerApp", Config()).get("identity_provider_class", PasswordIdentityProvider)
    provider = _made(_class(chosen), config)
    provider.token = ""  # it would stand in addresses, and so in logs
    if not _guards(provider):
        raise WorkbenchError(
            f"{type(provider).__name__} would let in everybody: set a password with 'jupyter server password', or "
            "configure it in the file that --config names"
        )
    return Identity(provider)


def _class(chosen: Any) -> type[IdentityProvider]:
    try:
        found = import_item(chosen) if isinstance(chosen, str) else chosen
    except (ImportError, ValueError) as error:
        raise WorkbenchError(
            f"the identity provider {chosen!r} cannot be imported ({error}): give module.Class"
        ) from None
    if not (inspect.isclass(found) and issubclass(found, IdentityProvider)):
        raise WorkbenchError(f"{chosen!r} is no identity provider: name a class made from jupyter_server's")
    return found


def _made(kind: type[IdentityProvider], config: Config) -> IdentityProvider:
    provider = kind(config=config)
    pages = [path for path, *_ in provider.get_handlers() if path not in ("/login", "/logout")]
    if pages:
        raise WorkbenchError(
            f"{kind.__name__} needs pages of its own ({pages[0]}), which are not served here: put a proxy that signs "
            "people in before, and a provider that reads what it says"
        )
    return provider


def _guards(provider: IdentityProvider) -> bool:
    """Tell whether it lets in only some: jupyter_server's own let in all where they have no password."""
    stock = type(provider).process_login_form is IdentityProvider.process_login_form
    ambient = type(provider).get_user is not IdentityProvider.get_user
    return bool(provider.auth_enabled) and (ambient or not stock)
