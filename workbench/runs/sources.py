"""Where the files that a run keeps beside its kernel can be had from. Used by ``collect``.

``Visible``: the kernel's folder can be seen from here. ``AtGateway``: one of our gateways hands them out.
``FromKernel``: the kernel itself sends them over its connection, which works everywhere, slowly.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nbclient.exceptions import DeadKernelError

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.rest import Gateway
from genai4eu.kernels.targets import Target
from genai4eu.kernels.transfer import SECRETS, Sink, Transfer, offered

from . import kernel_side
from .reach import Unreachable

#: Bytes asked for at a time; as base64 it stays below the 10 MiB a jupyter server lets through in one message.
CHUNK = 4 * 2**20

#: Calls a function of ``kernel_side`` in the kernel and returns its answer.
Ask = Callable[..., str]


class Source(Protocol):
    """One way to the files."""

    @property
    def links(self) -> bool:
        """Whether it also gives files to which links lead out of what the run kept."""

    def listing(self) -> list[dict[str, Any]]:
        """List path, size and SHA-256 of every file; ``link`` is true of what is only a link."""

    def copy(self, entry: dict[str, Any], sink: Sink) -> None:
        """Give the sink what it does not have yet of a file."""

    def remove(self) -> None:
        """Remove all of it: it is at home."""


@dataclass(frozen=True)
class Visible:
    """A folder that can be seen from here."""

    folder: Path
    links = True

    def listing(self) -> list[dict[str, Any]]:
        """List the files. Asked where the kernel is gone, which alone can keep out the value of a secret."""
        if (self.folder / "secrets").exists():
            raise KernelsError(SECRETS)
        return kernel_side.kept_in(self.folder)

    def copy(self, entry: dict[str, Any], sink: Sink) -> None:
        """Read the file."""
        with (self.folder / entry["path"]).open("rb") as stream:
            stream.seek(sink.tell())
            while data := stream.read(CHUNK):
                sink.write(data)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class AtGateway:
    """One of our gateways."""

    transfer: Transfer
    links = False

    def listing(self) -> list[dict[str, Any]]:
        """List the files."""
        return self.transfer.listing()

    def copy(self, entry: dict[str, Any], sink: Sink) -> None:
        """Fetch the file, however often the connection breaks."""
        self.transfer.copy(entry.get("to", entry["path"]), entry["size"], sink)

    def remove(self) -> None:
        """Remove the files there."""
        self.transfer.remove()


@dataclass(frozen=True)
class FromKernel:
    """The kernel's own connection."""

    ask: Ask
    links = True

    def listing(self) -> list[dict[str, Any]]:
        """List the files."""
        found: list[dict[str, Any]] = json.loads(self.ask("listing"))
        return found

    def copy(self, entry: dict[str, Any], sink: Sink) -> None:
        """Have the kernel read the file out."""
        while sink.tell() < entry["size"]:
            data = base64.b64decode(self.ask("read", entry["path"], sink.tell(), CHUNK))
            if not data:
                return  # it has become shorter: its checksum tells
            sink.write(data)

    def remove(self) -> None:
        """Have the kernel remove its folder."""
        self.ask("end")


@dataclass
class WithKernel:
    """A kernel that lives, and a faster way to its files if there is one."""

    kernel: FromKernel
    faster: Source | None
    links = True

    def listing(self) -> list[dict[str, Any]]:
        """List the files as the kernel sees them."""
        return self.kernel.listing()

    def copy(self, entry: dict[str, Any], sink: Sink) -> None:
        """Take the faster way as long as it works, and where it ends go on with the kernel."""
        if self.faster is not None and (self.faster.links or not entry["link"]):
            try:
                self.faster.copy(entry, sink)
                return
            except (KernelsError, OSError):  # what the disk here complains of is another kind of error
                self.faster = None
        self.kernel.copy(entry, sink)

    def remove(self) -> None:
        """Have the kernel remove its folder; where it has died, its target."""
        try:
            self.kernel.remove()
        except Unreachable:
            raise
        except DeadKernelError:
            if self.faster is None:
                raise
            self.faster.remove()


def lasting(remote: dict[str, Any], target: Target | None, run_id: str) -> Source | None:
    """Return the source that does not need the kernel, also long after it; ``None`` where there is none (now).

    Parameters
    ----------
    remote : dict
        What the kernel's side said when the run began: its folder, and who owns that.
    """
    folder = Path(remote["folder"])
    if _is(folder, remote["owner"]):
        return Visible(folder)
    kernel = remote["owner"].get("kernel")
    if not kernel or target is None or target.url is None or target.token_file is None:
        return None
    gateway = Gateway(target.url, Path(target.token_file), Path(target.ca_file) if target.ca_file else None)
    try:
        return AtGateway(Transfer(gateway, kernel, run_id)) if offered(gateway) else None
    except KernelsError:  # it does not answer now: the kernel's connection may have more patience
        return None


def _is(folder: Path, owner: dict[str, Any]) -> bool:
    """Return whether a folder here is the one that the kernel meant, and not one that is only called so."""
    try:
        mine = folder.stat().st_uid == os.getuid()
        return mine and json.loads((folder / "owner.json").read_text(encoding="utf-8")) == owner
    except (OSError, ValueError):
        return False
