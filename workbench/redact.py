"""Keep the values of secrets out of all that this kernel says. Called by secrets, once a value is known.

Everything that reaches a client is a message of the kernel's session: streams, displays, results, tracebacks, answers.
What programs write past Python goes through the process's own streams, to the notebook and to the run's log. Both are
read over before they leave. A notebook that takes a value apart, or encodes it in a way of its own, can still show it;
so can a process that it starts and that asks for the secret itself. This guards against mistakes, not against intent.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import os
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: What is shown in place of each text, the longest first.
_SHOWN: dict[str, str] = {}
#: Lines of a secret of several lines are looked for one by one, unless they are shorter.
_LONG_LINE = 12


def keep_out(value: str, shown: str) -> None:
    """Show ``shown`` wherever this kernel would say ``value``, or a usual encoding of it."""
    global _SHOWN
    known = {**_SHOWN, **dict.fromkeys(forms(value), shown)}
    _SHOWN = dict(sorted(known.items(), key=lambda item: -len(item[0])))  # at once: other threads print meanwhile
    _mark()
    _watch()


def _mark() -> None:
    """Leave a sign that what this run keeps must be read over before it leaves, which only this kernel can do."""
    if folder := os.environ.get("GENAI4EU_RUN_DIR"):
        with contextlib.suppress(OSError):  # its disk is full: nothing will be kept on it either
            (Path(folder) / "secrets").touch()


def forms(value: str) -> Iterator[str]:
    """Yield a value as it is, as text, JSON, HTML, addresses and base64 write it, and its longer lines."""
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _LONG_LINE)
    for text in {value, value.strip()}:
        quoted = (repr(text), ascii(text), json.dumps(text), json.dumps(text, ensure_ascii=False))
        for said in (text, *(q[1:-1] for q in quoted)):
            yield from (said, html.escape(said), html.escape(said, quote=False))
        yield from (urllib.parse.quote(text), urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text))
        yield from _base64(text.encode())


def _base64(content: bytes) -> Iterator[str]:
    """Yield how base64 writes something in the midst of something else, as in the header of a login."""
    for before, start in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(content)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b" " * before + content).decode()[start:whole]


def redacted(content: Any) -> Any:
    """Return plain data with every value of a secret replaced, in keys and bytes too."""
    if isinstance(content, str):
        for value, shown in _SHOWN.items():
            if value in content:
                content = content.replace(value, shown)
        return content
    if isinstance(content, dict):
        return {redacted(k): redacted(v) for k, v in content.items()}
    if isinstance(content, list | tuple):
        return [redacted(v) for v in content]
    return _stars(bytes(content)) if isinstance(content, bytes | bytearray | memoryview) else content


def _stars(content: bytes) -> bytes:
    """Return bytes of the same length: whoever reads them may count on it."""
    for value in map(str.encode, _SHOWN):
        content = content.replace(value, b"*" * len(value))
    return content


def held_by(path: Path) -> str | None:
    """Return ``secret:NAME`` if a file holds the value of a secret, else ``None``."""
    longest = max((len(v.encode()) for v in _SHOWN), default=0)
    with path.open("rb") as stream:
        tail = b""
        while _SHOWN and (chunk := stream.read(2**20)):
            found = next((shown for value, shown in _SHOWN.items() if value.encode() in tail + chunk), None)
            if found:
                return found
            tail = (tail + chunk)[-longest:]
    return None


def _watch() -> None:
    """Begin to read over what leaves this process, if it is a kernel and none does yet."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    session = getattr(getattr(get_ipython(), "kernel", None), "session", None)
    if session is None or hasattr(session, "_genai4eu_send"):
        return
    from . import redact_streams

    session._genai4eu_send = send = session.send

    def send_redacted(stream: Any, message: Any, content: Any = None, *arguments: Any, **more: Any) -> Any:
        if isinstance(message, dict):
            parts = {k: redacted(v) for k, v in message.items() if k in ("content", "metadata")}
            message = {**message, **parts, "buffers": _buffers(message.get("buffers"))}
        for name in ("metadata", "buffers"):
            if more.get(name):
                more[name] = redacted(more[name]) if name == "metadata" else _buffers(more[name])
        return send(stream, message, redacted(content), *arguments, **more)

    session.send = send_redacted
    redact_streams.watch(_replaced, _held_back)


def _buffers(buffers: Any) -> list[Any]:
    """Return binary parts, those that hold no secret as they are."""
    return [_stars(b"".join([memoryview(b)])) if _in_bytes(memoryview(b)) else b for b in buffers or []]


def _in_bytes(view: memoryview) -> bool:
    content = view.tobytes()
    return any(value.encode() in content for value in _SHOWN)


def _replaced(content: bytes) -> bytes:
    for value, shown in _SHOWN.items():
        content = content.replace(value.encode(), shown.encode())
    return content


def _held_back(content: bytes) -> int:
    """Return how many bytes at the end may be the beginning of a secret."""
    for size in range(min(len(content), max(len(v.encode()) for v in _SHOWN) - 1), 0, -1):
        if any(value.encode().startswith(content[-size:]) for value in _SHOWN):
            return size
    return 0
