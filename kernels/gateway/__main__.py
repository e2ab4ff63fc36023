"""``python -P -m genai4eu.kernels.gateway``: a gateway as a process. Started by ``process.start``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from ..errors import KernelsError
from ..tokens import ensure_token


def main() -> int:
    """Run a gateway until a signal comes; the exit code is 1 where it cannot start."""
    parser = argparse.ArgumentParser(description="A kernel gateway on this computer")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--parent-pid", type=int)
    parser.add_argument("--ready-fd", type=int, help="descriptor that gets one line of JSON as soon as it answers")
    options = parser.parse_args()
    try:
        run(options.host, options.port, options.token_file, options.folder, options.parent_pid, options.ready_fd)
    except KernelsError as error:
        print(f"genai4eu: {error}", file=sys.stderr)
        return 1
    return 0


def run(
    host: str, port: int, token_file: Path, folder: Path, parent_pid: int | None = None, ready_fd: int | None = None
) -> None:
    """Run a gateway in this process; see ``GatewayApp.make``."""
    from .settings import check_host

    check_host(host)  # before a token is made
    from .app import GatewayApp

    app = GatewayApp.make(host, port, ensure_token(token_file), folder, parent_pid)

    def ready(app: GatewayApp) -> None:
        if ready_fd is None:
            print(f"gateway    {app.url}\ntoken      {token_file}", flush=True)
            print(f"to use it  genai4eu connect NAME --url {app.url} --token-file {token_file}", flush=True)
            print("ready; Ctrl-C ends it and all its kernels", flush=True)
        else:
            with os.fdopen(ready_fd, "w") as stream:
                stream.write(json.dumps({"url": app.url, "pid": os.getpid()}) + "\n")

    app.run(ready)


if __name__ == "__main__":
    sys.exit(main())
