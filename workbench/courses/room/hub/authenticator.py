"""Signing in with a code from the sheet, which opens its seat once. Loaded by JupyterHub."""

from __future__ import annotations

import json
import time
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

from ..codes import digest
from ..own import write_own

#: Wrong codes from one address until it has to wait, and the seconds in which they are counted.
_WRONG, _WHILE = 10, 60.0


class CodeAuthenticator(Authenticator):  # type: ignore[misc]
    """Knows seats by the codes on the sheet.

    A code that was used is used up: the browser that used it stays signed in; anybody else needs a new one.
    """

    codes = Unicode(help="File with the codes' digests: {digest: {'seat': …, 'used': …}}.").tag(config=True)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._wrong: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_WRONG))

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Return the seat that a code opens, and use the code up; None where it opens none."""
        address, now = handler.request.remote_ip, time.monotonic()
        wrong = self._wrong[address]
        if len(wrong) == _WRONG and now - wrong[0] < _WHILE:
            handler.genai4eu_refusal = "slow"
            return None
        path = Path(self.codes)
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        name = digest(data.get("code", ""))
        entry = known.get(name)
        if entry is None or entry.get("used"):
            wrong.append(now)
            handler.genai4eu_refusal = "used" if entry else "unknown"
            return None
        write_own(path, {**known, name: {**entry, "used": time.time()}})  # before the seat is open: once is once
        return str(entry["seat"])
