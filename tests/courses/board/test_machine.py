"""What the board tells of the computer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from genai4eu.courses.board import machine
from genai4eu.kernels.warm import child

_NAME = "import sys, time; from genai4eu.kernels.warm.adopt import call_process; call_process(sys.argv[1]); "


def test_a_warm_kernel_is_known_by_the_name_that_it_gives_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.KERNEL == child._SHOWN
    wait = "print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-P", "-c", _NAME + wait, machine.KERNEL], stdout=subprocess.PIPE) as kernel:
        assert kernel.stdout is not None
        kernel.stdout.readline()
        # Other tests' kernels come and go meanwhile: only this one is looked at.
        monkeypatch.setattr(psutil, "process_iter", lambda: [psutil.Process(kernel.pid)])
        now = machine.look(Path("/"), {os.getuid()}).seats[os.getuid()]
        kernel.kill()
    assert now.kernels == 1 and now.memory > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up being root")
def test_a_process_that_gave_up_root_is_called_by_its_name_too() -> None:
    pid = os.fork()
    if pid == 0:  # pragma: no cover  # another process
        from genai4eu.kernels.warm.adopt import call_process

        os.setresuid(65534, 65534, 65534)
        call_process(machine.KERNEL)
        time.sleep(60)
        os._exit(0)
    try:
        for _ in range(200):
            if Path(f"/proc/{pid}/comm").read_text().strip() == machine.KERNEL:
                break
            time.sleep(0.05)
        assert Path(f"/proc/{pid}/comm").read_text().strip() == machine.KERNEL
        assert machine.look(Path("/"), {65534}).seats[65534].kernels >= 1
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_nobody_elses_processes_are_counted() -> None:
    assert machine.look(Path("/"), {4_000_000}).seats == {4_000_000: machine.Use()}


def test_graphics_processors_are_as_their_tool_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        '#!/bin/sh\necho "NVIDIA H100, 37, 2048, 81559"\necho "NVIDIA H100, [N/A], [N/A], 81559"\necho "failed"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert machine.look(Path("/"), ()).gpus == (machine.Gpu("NVIDIA H100", 37, 2048, 81559),)
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert machine.look(Path("/"), ()).gpus == ()
