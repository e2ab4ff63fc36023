"""The seats' users of the system: each seat's own where we may make them, so that no seat reaches another's files.

Called by the room. Users are without password and shell; what a room made it removes, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import WorkbenchError


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

    def seat(self, seat: str, lessons: Path, home: Path) -> None:
        """Make a seat's user, and put the lessons on its desk.

        Raises
        ------
        WorkbenchError
            If the user cannot be made, or the disk is full.
        """
        if self.prefix:
            name = f"{self.prefix}{seat}"
            _run("useradd", "--system", "--no-create-home", "--home-dir", str(home), "--shell", "/usr/sbin/nologin",
                 "--user-group", name)  # fmt: skip
        owner = self.owner(seat)
        try:
            shutil.copytree(lessons, home)
            for path in (home, *home.rglob("*")):
                os.chown(path, *owner)
            home.chmod(0o700)
        except OSError as error:
            raise WorkbenchError(f"{home} cannot be filled ({error.strerror}): make room on the disk") from None

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


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkbenchError(f"{command[0]} says: {done.stderr.strip() or done.returncode}")
