"""A fresh environment from a record's lock file, with a kernelspec of its own. Called by ``verify --env``.

Kept in the user's cache folder under the digest of the lock file, its wheels and Python's version, because it takes
minutes and gigabytes: the same record needs it once. It is made aside and renamed, so that half of one is never used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ..errors import WorkbenchError
from ..runs.files import write_json
from ..runs.record import Record
from ..runs.seal import sha256

LOCK = "requirements.txt"
#: What is told at the end of the making.
MADE = "made"
#: Called with (packages done, packages in all, what pip said last): first as the making begins, last with ``MADE``.
Tell = Callable[[int, int, str], None]
#: How the lock file notes a package whose build no index need have: name, version, and the build that ran.
_BUILD = re.compile(r"([\w.-]+)==([^\s#]+)\s+# here ([^\s;]+);")


@dataclass(frozen=True)
class Environment:
    """A virtual environment on this computer.

    Attributes
    ----------
    folder : Path
        Where it is.
    name : str
        Name of its kernelspec, which only who is :meth:`offered` it sees.
    """

    folder: Path
    name: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @contextlib.contextmanager
    def offered(self) -> Iterator[str]:
        """Let Jupyter find the kernelspec meanwhile, and return its name; the user's list of kernels stays as it is."""
        before = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(self.folder / "genai4eu"), before)))
        try:
            yield self.name
        finally:
            os.environ.pop("JUPYTER_PATH")
            os.environ |= {} if before is None else {"JUPYTER_PATH": before}


def environment(record: Record, tell: Tell) -> Environment:
    """Return the environment of a record's lock file, made now where it was not before.

    Raises
    ------
    WorkbenchError
        If the record has no lock file, its Python is not here, or pip cannot install what it names.
    """
    if not (record.folder / LOCK).is_file():
        raise WorkbenchError(f"run {record.id} has no {LOCK}: verify it without --env")
    python = _python(record)
    mark = _mark(record, python)
    place = platformdirs.user_cache_path("genai4eu") / "environments" / mark
    made = Environment(place, f"genai4eu-env-{mark[:8]}")
    if not made.python.exists():
        total = _packages(record)
        tell(0, total, "")
        _make(record, python, made, tell)
        tell(total, total, MADE)
    return made


def _mark(record: Record, python: Path) -> str:
    """Return what tells one environment from another."""
    wheels = sorted((record.folder / "wheels").glob("*.whl"))
    lines = [sha256(record.folder / LOCK), str(python), *(f"{p.name} {sha256(p)}" for p in wheels)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _python(record: Record) -> Path:
    """Return an interpreter of the version, to its second number, that ran the record."""
    wanted = ".".join(str(record.read("environment.json").get("python", "")).split(".")[:2])
    if wanted == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    found = shutil.which(f"python{wanted}")
    if found is None:
        raise WorkbenchError(
            f"run {record.id} was made with Python {wanted}, which is not on this computer: "
            f"install python{wanted}, or verify without --env"
        )
    return Path(found)


def _make(record: Record, python: Path, made: Environment, tell: Tell) -> None:
    """Make the environment beside its place, then rename it: scripts in it are not used, only its interpreter."""
    made.folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=made.folder.parent, prefix=f".{made.folder.name}."))
    try:
        _run([str(python), "-P", "-m", "venv", str(aside)], record, lambda line: None)
        _install(record, aside, tell)
        _kernelspec(made, aside)
        with contextlib.suppress(OSError):  # another process was quicker
            aside.rename(made.folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    if not made.python.exists():
        raise WorkbenchError(f"the environment {made.folder} could not be made: delete that folder and try again")


def _install(record: Record, folder: Path, tell: Tell) -> None:
    """Install what the lock file names: exactly, and where no index has the very build, another of the same version.

    An index's build of torch, for one, needs libraries that the recorded one held; only there pip looks for more.
    """
    lines = (record.folder / LOCK).read_text(encoding="utf-8").splitlines()
    builds = [found.groups() for line in lines if (found := _BUILD.match(line))]
    plain = folder / "plain.txt"
    plain.write_text("\n".join(line for line in lines if not _BUILD.match(line)), encoding="utf-8")
    pip = _Pip(record, folder / "bin" / "python", tell, _packages(record))
    pip.install("--no-deps", "-r", str(plain))
    for name, public, build in builds:
        try:
            pip.install("--no-deps", f"{name}=={build}")
        except WorkbenchError:
            pip.install(f"{name}=={public}")


def _packages(record: Record) -> int:
    """Return how many packages the lock file names."""
    lines = (record.folder / LOCK).read_text(encoding="utf-8").splitlines()
    return sum(bool(re.match(r"[A-Za-z0-9.]", line)) for line in lines)


class _Pip:
    """Runs the environment's own pip, and follows what it says."""

    def __init__(self, record: Record, python: Path, tell: Tell, total: int) -> None:
        self._record, self._python, self._tell, self._total, self._done = record, python, tell, total, 0

    def install(self, *what: str) -> None:
        pip = [str(self._python), "-P", "-m", "pip", "--no-input", "--disable-pip-version-check"]
        _run([*pip, "install", "--progress-bar", "off", *what], self._record, self._follow)

    def _follow(self, line: str) -> None:
        self._done += line.startswith(("Collecting ", "Processing ", "Obtaining ", "Requirement already"))
        self._tell(min(self._done, self._total), self._total, line.strip())


def _run(command: list[str], record: Record, follow: Callable[[str], None]) -> None:
    """Run a command in the record's folder, where the lock file's paths begin."""
    said: list[str] = []
    process = subprocess.Popen(
        command, cwd=record.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            follow(line)
            said = [*said[-30:], line.strip()]
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
    if process.returncode:
        raise WorkbenchError(_refused(said))


def _refused(said: list[str]) -> str:
    """Say in one line why pip gave up, and what to do."""
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    why = (errors or [line for line in said if line] or ["it said nothing"])[0][:200]
    return (
        f"pip could not make the environment of the record ({why}): connect to a package index, or name one of "
        "your own in PIP_INDEX_URL or a folder of wheels in PIP_FIND_LINKS; or verify without --env"
    )


def _kernelspec(made: Environment, folder: Path) -> None:
    """Write the kernelspec: an ordinary kernel, of the interpreter at its final place."""
    spec = {
        "argv": [str(made.python), "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": f"GenAI4EU (environment {made.name.rpartition('-')[2]})",
        "language": "python",
        "metadata": {"debugger": True, "supported_encryption": ["curve"]},
    }
    place = folder / "genai4eu" / "kernels" / made.name
    place.mkdir(parents=True)
    write_json(place / "kernel.json", json.loads(json.dumps(spec)))
