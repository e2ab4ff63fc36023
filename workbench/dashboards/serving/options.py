"""What a gallery is told when it starts, checked before it does. Called by ``genai4eu serve`` and the server."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genai4eu.kernels import tls

from ...errors import WorkbenchError
from ..access.answers import is_loopback

if TYPE_CHECKING:
    from ..access.identity import Identity

PORT = 8866
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
#: Folders of an address, such as ``/results/ai``; nothing that a browser would take apart or go up by.
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Options:
    """Where and how to serve.

    Attributes
    ----------
    host, port : str, int
        Address to listen on; port 0 takes a free one.
    viewers : int
        How many kernels there may be at once for live views; 0 is as many as this computer can bear. Other visitors
        wait, and have the recorded page meanwhile.
    standby : int
        For how many dashboards, the first of the gallery, a kernel waits from the start.
    idle : float
        Seconds without a message until a visitor's kernel is given to others.
    certfile, keyfile : Path, optional
        Certificate and key (PEM), for TLS.
    behind_proxy : bool
        A proxy adds TLS, and alone can reach this address.
    names : tuple of str
        Names under which visitors reach it.
    base_path : str
        Path below which a proxy shows it, ``/results``; the proxy takes it off before it asks here.
    embed_origins : tuple of str
        Origins whose pages may show dashboards in a frame.
    identity_provider : str, optional
        ``module.Class`` that knows who visitors are.
    config : Path, optional
        Jupyter configuration file with its settings.
    contact : str
        Whom visitors may tell of a barrier: a mail address, an https address, or words.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    viewers: int = 0
    standby: int = 0
    idle: float = 600
    certfile: Path | None = None
    keyfile: Path | None = None
    behind_proxy: bool = False
    names: tuple[str, ...] = ()
    base_path: str = ""
    embed_origins: tuple[str, ...] = ()
    identity_provider: str | None = None
    config: Path | None = None
    contact: str = ""

    @property
    def address(self) -> str:
        """Address to listen on."""
        return "127.0.0.1" if self.host == "localhost" else self.host

    @property
    def prefix(self) -> str:
        """What visitors' addresses have before ours: ``/results``, or nothing."""
        trimmed = self.base_path.strip("/")
        return f"/{trimmed}" if trimmed else ""

    @property
    def anywhere(self) -> bool:
        """Whether other computers can connect without a proxy."""
        return not is_loopback(self.address)

    @property
    def secure(self) -> bool:
        """Whether visitors come by TLS."""
        return self.certfile is not None or self.behind_proxy

    def check(self) -> None:
        """Check what can be checked before anything starts.

        Raises
        ------
        WorkbenchError
            If others could read along, or a name or origin is none.
        """
        if self.anywhere and not self.secure:
            raise WorkbenchError(
                f"without TLS only this computer may connect, not others through {self.host!r}: give --certfile and "
                "--keyfile, or --behind-proxy where a proxy adds TLS, or use --host 127.0.0.1"
            )
        if self.behind_proxy and not self.names:
            raise WorkbenchError("behind a proxy visitors come under the proxy's name: give it with --name")
        for name in self.names:
            if not _NAME.fullmatch(name.lower()):
                raise WorkbenchError(f"{name!r} is no host name: write it like dashboards.example.org")
        if self.base_path and not self.behind_proxy:
            raise WorkbenchError("--base-path is the path below which a proxy shows the gallery: give --behind-proxy")
        if not _PATH.fullmatch(self.prefix):
            raise WorkbenchError(f"{self.base_path!r} is no path of an address: write it like /results")
        for origin in self.embed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise WorkbenchError(f"{origin!r} is no origin: write it like https://www.example.org, without a path")

    def tls(self) -> ssl.SSLContext | None:
        """Return how to encrypt, or ``None``.

        Raises
        ------
        genai4eu.kernels.errors.KernelsError
            If certificate and key cannot be used.
        """
        return tls.context(self.certfile, self.keyfile)

    def known_names(self, encryption: ssl.SSLContext | None) -> frozenset[str]:
        """Return the names to answer to: those that were given, and the certificate's first."""
        from genai4eu.kernels.gateway.certificate import first_name

        own = first_name(encryption, self.certfile) if encryption and self.certfile else None
        return frozenset(name.lower().rstrip(".") for name in (*self.names, *([own] if own else [])))

    def identity(self) -> Identity | None:
        """Return who tells visitors apart, where that is configured.

        Raises
        ------
        WorkbenchError
            If what is configured cannot be used.
        """
        from ..access.settings import configuration, names_somebody

        found = configuration(self.config)
        if self.identity_provider is None and self.config is None and not names_somebody(found):
            return None
        from ..access.identity import load  # brings jupyter_server along

        return load(self.identity_provider, found)
