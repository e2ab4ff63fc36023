"""Batch jobs as such: what is asked of Slurm, what it answers, and a controller that is away."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm import batch
from genai4eu.kernels.slurm.options import Options

from ..patience import eventually
from .cluster import Cluster

OPTIONS = Options(partition="cpu", time="10", cpus=1)
#: Prints what it was given, and leaves a file when it has.
SAY = (
    "import os, sys; from pathlib import Path\n"
    "print(sys.argv[1:], os.environ.get('GIVEN'), os.environ.get('SITE_TOKEN'), flush=True)\n"
    "Path(os.environ['SLURM_ARRAY_TASK_ID'] if 'SLURM_ARRAY_TASK_ID' in os.environ else 'done').touch()"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name means something to a shell, to Slurm, and to a careless writer of paths."""
    made = tmp_path / "a %j of 'ünïcode' $HOME"
    made.mkdir()
    return made


def test_numbers_of_tasks() -> None:
    assert batch.spans([4, 0, 1, 2, 7, 2]) == "0-2,4,7"
    for wrong in ([], [-1]):
        with pytest.raises(KernelsError):
            batch.spans(wrong)


@pytest.mark.parametrize("name", ["genai4eu-far-00000000", "genai4eu.a b", "genai4eu.", "x"])
def test_a_batch_job_is_never_called_like_a_kernels_or_like_two_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(KernelsError, match="cannot name a job"):
        batch.submit(OPTIONS, ["-c", ""], name, tmp_path)


def test_a_job_gets_its_words_and_variables_and_no_others(
    cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_TOKEN", "secret")
    monkeypatch.setenv("SBATCH_PARTITION", "nowhere")
    words = ["-P", "-c", SAY, "two words", "$(touch pwned)", "ü"]
    number = batch.submit(OPTIONS, words, "genai4eu.one-1", folder, env={"GIVEN": "it's\n2 lines"})
    eventually(lambda: batch.look()[number].over)
    assert batch.look()[number].state == "COMPLETED"
    assert (folder / "job.log").read_text() == f"{words[3:]} it's\n2 lines None\n"
    assert batch.find("genai4eu.one-1") == number
    batch.cancel([number, "1"])  # one is over, one never was


def test_an_array_with_a_throttle_and_a_cancelled_task(cluster: Cluster, folder: Path) -> None:
    sleep = ["-c", "import time; print('here', flush=True); time.sleep(300)"]
    number = batch.submit(OPTIONS, sleep, "genai4eu.many-1", folder, array=[0, 1, 2, 5], throttle=2)

    def states() -> dict[str, str]:
        return {task: job.state for task, job in batch.look().items() if task.startswith(number + "_")}

    eventually(lambda: list(states().values()).count("RUNNING") == 2)
    assert set(states()) == {f"{number}_{task}" for task in (0, 1, 2, 5)}
    assert states()[f"{number}_5"] == "PENDING"
    eventually(lambda: (folder / "job-0.log").read_text() == "here\n")
    batch.cancel([f"{number}_0"])
    eventually(lambda: states()[f"{number}_0"] == "CANCELLED" and states()[f"{number}_2"] == "RUNNING")
    batch.cancel([number])
    eventually(lambda: not set(states().values()) & {"RUNNING", "PENDING", "COMPLETING"})


def test_what_slurm_refuses_is_one_line_with_the_remedy(cluster: Cluster, folder: Path) -> None:
    with pytest.raises(KernelsError, match=f"tasks up to number {batch.largest()}: use fewer at a time"):
        batch.submit(OPTIONS, ["-c", ""], "genai4eu.refused-1", folder, array=[batch.largest() + 1])
    with pytest.raises(KernelsError, match=r"invalid partition.*change the option that it names"):
        batch.submit(Options(partition="nowhere"), ["-c", ""], "genai4eu.refused-2", folder)


@pytest.mark.slow
def test_a_controller_that_is_away_for_a_while(cluster: Cluster, folder: Path) -> None:
    cluster.stop_controller()
    back = threading.Timer(4, cluster.start_controller)
    back.start()
    try:
        number = batch.submit(OPTIONS, ["-c", "print('late')"], "genai4eu.late-1", folder)
    finally:
        back.join()
    eventually(lambda: batch.look()[number].over)
    assert (folder / "job.log").read_text() == "late\n"
    time.sleep(1)
    assert [job.id for job in batch.look().values() if job.name == "genai4eu.late-1"] == [number]  # only one
