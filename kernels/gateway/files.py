"""``/api/genai4eu/kernels/ID/files/RUN``: what a run kept beside its kernel, for the kernel's owner, in pieces.

Files are read in threads and sent a piece at a time, as fast as the client takes them: nobody else waits for a large
file or a slow reader. A transfer that broke goes on with ``Range``; the file's SHA-256 is its ``ETag``.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.iostream import StreamClosedError

from .guard import Guard
from .quotas import Refused
from .runfiles import KEPT
from .runfolder import RunFolder

#: Bytes that are read and sent at a time, and all that the gateway holds of a file for one client.
PIECE = 1 << 20
#: Transfers that a user may have at the same time.
MOST = 4
#: Seconds for which a client may take nothing.
STALL = 60.0
#: Version of this interface, told at ``/api``.
VERSION = 1

_T = TypeVar("_T")
_threads = ThreadPoolExecutor(8, "genai4eu-files")  # its own: a slow disk must not keep the gateway from its other work
_busy: Counter[str] = Counter()


class _Files(Guard, APIHandler):  # type: ignore[misc]
    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Take names as the file system has them, whatever their encoding."""
        return os.fsdecode(value)

    def whose(self, kernel_id: str) -> str | None:
        """Return whose kernel it is, or was."""
        return super().whose(kernel_id) or self.kernels.run_files.owner(kernel_id)

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Turn away a user who has many transfers already, after all whom the guard turns away."""
        await super().prepare(*args, **kwargs)
        self._user = self.user.name
        if _busy[self._user] >= MOST:
            raise Refused(429, "files", f"you have {MOST} transfers of files already: wait for one", 1)
        _busy[self._user] += 1
        self._counted = True

    def on_finish(self) -> None:
        """Let the next one in."""
        if getattr(self, "_counted", False):
            self._counted = False
            _busy[self._user] -= 1

    async def within(self, kernel_id: str, run: str, work: Callable[[RunFolder], _T]) -> _T:
        """Do something in the run's folder, in a thread."""

        def do() -> _T:
            with self.kernels.run_files.open(kernel_id, run) as folder:
                return work(folder)

        try:
            return await asyncio.get_running_loop().run_in_executor(_threads, do)
        except LookupError:
            where = "it was removed, or this gateway cannot see where it is"
            raise web.HTTPError(404, "there is no such file of a run of this kernel: " + where) from None


class RunListing(_Files):
    """``/api/genai4eu/kernels/ID/files/RUN``."""

    async def get(self, kernel_id: str, run: str) -> None:
        """List what the run kept, and for how many seconds it stays once its kernel is gone."""
        files, secrets = await self.within(kernel_id, run, lambda folder: (folder.listing(), folder.has("secrets")))
        self._note("files listed", kernel_id)
        self.answer({"files": files, "kept": KEPT, "secrets": secrets})

    async def delete(self, kernel_id: str, run: str) -> None:
        """Remove it: it is at home."""
        await self.within(kernel_id, run, RunFolder.remove)
        self._note("files removed", kernel_id)
        self.set_status(204)

    def _note(self, what: str, kernel_id: str) -> None:
        self.kernels.audit.write(what, user=self.user.name, address=self.address, kernel=kernel_id)


class RunFile(_Files):
    """``/api/genai4eu/kernels/ID/files/RUN/PATH``."""

    async def get(self, kernel_id: str, run: str, path: str) -> None:
        """Send a file, or the part of it that ``Range`` names."""
        handle = await self.within(kernel_id, run, lambda folder: folder.file(path))
        try:
            await self._send(handle)
        finally:
            os.close(handle)

    async def _send(self, handle: int) -> None:
        about = os.fstat(handle)
        size, tag = about.st_size, f'"{about.st_ino:x}-{about.st_size:x}-{about.st_mtime_ns:x}"'
        same = self.request.headers.get("If-Range", tag) == tag
        first, end = _span(self.request.headers.get("Range", "") if same else "", size)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("ETag", tag)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(end - first))
        if (first, end) != (0, size):
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {first}-{end - 1}/{size}")
        try:
            await self._pour(handle, first, end)
        except (StreamClosedError, TimeoutError, EOFError):  # the client left or sleeps, or the file became shorter
            self._auto_finish = False
            self.request.connection.stream.close()
            self.on_finish()

    async def _pour(self, handle: int, offset: int, end: int) -> None:
        """Send the file's bytes; the next piece is read when the client has taken the one before."""
        await self.flush()
        while offset < end:
            loop = asyncio.get_running_loop()
            data = await loop.run_in_executor(_threads, os.pread, handle, min(PIECE, end - offset), offset)
            if not data:
                raise EOFError
            self.write(data)
            await asyncio.wait_for(self.flush(), STALL)
            offset += len(data)


def _span(wanted: str, size: int) -> tuple[int, int]:
    """Return first byte and end of what a Range header asks for; what it is not about is the whole file."""
    found = re.fullmatch(r"bytes=([0-9]{1,18})-([0-9]{0,18})", wanted.strip())
    if found is None:
        return 0, size
    first, last = int(found[1]), int(found[2] or size - 1)
    if first >= size or last < first:
        raise web.HTTPError(416, "the file has %s bytes", size)
    return first, min(last + 1, size)
