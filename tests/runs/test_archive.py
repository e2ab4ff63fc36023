"""Records as zip files: out and in again, and hostile ones refused with nothing left behind."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genai4eu as workbench
from genai4eu.errors import WorkbenchError
from genai4eu.runs import archive
from genai4eu.runs.record import Record
from genai4eu.runs.seal import check, fingerprint

CLI = Callable[..., subprocess.CompletedProcess[str]]
RUN = "20261126-120000-stüdy-0001"


@pytest.fixture
def record(house: Path) -> Record:
    """A sealed record, as small as it can be, with a name and a file that are not plain."""
    folder = house / "runs" / RUN
    (folder / "outputs").mkdir(parents=True)
    info: dict[str, object] = {
        "id": RUN, "template": "study.ipynb", "title": "t", "usecase": None, "usecase_version": None, "kernel_id": "k",
        "status": "completed", "started": "2026-11-26T12:00:00+00:00", "ended": None, "duration": 9.0,
        "target": "genai4eu", "cells": [], "error": None,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(info))
    (folder / "parameters.json").write_text("{}")
    (folder / "metrics.json").write_text("{}")
    (folder / "outputs" / "ä b.bin").write_bytes(b"0" * 3_000_000)
    seal(folder)
    return Record(folder)


def seal(folder: Path) -> None:
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "ro-crate-metadata.json"]
    graph = [
        {"@id": p.relative_to(folder).as_posix(), "sha256": hashlib.sha256(p.read_bytes()).hexdigest(),
         "contentSize": str(p.stat().st_size)} for p in files
    ]  # fmt: skip
    (folder / "ro-crate-metadata.json").write_text(json.dumps({"@graph": graph}), encoding="utf-8")


@pytest.mark.slow
def test_out_and_in_again(record: Record, genai4eu: CLI, house: Path) -> None:
    mark = fingerprint(record)
    done = genai4eu("runs", "export", "latest", "a b.zip")
    assert (done.stdout, done.stderr.split()[1]) == ("a b.zip\n", f"{mark}:")
    script = json.loads(genai4eu("runs", "export", "latest", "b.zip", "--json").stdout)
    assert script == {"id": RUN, "file": "b.zip", "fingerprint": mark}
    again = genai4eu("runs", "export", "latest", "a b.zip")
    assert again.returncode == 1 and "a b.zip is there already: choose another name" in again.stderr
    there = genai4eu("runs", "import", "a b.zip")
    assert there.returncode == 1 and f"there is a run {RUN} in" in there.stderr
    shutil.rmtree(record.folder)
    assert genai4eu("runs", "import", "a b.zip").stdout == f"{record.folder}\n"
    assert check(record, mark).whole
    assert sorted(p.name for p in (house / "runs").iterdir()) == [RUN]
    assert json.loads(genai4eu("runs", "list", "--json").stdout)[0]["id"] == RUN


def test_a_changed_or_running_record_is_not_exported(record: Record) -> None:
    (record.outputs / "ä b.bin").write_bytes(b"1")
    with pytest.raises(WorkbenchError, match=r"cannot be exported: changed outputs/ä b\.bin"):
        archive.export(record)
    (record.folder / "ro-crate-metadata.json").unlink()
    with pytest.raises(WorkbenchError, match="cannot be exported: not sealed"):
        archive.export(record)
    from genai4eu.runs.presence import here

    record.write("run.json", {**record.read("run.json"), "status": "running", **here()})
    with pytest.raises(WorkbenchError, match="still runs: export it when it is done"):
        archive.export(record)


def test_an_export_that_cannot_be_finished_leaves_nothing(record: Record, house: Path, monkeypatch: Any) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(WorkbenchError, match=r"cannot write .*: No space left on device"):
        archive.export(record)
    assert [p.name for p in house.iterdir()] == ["runs"]


def rewritten(record: Record, edit: Callable[[zipfile.ZipFile, list[tuple[str, bytes]]], None]) -> Path:
    """Return a zip of the record in which something is not as it should be."""
    path = Path("bad.zip")
    members = [(f"{RUN}/{p.relative_to(record.folder).as_posix()}", p.read_bytes())
               for p in sorted(record.folder.rglob("*")) if p.is_file()]  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        edit(made, members)
        for name, content in members:
            made.writestr(name, content)
    shutil.rmtree(record.folder)
    return path


def link(made: zipfile.ZipFile, members: list[tuple[str, bytes]]) -> None:
    about = zipfile.ZipInfo(f"{RUN}/outputs/link")
    about.external_attr = 0o120777 << 16
    made.writestr(about, "/etc/passwd")


def set_member(name: str, content: bytes) -> Callable[[zipfile.ZipFile, list[tuple[str, bytes]]], None]:
    def edit(made: zipfile.ZipFile, members: list[tuple[str, bytes]]) -> None:
        number = next(i for i, (n, _) in enumerate(members) if n.endswith(name))
        members[number] = (members[number][0], content)

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda z, m: z.writestr(f"{RUN}/../../evil", "x"), "it names"),
        (lambda z, m: z.writestr("/etc/evil", "x"), "it names"),
        (lambda z, m: z.writestr(f"{RUN}/a\\b", "x"), "it names"),
        (lambda z, m: z.writestr("other/a", "x"), "it names"),
        (lambda z, m: z.writestr("top", "x"), "it names"),
        (lambda z, m: z.writestr(f"{RUN}//a", "x"), "it names"),
        (link, "is a link"),
        (lambda z, m: m.append(m[0]), "is in it twice"),
        (lambda z, m: m.append((f"{RUN}/outputs/more", b"x")), "outputs/more is not in both"),
        (lambda z, m: m.pop(0), "is not in both|has no ro-crate"),
        (lambda z, m: m.clear(), "it has 0 files"),
        (set_member("ä b.bin", b"0" * 2_999_999 + b"1"), "was changed since it was sealed: changed outputs/ä b.bin"),
        (set_member("ä b.bin", b"0" * 2_999_999), "has another size than its seal says"),
        (set_member("ä b.bin", b"0" * 30_000_000), "has another size than its seal says"),
        (set_member("ro-crate-metadata.json", b"{"), "is not in both"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_zip_is_refused_and_leaves_nothing(
    record: Record, house: Path, edit: Callable[[zipfile.ZipFile, list[tuple[str, bytes]]], None], said: str
) -> None:
    path = rewritten(record, edit)
    with pytest.raises(WorkbenchError, match=said):
        archive.bring(path, house / "runs")
    assert not list((house / "runs").iterdir())
    assert sorted(p.name for p in house.iterdir()) == ["bad.zip", "runs"]


def test_another_name_than_the_record_s_own_is_refused(record: Record, house: Path) -> None:
    other = record.folder.rename(record.folder.with_name("20200101-000000-other-0000"))
    path = archive.export(Record(other))
    shutil.rmtree(other)
    with pytest.raises(WorkbenchError, match="it is called 20200101-000000-other-0000, and the run in it"):
        archive.bring(path, house / "runs")


def test_limits_of_size(record: Record, house: Path, genai4eu: CLI, monkeypatch: Any) -> None:
    path = archive.export(record)
    shutil.rmtree(record.folder)
    refused = genai4eu("runs", "import", str(path), "--max-gb", "0.001")
    assert refused.returncode == 1 and "unpacks to 0.0 GB: allow that with --max-gb" in refused.stderr
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 1000))  # type: ignore[attr-defined]
    with pytest.raises(WorkbenchError, match="has room for"):
        archive.bring(path, house / "runs")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_zip_is_one_line(house: Path, genai4eu: CLI, content: bytes) -> None:
    (house / "a.zip").write_bytes(content)
    done = genai4eu("runs", "import", "a.zip")
    assert done.returncode == 1 and "a.zip is damaged, or no zip file" in done.stderr and done.stderr.count("\n") == 1
    assert "there is no file b.zip: check the path" in genai4eu("runs", "import", "b.zip").stderr


def test_a_real_run_goes_out_and_in(notebook: Callable[..., Path], house: Path) -> None:
    made = workbench.run(notebook(("parameters", "n = 1"), "print(n)"))
    path = archive.export(made, house)
    mark = fingerprint(made)
    assert check(archive.bring(path, house / "elsewhere"), mark).whole
