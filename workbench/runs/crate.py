"""The metadata that makes a run folder an RO-Crate: Process Run Crate 0.5 of the Workflow Run RO-Crate profiles.

Source: RO-Crate 1.1, https://w3id.org/ro/crate/1.1; profile https://w3id.org/ro/wfrun/process/0.5.
Called by the runner, once, as the last act of a run.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import mimetypes
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from .files import write_text
from .record import CRATE, Record

_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
#: What each of the record's own files is.
_ABOUT = {
    "notebook.ipynb": "The executed notebook, with its outputs",
    "input.ipynb": "The notebook as it was given",
    "run.json": "How the run went: status, times, target, cells",
    "parameters.json": "Parameter values",
    "sizes.json": "Sizes that the profile and the parameters came to",
    "metrics.json": "Metrics of the result, with units",
    "environment.json": "Computer, interpreter and packages of the kernel",
    "log.txt": "What the kernel's process printed outside the notebook",
}
_STATUS = {"completed": "CompletedActionStatus"}


def seal(record: Record) -> None:
    """Describe every file of the record and rename the description into place: from then on the record is final."""
    crate = ROCrate(version="1.1")  # the version that the profile builds on
    info = record.info
    crate.name = f"Run {record.id}"
    crate.description = f"{info['title']} ({info['template']}, {info['status']} on {info['target']})"
    license_about = {"@type": "CreativeWork", "name": "Creative Commons Attribution 4.0 International"}
    crate.license = crate.add(ContextEntity(crate, "https://spdx.org/licenses/CC-BY-4.0", properties=license_about))
    agent = crate.add(ContextEntity(crate, "#agent", properties={"@type": "Person", "name": getpass.getuser()}))
    crate.root_dataset["author"] = agent
    files = {path: _file(crate, record.folder, path) for path in _files(record.folder)}
    profile = {"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    crate.root_dataset["conformsTo"] = crate.add(ContextEntity(crate, _PROFILE, properties=profile))
    crate.root_dataset["mentions"] = _action(crate, record, info, files, agent)
    generated = crate.metadata.generate()
    write_text(record.folder / CRATE, json.dumps(generated, indent=2, ensure_ascii=False) + "\n")


def _files(folder: Path) -> list[str]:
    """Return the record's files in a fixed order, without the crate's own and without leftovers of a write."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(f for f in found if f != CRATE and not Path(f).name.startswith("."))


def _file(crate: ROCrate, folder: Path, path: str) -> Any:
    content = folder / path
    with content.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    kind = "application/x-ipynb+json" if path.endswith(".ipynb") else mimetypes.guess_type(path)[0]
    about = {
        "name": _ABOUT.get(path, f"Output {path.removeprefix('outputs/')}"),
        "contentSize": str(content.stat().st_size),
        "encodingFormat": kind or "application/octet-stream",
        "sha256": digest,
    }
    return crate.add_file(content, dest_path=path, properties=about)


def _action(crate: ROCrate, record: Record, info: dict[str, Any], files: dict[str, Any], agent: Any) -> Any:
    """Add the execution itself: who ran what, when, with which values, and what came of it."""
    values = [_value(crate, f"#parameter-{k}", k, v) for k, v in record.parameters.items()]
    metrics = [_value(crate, f"#metric-{k}", k, m["value"], m["unit"]) for k, m in record.metrics.items()]
    about = {
        "@type": "CreateAction",
        "name": f"{info['template']} on {info['target']}",
        "description": f"One execution of the notebook input.ipynb with the given parameters, {info['status']}",
        "startTime": info["started"],
        "endTime": info["ended"],
        "actionStatus": f"http://schema.org/{_STATUS.get(info['status'], 'FailedActionStatus')}",
    }
    if info["error"]:
        about["error"] = info["error"]
    action = crate.add(ContextEntity(crate, f"#run-{record.id}", properties=about))
    action["agent"] = agent
    action["instrument"] = _instrument(crate, info, files)
    action["object"] = [files["input.ipynb"], *values]
    action["result"] = [f for p, f in files.items() if p == "notebook.ipynb" or p.startswith("outputs/")] + metrics
    return action


def _instrument(crate: ROCrate, info: dict[str, Any], files: dict[str, Any]) -> Any:
    digest = "sha256:" + files["input.ipynb"]["sha256"]  # a notebook of one's own has no other version
    about = {
        "@type": "SoftwareApplication",
        "name": info["usecase"] or info["template"],
        "softwareVersion": info["usecase_version"] or digest,
        "url": "https://jupyter.org",
    }
    return crate.add(ContextEntity(crate, "#template", properties=about))


def _value(crate: ROCrate, identifier: str, name: str, value: Any, unit: str | None = None) -> Any:
    about = {"@type": "PropertyValue", "name": name, "value": "none" if value is None else value}
    if isinstance(value, list):
        about["value"] = json.dumps(value)
    if unit and unit != "1":
        about["unitText"] = unit
    return crate.add(ContextEntity(crate, identifier, properties=about))
