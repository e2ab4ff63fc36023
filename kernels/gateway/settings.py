"""What a gateway is told, what it may listen on, and how jupyter_server is configured. Used by the app."""

from __future__ import annotations

import errno
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config

from .. import local, tls
from ..errors import KernelsError

#: Bytes in one message, in either direction. Tornado's own limit of 10 MiB would cut the connection.
MESSAGE_LIMIT = 1 << 30
#: Messages and bytes a second and kernel, far above what a notebook prints; the client is told when one bites.
OUTPUT_LIMITS = {"iopub_msg_rate_limit": 5e4, "iopub_data_rate_limit": 5e8}


@dataclass(frozen=True)
class Options:
    """What a gateway is told when it starts.

    Attributes
    ----------
    state : Path
        Its folder: users, kernels, audit log.
    work : Path, optional
        Working folder of the kernels, by default in ``state``.
    token_file : Path, optional
        The token of the one person who uses it; without, the users are those of ``gateway add-user``.
    parent_pid : int, optional
        The process that started it: when that is gone, so are gateway and kernels. Without, it is a service, whose
        kernels outlive it.
    cull_idle : float
        Seconds after which an idle kernel is ended; 0 for never.
    drain : float
        Seconds that running cells get when the gateway is asked to end.
    patience : float
        Seconds that kernels live without any gateway.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8899
    work: Path | None = None
    token_file: Path | None = None
    parent_pid: int | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    behind_proxy: bool = False
    cull_idle: float = 3600.0
    drain: float = 30.0
    patience: float = 600.0

    @property
    def survive(self) -> bool:
        """Whether kernels outlive the gateway."""
        return self.parent_pid is None

    @property
    def everywhere(self) -> bool:
        """Whether it listens on every address of the computer, which is no address to tell people."""
        return self.host in ("0.0.0.0", "::")

    def address(self) -> str:
        """Return the address to listen on.

        Raises
        ------
        KernelsError
            If other computers could read the tokens on their way.
        """
        address = "127.0.0.1" if self.host == "localhost" else self.host
        try:
            local = ipaddress.ip_address(address).is_loopback
        except ValueError:
            raise KernelsError(
                f"{self.host!r} is no address to listen on: use 127.0.0.1, 0.0.0.0, or one of this computer's own"
            ) from None
        if not local and self.certfile is None and not self.behind_proxy:
            raise KernelsError(
                f"without TLS the gateway listens on this computer only, not on {self.host!r}: give --certfile and "
                "--keyfile, or --behind-proxy where a proxy adds TLS, or use --host 127.0.0.1"
            )
        return address

    def tls(self) -> ssl.SSLContext | None:
        """Return how to encrypt, or ``None`` where that is not asked for.

        Raises
        ------
        KernelsError
            If certificate and key are not there, do not belong together, or the key can be read by others.
        """
        return tls.context(self.certfile, self.keyfile)


def configuration(work: Path, remote: bool) -> Config:
    """Return the whole configuration of jupyter_server. ``remote``: others may come under names we do not know."""
    config = Config()
    # Errors only: a warning of jupyter_server quotes messages, and so somebody's code.
    config.ServerApp.update({"root_dir": str(work), "log_level": 40, "cookie_secret": os.urandom(32)})
    # The check of the Host header guards cookies and open servers; this one has neither.
    config.ServerApp.allow_remote_access = remote
    config.GatewayKernels.default_kernel_name = local.NAME
    config.KernelSpecManager.ensure_native_kernel = False
    # A kernel that dies stays dead: a run that goes on in a fresh kernel would be no run.
    config.KernelRestarter.update({"restart_limit": 0, "time_to_dead": 0.5})
    # Other users of this computer can connect to a kernel's ports: let nobody read along without the key. Not "ipc",
    # which would keep them out too: its small buffers make kernels drop output.
    config.MappingKernelManager.transport_encryption = "auto"
    config.ZMQChannelsWebsocketConnection.update(OUTPUT_LIMITS)
    return config


def port_error(error: OSError, host: str, port: int) -> KernelsError:
    """Return the error that names the port and the remedy. Called when the port cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return KernelsError(f"port {port} of {host} is in use: choose another one with --port, or end what uses it")
    return KernelsError(f"cannot listen on port {port} of {host} ({error.strerror}): choose another one with --port")
