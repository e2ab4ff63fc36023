"""What a room needs of its computer besides time and memory: disk, open files, ports, proxy, users, an address.

Each is looked at before the room is opened, and said in words. Called by the rehearsal.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import WorkbenchError
from ..room.listening import free
from ..room.people import People
from ..room.supervisor import proxy

#: Bytes on the disk for a seat: its lessons and results, and the room's copies of them.
_SEAT = 512 << 20
#: Open files for a seat: sockets of proxy and hub for a browser's connections, both ways; and for the rest.
_FILES, _BASE = 40, 200

GO, REMARK, STOP = "go", "remark", "no-go"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What.
    verdict : str
        ``go``, ``remark`` (it works, and the trainer should know) or ``no-go``.
    sentence : str
        What was found, against which limit.
    remedy : str
        What to do; empty where nothing is to be done.
    """

    name: str
    verdict: str
    sentence: str
    remedy: str = ""


def findings(place: Path, participants: int, host: str, name: str, port: int) -> Iterator[Finding]:
    """Yield what is found.

    Parameters
    ----------
    place : Path
        Folder in which the room will stand.
    """
    yield _disk(shutil.disk_usage(place).free, participants)
    yield _files(resource.getrlimit(resource.RLIMIT_NOFILE), participants)
    yield _proxy()
    yield _port(host, port)
    yield _isolated(People.possible())
    yield _reached(host, name)


def _disk(free: int, participants: int) -> Finding:
    told = f"{free / 2**30:.1f} GiB are free; {participants} seats may need {participants * _SEAT / 2**30:.1f} GiB"
    if free >= participants * _SEAT:
        return Finding("disk", GO, told)
    return Finding("disk", STOP, told, f"make room, or have {max(0, free // _SEAT)} seats at most")


def _files(limits: tuple[int, int], participants: int) -> Finding:
    needed = _BASE + participants * _FILES
    most = limits[1] if limits[1] != resource.RLIM_INFINITY else 1 << 30
    told = f"a process may open {limits[0]} files; the proxy needs up to {needed}"
    if limits[0] >= needed:
        return Finding("open files", GO, told)
    how = f"ulimit -n {needed}" + (" (as root: the hard limit is lower)" if most < needed else "")
    return Finding("open files", STOP, told, f"type '{how}' before the course is started")


def _proxy() -> Finding:
    try:
        return Finding("proxy", GO, f"{proxy()[0]} is there")
    except WorkbenchError as error:
        return Finding("proxy", STOP, str(error), "install it, and rehearse again")


def _port(host: str, port: int) -> Finding:
    remedy = "name another one with --port"
    try:
        free(host, port, remedy)
    except WorkbenchError as error:
        return Finding("port", STOP, str(error).removesuffix(f": {remedy}"), remedy)
    return Finding("port", GO, f"port {port} of {host} is free")


def _isolated(possible: bool) -> Finding:
    if possible:
        return Finding("seats", GO, "each seat is a system user of its own and reaches no other seat's files")
    who = "as root" if os.geteuid() else "with useradd installed"
    return Finding(
        "seats", REMARK, "seats are not isolated: all have one system user, and can reach each other's files",
        f"hold the course {who}, or only with people who may see each other's work",
    )  # fmt: skip


def _reached(host: str, name: str) -> Finding:
    try:
        found = {str(about[4][0]) for about in socket.getaddrinfo(name, None)}
    except OSError:
        return Finding(
            "address", STOP, f"{name} is not known to this computer", "name its address in the network with --name"
        )
    if host.startswith("127.") or host in ("::1", "localhost"):
        return Finding(
            "address", REMARK, f"the room listens on {host}: only browsers of this computer reach it",
            "for other computers give --host 0.0.0.0 and --name with this computer's address in the network",
        )  # fmt: skip
    if all(one.startswith("127.") or one == "::1" for one in found):
        return Finding(
            "address", STOP, f"participants would type {name}, which on their computers is their own",
            "give --name with this computer's address in the network",
        )  # fmt: skip
    return Finding("address", GO, f"participants type {name}, which is {', '.join(sorted(found))}")
