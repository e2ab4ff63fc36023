"""What an operator does beside the running gateway, through its folder. Called by the command line."""

from __future__ import annotations

import getpass
import json
import signal
import ssl
import time
import urllib.request
from pathlib import Path
from typing import Any

from .. import local
from ..errors import KernelsError
from . import keeper
from .processes import Found
from .specs import LocalKernelSpecManager
from .state import State


def add_users(folder: Path, names: list[str], renew: bool = False, **about: object) -> dict[str, str]:
    """Add users and return their tokens by name; see ``UserFile.add``. A running gateway knows them at once."""
    state = State(folder)
    tokens = state.users().add(names, renew, **about)
    for name in names:
        state.audit.write("user renewed" if renew else "user added", user=name, by=getpass.getuser())
    return tokens


def missing_kernelspecs(wanted: list[str]) -> list[str]:
    """Return a line for each kernelspec that this computer does not have (yet)."""
    there = sorted({*LocalKernelSpecManager().find_kernel_specs(), local.NAME})
    has = ", ".join(there)
    return [f"this computer has no kernelspec {name!r} now: it has {has}" for name in wanted if name not in there]


def revoke(folder: Path, names: list[str], forget: bool = False) -> None:
    """End the access of users: their sockets are closed and their kernels ended within a second or two."""
    state = State.existing(folder)
    state.users().revoke(names, forget)
    for name in names:
        state.audit.write("user forgotten" if forget else "user revoked", user=name, by=getpass.getuser())


def address(folder: Path, url: str | None) -> tuple[str, bool, str | None]:
    """Return what a handout says: the address, whether its certificate is a private one, and what the operator is told.

    ``url`` is the address that the operator named, if any.
    """
    running = State(folder).running() or {}
    found = url or str(running.get("public", "http://127.0.0.1:8899"))
    private = bool(running.get("private", found.startswith("https:")))  # not known: better a sentence too many
    why = None
    if url is None and not running:
        why = "the gateway does not run"
    elif url is None and running.get("guess"):
        why = "the gateway listens on all addresses of this computer"
    return found, private, f"{why}: the pages say {found}; use --url to print another address" if why else None


def status(folder: Path) -> dict[str, Any]:
    """Return what there is to know: the gateway, its users with what they use, its kernels."""
    state = State.existing(folder)
    running = state.running()
    kernels = state.records.stored()
    users = []
    for user in state.users().all().values():
        used = len([kernel for kernel in kernels if kernel.owner == user.name])
        allowed = {"kernels": user.kernels, "kernelspecs": user.kernelspecs, "longest": user.longest}
        users.append({"name": user.name, "state": user.state(), "used": used, "expires": user.expires, **allowed})
    found = [
        {"id": k.kernel_id, "owner": k.owner, "kernelspec": k.kernelspec, "started": k.started, "batch": k.batch,
         "pid": k.pid, "alive": _alive(k.pid, k.born)}
        for k in kernels
    ]  # fmt: skip
    gateway = None
    if running:
        known = {name: running[name] for name in ("url", "pid", "started")}
        gateway = {
            **known,
            "public": running.get("public", running["url"]),
            "uptime": time.time() - running["started"],
            "health": _health(running["url"]),
        }
    return {"folder": str(state.folder), "gateway": gateway, "users": users, "kernels": found}


def _alive(pid: int, born: float) -> bool:
    found = Found.find(pid, born)
    if found:
        found.close()
    return found is not None


def _health(url: str) -> str:
    """Ask the gateway how it is. Nothing secret is sent, so that its certificate, made for another name, may be any."""
    handler = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
    here = url.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]")
    try:
        with opener.open(f"{here}/health", timeout=5) as answer:
            return str(json.load(answer)["status"])
    except (OSError, ValueError, LookupError, TypeError):
        return "does not answer"


def stop(folder: Path, forget: bool = False, patience: float = 60.0) -> tuple[bool, int]:
    """End the gateway of this folder and all its kernels; ``forget`` those of a computer that is no more.

    Returns
    -------
    bool, int
        Whether a gateway ran, and how many kernels there were.

    Raises
    ------
    KernelsError
        If it does not end, or kernels of another computer stand in the folder.
    """
    state = State.existing(folder)
    if not forget:
        state.refuse_strangers()
    running, kernels = state.running(), len(state.records.stored())
    found = Found.find(running["pid"], running["born"]) if running else None
    if found:
        found.signal(signal.SIGINT)
        deadline = time.monotonic() + patience
        while found.alive():
            if time.monotonic() > deadline:
                raise KernelsError(
                    f"the gateway (process {found.pid}) does not end: type kill -9 {found.pid}, and stop again"
                )
            time.sleep(0.05)
        found.close()
    if not state.take():
        raise KernelsError(f"another gateway starts in {state.folder} this moment: stop again")
    try:
        keeper.end_all(state, "the gateway was stopped")  # what a gateway that was killed had left
    finally:
        state.withdraw()
    return found is not None, kernels
