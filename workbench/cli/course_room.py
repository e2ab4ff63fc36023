"""``genai4eu course``: hold a course, stop, resume and remove its room, give back what was deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .course import Folder, course

if TYPE_CHECKING:
    from ..courses.room.folder import Room

RoomFolder = Annotated[Path, typer.Argument(help="The room's folder.")]


@course.command()
def start(
    folder: Folder,
    participants: Annotated[int, typer.Option(help="How many seats.", min=1, max=200)] = 20,
    room: Annotated[Path | None, typer.Option(help="Folder for the room; else COURSE-room beside the course.")] = None,
    host: Annotated[str, typer.Option(help="Address of this computer to listen on.")] = "127.0.0.1",
    name: Annotated[str, typer.Option(help="Name or address that participants type; else the host.")] = "",
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 8000,
    seat_memory: Annotated[str, typer.Option(help="Memory of a seat, as 2G; else by this computer's.")] = "",
    seat_disk: Annotated[str, typer.Option(help="Disk of a seat, as 800M; else 2G, or less where there is less.")] = "",
    seat_processors: Annotated[float, typer.Option(help="Processors of a seat; 0 is half of them.", min=0)] = 0,
    keep_days: Annotated[int, typer.Option(help="Days after which the room is deleted.", min=1, max=3650)] = 30,
    factory: Annotated[str, typer.Option(help="Target for cells that lessons mark with %%factory.")] = "",
    factory_kernels: Annotated[int, typer.Option(help="Marked cells that run at once.", min=1, max=200)] = 2,
    factory_seconds: Annotated[int, typer.Option(help="Seconds that a marked cell may run.", min=1)] = 120,
    factory_budget: Annotated[int, typer.Option(help="Seconds of marked cells a seat, in all.", min=1)] = 600,
) -> None:
    """Hold a course on this computer until Ctrl-C: a seat for each participant, with a code that opens it once."""
    from ..courses.board.sheets import Sheets
    from ..courses.course import Course
    from ..courses.factory.offer import Wish, offer
    from ..courses.room.command import hold
    from ..courses.room.limits import limits
    from ..courses.room.people import People
    from ..courses.shipped import beside

    where = (room or beside(Course(folder), "room")).absolute()
    each = limits(participants, seat_memory, seat_disk, seat_processors, where)
    wish = Wish(factory, factory_kernels, factory_seconds, factory_budget)
    offered = offer(wish, People.possible(), _told) if factory else None

    def sheets(made: Room, codes: Mapping[str, str]) -> Iterable[Path]:
        return Sheets(made).write(codes)

    hold(folder, participants, room, host, name or host, port, _told, sheets, each, keep_days, offered)


@course.command()
def stop(
    room: RoomFolder,
    out: Annotated[Path | None, typer.Option(help="Archive to write; else ROOM-work-TIME.zip beside the room.")] = None,
) -> None:
    """Close a room, also one that another terminal opened, and collect everybody's work in one archive."""
    from ..courses.board.deletion import day
    from ..courses.home.collect import stop as close
    from ..courses.room.folder import Room
    from ..courses.room.processes import is_open

    found = Room(room.absolute())
    was = "closed" if is_open(found) else "it was closed already"
    made = close(found, out, _told)
    typer.echo(f"{was}; everybody's work is in {made}")
    typer.echo(f"participants were told that it is deleted on {day(found)}: delete that file by then, too")
    typer.echo(f"next: genai4eu course resume {room}, or genai4eu course remove {room}")


@course.command("resume")
def resume_room(room: RoomFolder) -> None:
    """Open a room again exactly as it was, also after a reboot: same codes, desks, progress and signed-in browsers."""
    from ..courses.room.command import keep_open
    from ..courses.room.folder import Room

    keep_open(Room(room.absolute()), _told)


@course.command()
def remove(
    room: RoomFolder,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a room: its seats' users, disks and work."""
    from ..courses.room.folder import Room
    from ..courses.room.removing import remove as delete
    from ..courses.room.removing import taken

    found = Room(room.absolute())
    if not yes:
        typer.confirm(f"Delete {room} with the work of {len(found.seats)} seats?", abort=True)
    beside = taken(found)
    delete(found)
    typer.echo(f"{room} is deleted, with its seats' users and disks")
    if beside:
        typer.echo(f"what was taken out of it stays, and is yours to delete: {', '.join(map(str, beside))}")


@course.command()
def restore(
    room: RoomFolder,
    seat: Annotated[str, typer.Argument(help="As seat-07.")],
) -> None:
    """Give a seat back the notebooks that its participant deleted, as the room kept them last."""
    from ..courses.room.folder import Room
    from ..courses.room.removing import give_back

    given = give_back(Room(room.absolute()), seat)
    typer.echo(f"{seat} has {', '.join(given)} again" if given else f"{seat} misses nothing that was kept")


@course.command()
def sheet(
    room: RoomFolder,
    every: Annotated[bool, typer.Option("--all", help="New codes for seats that are taken, too.")] = False,
    responsible: Annotated[str, typer.Option(help="Who answers for participants' data: for the information.")] = "",
    contact: Annotated[str, typer.Option(help="Whom participants ask about their data.")] = "",
    legal_basis: Annotated[str, typer.Option(help="On which legal basis the data are used.")] = "",
) -> None:
    """Print the sheets of a room again: new codes for seats that nobody took, information on data for participants."""
    from ..courses.board.sheets import again
    from ..courses.room.folder import Room

    who = {"responsible": responsible, "contact": contact, "legal_basis": legal_basis}
    for path in again(Room(room.absolute()), every, {name: text for name, text in who.items() if text}):
        typer.echo(path)


@course.command()
def update(room: RoomFolder, folder: Folder) -> None:
    """Bring an edited course to a room's desks: lessons that participants have touched stay, new ones lie beside."""
    from ..courses.course import Course
    from ..courses.room.folder import Room
    from ..courses.room.updating import update as bring

    done = bring(Room(room.absolute()), Course(folder))
    for seat, lessons in done.beside.items():
        typer.echo(f"{seat} has changed {', '.join(lessons)}: the new version lies beside")
    for seat, why in done.failed.items():
        _told(f"nothing was brought to {seat}: {why}; the others have it, and the same command tries again")
    changed = ", ".join(done.lessons)
    typer.echo(f"brought to all desks: {changed}" if changed else "no lesson is other than in the room")


def _told(what: str) -> None:
    typer.echo(f"… {what}", err=True)
