"""What the kernel's computer is, and what the run uses of it. Its text is sent to the kernel by ``survey``.

Standard library only, no relative import. Nothing here takes longer than a few milliseconds, unless there is a GPU.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

_CORES = Path("/sys/class/powercap")
#: Watts that no processor package exceeds for long: tells how soon its counter may have passed its end twice.
_MOST_WATTS = 600.0
#: What was read when the run began.
_BEGIN: dict[str, Any] = {}


def hardware() -> dict[str, Any]:
    """Return processor, memory [B] and GPUs of this computer, and what of them this process may use or asked for."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "memory_limit": _memory_limit(),
        "gpus": _gpus(),
    }


def job() -> dict[str, str] | None:
    """Return what Slurm calls the job that this kernel runs in."""
    names = {"id": "SLURM_JOB_ID", "partition": "SLURM_JOB_PARTITION", "nodes": "SLURM_JOB_NODELIST"}
    found = {key: os.environ[name] for key, name in names.items() if name in os.environ}
    return found if "id" in found else None


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if line.lower().startswith(("model name", "cpu model", "cpu part")):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_limit() -> int | None:
    """Return what the control group leaves this process of the memory [B]; None where there is no limit."""
    try:
        place = Path("/proc/self/cgroup").read_text(encoding="utf-8").strip().rpartition("::")[2].lstrip("/")
    except OSError:
        return None
    top = Path("/sys/fs/cgroup")
    limits = [_whole(folder / "memory.max") for folder in (top / place, *(top / place).parents)]
    return min((limit for limit in limits if limit), default=None)


def _whole(path: Path) -> int | None:
    """Return the number in a file of the kernel's; None where there is none."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _gpus() -> list[dict[str, Any]]:
    """Return the NVIDIA GPUs. Their tool takes up to a second, so that its answer is kept until the next boot."""
    program = shutil.which("nvidia-smi")
    if program is None or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return []
    kept = _cache() / f"gpus-{platform.node()}-{_boot()}.json"
    try:
        found: list[dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        found = _ask_gpus(program)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found), encoding="utf-8")
    except OSError:
        pass  # asked anew next time
    return found


def _ask_gpus(program: str) -> list[dict[str, Any]]:
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[value.strip() for value in line.split(",")] for line in said.splitlines() if line.count(",") == 2]
    return [{"name": name, "memory": int(size) * 2**20 if size.isdigit() else None, "driver": driver}
            for name, size, driver in rows]  # fmt: skip


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genai4eu" / "kernel"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def begin() -> str:
    """Read every counter, as the run begins; return what the computer is, as JSON."""
    _BEGIN.clear()
    _BEGIN.update(_read())
    return json.dumps({"hardware": hardware(), "job": job()})


def usage() -> str:
    """Return what the run has used since it began: seconds, memory [B] and energy [J], as JSON."""
    now = _read()
    past = {key: now[key] - _BEGIN[key] for key in ("seconds", "cpu_seconds")}
    joules = {name: (value - _BEGIN["counters"][name]) for name, value in now["counters"].items()
              if name in _BEGIN["counters"]}  # fmt: skip
    ranges = {f"processor {n}": _whole(folder / "max_energy_range_uj") for n, folder in enumerate(_packages())}
    for name, length in ranges.items():
        if name not in joules:
            continue
        if not length or past["seconds"] > length / 1e6 / _MOST_WATTS:
            joules.pop(name)  # it may have begun anew more than once
        elif joules[name] < 0:
            joules[name] += length / 1e6
    scheduler = None
    if now["scheduler"] and _BEGIN["scheduler"] is not None and now["scheduler"] > _BEGIN["scheduler"]:
        scheduler = now["scheduler"] - _BEGIN["scheduler"]
    return json.dumps({**past, "peak_memory": _most_memory(), "counter_joules": joules, "scheduler_joules": scheduler})


def _most_memory() -> int:
    """Return the most memory [B] this process held; what ``getrusage`` says of that begins with its parent's."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"VmHWM:\s*(\d+) kB", status)
    except OSError:
        found = None  # no Linux
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024


def _read() -> dict[str, Any]:
    return {
        "seconds": time.monotonic(),
        "cpu_seconds": sum(os.times()[:4]) + _children(os.getpid()),
        "counters": {**_processor_joules(), **_gpu_joules()},
        "scheduler": _scheduler_joules(),
    }


def _children(pid: int) -> float:
    """Return the processor seconds of the processes that this one started and that still run."""
    ticks, total = os.sysconf("SC_CLK_TCK"), 0.0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    for child in children:
        try:
            fields = (
                Path(f"/proc/{child}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            )
        except OSError:
            continue  # it has just ended
        total += sum(map(int, fields[11:15])) / ticks + _children(int(child))
    return total


def _packages() -> list[Path]:
    """Return the energy counters of whole processors (RAPL)."""
    found = sorted(_CORES.glob("intel-rapl:[0-9]")) if _CORES.is_dir() else []
    return [folder for folder in found if not folder.name.count(":") > 1]


def _processor_joules() -> dict[str, float]:
    values = {f"processor {number}": _whole(folder / "energy_uj") for number, folder in enumerate(_packages())}
    return {name: value / 1e6 for name, value in values.items() if value is not None}


def _gpu_joules() -> dict[str, float]:
    """Return what each GPU has used since its driver was loaded, from NVIDIA's own library."""
    if not Path("/proc/driver/nvidia").exists() or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return {}
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
        if library.nvmlInit_v2():
            return {}
    except (OSError, AttributeError):
        return {}
    count, found = ctypes.c_uint(), {}
    library.nvmlDeviceGetCount_v2(ctypes.byref(count))
    for number in range(count.value):
        device, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        failed = library.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(device))
        if not failed and not library.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(millijoules)):
            found[f"GPU {number}"] = millijoules.value / 1e3
    return found


def _scheduler_joules() -> float | None:
    """Return what Slurm says that the job has used; None where it does not account for energy."""
    number = os.environ.get("SLURM_JOB_ID")
    if number is None or ("scheduler" in _BEGIN and _BEGIN["scheduler"] is None):
        return None
    for command in (["sstat", "-a"], ["sacct"]):
        query = [*command, "-n", "-P", "-j", number, "--format=ConsumedEnergyRaw"]
        try:
            said = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        steps = [int(line) for line in said.split() if line.isdigit()]
        if any(steps):
            return float(sum(steps) if command[0] == "sstat" else max(steps))  # sacct names the job beside its steps
    return None
