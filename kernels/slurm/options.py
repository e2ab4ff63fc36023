"""What a Slurm target asks for, checked so that no value can become a second option, directive or command.

Called by ``genai4eu slurm add``, which keeps the options in the kernelspec, and by the relay, which checks them again.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

from ..errors import KernelsError

_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}"
_RULES = {
    "partition": (rf"{_WORD}(,{_WORD}){{0,9}}", "a partition, or several with commas"),
    "account": (_WORD, "letters, digits and _.@+-"),
    "qos": (_WORD, "letters, digits and _.@+-"),
    "time": (r"\d{1,4}|(\d{1,3}-)?\d{1,3}(:\d{1,2}){0,2}", "minutes, HH:MM:SS or D-HH:MM:SS"),
    "memory": (r"[1-9]\d{0,8}[KMGT]?", "a number and K, M, G or T, such as 16G"),
    "gpus": (rf"({_WORD}:)?[1-9]\d{{0,2}}", "a number, or a type and a number, such as a100:2"),
    "kernel": (r"[A-Za-z0-9._-]{1,100}", "a kernelspec's name"),
}
#: What the relay sets itself, or what would end in a job that holds no kernel. sbatch takes abbreviations, too.
_OURS = (
    "array", "batch", "chdir", "clusters", "error", "export", "export-file", "get-user-env", "help", "hold",
    "ignore-pbs", "input", "job-name", "kill-on-invalid-dep", "no-requeue", "open-mode", "output", "parsable",
    "quiet", "requeue", "signal", "test-only", "uid", "gid", "usage", "verbose", "version", "wait", "wrap",
    "partition", "account", "qos", "time", "nodes", "cpus-per-task", "mem", "gres", "ntasks-per-node",
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


@dataclasses.dataclass(frozen=True)
class Options:
    """The wishes of one target.

    Attributes
    ----------
    partition, account, qos, time, memory, gpus : str
        As sbatch takes them; empty leaves the site's default. ``gpus`` are per node.
    nodes, cpus : int or None
        Nodes of the job, CPU cores on each.
    container : tuple of str
        Words of an Apptainer command line up to the image, put before the interpreter.
    modules : tuple of str
        Modules to load.
    setup : str
        Script on the node to source after the modules.
    extra : tuple of str
        More options of sbatch, each of the form ``--name=value`` or ``--name``.
    python : str
        Interpreter on the node (in the container); it must have genai4eu.
    kernel : str
        Kernelspec to start there; ``genai4eu`` is that interpreter itself.
    warm : bool
        Whether kernels of the job are forked from a template in it, so that a restart takes no time.
    folder : str
        Folder that login node and compute nodes share, for the jobs' connection files.
    lease : int
        Seconds without word from the relay after which a job ends by itself.
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    time: str = ""
    nodes: int | None = None
    cpus: int | None = None
    memory: str = ""
    gpus: str = ""
    container: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    setup: str = ""
    extra: tuple[str, ...] = ()
    python: str = sys.executable
    kernel: str = "genai4eu"
    warm: bool = False
    folder: str = ""
    lease: int = 120

    def __post_init__(self) -> None:
        for name, (rule, words) in _RULES.items():
            value = getattr(self, name)
            _text(name, value)
            if value and not re.fullmatch(rule, value, re.ASCII):
                raise _wrong(name, value, words)
        _number("nodes", self.nodes, 1, 10_000)
        _number("cpus", self.cpus, 1, 10_000)
        _number("lease", self.lease, 10, 7 * 86400)
        if not isinstance(self.warm, bool) or (self.warm and self.kernel != "genai4eu"):
            raise _wrong("warm", self.warm, "for the kernel genai4eu, the only one that can be")
        for name in ("python", "setup", "folder"):
            _path(name, getattr(self, name))
        for name in ("container", "modules", "extra"):
            for word in getattr(self, name):
                _text(name, word)
        self._check_words()

    def _check_words(self) -> None:
        for module in self.modules:
            if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+/:=-]{0,199}", module, re.ASCII):
                raise _wrong("modules", module, "a module's name, such as PyTorch/2.6.0")
        if self.container:
            program = Path(self.container[0]).name
            if program not in ("apptainer", "singularity") or "exec" not in self.container:
                raise _wrong("container", " ".join(self.container), "apptainer exec [options] IMAGE")
        for option in self.extra:
            _check_extra(option)

    @classmethod
    def read(cls, content: Any) -> Options:
        """Return the options kept in a kernelspec.

        Raises
        ------
        KernelsError
            If something in them is unknown or wrong.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(content, dict) or not content.keys() <= known:
            strange = ", ".join(sorted(set(content) - known)) if isinstance(content, dict) else "no object"
            raise KernelsError(f"the Slurm options of the kernelspec are damaged ({strange}): add the target again")
        lists = ("container", "modules", "extra")
        if any(not isinstance(content.get(name, []), list) for name in lists):
            raise KernelsError("the Slurm options of the kernelspec are damaged: add the target again")
        given: dict[str, Any] = {k: tuple(v) if k in lists else v for k, v in content.items()}
        return cls(**given)

    def kept(self) -> dict[str, Any]:
        """Return what ``read`` takes: only what differs from the defaults, and always the interpreter."""
        all_of_them = {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}
        default = {field.name: field.default for field in dataclasses.fields(self)}
        return {k: v for k, v in all_of_them.items() if k == "python" or (v and v != default[k])}


def _wrong(name: str, value: object, words: str) -> KernelsError:
    return KernelsError(f"{name} {str(value)[:80]!r} is not {words}")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or len(value) > 1000 or _CONTROL.search(value) or not value.isprintable():
        raise _wrong(name, value, "one line of plain text")


def _number(name: str, value: object, low: int, high: int) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high):
        raise _wrong(name, value, f"a whole number in {low}..{high}")


def _path(name: str, value: str) -> None:
    _text(name, value)
    if value and (not Path(value).is_absolute() or re.search(r"[%\\]", value)):  # sbatch reads % and \ in file names
        raise _wrong(name, value, "an absolute path without % and \\")


def _check_extra(option: str) -> None:
    """Allow one long option of sbatch that is none of ours."""
    found = re.fullmatch(r"--([a-z][a-z0-9-]*)(=[^\s]{1,500})?", option, re.ASCII)
    if found is None:
        raise _wrong("extra", option, "an option of sbatch of the form --name=value")
    name = found.group(1)
    if any(ours.startswith(name) for ours in _OURS):
        raise KernelsError(f"extra {option!r} is an option that the target has or sets by itself: leave it out")
