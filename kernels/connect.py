"""Makes the kernelspecs of a gateway local ones, each starting a bridge. Called by ``genai4eu connect|disconnect``."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir

from .errors import KernelsError
from .files import write_json
from .rest import Gateway, normal_url
from .tokens import read_token


def connect(name: str, url: str, token_file: Path | str, ca_file: Path | str | None = None) -> list[str]:
    """Write a kernelspec ``NAME-<remote spec>`` for each one the gateway offers, and drop those it no longer does.

    Parameters
    ----------
    name : str
        What to call the gateway here: small letters, digits, ``-`` and ``_``.
    url : str
        Its address, such as ``http://127.0.0.1:8899``.
    token_file : Path
        File of mode 0600 with its token. The bridge reads it anew each time.
    ca_file : Path, optional
        Certificates (PEM) of a private authority to trust for this gateway.

    Returns
    -------
    list of str
        Names of the targets.

    Raises
    ------
    KernelsError
        If the name, address, certificate, token or version is wrong, or the gateway does not answer; says which, and
        nothing has been written then.
    """
    _check_name(name)
    token_file = Path(token_file).expanduser().resolve()
    read_token(token_file)
    gateway = Gateway(normal_url(url), token_file, Path(ca_file).expanduser().resolve() if ca_file else None)
    gateway.check_version()
    specs = {f"{name}-{spec}": _bridge_spec(name, gateway, spec, model) for spec, model in gateway.specs().items()}
    if not specs:
        raise KernelsError(f"the gateway at {gateway.url} offers no kernelspec: ask its operator to install one")
    root = _root()
    for target in specs:
        owner = _gateway_of(root / target)
        if (root / target).exists() and owner != name:
            whose = f"the gateway {owner}" if owner else "something else"
            raise KernelsError(f"there is a kernelspec {target} of {whose} already: connect under another name")
    for target, spec in specs.items():
        (root / target).mkdir(parents=True, exist_ok=True)
        write_json(root / target / "kernel.json", spec)
    _remove(set(_targets_of(name)) - specs.keys())
    return sorted(specs)


def disconnect(name: str) -> list[str]:
    """Remove the kernelspecs of a gateway and return their names.

    Raises
    ------
    KernelsError
        If no gateway of that name is connected.
    """
    targets = _targets_of(name)
    if not targets:
        known = sorted({owner for folder in _folders() if (owner := _gateway_of(folder))})
        raise KernelsError(
            f"no gateway {name!r} is connected: " + (f"use one of {', '.join(known)}" if known else "none is")
        )
    _remove(set(targets))
    return targets


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise KernelsError(f"{name!r} cannot name a gateway: use up to 40 small letters, digits, - and _")


def _bridge_spec(name: str, gateway: Gateway, spec: str, model: dict[str, Any]) -> dict[str, Any]:
    """Return the kernelspec. The token's file stands in it, the token does not."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", spec):
        raise KernelsError(f"the gateway at {gateway.url} offers a kernelspec with an impossible name, {spec!r}")
    token_file = str(gateway.token_file)
    argv = [sys.executable, "-P", "-m", "genai4eu.kernels.bridge", "--url", gateway.url, "--spec", spec]
    title = re.sub(r" \((this computer|ipykernel)\)$", "", str(model.get("display_name") or spec))
    title = re.sub(r"[^\S ]+|[\x00-\x1f\x7f]", " ", title)[:80]  # it is somebody else's text in our menus
    language = str(model.get("language") or "")
    if re.fullmatch(r"[A-Za-z][\w+#. -]{0,39}", language):
        argv += ["--language", language]
    ours = {"gateway": name, "url": gateway.url, "spec": spec, "token_file": token_file}
    if gateway.ca_file is not None:
        ours["ca_file"] = str(gateway.ca_file)
        argv += ["--ca-file", str(gateway.ca_file)]
    metadata = {"genai4eu": ours, "debugger": bool((model.get("metadata") or {}).get("debugger"))}
    return {
        "argv": [*argv, "--token-file", token_file, "-f", "{connection_file}"],
        "display_name": f"{name} · {title}",
        "language": language,
        "metadata": metadata,
    }


def _root() -> Path:
    return Path(jupyter_data_dir()) / "kernels"


def _folders() -> list[Path]:
    return sorted(_root().iterdir()) if _root().is_dir() else []


def _gateway_of(folder: Path) -> str | None:
    """Return the name of the gateway whose kernelspec is in ``folder``, or ``None`` if it is not one of ours."""
    try:
        spec = json.loads((folder / "kernel.json").read_text(encoding="utf-8"))
        owner = spec["metadata"]["genai4eu"]["gateway"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return owner if isinstance(owner, str) else None


def _targets_of(name: str) -> list[str]:
    return [folder.name for folder in _folders() if _gateway_of(folder) == name]


def _remove(targets: set[str]) -> None:
    for target in targets:
        (_root() / target / "kernel.json").unlink(missing_ok=True)  # from here on it is no kernelspec
        shutil.rmtree(_root() / target, ignore_errors=True)
