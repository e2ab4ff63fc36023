"""Where a template listens, and which kernels it may serve. Used by clients and by the template."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import KernelsError

_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


@dataclass
class Place:
    """The folder of one template, of mode 0700."""

    folder: Path
    held: int = -1  # the template's open lock

    @property
    def socket(self) -> Path:
        """Where the template listens, once it is ready."""
        return self.folder / "socket"

    @property
    def lock(self) -> Path:
        """Held by the template from its first moment to its last."""
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        """What the template says."""
        return self.folder / "log"

    @property
    def ordinary(self) -> Path:
        """Why the last kernel here was started the ordinary way."""
        return self.folder / "ordinary"

    def note(self, why: str) -> None:
        """Keep why a kernel was started the ordinary way, for ``genai4eu warm status``."""
        with contextlib.suppress(OSError):  # no template was ever here
            self.ordinary.write_text(why, encoding="utf-8")

    def make(self) -> None:
        """Make the folder.

        Raises
        ------
        KernelsError
            If others could reach into it.
        """
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.check()

    def check(self) -> None:
        """Make sure that nobody else could reach into the folder, where it is there.

        Raises
        ------
        KernelsError
            If others could.
        """
        for folder in (self.folder.parent, self.folder):
            try:
                about = folder.lstat()
            except FileNotFoundError:
                return
            if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
                raise KernelsError(f"{folder} is not yours alone: remove it, or set XDG_RUNTIME_DIR")

    def taken(self) -> bool:
        """Tell whether a template holds this place: it serves here, or is about to."""
        try:
            fd = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # nobody ever made it, or nobody is left
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def holder(self) -> int | None:
        """Return a descriptor of the process that holds this place, the caller's to close, or None."""
        try:
            pidfd = os.pidfd_open(int(self.lock.read_text(encoding="ascii")))
        except (OSError, ValueError):
            return None
        if self.taken():  # so the number was still its own when the descriptor was made
            return pidfd
        os.close(pidfd)
        return None

    def take(self) -> bool:
        """Hold this place, and tell whether that succeeded. Called by the template, first of all."""
        for _ in range(20):  # a client that looks holds it for a moment, too
            self.make()
            fd = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _locked(fd, self.lock):
                self.held = fd
                os.ftruncate(fd, 0)
                os.write(fd, str(os.getpid()).encode())
                return True
            os.close(fd)
            time.sleep(0.05)
        return False

    def release(self, keep_log: bool = False) -> None:
        """Leave this place to the next template, and nothing in it but, where asked, what the log says."""
        self.sweep(keep_log)
        os.close(self.held)

    def sweep(self, keep_log: bool = False) -> None:
        """Remove what lies here. Called by its holder, or when that is known to be gone."""
        for path in (self.socket, self.ordinary, *(() if keep_log else (self.log,)), self.lock):
            path.unlink(missing_ok=True)
        for folder in (self.folder, self.folder.parent):
            with contextlib.suppress(OSError):  # others use it, or it holds the log
                folder.rmdir()


def _locked(fd: int, path: Path) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(fd).st_ino == path.stat().st_ino  # else its last holder has just removed it
    except OSError:
        return False


def base() -> Path:
    """Return the folder of all templates of this user on this computer."""
    uid = os.getuid()
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{uid}"):
        if folder and Path(folder).is_dir() and Path(folder).stat().st_uid == uid:
            return Path(folder) / "genai4eu-warm"
    return Path("/tmp") / f"genai4eu-warm-{uid}"  # not TMPDIR: a job's own would hide the template from the user


def place_of(interpreter: str, owner: str) -> Place:
    """Return the place of the template for an interpreter and an owner.

    Two kernels share a template only if nothing that a fork inherits and cannot change differs between them: user and
    groups, computer, namespaces (a container's files and network), control group (a job's memory), interpreter.
    """
    about = [os.getresuid(), os.getresgid(), sorted(os.getgroups()), _one(interpreter), owner, _boot(), _cgroup()]
    spaces = [Path("/proc/self/ns", name) for name in _NAMESPACES]
    about += [str(space.readlink()) for space in spaces if space.is_symlink()]
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    return Place(base() / digest[:16])


def _one(interpreter: str) -> str:
    """Return one name of an interpreter: an environment calls its own ``python`` and ``python3``, too."""
    path = Path(interpreter)
    return str(path.parent / path.resolve().name)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _cgroup() -> str:
    """Return the control group; of a desktop's or a login's many only what they share, or each terminal had its own."""
    group = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    mine = f"/user-{os.getuid()}.slice/"
    return "\n".join(line.split(mine)[0] + mine if mine in line else line for line in group.splitlines())
