"""``python -P -m genai4eu.kernels.gateway``: a gateway as a process.

Started by ``process.start``; ``run`` is also called by ``genai4eu gateway start``.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from pathlib import Path

from ..errors import KernelsError
from .settings import Options

# jsonschema imports this optional checker of IRIs, which no gateway asks for, and which takes a second to build.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def main() -> int:
    """Run a gateway of one person until a signal comes; the exit code is 1 where it cannot start."""
    parser = argparse.ArgumentParser(description="A kernel gateway on this computer")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="working folder of the kernels")
    parser.add_argument("--parent-pid", type=int, required=True, help="ends with this process")
    parser.add_argument("--ready-fd", type=int, required=True, help="descriptor that gets its address")
    told = parser.parse_args()
    try:
        home = told.folder.parent  # not /tmp: whoever kills the gateway would leave it there
        with tempfile.TemporaryDirectory(prefix=".gateway-", dir=home) as state:
            options = Options(
                Path(state), told.host, told.port, told.folder, told.token_file, told.parent_pid, cull_idle=0.0
            )
            run(options, told.ready_fd)
    except KernelsError as error:
        print(f"genai4eu: {error}", file=sys.stderr)
        return 1
    return 0


def run(options: Options, ready_fd: int | None = None) -> None:
    """Run a gateway in this process; says on standard output how to use it, or its address to ``ready_fd``."""
    options.address()  # before a token is made
    from .app import GatewayApp

    app = GatewayApp.make(options)

    def ready(app: GatewayApp) -> None:
        if ready_fd is None:
            print("\n".join(_welcome(app.public, options)), flush=True)
        else:
            with os.fdopen(ready_fd, "w") as stream:
                stream.write(json.dumps({"url": app.url, "pid": os.getpid()}) + "\n")

    app.run(ready)


def _welcome(url: str, options: Options) -> list[str]:
    """Return what to type next, and how to end it."""
    token = shlex.quote(str(options.token_file)) if options.token_file else "FILE"
    guess = "by this computer's name, it listens on all its addresses; add-user --url has the pages say another one"
    return [
        f"gateway    {url}",
        *([f"address    {guess}"] if options.everywhere else []),
        f"token      {options.token_file}" if options.token_file else f"users      {options.state / 'users.json'}",
        f"to use it  genai4eu connect NAME --url {url} --token-file {token}",
        "ready; Ctrl-C ends it and all its kernels",
    ]


if __name__ == "__main__":
    sys.exit(main())
