"""What handlers and proxy decide alike: which names are ours, who may speak to us, what a refused visitor reads."""

from __future__ import annotations

import ipaddress
import re
from http import HTTPStatus
from urllib.parse import urlsplit

import tornado.httputil
import tornado.web

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s:@/?#\[\]\\]+))(?::[0-9]+)?", re.IGNORECASE)


class Refused(tornado.web.HTTPError):
    """An error whose page says why in words of its own.

    Parameters
    ----------
    status : HTTPStatus
        Status of the answer.
    heading, sentence : str
        What the visitor reads.
    """

    def __init__(self, status: HTTPStatus, heading: str, sentence: str) -> None:
        super().__init__(status)
        self.heading, self.sentence = heading, sentence


def is_loopback(name: str) -> bool:
    """Tell whether a name is this computer's own, and does not merely begin like it."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_host(request: tornado.httputil.HTTPServerRequest) -> None:
    """Refuse names that are not ours: a foreign page may point its own name at this computer.

    Raises
    ------
    tornado.web.HTTPError
        403 for any other name in the request's ``Host``.
    """
    found = _HOST.fullmatch(request.host)
    if found is None or not is_loopback(found[1] or found[2]):
        raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)


def same_origin(request: tornado.httputil.HTTPServerRequest) -> bool:
    """Tell whether a page of ours sent the request, as every browser says."""
    try:
        return urlsplit(request.headers.get("Origin", "")).netloc == request.host
    except ValueError:  # no address at all
        return False
