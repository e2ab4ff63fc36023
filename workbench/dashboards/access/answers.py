"""What handlers and proxy decide alike: which names are this computer's, who may speak to us, what a refused visitor
reads.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

import tornado.httputil
import tornado.web


class Refused(tornado.web.HTTPError):
    """An error whose page says why in words of its own.

    Parameters
    ----------
    status : HTTPStatus
        Status of the answer.
    heading, sentence : str
        What the visitor reads.
    wait : float, optional
        Seconds after which it may be tried again.
    """

    def __init__(self, status: HTTPStatus, heading: str, sentence: str, wait: float = 0.0) -> None:
        super().__init__(status)
        self.heading, self.sentence, self.wait = heading, sentence, wait


def is_loopback(name: str) -> bool:
    """Tell whether a name is this computer's own, and does not merely begin like it."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def same_origin(request: tornado.httputil.HTTPServerRequest) -> bool:
    """Tell whether a page of ours sent the request, as every browser says."""
    try:
        return urlsplit(request.headers.get("Origin", "")).netloc == request.host
    except ValueError:  # no address at all
        return False
