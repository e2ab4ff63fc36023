"""Certificate and key of a server of ours, checked before it starts. Called by the gateway and by the gallery."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from .errors import KernelsError


def context(certfile: Path | None, keyfile: Path | None) -> ssl.SSLContext | None:
    """Return how to encrypt, or ``None`` where that is not asked for.

    Raises
    ------
    KernelsError
        If certificate and key are not there, do not belong together, or the key can be read by others.
    """
    if certfile is None and keyfile is None:
        return None
    if certfile is None or keyfile is None:
        raise KernelsError("TLS needs a certificate and its key: give both --certfile and --keyfile")
    for path in (certfile, keyfile):
        if not os.access(path, os.R_OK):
            raise KernelsError(f"{path} cannot be read: name a PEM file that can")
    if keyfile.stat().st_mode & 0o007:
        raise KernelsError(f"the key {keyfile} can be read by others: type chmod 600 {keyfile}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certfile, keyfile, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "no PEM file"
        raise KernelsError(
            f"{certfile} and {keyfile} cannot be used ({reason}): give a certificate and its own, "
            "unencrypted key, both PEM"
        ) from None
    return context
