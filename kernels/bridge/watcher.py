"""Ends the remote kernel when the bridge was killed. Started by the bridge, in a session of its own.

``shutdown_kernel(now=True)`` kills the bridge's whole process group, so that nobody in it can clean up. This program
waits for its standard input to end, which the operating system sees to. It is run as a file, with the standard library
alone, so that it stays small. The first line is JSON with ``url, token_file, kernel_id``; then come ``up`` when the
kernel runs and ``done`` when there is nothing to clean up.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import time
import urllib.parse
from pathlib import Path

#: Seconds between tries. After the last one it gives up: the gateway is gone for good, and its kernels with it.
PAUSES = (1, 2, 4, 8, 15, 0)


def delete(url: str, token_file: str, kernel_id: str) -> int:
    """Ask the gateway to end the kernel and return the HTTP status: 0 if it does not answer, 404 if it is no more."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=20)
    try:
        token = Path(token_file).read_text(encoding="ascii").strip()
        path = f"{parts.path}/api/kernels/{kernel_id}"
        connection.request("DELETE", path, headers={"Authorization": f"token {token}"})
        return connection.getresponse().status
    except ConnectionRefusedError:  # on this computer that means that it has ended, and its kernels with it
        return 404 if parts.hostname in ("localhost", "127.0.0.1", "::1") else 0
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def main() -> None:
    """Wait for the end of the bridge, then clean up if it did not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel = json.loads(sys.stdin.readline() or "{}")
    said = sys.stdin.read().split()
    if not kernel or "done" in said:
        return
    for trial, pause in enumerate(PAUSES):
        status = delete(**kernel)
        starting = "up" not in said and trial < 3  # the bridge may have been killed while the kernel came up
        if 200 <= status < 300 or (status == 404 and not starting) or status in (401, 403):
            return
        time.sleep(pause)


if __name__ == "__main__":
    main()
