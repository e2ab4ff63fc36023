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

    def seat(self, seat: str, lessons: Path, home: Path) -> None:
        """Make a seat's user, and put the lessons on its desk.

        Raises
        ------
        WorkbenchError
            If the user cannot be made, or the disk is full.
        """
        owner = (os.getuid(), os.getgid())
        if self.prefix:
            name = f"{self.prefix}{seat}"
            _run("useradd", "--system", "--no-create-home", "--home-dir", str(home), "--shell", "/usr/sbin/nologin",
                 "--user-group", name)  # fmt: skip
            about = pwd.getpwnam(name)
            owner = (about.pw_uid, about.pw_gid)
        try:
            shutil.copytree(lessons, home)
            for path in (home, *home.rglob("*")):
                os.chown(path, *owner)
            home.chmod(0o700)
        except OSError as error:
            raise WorkbenchError(f"{home} cannot be filled ({error.strerror}): make room on the disk") from None

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
