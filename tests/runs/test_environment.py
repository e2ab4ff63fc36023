"""What a record holds of where and from what a run was made: computer, packages, project, inputs, energy."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.runs import kernel_inputs, kernel_machine, kernel_packages, lockfile
from genai4eu.runs.energy import energy, energy_sentence
from genai4eu.runs.project import project
from genai4eu.runs.record import Record

pytestmark = pytest.mark.slow  # nearly every test starts kernels or servers
Write = Callable[..., Path]
PARAMETERS = "from pathlib import Path\ndata: Path = Path('näme 1.csv')  # data\nnone: Path | None = None  # more data"
READ = "import genai4eu\nrun = genai4eu.current_run()\nopen(run.input('folder/b.txt')).read(), open(data).read()"


@pytest.fixture
def made_before() -> None:
    """Nothing: here runs make their wheels."""


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def record(notebook: Write, house: Path) -> Record:
    """A run of a notebook in a changed checkout, that reads a file by parameter and one by name."""
    (house / "folder").mkdir()
    (house / "folder" / "b.txt").write_text("b")
    (house / "näme 1.csv").write_text("1,2")
    (house / ".gitignore").write_text("runs\nscratch\njupyter\nstate\ncache\n")
    path = notebook(("parameters", PARAMETERS), READ)
    git(house, "init", "-q")
    git(house, "add", "-A")
    git(house, "commit", "-qm", "first")
    git(house, "remote", "add", "origin", "https://me:password@example.org/project.git")
    (house / "folder" / "b.txt").write_text("changed")
    made: Record = genai4eu.run(path)
    assert made.info["status"] == "completed", made.info["error"]
    return made


def test_one_record_holds_it_all(record: Record, house: Path) -> None:
    inputs = record.read("inputs.json")
    assert inputs["näme 1.csv"] == {
        "kind": "file", "size": 3, "sha256": hashlib.sha256(b"1,2").hexdigest(), "parameter": "data"
    }  # fmt: skip
    assert inputs["folder/b.txt"]["sha256"] == hashlib.sha256(b"changed").hexdigest()
    about = record.read("project.json")
    assert about["commit"] == git(house, "rev-parse", "HEAD").strip()
    assert (about["dirty"], about["changed"]) == (True, ["folder/b.txt"])
    assert about["diff_sha256"] == hashlib.sha256(git(house, "diff", "--binary", "HEAD").encode()).hexdigest()
    assert about["remote"] == "https://example.org/project.git"
    hardware = record.read("environment.json")["hardware"]
    assert hardware["processor"] and hardware["cores"] >= hardware["usable_cores"] >= 1 and hardware["memory"] > 10**8
    assert hardware["threads"] == os.environ.get("OMP_NUM_THREADS")
    assert record.energy["source"] in ("estimate", "counters")
    assert record.energy["usage"]["seconds"] > 0
    assert record.energy["source"] == "counters" or "W a busy core" in record.energy["assumes"]
    assert check_lock(record)


def check_lock(record: Record) -> bool:
    """Let pip read the lock file, in the record, without an index: all but the workbench is there already."""
    wheel = f"./wheels/genai4eu-{genai4eu.__version__}-py3-none-any.whl"
    assert wheel in (record.folder / "requirements.txt").read_text().splitlines()
    pip = [sys.executable, "-P", "-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check"]
    dry = [*pip, "--dry-run", "--quiet", "-r", "requirements.txt"]
    assert subprocess.run(dry, cwd=record.folder, capture_output=True, text=True, check=False).stderr == ""
    target = record.folder.parent / "target"
    subprocess.run([*pip, "--quiet", "--target", str(target), wheel], cwd=record.folder, check=True)
    code = f"""import sys
sys.path[:0] = [{str(target)!r}]
import genai4eu.kernels.targets, genai4eu.templates, importlib.metadata
assert genai4eu.__file__.startswith({str(target)!r})
print(len(importlib.metadata.distribution('genai4eu').entry_points))"""
    shown = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    return int(shown.stdout) >= 4


def test_the_same_files_make_the_same_wheel_and_nothing_is_written_beside_them(tmp_path: Path, root: Path) -> None:
    before = git(root, "status", "--porcelain")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = (json.loads(kernel_packages.wheel("genai4eu", str(tmp_path / n))) for n in "ab")
    assert first == second
    assert git(root, "status", "--porcelain") == before
    with zipfile.ZipFile(tmp_path / "a" / first["file"]) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
    assert {"genai4eu/runs/seal.py", "genai4eu/kernels/targets.py", "genai4eu/templates/health_imaging.ipynb"} <= names
    assert not [n for n in names if "__pycache__" in n or n.startswith("tests")]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, the only one on the path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def install(site: Path, name: str, files: dict[str, str], url: dict[str, Any] | None) -> Path:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nName: not this\n")
    for path, text in files.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(text)
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in [*files, f"{info.name}/METADATA"]))
    if url:
        (info / "direct_url.json").write_text(json.dumps(url))
    return info


def made(folder: Path, name: str) -> list[str]:
    about = json.loads(kernel_packages.wheel(name, str(folder)))
    with zipfile.ZipFile(folder / about["file"]) as archive:
        return [about["file"], *sorted(n for n in archive.namelist() if ".dist-info" not in n)]


def test_packages_that_no_index_has(site: Path, tmp_path: Path) -> None:
    install(site, "plain", {"plain.py": ""}, None)
    install(site, "built", {"built/__init__.py": "", "built/_c.so": ""}, {"url": "file:///tmp/built", "dir_info": {}})
    install(site, "far", {"far.py": ""}, {"url": "https://example.org/far.whl", "archive_info": {}})
    src = tmp_path / "src"
    (src / "edited").mkdir(parents=True)
    (src / "edited" / "__init__.py").write_text("x = 1")
    (src / "other").mkdir()
    editable = {"url": f"file://{tmp_path}", "dir_info": {"editable": True}}
    install(site, "edited", {"_edited.pth": str(src)}, editable)
    found = json.loads(kernel_packages.listing())
    assert found["packages"] == dict.fromkeys(("built", "edited", "far", "plain"), "1.0")
    assert set(found["local"]) == {"built", "edited", "far"}
    assert made(tmp_path, "edited") == ["edited-1.0-py3-none-any.whl", "edited/__init__.py"]
    binary, *held = made(tmp_path, "built")
    assert held == ["built/__init__.py", "built/_c.so"] and "none-any" not in binary
    before = found["local"]["edited"]["key"]
    (src / "edited" / "__init__.py").write_text("x = 12")
    assert json.loads(kernel_packages.listing())["local"]["edited"]["key"] != before


def test_a_package_installed_since_is_found_although_the_list_is_kept(site: Path) -> None:
    install(site, "one", {"one.py": ""}, None)
    assert set(json.loads(kernel_packages.listing())["packages"]) == {"one"}
    install(site, "two", {"two.py": ""}, None)
    assert set(json.loads(kernel_packages.listing())["packages"]) == {"one", "two"}


def test_lines_of_the_lock_file(house: Path) -> None:
    record = house / "record"
    record.mkdir()
    packages = {"pip": "23", "a": "1.0", "torch": "2.0+cpu", "far": "1", "lost": "3"}
    local = {"far": {"url": "https://example.org/far.whl"}, "lost": {"version": "3", "key": "0123456789"}}

    def fail(name: str) -> NoReturn:
        raise WorkbenchError(f"cannot tell which files\nbelong to {name}")

    lockfile.keep(record, {"packages": packages, "local": local}, fail, fail)
    assert (record / "requirements.txt").read_text().splitlines()[2:] == [
        "a==1.0",
        "torch==2.0  # here 2.0+cpu; any build of 2.0 will do",
        "far @ https://example.org/far.whl",
        "# lost 3: in no index, and no wheel could be kept: cannot tell which files belong to lost",
    ]


@pytest.mark.parametrize("name", ["../../evil-1-py3-none-any.whl", "a.whl", "a-1-py3-none-any.whl/x"])
def test_a_kernel_cannot_name_a_wheel_outside_the_record(house: Path, name: str) -> None:
    record = house / "record"
    record.mkdir()
    found = {"packages": {"a": "1"}, "local": {"a": {"version": "1", "key": "0123456789"}}}
    lockfile.keep(record, found, lambda _: {"file": name, "size": 1, "sha256": ""}, lambda *_: "")
    assert "the kernel names a wheel strangely" in (record / "requirements.txt").read_text()
    assert [p.name for p in record.iterdir()] == ["requirements.txt"]


def test_a_project_without_git_or_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project(tmp_path) == {"folder": str(tmp_path), "commit": None}
    git(tmp_path, "init", "-q")
    (tmp_path / "a b").touch()
    about = project(tmp_path)
    assert (about["commit"], about["changed"], about["remote"]) == (None, ["a b"], None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert project(tmp_path)["why"] == "git is not installed"


def test_inputs_of_all_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_text("c")
    (tmp_path / "a").write_text("a")
    told = kernel_inputs.describe(str(tmp_path))
    lines = "".join(f"{hashlib.sha256(n.encode()).hexdigest()}  {p}\n" for n, p in (("a", "a"), ("c", "b/c")))
    assert told == {"kind": "folder", "files": 2, "size": 2, "sha256": hashlib.sha256(lines.encode()).hexdigest()}
    assert kernel_inputs.describe(str(tmp_path / "none")) is None
    monkeypatch.setattr(kernel_inputs, "MANY", 1)
    assert kernel_inputs.describe(str(tmp_path)) == {
        "kind": "folder", "size": None, "sha256": None, "why": "more than 1 files"
    }  # fmt: skip
    monkeypatch.setattr(kernel_inputs, "MOST", 0)
    assert (kernel_inputs.describe(str(tmp_path / "a")) or {})["why"] == "larger than 0 GiB"


def test_where_the_energy_comes_from() -> None:
    usage: dict[str, Any] = {"seconds": 10.0, "cpu_seconds": 20.0, "peak_memory": 10**9}
    estimate = energy(usage)
    assert estimate["source"] == "estimate" and estimate["joules"] == pytest.approx(20 * 12 + 10 * 0.3725)
    counted = energy({**usage, "counter_joules": {"processor 0": 500.0, "GPU 0": 1000.0}})
    assert (counted["source"], counted["joules"]) == ("counters", 1500)
    assert energy({**usage, "scheduler_joules": 7.0, "counter_joules": {"processor 0": 5.0}})["source"] == "scheduler"
    only_gpu = energy({**usage, "counter_joules": {"GPU 0": 1000.0}})
    assert only_gpu["source"] == "estimate" and only_gpu["joules"] == pytest.approx(1000 + 20 * 12 + 10 * 0.3725)
    assert energy(None)["joules"] is None
    assert energy_sentence(counted) == "1500 J, measured by the computer's counters"
    assert energy_sentence({"joules": 7.2e6, "source": "estimate"}) == "2 kWh, an estimate"
    assert energy_sentence(energy(None)) == energy_sentence({}) == "unknown"


@pytest.mark.parametrize(("end", "expected"), [(5_000_000, 4.0), (500_000, 9.5)])
def test_a_counter_of_the_processor_that_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: int, expected: float
) -> None:
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of the same processor
    (package / "max_energy_range_uj").write_text("10000000")
    monkeypatch.setattr(kernel_machine, "_CORES", tmp_path)
    monkeypatch.setattr(kernel_machine, "_MOST_WATTS", 1.0)
    (package / "energy_uj").write_text("1000000")
    kernel_machine.begin()
    (package / "energy_uj").write_text(str(end))
    assert json.loads(kernel_machine.usage())["counter_joules"] == {"processor 0": pytest.approx(expected)}
    monkeypatch.setattr(kernel_machine, "_MOST_WATTS", 1e12)  # it may have passed its end twice
    assert json.loads(kernel_machine.usage())["counter_joules"] == {}
