"""What is decided before any page: under which names we answer, who comes too often, who may show us in a frame.

Made by the server, asked by every handler.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import tornado.httputil

from genai4eu.kernels.gateway.throttle import Throttle

from .answers import is_loopback
from .register import Register
from .sessions import Sessions

if TYPE_CHECKING:
    from .identity import Identity

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s:@/?#\[\]\\]+))(?::[0-9]+)?", re.IGNORECASE)


def _links() -> Throttle:
    return Throttle(burst=30, per=2.0)


def _tries() -> Throttle:
    return Throttle(burst=10, per=6.0)


@dataclass
class Door:
    """What the server was told, and what it remembers of visitors.

    Attributes
    ----------
    root : Path
        Folder of the dashboards.
    names : frozenset of str
        Names under which we answer besides this computer's own.
    anywhere : bool
        Whether other computers may connect: then each of our numbers will do as a name, too. A foreign page can point
        its own name at us, but no number.
    proxied : bool
        Whether a proxy tells who asks, and how.
    outside : str
        Name and path under which that proxy shows us: ``dash.example.org/results``.
    secure : bool
        Whether visitors come by TLS.
    embedders : tuple of str
        Origins whose pages may show ours in a frame.
    identity : Identity, optional
        Who tells visitors apart; without, nobody can sign in.
    cookie : str
        Name of the cookie of those who signed in.
    links, tries : Throttle
        Links and passwords that were wrong, by address.
    """

    root: Path
    names: frozenset[str] = frozenset()
    anywhere: bool = False
    proxied: bool = False
    outside: str = ""
    secure: bool = False
    embedders: tuple[str, ...] = ()
    identity: Identity | None = None
    cookie: str = "genai4eu"
    links: Throttle = field(default_factory=_links)
    tries: Throttle = field(default_factory=_tries)

    def __post_init__(self) -> None:
        self.register = Register(self.root)
        self.sessions = Sessions()
        if self.identity is not None:
            self.identity.provider.cookie_name = self.cookie

    def answers_to(self, host: str) -> bool:
        """Tell whether the ``Host`` of a request is a name of ours."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = (found[1] or found[2]).lower().rstrip(".")
        return is_loopback(name) or name in self.names or (self.anywhere and _is_number(name))

    def place(self, request: tornado.httputil.HTTPServerRequest) -> str:
        """Return the absolute address of the gallery, with a slash at its end, as whoever asks calls it.

        Behind a proxy what it says to us may be none of the names that visitors know; then it is our first name.
        """
        if not self.proxied:
            return f"{request.protocol}://{request.host}/"
        name, slash, path = self.outside.partition("/")
        found = _HOST.fullmatch(request.host)
        known = found is not None and (found[1] or found[2]).lower().rstrip(".") in self.names
        return f"https://{request.host if known else name}{slash}{path}/"

    def address(self, request: tornado.httputil.HTTPServerRequest) -> str:
        """Return where a request comes from; of IPv6 the network, because a visitor has all of it."""
        told = request.headers.get_list("X-Forwarded-For")[-1:] if self.proxied else []
        given = told[0].rpartition(",")[2].strip() if told else str(request.remote_ip)
        try:
            number = ipaddress.ip_address(given)
        except ValueError:
            return given[:64]
        return str(number) if number.version == 4 else str(ipaddress.ip_network((number, 64), strict=False))


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
