"""No value of an option can become a second option, directive or command."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm.job import SlurmJob
from genai4eu.kernels.slurm.options import Options
from genai4eu.kernels.slurm.script import arguments, script
from genai4eu.kernels.slurm.targets import look_for_setup

from .cluster import Cluster
from .conftest import Kernel

NASTY = [
    "a\n#SBATCH --uid=0", "x; touch pwned", "$(touch pwned)", "`touch pwned`", "--wrap=touch pwned", "-p gpu",
    "a' ; b '", 'a" ; b "', "a\\\nb", "a\x00b", "a\u2028b", "a&b", "a|b", ">pwned", "*", "~root", "${HOME}",
    "a b", "!!", "#x",
]  # fmt: skip
TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=40))
PATHS = st.one_of(TEXT.map(lambda t: "/" + t), TEXT)
FOLDER = Path("/shared/far-0")


def test_all_options_become_arguments() -> None:
    options = Options(
        partition="cpu,gpu", account="project_465", qos="normal", time="1-02:03:04", nodes=2, cpus=8, memory="16G",
        gpus="a100:2", extra=("--constraint=a&b", "--exclusive"),
    )  # fmt: skip
    assert arguments(options, "genai4eu-far-0", FOLDER) == [
        "--parsable", "--no-requeue", "--job-name=genai4eu-far-0", "--output=/shared/far-0/job.log",
        "--open-mode=append", "--signal=B:USR1@120", "--export=ALL", "--partition=cpu,gpu", "--account=project_465",
        "--qos=normal", "--time=1-02:03:04", "--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=8", "--mem=16G",
        "--gres=gpu:a100:2", "--constraint=a&b", "--exclusive",
    ]  # fmt: skip
    assert Options.read(options.kept()) == options


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("partition", "account", "qos", "time", "memory", "gpus", "kernel"), TEXT),
            **dict.fromkeys(("python", "setup", "folder"), PATHS),
            "modules": st.lists(TEXT, max_size=2).map(tuple),
            "extra": st.lists(TEXT.map(lambda t: "--" + t), max_size=2).map(tuple),
            "container": st.lists(TEXT, max_size=3).map(lambda t: ("apptainer", "exec", *t)),
        },
    )
)
def test_a_value_stays_a_value(wish: dict[str, object]) -> None:
    """Whatever is not refused is one argument of sbatch, or one word of one command of the script."""
    try:
        options = Options(**wish)  # type: ignore[arg-type]
    except KernelsError as error:
        assert "\n" not in str(error)
        return
    asked = arguments(options, "genai4eu-far-0", FOLDER)
    assert all(word.startswith("--") and word.isprintable() for word in asked)
    given_options = [n for n in ("partition", "account", "qos", "time", "memory", "gpus") if getattr(options, n)]
    assert len(asked) == 7 + len(given_options) + len(options.extra)
    lines = script(options, FOLDER).splitlines()
    assert len(lines) == 4 + len(options.modules) + 2 * bool(options.setup)
    assert not any(line.lstrip().startswith("#SBATCH") for line in lines)
    words = [*options.container, options.python, "-P", "-m", "genai4eu.kernels.slurm.agent", str(FOLDER)]
    assert shlex.split(lines[-1]) == ["exec", *words]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(TEXT, max_size=3), PATHS)
def test_bash_agrees(container: list[str], setup: str) -> None:
    """Bash itself reads the script as we mean it."""
    try:
        options = Options(container=("apptainer", "exec", *container), setup=setup)
    except KernelsError:
        return
    last = script(options, FOLDER).splitlines()[-1].replace("exec ", "printf '%s\\0' ", 1)
    done = subprocess.run(["bash", "-c", last], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1][: 2 + len(container)] == ["apptainer", "exec", *container]
    checked = subprocess.run(["bash", "-n"], input=script(options, FOLDER).encode(), capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.parametrize(
    "wish",
    [
        {"extra": ("--wrap=x",)}, {"extra": ("--wra=x",)}, {"extra": ("--outp=/x",)}, {"extra": ("--signal=KILL",)},
        {"extra": ("-p gpu",)}, {"extra": ("gpu",)}, {"extra": ("--a=b --c=d",)}, {"extra": ("--arr=1-9",)},
        {"nodes": 0}, {"cpus": -1}, {"nodes": True}, {"lease": 1}, {"memory": "16 G"}, {"time": "tomorrow"},
        {"gpus": "-1"}, {"partition": "-x"}, {"python": "python"}, {"folder": "/a%j"}, {"setup": "rel.sh"},
        {"container": ("sh", "-c", "x")}, {"container": ("apptainer", "run", "x")}, {"modules": ("-x",)},
        {"kernel": "../x"}, {"time": "١"}, {"warm": True, "kernel": "ir"},
    ],
)  # fmt: skip
def test_what_is_refused(wish: dict[str, object]) -> None:
    with pytest.raises(KernelsError):
        Options(**wish)  # type: ignore[arg-type]
    kept = {k: list(v) if isinstance(v, tuple) else v for k, v in wish.items()}
    with pytest.raises(KernelsError):
        Options.read(kept)  # nor from a kernelspec that somebody wrote


def test_a_damaged_kernelspec_is_refused() -> None:
    damaged: list[object] = [None, [], {"unknown": 1}, {"modules": "abc"}, {"modules": [1]}, {"partition": 5}]
    for content in damaged:
        with pytest.raises(KernelsError):
            Options.read(content)


def test_nasty_values_at_a_real_slurm(
    start: Callable[..., Kernel], target: Callable[..., str], cluster: Cluster, tmp_path: Path
) -> None:
    """Words with everything a shell would act on arrive as they are, and nothing else happens."""
    folder = tmp_path / "it's $(touch pwned) `x`; &"
    folder.mkdir()
    program = folder / "apptainer"
    program.write_text('#!/bin/bash\nprintf "%s\\n" "$@" > "$(dirname "$0")/words"\nexec "${@: -5}"\n')
    program.chmod(0o755)
    setup = folder / "set up.sh"
    setup.write_text("export FROM_SETUP=yes\n")
    words = ("exec", "--bind=$(touch pwned)", "`touch pwned`", "a; touch pwned", "it's", '"', "*", "$HOME", "image.sif")
    name = target(
        container=(str(program), *words), setup=str(setup), folder=str(folder), extra=("--comment=$(touch_pwned)",)
    )
    kernel = start(name)
    assert kernel.run("import os; print(os.environ['FROM_SETUP'])") == "yes\n"
    assert (folder / "words").read_text().splitlines()[: len(words)] == list(words)
    assert "Comment=$(touch_pwned)" in cluster("scontrol", "show", "job", kernel.job())
    assert not [f for f in [*tmp_path.rglob("pwned"), Path.home() / "pwned"] if f.exists()]


@pytest.mark.parametrize(
    ("setup", "log", "said"),
    [
        ("/no/setup.sh", "", "the setup script /no/setup.sh is not on this node, or cannot be read: correct --setup"),
        (
            "here.sh",
            "no_such_module A\n",
            "here.sh fails (here.sh: line 1: no_such_module: command not found): correct it",
        ),
        ("here.sh", "false\n", "here.sh fails"),
    ],
)
def test_a_setup_script_that_fails_says_why(tmp_path: Path, setup: str, log: str, said: str) -> None:
    file = tmp_path / setup
    if log:
        file.write_text(log)
    options = Options(setup=str(file) if log else setup)
    done = subprocess.run(["bash"], input=script(options, tmp_path), capture_output=True, text=True, check=False)
    (tmp_path / "job.log").write_text(done.stderr)
    job = SlurmJob(options, "genai4eu-far-0", tmp_path, ("", ""), "7")
    assert done.returncode == 97 and said in job.last_words().replace(f"{tmp_path}/", "")


def test_a_setup_script_missing_from_a_folder_in_sight_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KernelsError, match=r"setup\.sh is not there, or cannot be read"):
        look_for_setup(Options(setup=str(tmp_path / "setup.sh")))
    look_for_setup(Options(setup=str(tmp_path / "only-on-the-nodes" / "setup.sh")))


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (
            "Reason=JobLaunchFailure x\n ExitCode=0:0",
            "(FAILED, JobLaunchFailure): its node could not begin it, or crash",
        ),
        ("Reason=NonZeroExitCode\n ExitCode=9:0", "(FAILED, NonZeroExitCode, exit code 9): it left no word: start the"),
    ],
)
def test_a_job_that_left_no_word_has_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, said: str
) -> None:
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\nprintf '{shown}'\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    job = SlurmJob(Options(), "genai4eu-far-0", tmp_path, ("", ""), "7")
    assert f"Slurm job 7 ended {said}" in asyncio.run(job.why("FAILED"))
