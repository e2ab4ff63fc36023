"""Everybody's work in one archive: a bundle for each seat, the completion records, and what was left out.

Called by ``genai4eu course stop``.
"""

from __future__ import annotations

import json
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ...errors import WorkbenchError
from ...runs.files import reason
from ..room.room import Room
from . import evidence
from .pack import digest, name_of, pack
from .record import Record, of_seat
from .written import pages

REPORT = "report.json"


def collect(room: Room, out: Path) -> Path:
    """Write the work of all seats into one archive, whole or not at all.

    Each seat's bundle is a zip of its own in it, which can be given to that participant. Files that are links, pipes,
    somebody else's or too large are left out; ``report.json`` in the archive names them. Nothing in the room changes.

    Parameters
    ----------
    out : Path
        The archive, or a folder for it.

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
            _write(room, made, Path(building))
            made.chmod(0o600)
            made.rename(target)
    except OSError as error:
        raise WorkbenchError(f"{target} cannot be written ({reason(error)}): name a file elsewhere") from None
    return target


def _write(room: Room, made: Path, building: Path) -> None:
    about, records, seats = evidence.course(room), list[Record](), dict[str, Any]()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for seat in tqdm(room.seats, desc="collecting", unit=" seats", leave=False, disable=None):
            part, record = building / "seat.zip", of_seat(room, seat)
            budget = pack(room, seat, record, part)
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
        told = {"room": room.folder.name, "course": about["name"], "collected": time.time(), "seats": seats}
        archive.writestr(REPORT, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
