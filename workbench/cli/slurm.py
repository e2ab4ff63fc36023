"""``genai4eu slurm``: thin over ``genai4eu.kernels.slurm``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from . import app
from .show import emit, table

slurm = typer.Typer(help="Kernels as jobs of a Slurm cluster.", no_args_is_help=True)
app.add_typer(slurm, name="slurm")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Words = list[str] | None


@slurm.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call the target.")],
    partition: Annotated[str, typer.Option(help="Partition, or several with commas.")] = "",
    account: Annotated[str, typer.Option(help="Project that pays.")] = "",
    qos: Annotated[str, typer.Option(help="Quality of service.")] = "",
    time: Annotated[str, typer.Option(help="Longest time of a job: minutes, HH:MM:SS or D-HH:MM:SS.")] = "",
    nodes: Annotated[int | None, typer.Option(help="Nodes; the kernel runs on the first.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU cores on each node.")] = None,
    memory: Annotated[str, typer.Option(help="Memory on each node, such as 16G.")] = "",
    gpus: Annotated[str, typer.Option(help="GPUs on each node, such as 2 or a100:2.")] = "",
    container: Annotated[str, typer.Option(help="Apptainer command line: 'apptainer exec --nv IMAGE'.")] = "",
    module: Annotated[Words, typer.Option(help="Module to load; may be repeated.")] = None,
    setup: Annotated[str, typer.Option(help="Script on the node to source first.")] = "",
    extra: Annotated[Words, typer.Option(help="Option of sbatch: --extra=--name=value; may be repeated.")] = None,
    python: Annotated[str, typer.Option(help="Python on the node, or in the container, that has genai4eu.")] = "",
    kernel: Annotated[str, typer.Option(help="Kernelspec there; genai4eu is that Python itself.")] = "genai4eu",
    warm: Annotated[bool, typer.Option("--warm", help="Fork kernels in the job from a template.")] = False,
    folder: Annotated[str, typer.Option(help="Folder that login node and compute nodes share.")] = "",
    lease: Annotated[int, typer.Option(help="Seconds after which a job that nobody asks for ends.")] = 120,
    display_name: Annotated[str, typer.Option(help="How notebooks list it.")] = "",
    check: Annotated[bool, typer.Option(help="Ask Slurm first if it would take such a job.")] = True,
) -> None:
    """Make a Slurm partition a target for every Jupyter tool: each kernel is a job."""
    from genai4eu.kernels.slurm import targets
    from genai4eu.kernels.slurm.options import Options

    options = Options(
        partition=partition, account=account, qos=qos, time=time, nodes=nodes, cpus=cpus, memory=memory, gpus=gpus,
        container=_words(container), modules=tuple(module or ()), setup=setup, extra=tuple(extra or ()),
        python=python or sys.executable, kernel=kernel, warm=warm,
        folder=str(Path(folder).expanduser().absolute()) if folder else "", lease=lease,
    )  # fmt: skip
    done = "replaced" if name in targets.all_of_them() else "added"
    title = targets.add(name, options, display_name, check)
    print(name)
    typer.echo(f"{done}; JupyterLab lists it as {title}, and genai4eu run TEMPLATE --on {name} runs there", err=True)


def _words(line: str) -> tuple[str, ...]:
    """Split a command line as a shell would, without doing anything else that a shell does."""
    try:
        return tuple(shlex.split(line))
    except ValueError as error:
        raise typer.BadParameter(f"{line!r} is no command line ({error})", param_hint="--container") from None


@slurm.command("list")
def list_targets(as_json: Json = False) -> None:
    """List the Slurm targets and what their jobs ask for."""
    from genai4eu.kernels.slurm import targets
    from genai4eu.kernels.slurm.script import wishes

    known = targets.all_of_them()
    if as_json:
        emit([{"name": name, **options.kept()} for name, options in known.items()])
    elif not known:
        print("no Slurm targets yet; add one: genai4eu slurm add NAME --partition PARTITION --time 1:00:00")
    else:
        table(["target", "asks for"], [[name, shlex.join(wishes(options))] for name, options in known.items()])


@slurm.command("remove")
def remove(name: Annotated[str, typer.Argument(help="Name of the target.")]) -> None:
    """Remove a Slurm target; its jobs go on."""
    from genai4eu.kernels.slurm import targets

    targets.remove(name)
    typer.echo("removed", err=True)


@slurm.command("jobs")
def jobs(as_json: Json = False) -> None:
    """List your kernels' jobs: waiting, running, and those that Slurm still remembers."""
    from genai4eu.kernels.slurm import jobs

    found = jobs.ours()
    if as_json:
        emit(found)
    elif not found:
        print("no jobs of kernels")
    else:
        columns = ["job", "target", "state", "reason", "place", "left", "node"]
        table(columns, [["" if row[c] is None else str(row[c]) for c in columns] for row in found])


@slurm.command("cancel")
def cancel(
    job: Annotated[str, typer.Argument(help="Number of the job.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All your kernels' jobs.")] = False,
) -> None:
    """Cancel a kernel's job, waiting or running; jobs of other kinds are left alone."""
    from genai4eu.kernels.slurm import jobs

    if bool(job) == everything:
        raise typer.BadParameter("give the number of a job, or --all")
    for number in jobs.cancel(None if everything else job):
        print(number)
