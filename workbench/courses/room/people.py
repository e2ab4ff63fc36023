"""The seats' users of the system: each seat's own where we may make them, so that no seat reaches another's files.

Called by the room. Users are without password and shell; what a room made it removes, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import WorkbenchError
from ...runs.files import reason

#: Seconds that we work in a seat's folder as its user, who may stop what runs as them: nobody else shall wait for it.
_PATIENCE = 20.0


@dataclass(frozen=True)
class People:
    """Users of one room.

    Attributes
    ----------
    prefix : str
        What their names begin with; empty where all seats are the room owner's.
    """

    prefix: str

    @staticmethod
    def possible() -> bool:
        """Tell whether users can be made here."""
        return os.geteuid() == 0 and shutil.which("useradd") is not None

    def there(self, seat: str) -> bool:
        """Tell whether a seat's user is there: a computer that was installed anew has none."""
        with contextlib.suppress(KeyError):
            return bool(not self.prefix or pwd.getpwnam(f"{self.prefix}{seat}"))
        return False

    def owner(self, seat: str) -> tuple[int, int]:
        """Return the numbers of a seat's user and group.

        Raises
        ------
        WorkbenchError
            If there is no such user.
        """
        if not self.prefix:
            return os.getuid(), os.getgid()
        try:
            about = pwd.getpwnam(f"{self.prefix}{seat}")
        except KeyError:
            raise WorkbenchError(
                f"{seat} has no user {self.prefix}{seat} any more: 'genai4eu course resume' makes it again"
            ) from None
        return about.pw_uid, about.pw_gid

    def make(self, seat: str, home: Path) -> None:
        """Make a seat's user, unless it is there.

        Raises
        ------
        WorkbenchError
            If it cannot be made.
        """
        if self.there(seat):
            return
        name = f"{self.prefix}{seat}"
        _run("useradd", "--system", "--no-create-home", "--home-dir", str(home), "--shell", "/usr/sbin/nologin",
             "--user-group", name)  # fmt: skip

    def fill(self, seat: str, lessons: Path, home: Path) -> None:
        """Put the lessons on a seat's desk.

        Raises
        ------
        WorkbenchError
            If the disk is full.
        """
        try:
            shutil.copytree(lessons, home, dirs_exist_ok=True)
            self.own(seat, home)
        except (OSError, shutil.Error) as error:
            raise WorkbenchError(f"{home} cannot be filled ({reason(error)}): make room on the disk") from None

    def own(self, seat: str, folder: Path) -> None:
        """Make a folder, and all in it, a seat's alone; links are the seat's themselves, not what they lead to."""
        owner = self.owner(seat)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, *owner, follow_symlinks=False)
        folder.chmod(0o700)

    def read_only(self, seat: str, path: Path) -> None:
        """Make an empty file that a seat may read and only we may write."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.fchown(handle, -1, self.owner(seat)[1])
            os.fchmod(handle, 0o640 if self.prefix else 0o600)
        finally:
            os.close(handle)

    def remove(self, seats: Iterable[str]) -> None:
        """Remove the users of seats, as far as they are there; their files stay."""
        for seat in seats if self.prefix else ():
            with contextlib.suppress(KeyError, WorkbenchError):
                pwd.getpwnam(f"{self.prefix}{seat}")
                _run("userdel", f"{self.prefix}{seat}")


def as_seat(owner: tuple[int, int], folder: Path, work: Callable[[], None], patience: float = _PATIENCE) -> None:
    """Do something in a folder as a seat's user, in a process of its own: root would follow a participant's links.

    Paths are relative to the folder: on the way to it there may be one that is closed to others.

    Parameters
    ----------
    patience : float
        Seconds after which it is given up.

    Raises
    ------
    WorkbenchError
        If it cannot be done; the message says why.
    """
    mine, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(owner[1], owner[1], owner[1])
                os.setresuid(owner[0], owner[0], owner[0])
            os.umask(0o077)
            work()
        except BaseException as error:  # noqa: BLE001  # told to the parent, whatever it is
            os.write(its, (str(error) or type(error).__name__).encode(errors="backslashreplace")[:4096])
        finally:
            os._exit(0)
    os.close(its)
    said = None
    try:
        said = _said(mine, time.monotonic() + patience)
    finally:
        os.close(mine)
        if said is None:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    if said is None or (not said and status):
        raise WorkbenchError(f"{folder} cannot be worked in: its user keeps us off")
    if said:
        raise WorkbenchError(said.decode(errors="replace"))


def _said(pipe: int, until: float) -> bytes | None:
    """Return what is said until the end, or None where there is none in time: a part of it can come at once."""
    found = b""
    while (left := until - time.monotonic()) > 0 and select.select([pipe], [], [], left)[0]:
        piece = os.read(pipe, 4096)
        if not piece:
            return found
        found += piece
    return None


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkbenchError(f"{command[0]} says: {done.stderr.strip() or done.returncode}")
