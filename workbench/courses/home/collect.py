"""Everybody's work in one archive: a bundle for each seat, the completion records, and what was left out.

Called by ``genai4eu course stop``.
"""

from __future__ import annotations

import datetime
import errno
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ...errors import WorkbenchError
from ...runs.files import reason
from ..room.folder import Room
from ..room.removing import at_hand, close
from . import evidence
from .pack import digest, name_of, pack
from .record import Record, of_seat, why
from .written import pages

REPORT = "report.json"
#: What says that the archive cannot be written: that is nobody's seat.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


def stop(room: Room, out: Path | None, told: Callable[[str], None] = lambda _: None) -> Path:
    """Close a room, whoever opened it, and collect everybody's work in one archive, which is returned.

    Parameters
    ----------
    out : Path or None
        The archive; None is one beside the room, named by the room and the time.
    told : callable
        Is told of a seat whose work cannot be collected.

    Raises
    ------
    WorkbenchError
        If there is no room, or it does not close, or the archive cannot be written.
    """
    close(room)
    stamp = datetime.datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    with at_hand(room):
        return collect(room, out or room.folder.with_name(f"{room.folder.name}-work-{stamp}.zip"), told)


def collect(room: Room, out: Path, told: Callable[[str], None] = lambda _: None) -> Path:
    """Write the work of all seats into one archive, whole or not at all.

    Each seat's bundle is a zip of its own in it, which can be given to that participant. Files that are links, pipes,
    somebody else's or too large are left out; ``report.json`` in the archive names them, and the seats whose work could
    not be collected at all. Nothing in the room changes.

    Parameters
    ----------
    out : Path
        The archive, or a folder for it.
    told : callable
        Is told of a seat whose work cannot be collected, and why; the others' is.

    Returns
    -------
    Path
        The archive, which its owner alone can read.

    Raises
    ------
    WorkbenchError
        If the archive is there already, or cannot be written.
    """
    target = out / f"{room.folder.name}-{time.strftime('%Y-%m-%d-%H%M')}.zip" if out.is_dir() else out
    target = target.absolute()
    if target.exists():
        raise WorkbenchError(f"{target} is there already: name another file")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as building:
            made = Path(building) / "all.zip"
            _write(room, made, Path(building), told)
            made.chmod(0o600)
            made.rename(target)
    except OSError as error:
        raise WorkbenchError(f"{target} cannot be written ({reason(error)}): name a file elsewhere") from None
    return target


def _write(room: Room, made: Path, building: Path, told: Callable[[str], None]) -> None:
    about, records, seats = evidence.course(room), list[Record](), dict[str, Any]()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for seat in tqdm(room.seats, desc="collecting", unit=" seats", leave=False, disable=None):
            part = building / "seat.zip"
            try:
                record = of_seat(room, seat)
                budget = pack(room, seat, record, part)
            except Exception as error:  # told, whatever a hostile seat has found: the others go on
                if isinstance(error, OSError) and error.errno in _FULL:
                    raise
                seats[seat] = {"failed": why(error)}
                told(f"the work of {seat} is not in it: {why(error)}; it lies in {room.home(seat)}")
                continue
            name = f"seats/{name_of(about, seat)}.zip"
            archive.write(part, name, zipfile.ZIP_STORED)  # compressed already
            seats[seat] = {
                "file": name, "size": part.stat().st_size, "sha256": digest(part), "active": record is not None,
                "left_out": budget.left, "left_out_more": budget.more,
            }  # fmt: skip
            if record:
                records.append(record)
                archive.writestr(f"records/{seat}.json", record.model_dump_json(indent=2) + "\n")
        for name, page in pages(records):
            archive.writestr(f"records/{name}", page)
        done = {"room": room.folder.name, "course": about["name"], "collected": time.time(), "seats": seats}
        archive.writestr(REPORT, json.dumps(done, indent=2) + "\n")
