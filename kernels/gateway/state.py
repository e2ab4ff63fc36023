"""The folder of a gateway: its users, kernels and audit log, and who runs it. Used by the app and the command line."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import platformdirs

from ..errors import KernelsError
from ..files import write_json
from .audit import Audit
from .processes import Found, born
from .records import Records
from .runfiles import RunFiles
from .userfile import UserFile


def default_state() -> Path:
    """Return the folder of this account's gateway."""
    return platformdirs.user_state_path("genai4eu") / "gateway"


class State:
    """A gateway's folder, for its owner alone; at most one gateway runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self._made = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        try:
            self.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
        except OSError as error:
            raise KernelsError(
                f"{folder} cannot be a gateway's folder ({error.strerror}): name one of your own"
            ) from None
        self.audit = Audit(self.folder / "audit.jsonl")
        self.records = Records(self.folder / "kernels", RunFiles(self.folder / "files"))
        self._lock = -1

    @classmethod
    def existing(cls, folder: Path) -> State:
        """Return the folder of a gateway that was there before; make none.

        Raises
        ------
        KernelsError
            If it is none, as after a typing error.
        """
        if not (folder.expanduser() / "runtime").is_dir():
            raise KernelsError(f"there is no gateway's folder {folder}: check --state")
        return cls(folder)

    def unmake(self) -> None:
        """Remove the folder if this object made it and nobody put users into it. Called where a start is refused."""
        if not self._made or (self.folder / "users.json").exists():
            return
        shutil.rmtree(self.folder)
        for parent in self._made[1:]:
            with contextlib.suppress(OSError):  # somebody else uses it by now
                parent.rmdir()

    @property
    def runtime(self) -> Path:
        """Where the kernels' connection files lie: not in /tmp, they must be there for the next gateway."""
        return self.folder / "runtime"

    def users(self) -> UserFile:
        """Return the users, read from their file."""
        return UserFile(self.folder / "users.json")

    def running(self) -> dict[str, Any] | None:
        """Return ``{"pid", "url", …}`` of the gateway that runs in this folder, if one does."""
        try:
            about: dict[str, Any] = json.loads((self.folder / "gateway.json").read_text(encoding="utf-8"))
            found = Found.find(about["pid"], about["born"]) if about["host"] == socket.gethostname() else None
        except (OSError, ValueError, LookupError, TypeError):
            return None
        if found is None:
            return None
        found.close()
        return about

    def take(self, patience: float = 3.0) -> bool:
        """Become the one that runs in this folder; the lock goes with the process, however that ends."""
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience  # the one before may be about to end
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self._lock)
                    self._lock = -1
                    return False
                time.sleep(0.1)
            except OSError as error:
                raise KernelsError(
                    f"{self.folder} lies where files cannot be locked ({error.strerror}): "
                    "name a local folder with --state"
                ) from None

    def take_or_say(self) -> None:
        """Become the one that runs in this folder.

        Raises
        ------
        KernelsError
            If another gateway does, or kernels of another computer are still in it.
        """
        if not self.take():
            about = self.running() or {"url": "?", "pid": "?"}
            raise KernelsError(
                f"a gateway runs in {self.folder} already ({about['url']}, process {about['pid']}): "
                f"end it with genai4eu gateway stop --state {self.folder}, or name another folder with --state"
            )
        self.refuse_strangers()

    def refuse_strangers(self) -> None:
        """Leave alone what belongs to another computer: whether it lives cannot be seen from here.

        Raises
        ------
        KernelsError
            If there is any.
        """
        strangers = {record.host for record in self.records.stored()} - {socket.gethostname()}
        if strangers:
            raise KernelsError(
                f"kernels of {', '.join(sorted(strangers))} stand in {self.folder}: start (or stop) the gateway there; "
                f"if that computer is no more, type genai4eu gateway stop --forget --state {self.folder}"
            )

    def announce(self, url: str, **more: str | bool) -> None:
        """Write down where this process answers, and what to tell people of it."""
        about = {"pid": os.getpid(), "born": born(os.getpid()), "host": socket.gethostname()}
        write_json(self.folder / "gateway.json", {**about, "url": url, "started": time.time(), **more}, 0o600)

    def withdraw(self) -> None:
        """Write down that nothing answers any more, and let the next one in."""
        (self.folder / "gateway.json").unlink(missing_ok=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
