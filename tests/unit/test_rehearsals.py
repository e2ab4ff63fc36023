"""What use cases do before the live tier's kernels are forked: with no record and no thread."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from typing import Any

import pytest

from genai4eu.kernels.warm import preload
from genai4eu.kernels.warm.settings import REHEARSE, WITHOUT

USECASES = ["agrifood", "climate", "health-imaging", "materials", "robotics"]
#: A thread of the template's would be missing in its forks.
_CODE = """
import importlib, os, sys
for where in sys.argv[1:]:
    module, _, function = where.partition(":")
    getattr(importlib.import_module(module), function)()
    print(where, len(os.listdir("/proc/self/task")), "dask.array" in sys.modules)
"""


def _declared() -> dict[str, dict[str, Any]]:
    entries = importlib.metadata.entry_points(group="genai4eu.usecases")
    return {about["name"]: about for about in (entry.load() for entry in entries)}


@pytest.mark.slow
def test_a_rehearsal_needs_no_record_and_starts_no_thread() -> None:
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    alone = {**os.environ, **one, "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    declared = [_declared()[name]["rehearsal"] for name in USECASES]
    command = [sys.executable, "-P", "-c", _CODE, *declared]
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines() == [f"{where} 1 True" for where in declared]


class _Entry:
    def __init__(self, about: dict[str, Any]) -> None:
        self.name, self._about = about["name"], about

    def load(self) -> dict[str, Any]:
        return self._about


def test_only_what_was_asked_for_is_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails is told of; one whose rehearsal starts a thread is left out the next time."""
    done: list[str] = []
    module = type(sys)("probe_rehearsal")
    vars(module).update(one=lambda: done.append("one"), other=lambda: done.append("other"), bad=lambda: 1 / 0)
    monkeypatch.setitem(sys.modules, "probe_rehearsal", module)
    declared = [_Entry({"name": n, "rehearsal": f"probe_rehearsal:{n}"}) for n in ("one", "other", "bad")]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [*declared, _Entry({"name": "none"})])
    monkeypatch.setattr(os, "listdir", lambda folder: ["1"])  # this process has threads of its own
    monkeypatch.setenv(REHEARSE, "one,bad,none,gone")
    told = preload.Preloaded()
    preload._rehearse(told, ())
    assert done == ["one"] and list(told.seconds) == ["rehearsal of one"]
    assert told.skipped == {"rehearsal of bad": "ZeroDivisionError: division by zero"}
    preload._rehearse(preload.Preloaded(), ["rehearsal of one"])
    assert done == ["one"]
    monkeypatch.setenv(REHEARSE, "")
    preload._rehearse(preload.Preloaded(), ())
    assert done == ["one"]


def test_what_is_to_be_left_out_is_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with all that is below it, a module alone; what only begins with the same letters stays."""
    monkeypatch.setenv(WITHOUT, "sklearn, torch._dynamo,")
    told = preload.Preloaded()
    names = ["torch", "torch._dynamo", "sklearn.ensemble", "sklearn", "sklearnish"]
    assert list(preload._wanted(names, told)) == ["torch", "sklearnish"]
    assert told.skipped == dict.fromkeys(["torch._dynamo", "sklearn.ensemble", "sklearn"], f"{WITHOUT} names it")
    monkeypatch.setenv(WITHOUT, "")
    assert list(preload._wanted(names, preload.Preloaded())) == names


def test_a_rehearsal_that_starts_a_thread_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", lambda folder: ["1", "2"])
    with pytest.raises(preload.StartedThreadError) as error:
        preload._timed("rehearsal of busy", preload.Preloaded(), lambda: None)
    assert error.value.name == "rehearsal of busy"


_FREED = """
import ctypes, genai4eu.usecases.generative.training as training
asked = []
class Libc:
    def mallopt(self, what, value): asked.append(what)
training.ctypes.CDLL = lambda name: Libc()
training.keep_freed_memory()
print(asked)
"""


@pytest.mark.parametrize(("chosen", "asked"), [({}, "[-3, -1]"), ({"MALLOC_TRIM_THRESHOLD_": "131072"}, "[]")])
def test_who_chose_to_return_memory_has_it_returned(chosen: dict[str, str], asked: str) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")} | chosen
    done = subprocess.run([sys.executable, "-P", "-c", _FREED], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == asked
