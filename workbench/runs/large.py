"""Outputs too large for a notebook: kept in files beside it, with a small preview in their place, and put back.

``notebook.ipynb`` has ``notebook_files/``. The metadata of an output, or for printed text and errors, which have none,
of its cell, names each file with its SHA-256. Called by the engine, the exporter's preprocessor and publishing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import mimetypes
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import WorkbenchError
from .files import write_bytes

#: Bytes that an output may have in the notebook.
LIMIT = 1_000_000
#: Below this, one form of a large output stays where it is.
_SMALL = 100_000
#: Characters of a text that its preview shows.
_SHOWN = 2_000
KEY = "genai4eu"
_ENDINGS = {"text/plain": ".txt", "text/html": ".html", "text/markdown": ".md", "image/svg+xml": ".svg",
            "application/javascript": ".js", "text/latex": ".tex"}  # fmt: skip


def forget(cell: Any) -> None:
    """Take back what a cell says of its large outputs; the rest under our key is the notebook's own: texts, origins."""
    about = cell.metadata.get(KEY)
    if isinstance(about, dict):
        about.pop("large", None)
    if not about or not isinstance(about, dict):
        cell.metadata.pop(KEY, None)


def files_of(notebook: Path) -> Path:
    """Return the folder of a notebook's large outputs."""
    return notebook.with_name(f"{notebook.stem}_files")


class Large:
    """Takes large outputs out of what a kernel says.

    Parameters
    ----------
    folder : Path
        Where the files go; made with the first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def shrink(self, content: dict[str, Any]) -> None:
        """Replace what is large in the content of a display or a result by links; what is small stays as it is."""
        data: dict[str, Any] = content["data"]
        sizes = {mime: _size(value) for mime, value in data.items()}
        if sum(sizes.values()) <= LIMIT:
            return
        kept = {mime: self._keep(mime, data.pop(mime)) for mime in [m for m, size in sizes.items() if size > _SMALL]}
        previews = {k: v for k, v in _preview(kept).items() if k not in data}
        data |= previews
        about = {"files": {m: k for m, (k, _) in kept.items()}, "previews": sorted(previews)}
        content["metadata"] = {**(content.get("metadata") or {}), KEY: about}

    def cut(self, content: dict[str, Any]) -> dict[str, Any] | None:
        """Cut a large error; return what its cell must say of it, or ``None``."""
        whole = json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")
        if len(whole) <= LIMIT:
            return None
        about = self.write(whole, ".json")
        note = f"… {about['size'] / 1e6:.1f} MB in {about['file']}"
        content["evalue"] = _cut(str(content.get("evalue", "")), note)
        content["traceback"] = [_cut(str(line), note) for line in content.get("traceback", [])[-20:]]
        return about

    def write(self, content: bytes, ending: str) -> dict[str, Any]:
        """Write a file that is named by its content; return what the notebook says of it."""
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / f"{digest[:16]}{ending}"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_bytes(path, content, durable=False)
        return {"file": f"{self.folder.name}/{path.name}", "sha256": digest, "size": len(content)}

    def _keep(self, mime: str, value: Any) -> tuple[dict[str, Any], str]:
        content, text = _bytes(mime, value)
        return self.write(content, _ending(mime)), text


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value))


def _bytes(mime: str, value: Any) -> tuple[bytes, str]:
    """Return a form of an output as a file holds it, and how its text begins."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace"), ""
    if _binary(mime):
        try:
            return base64.b64decode(value, validate=False), ""
        except binascii.Error:  # it was none after all: the file keeps what was said
            return value.encode(errors="backslashreplace"), ""
    shown = value[:_SHOWN] if mime.startswith("text/") and mime != "text/html" else ""
    return value.encode(errors="backslashreplace"), shown


def _binary(mime: str) -> bool:
    """Tell whether the notebook format holds a type as base64."""
    return not mime.startswith("text/") and mime not in _ENDINGS and not mime.endswith(("json", "+xml"))


def _ending(mime: str) -> str:
    return _ENDINGS.get(mime) or (".json" if mime.endswith("json") else mimetypes.guess_extension(mime) or ".bin")


def _preview(kept: Mapping[str, tuple[dict[str, Any], str]]) -> dict[str, str]:
    """Return what stands in the notebook: an image by its address, anything else as a link and the beginning of it."""
    image = next((about for mime, (about, _) in kept.items() if mime.startswith("image/")), None)
    links = [f'<a href="{a["file"]}">{html.escape(m)}, {a["size"] / 1e6:.1f} MB</a>' for m, (a, _) in kept.items()]
    shown = next((text for _, text in kept.values() if text), "")
    page = f'<img src="{image["file"]}" alt="" style="max-width:100%">' if image else ""
    page += f"<pre>{html.escape(shown)}…</pre>" if shown and not image else ""
    plain = "; ".join(f"{m}, {a['size'] / 1e6:.1f} MB: {a['file']}" for m, (a, _) in kept.items())
    return {
        "text/html": f'<div class="genai4eu-large">{page}<p>{" · ".join(links)}</p></div>',
        "text/plain": f"{shown}…\n{plain}" if shown else plain,
    }


def _cut(text: str, note: str) -> str:
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}\n{note}\n{text[-_SHOWN:]}"


def restore(notebook: Mapping[str, Any], folder: Path, texts: bool = True) -> None:
    """Put the large outputs of a notebook in ``folder`` back inline. Called by exporters and by publishing.

    Parameters
    ----------
    texts : bool
        Whether long printed texts and errors come back too.

    Raises
    ------
    WorkbenchError
        If a file is missing or is not what it was.
    """
    for cell in notebook["cells"]:
        for about in cell.get("metadata", {}).get(KEY, {}).get("large", []) if texts else []:
            _restore_text(cell["outputs"][about["output"]], about, folder)
        for output in cell.get("outputs", []):
            about = output.get("metadata", {}).get(KEY, {})
            if "files" in about:
                _restore(output, about, folder)


def _restore(output: dict[str, Any], about: Mapping[str, Any], folder: Path) -> None:
    for preview in about["previews"]:
        output["data"].pop(preview, None)
    for mime, file in about["files"].items():
        content = _read(file, folder)
        if mime.endswith("json"):
            output["data"][mime] = json.loads(content)
        else:
            output["data"][mime] = base64.b64encode(content).decode() if _binary(mime) else content.decode()
    output["metadata"].pop(KEY)


def _restore_text(output: dict[str, Any], about: Mapping[str, Any], folder: Path) -> None:
    """Put back a long text, as much of it as was kept, or an error."""
    content = _read(about, folder)
    if output["output_type"] == "error":
        output.update({k: v for k, v in json.loads(content).items() if k in ("ename", "evalue", "traceback")})
    elif not about.get("left_out"):
        output["text"] = content[about["begins"] :].decode(errors="replace")


def _read(about: Mapping[str, Any], folder: Path) -> bytes:
    """Read a file that a notebook names, and hold it to its checksum; it lies beside the notebook, nowhere else."""
    name = PurePosixPath(about["file"])
    if name.is_absolute() or ".." in name.parts:
        raise WorkbenchError(f"the notebook names a file outside its folder: {name}")
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise WorkbenchError(f"{folder / name} is missing: the notebook's large outputs belong beside it") from None
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise WorkbenchError(f"{folder / name} is not what the notebook says: it was changed, run again")
    return content
