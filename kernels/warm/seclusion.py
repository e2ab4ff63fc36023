"""A view of the computer for one seat: its own /tmp, its own shared memory, nothing of others' folders. Linux, as root.

A process enters a mount namespace of its own and hides in it what its user shall not see, before it gives up root. The
computer itself, and everybody else's view, stay as they are. Called in the fork, by ``seats``, with plain data.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

#: <sched.h> and <sys/mount.h>.
_NEW_MOUNTS, _NEW_IPC = 0x00020000, 0x08000000
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _MOVE, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 8192, 16384, 1 << 18
#: Where a view is put together before it is moved to its place.
_STAGE = "/dev/shm"
#: The namespaces that all processes of a seat have in common.
SPACES = ("mnt", "ipc")
_libc = ctypes.CDLL(None, use_errno=True)


def seclude(plan: Mapping[str, Any]) -> None:
    """Enter namespaces of one's own, and hide in them what the plan says.

    Parameters
    ----------
    plan : mapping
        ``hide``: folders that become empty, an inner one before an outer one. ``show``: pairs of a path below one of
        these, which stays, and whether it may be written to. ``temporary``: a folder that takes the place of /tmp.
        ``shared``: bytes of shared memory.

    Raises
    ------
    OSError
        If this computer does not let us; the message says what.
    """
    _done("unshare", _libc.unshare(_NEW_MOUNTS | _NEW_IPC))
    _mount(None, "/", None, _REC | _PRIVATE)
    temporary = os.open(plan["temporary"], os.O_PATH) if plan.get("temporary") else None
    shown = [(str(path), bool(writable)) for path, writable in plan["show"]]
    for folder in plan["hide"]:
        _veil(folder, [entry for entry in shown if _below(entry[0], folder)])
    for folder in ("/tmp", "/var/tmp"):
        _own_temporary(folder, temporary, shown, int(plan["shared"]))
    if temporary is not None:
        os.close(temporary)
    _mount("tmpfs", _STAGE, "tmpfs", _NOSUID | _NODEV, f"mode=1777,size={int(plan['shared'])}")
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV, "hidepid=2")  # nobody else's processes, nor their command lines


def join(spaces: Sequence[int]) -> None:
    """Enter the namespaces of another process of the same seat, given as open files in the order of ``SPACES``."""
    for space in spaces:
        _done("setns", _libc.setns(space, 0))


def _veil(folder: str, shown: Sequence[tuple[str, bool]]) -> None:
    """Put an empty folder, with what is shown of the real one, in its place."""
    sources = {path: os.open(path, os.O_PATH) for path, _ in shown}
    _mount("tmpfs", _STAGE, "tmpfs", _NOSUID | _NODEV, "mode=0711,size=1m")
    _bind(shown, sources, folder, _STAGE)
    _mount(_STAGE, folder, None, _MOVE)
    _mount(None, folder, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


def _own_temporary(folder: str, source: int | None, shown: Sequence[tuple[str, bool]], size: int) -> None:
    """Give the seat its own temporary folder; in memory where what it must see lies within the computer's own."""
    within = [entry for entry in shown if _below(entry[0], folder)]
    if not within and source is not None:
        _mount(f"/proc/self/fd/{source}", folder, None, _BIND)
        return
    sources = {path: os.open(path, os.O_PATH) for path, _ in within}
    _mount("tmpfs", _STAGE, "tmpfs", _NOSUID | _NODEV, f"mode=1777,size={size}")
    _bind(within, sources, folder, _STAGE)
    _mount(_STAGE, folder, None, _MOVE)


def _bind(shown: Iterable[tuple[str, bool]], sources: Mapping[str, int], folder: str, stage: str) -> None:
    for path, writable in sorted(shown):  # an outer one first
        target = Path(stage) / Path(path).relative_to(folder)
        _make(target, Path(f"/proc/self/fd/{sources[path]}").is_dir(), Path(stage))
        _mount(f"/proc/self/fd/{sources[path]}", str(target), None, _BIND | _REC)
        if not writable:
            _mount(None, str(target), None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)
        os.close(sources[path])


def _make(target: Path, folder: bool, stage: Path) -> None:
    """Make what is mounted on; folders on the way can be passed and not listed."""
    for parent in reversed([parent for parent in target.parents if stage in parent.parents]):
        if not parent.is_dir():
            parent.mkdir(mode=0o711)
            parent.chmod(0o711)
    if folder:
        target.mkdir(exist_ok=True)
    elif not target.exists():
        target.touch()


def _below(path: str, folder: str) -> bool:
    return Path(folder) in Path(path).parents


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    found = _libc.mount(
        source.encode() if source else None, os.fsencode(target), kind.encode() if kind else None,
        ctypes.c_ulong(flags), options.encode() or None,
    )  # fmt: skip
    _done(f"mount on {target}", found)


def _done(what: str, result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
