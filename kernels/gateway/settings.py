"""What a gateway may listen on, and how it is configured. Used by the app, which reads no configuration file."""

from __future__ import annotations

import errno
import ipaddress
import os
from pathlib import Path

from traitlets.config import Config

from .. import local
from ..errors import KernelsError

#: Bytes in one message, in either direction. Tornado's own limit of 10 MiB would cut the connection.
MESSAGE_LIMIT = 1 << 30


def check_host(host: str) -> str:
    """Return the address to listen on.

    Raises
    ------
    KernelsError
        If other computers could reach it: there is neither TLS nor a user's name yet.
    """
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise KernelsError(
        f"the gateway listens on this computer only, not on {host!r}, as long as it has neither TLS nor users: "
        "use --host 127.0.0.1, and an SSH tunnel from elsewhere"
    )


def configuration(token: str, folder: Path) -> Config:
    """Return the whole configuration of a gateway: its token, the working folder of its kernels, and its limits."""
    config = Config()
    config.ServerApp.update({"root_dir": str(folder), "log_level": 30, "cookie_secret": os.urandom(32)})
    config.HeaderIdentityProvider.token = token
    config.GatewayKernels.default_kernel_name = local.NAME
    config.KernelSpecManager.ensure_native_kernel = False
    # A kernel that dies stays dead: a run that goes on in a fresh kernel would be no run.
    config.KernelRestarter.update({"restart_limit": 0, "time_to_dead": 0.5})
    # Other users of this computer can connect to a kernel's ports: let nobody read along without the key. Not "ipc",
    # which would keep them out too: its small buffers make kernels drop output.
    config.MappingKernelManager.transport_encryption = "auto"
    # Far above what a notebook prints; the client is told when one bites.
    config.ZMQChannelsWebsocketConnection.update({"iopub_msg_rate_limit": 5e4, "iopub_data_rate_limit": 5e8})
    return config


def port_error(error: OSError, host: str, port: int) -> KernelsError:
    """Return the error that names the port and the remedy. Called when the port cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return KernelsError(f"port {port} of {host} is in use: choose another one with --port, or end what uses it")
    return KernelsError(f"cannot listen on port {port} of {host} ({error.strerror}): choose another one with --port")
