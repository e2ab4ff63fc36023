"""A real Slurm of four nodes on this computer, in a folder of its own. Used by ``conftest``.

No systemd, no database, no cgroups: memory limits and GPU isolation are not enforced here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

NODES = ("node1", "node2", "node3", "node4")
PROGRAMS = ("sbatch", "slurmctld", "slurmd", "munged", "scontrol", "squeue", "scancel", "sinfo")
SETTINGS = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={first}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,bf_resolution=1
ReturnToService=2
SlurmctldTimeout=5
SlurmdTimeout=6
MessageTimeout=5
KillWait=2
MinJobAge=3600
DefMemPerCPU=100
PropagateResourceLimits=NONE
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
FirstJobId={job}
{nodes}
PartitionName=cpu Nodes=node[1-4] Default=YES MaxTime=2:00:00 DefaultTime=10
PartitionName=gpu Nodes=node[3-4] MaxTime=2:00:00 DefaultTime=10
"""


class Cluster:
    """The cluster's processes and its folder; the environment variable ``SLURM_CONF`` leads to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.env = {**os.environ, "SLURM_CONF": str(self.conf)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Bring the cluster up; raise with the end of the logs where it does not come."""
        self._write()
        d = self.folder
        munge = ["munged", "--foreground", "--force", f"--key-file={d}/munge.key", f"--socket={d}/munge.socket"]
        self.launch("munged", [*munge, f"--pid-file={d}/munged.pid", f"--seed-file={d}/munge.seed"])
        wait_for(lambda: (d / "munge.socket").exists(), "munged")
        self.start_controller("-c")
        for node in NODES:
            self.start_node(node)
        try:
            wait_for(lambda: self.idle() == set(NODES), "nodes", 30)
        except AssertionError:
            logs = [f"{log.name}: {log.read_text()[-1500:]}" for log in sorted(d.glob("*.log"))]
            raise AssertionError("Slurm is installed but does not start:\n" + "\n".join(logs)) from None

    def _write(self) -> None:
        ports = free_block(len(NODES) + 1)
        names = {"spool": NODES, "state": (), "dev": ()}
        for name, inner in names.items():
            for path in (self.folder / name, *(self.folder / name / i for i in inner)):
                path.mkdir(mode=0o755)
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        for number, device in enumerate(("null", "zero")):  # a plain or missing file would drain the node
            (self.folder / "dev" / f"fakegpu{number}").symlink_to(f"/dev/{device}")
        host = socket.gethostname().split(".")[0]
        nodes = [
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports + 1 + i} CPUs=8 RealMemory=8000"
            + (" Gres=gpu:fake:2" if i > 1 else "")
            for i, name in enumerate(NODES)
        ]
        job = int(time.time()) % 50_000_000 + 1000  # higher each time: job credentials of another cluster are refused
        self.conf.write_text(
            SETTINGS.format(host=host, port=ports, first=ports + 1, folder=self.folder, job=job,
                            user=psutil.Process().username(), nodes="\n".join(nodes))
        )  # fmt: skip
        gres = f"NodeName=node[3-4] Name=gpu Type=fake File={self.folder}/dev/fakegpu[0-1]\n"
        (self.folder / "gres.conf").write_text(gres)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=autodetect\n")

    def launch(self, name: str, command: list[str]) -> None:
        program = find(command[0])
        assert program, command[0]
        with (self.folder / f"{name}.out").open("ab") as out:
            self._processes[name] = subprocess.Popen(
                [program, *command[1:]], env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, cwd=self.folder,
            )  # fmt: skip

    def start_controller(self, *options: str) -> None:
        self.launch("slurmctld", ["slurmctld", "-D", *options, "-f", str(self.conf)])
        wait_for(lambda: "is UP" in self("scontrol", "ping", check=False), "slurmctld", 30)

    def idle(self) -> set[str]:
        lines = self("sinfo", "-h", "-N", "-o", "%N %T", check=False).splitlines()
        return {line.split()[0] for line in lines if line.split()[1] == "idle"}

    def stop_controller(self) -> None:
        self._processes["slurmctld"].terminate()  # it saves what it knows, which a killed one forgets
        self._processes["slurmctld"].wait(30)
        self.kill("slurmctld")

    def start_node(self, node: str) -> None:
        self.launch(node, ["slurmd", "-D", "-f", str(self.conf), "-N", node])

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and all that runs on it, as a power cut would."""
        steps = [p for p in psutil.process_iter() if _on_node(p, node, self.conf)]
        self.kill(node)
        kill_trees([*self.stepds(node), *steps])

    def stepds(self, node: str) -> list[psutil.Process]:
        """Return the processes that keep the jobs of a node."""
        keepers = [p for p in psutil.process_iter(["name"]) if p.info["name"].startswith("slurmstepd")]
        return [p for p in keepers if any(_on_node(c, node, self.conf) for c in _safe_children(p))]

    def kill(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def __call__(self, *command: str, check: bool = True) -> str:
        """Run one of Slurm's programs and return what it says."""
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def stop(self) -> None:
        """End everything of the cluster, by id."""
        if "slurmctld" in self._processes:
            self("scancel", "--user", str(os.getuid()), "--full", "--signal=KILL", check=False)
            self("scancel", "--user", str(os.getuid()), check=False)
            deadline = time.monotonic() + 10
            while self("squeue", "-h", check=False).strip() and time.monotonic() < deadline:
                time.sleep(0.1)
        left = [p for p in psutil.process_iter() if _env(p).get("SLURM_CONF") == str(self.conf)]
        for name in list(self._processes):
            self.kill(name)
        mine = psutil.Process()
        for process in left:
            if process != mine and process not in mine.parents():
                kill_trees([process])


def find(program: str) -> str | None:
    """Return a program's path; daemons lie where the PATH of a user may not lead."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _env(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:  # it has just ended
        return {}


def _on_node(process: psutil.Process, node: str, conf: Path) -> bool:
    env = _env(process)
    return env.get("SLURMD_NODENAME") == node and env.get("SLURM_CONF") == str(conf)


def _safe_children(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
    try:
        return process.children(recursive)
    except psutil.NoSuchProcess:
        return []


def kill_trees(processes: list[psutil.Process]) -> None:
    """Kill processes and all below them at once: none has the time to say that another has ended."""
    below = [child for process in processes for child in _safe_children(process, recursive=True)]
    for act in (psutil.Process.suspend, psutil.Process.kill):
        for process in [*processes, *below]:
            with contextlib.suppress(psutil.NoSuchProcess):
                act(process)


def free_block(size: int) -> int:
    """Return the first of ``size`` neighbouring free ports."""
    for first in range(26000 + os.getpid() % 1000 * 6, 60000, size):
        try:
            for port in range(first, first + size):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free block of ports")


def wait_for(fact: Callable[[], object], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"{what} did not come up"
        time.sleep(0.05)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster for the time of a ``with``."""
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
