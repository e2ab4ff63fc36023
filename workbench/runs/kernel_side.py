"""What the engine needs on the kernel's side. Its text is sent to the kernel, so that nothing need be installed there.

Standard library only, no relative import. Every function returns a string: JSON, or base64 for file content.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import secrets
import shutil
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

#: ``folder`` is the kernel-side folder of the current run.
STATE: dict[str, Path] = {}
#: Seconds for which the folder of a run stays whose kernel is gone.
KEPT = 7 * 86400


def begin(run_id: str, parameters: str, usecase: str, change_folder: bool) -> str:
    """Make the run's folder, say where and in what environment the kernel runs, and what of the use case is missing."""
    base = Path(os.environ.get("GENAI4EU_SCRATCH") or tempfile.gettempdir()) / f"genai4eu-{os.getuid()}"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if base.stat().st_uid != os.getuid():  # another user may have made the name first in a shared /tmp
        base = Path(tempfile.mkdtemp(prefix="genai4eu-"))
    _sweep(base)
    folder = base / run_id
    (folder / "outputs").mkdir(parents=True, exist_ok=True)
    (folder / "parameters.json").write_text(parameters, encoding="utf-8")
    owner = {"host": platform.node(), "pid": os.getpid(), "kernel": None, "mark": secrets.token_hex(8)}
    noted = os.environ.get("GENAI4EU_KERNEL_FILES")  # where a gateway looks for what its kernels' runs keep
    if noted and _note(Path(noted), run_id, folder):
        owner["kernel"] = Path(noted).name
    (folder / "owner.json").write_text(json.dumps(owner), encoding="utf-8")
    STATE["folder"] = folder
    os.environ.pop("GENAI4EU_CHECKPOINTS", None)  # of a run that started this one
    wait_for_reader()
    os.environ["GENAI4EU_RUN_DIR"] = str(folder)
    if change_folder:
        os.chdir(folder)
    remote = {"folder": str(folder), "owner": owner, "kept": KEPT}
    return json.dumps({"environment": _environment(), "problem": _problem(json.loads(usecase)), "remote": remote})


def _note(place: Path, run_id: str, folder: Path) -> bool:
    """Tell the gateway where the run's folder is; the computer of a Slurm job may not see the gateway's place."""
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        part = place / f".{run_id}"
        part.write_text(json.dumps({"folder": str(folder)}), encoding="utf-8")
        part.replace(place / f"{run_id}.json")
    except OSError:
        return False
    return True


def wait_for_reader() -> str:
    """Let what the kernel says wait until it is read; else it drops what a busy reader has not taken.

    A few messages may wait, and printing waits with them: a cell that prints a gigabyte needs no memory for it.
    """
    import zmq
    from ipykernel.iostream import OutStream
    from ipykernel.kernelapp import IPKernelApp

    thread = IPKernelApp.instance().iopub_thread

    def patient() -> None:
        thread.socket.setsockopt(zmq.SNDHWM, 64)
        thread.socket.setsockopt(zmq.XPUB_NODROP, 1)

    thread.schedule(patient)  # sockets belong to their thread
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, OutStream):
            _pace(stream)
    return ""


def _pace(stream: Any) -> None:
    """Print in pieces, and hand on what was printed before there is much of it."""
    write, piece = stream.write, 2**18
    printed = 0

    def paced(text: str) -> Any:
        nonlocal printed
        if not isinstance(text, str) or printed + len(text) < piece:
            printed += len(text)
            return write(text)
        for start in range(0, len(text), piece):
            write(text[start : start + piece])
            stream.flush()
        printed = 0
        return len(text)

    stream.write = paced


def _sweep(base: Path) -> None:
    """Remove what runs whose kernel is gone left on this computer, when it has been wanted by nobody for long."""
    for owner in base.glob("*/owner.json"):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):  # another kernel may be sweeping too
            about = json.loads(owner.read_text(encoding="utf-8"))
            gone = about["host"] == platform.node() and not Path(f"/proc/{about['pid']}").exists()
            if gone and time.time() - owner.parent.stat().st_mtime > KEPT:
                shutil.rmtree(owner.parent, ignore_errors=True)


def call(name: str, source: str, function: str, *arguments: Any) -> str:
    """Call a function of a module that is sent along; it is read once, and remembers what it was told."""
    module = sys.modules.get(f"_genai4eu_{name}")
    if module is None:
        module = sys.modules[f"_genai4eu_{name}"] = types.ModuleType(f"_genai4eu_{name}")
        exec(source, module.__dict__)
    return str(getattr(module, function)(*arguments))


def _environment() -> dict[str, Any]:
    """Return host, interpreter and kernel id."""
    return {
        "kernel_id": _kernel_id(),
        "host": platform.node(),
        "pid": os.getpid(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "executable": sys.executable,
    }


def _kernel_id() -> str:
    """Return the id in the name of the connection file, which jupyter servers give their kernels."""
    import ipykernel

    name = Path(ipykernel.get_connection_file()).stem
    return name.removeprefix("kernel-")


def _problem(usecase: dict[str, Any] | None) -> str | None:
    """Return what of the use case this kernel lacks, in words that follow "the kernel", or None."""
    if usecase is None:
        return None
    found = list(importlib.metadata.entry_points(group="genai4eu.usecases", name=usecase["name"]))
    if not found:
        return f"has no use case {usecase['name']!r}: install {usecase['install']} there"
    version = found[0].load()["version"]
    if version != usecase["version"]:
        return f"has version {version} of {usecase['name']}, here is {usecase['version']}: install the same on both"
    missing = [name for name in usecase["requires"] if importlib.util.find_spec(name) is None]
    if missing:
        return f"lacks {', '.join(missing)} for {usecase['name']}: install {usecase['install']} there"
    return None


def here() -> str:
    """Answer, which a kernel does that is not in a cell."""
    return ""


def listing() -> str:
    """List what the study part kept, with size in bytes and SHA-256."""
    return json.dumps(kept_in(STATE["folder"]))


def kept_in(folder: Path) -> list[dict[str, Any]]:
    """Return path, size in bytes and SHA-256 of every file that a run keeps; ``link`` where a link leads to it."""
    files = [_withheld(p) for p in sorted((folder / "outputs").rglob("*")) if p.is_file()]
    files += [p for p in (folder / "sizes.json", folder / "inputs.json") if p.is_file()]
    files += sorted((folder / "checkpoints").glob("*.checkpoint"))
    return [
        {
            "path": p.relative_to(folder).as_posix(),
            "size": p.stat().st_size,
            "sha256": _sha256(p),
            "link": p.is_symlink(),
        }
        for p in files
    ]


def _withheld(path: Path) -> Path:
    """Return a kept file; in place of one that holds the value of a secret, a note that says so."""
    redact = sys.modules.get("genai4eu.redact")  # there only where the notebook asked for a secret
    found = redact.held_by(path) if redact else None
    if not found:
        return path
    path.unlink()
    note = path.with_name(f"{path.name}.withheld.txt")
    note.write_text(f"{path.name} held the value of {found} and was not kept.\n", encoding="utf-8")
    return note


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def share(record: str) -> str:
    """Let checkpoints be kept beside the record, where that can be seen from here; tell whether it can."""
    place, there = Path(f"{record}.checkpoints"), Path(record)
    seen = there.name == STATE["folder"].name and (there / "run.json").is_file() and os.access(there.parent, os.W_OK)
    if seen:
        os.environ["GENAI4EU_CHECKPOINTS"] = str(place)
    return json.dumps(seen)


def take(path: str, offset: int, content: str, size: int) -> str:
    """Take a piece of a checkpoint of an earlier attempt; it stands when all of it is there."""
    part = STATE["folder"] / "checkpoints" / f".{path}.part"
    part.parent.mkdir(exist_ok=True)
    with part.open("r+b" if offset else "wb") as stream:
        stream.seek(offset)
        stream.write(base64.b64decode(content))
        done = stream.tell()
    if done == size:
        part.replace(part.with_name(path))
    return ""


def forget() -> str:
    """Remove the checkpoints of a run that has completed, before its files are brought home."""
    shutil.rmtree(STATE["folder"] / "checkpoints", ignore_errors=True)
    return ""


def read(path: str, offset: int, size: int) -> str:
    """Return ``size`` bytes of a kept file from ``offset``, as base64."""
    with (STATE["folder"] / path).open("rb") as stream:
        stream.seek(offset)
        return base64.b64encode(stream.read(size)).decode()


def end() -> str:
    """Remove the run's folder."""
    folder = STATE.pop("folder")
    os.chdir(Path.home() if Path.cwd() == folder else Path.cwd())
    shutil.rmtree(folder, ignore_errors=True)
    if noted := os.environ.get("GENAI4EU_KERNEL_FILES"):
        (Path(noted) / f"{folder.name}.json").unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # other runs are there
        folder.parent.rmdir()
    return ""
