"""What the relay itself says to the client: status, lines of text, the state of the queue. Used by the relay."""

from __future__ import annotations

import html
import json
import platform
import uuid
from datetime import UTC, datetime
from typing import Any

from ..bridge.local import LocalSide

Header = dict[str, Any]


class Voice:
    """Speaks on the client's sockets in the kernel's place."""

    def __init__(self, local: LocalSide) -> None:
        self._local = local
        self._session = uuid.uuid4().hex

    async def publish(self, parent: Header, kind: str, content: dict[str, Any]) -> None:
        """Send a message on iopub."""
        header = {
            "msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self._session, "username": "", "version": "5.3",
            "date": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        parts = [json.dumps(part).encode() for part in (header, parent, {}, content)]
        await self._local.send("iopub", parts, f"kernel.slurm.{kind}")

    async def status(self, parent: Header, state: str) -> None:
        """Say ``busy`` or ``idle``."""
        await self.publish(parent, "status", {"execution_state": state})

    async def line(self, parent: Header, text: str) -> None:
        """Tell a person something, in the cell that ``parent`` asked for."""
        await self.publish(parent, "stream", {"name": "stderr", "text": f"genai4eu: {text}\n"})

    async def show(self, parent: Header, name: str, rows: dict[str, str], first: bool) -> None:
        """Show a small table in a cell, or update it."""
        plain = "Slurm " + ", ".join(f"{key} {value}" for key, value in rows.items())
        cells = "".join(
            f'<th scope="row" style="text-align:left;padding:2px 8px">{html.escape(key)}</th>'
            f'<td style="text-align:left;padding:2px 16px 2px 8px">{html.escape(value)}</td>'
            for key, value in rows.items()
        )
        table = f'<table aria-label="Slurm job"><tr>{cells}</tr></table>'
        content = {"data": {"text/plain": plain, "text/html": table}, "metadata": {}, "transient": {"display_id": name}}
        await self.publish(parent, "display_data" if first else "update_display_data", content)

    async def kernel_info(self, channel: str, header: Header, language: str) -> None:
        """Answer who we are, in place of a kernel that does not run yet."""
        await self.status(header, "busy")
        await self._local.reply(channel, header, kernel_info(language))
        await self.status(header, "idle")

    async def refuse(self, channel: str, header: Header, name: str, text: str) -> None:
        """End a cell with an error."""
        error = {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}
        await self.publish(header, "error", error)
        await self._local.reply(
            channel, header, {"status": "error", "execution_count": 0, **error, "user_expressions": {}}
        )
        await self.status(header, "idle")


def kernel_info(language: str) -> dict[str, Any]:
    """Return the content of a kernel_info_reply."""
    version = platform.python_version()
    python = {
        "name": "python", "version": version, "mimetype": "text/x-python", "file_extension": ".py",
        "pygments_lexer": "ipython3", "nbconvert_exporter": "python",
        "codemirror_mode": {"name": "ipython", "version": 3},
    }  # fmt: skip
    other = {"name": language, "version": "", "mimetype": "text/plain", "file_extension": ".txt"}
    return {
        "status": "ok", "protocol_version": "5.3", "implementation": "genai4eu-slurm", "implementation_version": "1",
        "language_info": python if language == "python" else other, "banner": "A kernel in a Slurm job",
        "help_links": [], "supported_features": [],
    }  # fmt: skip
