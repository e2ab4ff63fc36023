"""What a gateway's own certificate says: for which name it is, and whether everybody trusts it. Used by the app."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any


def first_name(server: ssl.SSLContext, certfile: Path) -> str | None:
    """Return the first DNS name of a certificate that is an address (``*.x.org`` is none)."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(certfile)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it vouches for itself here, whoever signed it
    try:
        names = _shown(server, client).get("subjectAltName", ())
    except ssl.SSLError:  # expired: connect will say so
        return None
    return next((name for kind, name in names if kind == "DNS" and "*" not in name), None)


def is_private(server: ssl.SSLContext) -> bool:
    """Return whether a client needs ``--ca-file``, because its computer does not know who signed the certificate."""
    client = ssl.create_default_context()
    client.check_hostname = False
    try:
        _shown(server, client)
    except ssl.SSLError:
        return True
    return False


def _shown(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, Any]:
    """Return the certificate that a client is shown, without any network."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours, theirs = server.wrap_bio(up, down, server_side=True), client.wrap_bio(down, up)
    for side in (theirs, ours, theirs, ours):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:  # it is the other side's turn
            continue
    return theirs.getpeercert() or {}
