"""Targets: the kernelspecs on which code can run, here or at a gateway. Called by the runner and the command line."""

from __future__ import annotations

import difflib
import re
import shlex
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import local
from .errors import KernelsError
from .rest import TIMEOUT, Gateway, GatewayDown, TokenRefused, Untrusted


@dataclass(frozen=True)
class Target:
    """A kernelspec on this computer, and the gateway behind it, if there is one.

    Attributes
    ----------
    name : str
        Name of the kernelspec, as every Jupyter tool knows it.
    gateway, url, token_file : str or None
        Name and address of the gateway and the file with its token; ``None`` for kernels on this computer.
    ca_file : str or None
        Certificates that are trusted for this gateway, beside the computer's own.
    spec : str
        Name of the kernelspec where the kernel runs.
    slurm : str or None
        For kernels that are Slurm jobs: their partition.
    """

    name: str
    display_name: str
    language: str
    spec: str
    program: str
    gateway: str | None = None
    url: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    slurm: str | None = None

    @property
    def where(self) -> str:
        """Say where its kernels run: this computer, a gateway's address, or a partition of Slurm."""
        return self.url or (f"Slurm, {self.slurm}" if self.slurm else "this computer")


def all_targets() -> list[Target]:
    """Return all targets: kernels on this computer first, then those of gateways, by name."""
    local.ensure()
    specs = local.specs().get_all_specs()
    targets = [_target(name, model["spec"]) for name, model in specs.items()]
    return sorted(targets, key=lambda t: (t.gateway or "", t.name != local.NAME, t.name))


def _target(name: str, spec: dict[str, Any]) -> Target:
    ours = spec.get("metadata", {}).get("genai4eu", {})
    program = (spec.get("argv") or [""])[0]
    if re.fullmatch(r"python[0-9.]*", program):  # jupyter_client puts its own interpreter there
        program = sys.executable
    basics = (name, spec.get("display_name", name), spec.get("language", ""))
    if isinstance(ours, dict) and isinstance(jobs := ours.get("slurm"), dict):
        return Target(*basics, name, program, slurm=f"partition {jobs.get('partition') or 'of its default'}")
    if not isinstance(ours, dict) or not {"gateway", "url", "spec", "token_file"} <= ours.keys():
        return Target(*basics, name, program)
    return Target(*basics, ours["spec"], program, ours["gateway"], ours["url"], ours["token_file"], ours.get("ca_file"))


def find(name: str) -> Target:
    """Return the target called ``name``.

    Raises
    ------
    KernelsError
        If there is none; names the nearest ones.
    """
    targets = {target.name: target for target in all_targets()}
    if name not in targets:
        near = difflib.get_close_matches(name, targets, n=3) or list(targets)[:8]
        raise KernelsError(
            f"unknown target {name!r}: use one of {', '.join(near)} (genai4eu targets lists all), "
            "or genai4eu connect a gateway"
        )
    return targets[name]


def check(target: Target, timeout: float = TIMEOUT) -> None:
    """Make sure that a kernel could be started on ``target``.

    Raises
    ------
    KernelsError
        In one line: the gateway is down, refuses the token or no longer has the kernelspec, or the program is gone.
    """
    if shutil.which(target.program) is None:
        found = f"starts {target.program}, which is not on this computer" if target.program else "names no program"
        remedy = f"type jupyter kernelspec remove {shlex.quote(target.name)}"
        raise KernelsError(
            f"the target {target.name} {found}: {'connect the gateway again' if target.gateway else remedy}"
        )
    if target.url is None or target.token_file is None:
        return
    ca_file = Path(target.ca_file) if target.ca_file else None
    if target.spec not in Gateway(target.url, Path(target.token_file), ca_file).specs(timeout):
        raise KernelsError(
            f"the gateway {target.gateway} no longer offers {target.spec}: "
            f"type genai4eu connect {target.gateway} --url {target.url} --token-file {target.token_file}"
        )


def state(target: Target, timeout: float = 3.0) -> str:
    """Return ``ready`` or, in two or three words, why not. For lists; ``check`` says more."""
    try:
        check(target, timeout)
    except GatewayDown:
        return "gateway down"
    except TokenRefused:
        return "wrong token"
    except Untrusted:
        return "wrong certificate"
    except KernelsError as error:
        return str(error)
    return "ready"


def states(targets: list[Target], timeout: float = 3.0) -> dict[str, str]:
    """Return the state of every target by name; all gateways are asked at the same time."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        return dict(zip((t.name for t in targets), pool.map(lambda t: state(t, timeout), targets), strict=True))
