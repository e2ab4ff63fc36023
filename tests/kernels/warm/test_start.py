"""A warm kernel is like one that was started in the ordinary way, in all but the time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from genai4eu.kernels.warm.variables import patient

from .conftest import Kernel

pytestmark = pytest.mark.slow  # nearly every test starts kernels or servers

Start = Callable[..., Kernel]
OPEN = "import os\nfrom glob import glob"
RANDOM = (
    "(random.random(), float(numpy.random.rand()), float(torch.rand(1)), "
    "random.Random().random(), str(uuid.uuid4()), float(Randomizable.R.rand()))"
)
THREADS = (
    "(torch.get_num_threads(), sorted((p['internal_api'], p['num_threads']) for p in threadpoolctl.threadpool_info()))"
)


def test_a_kernel_is_a_fork_of_the_template(kernel: Kernel, template: dict[str, Any]) -> None:
    assert kernel.value("os.getppid()", "import os") == template["pid"]
    assert kernel.value("__import__('os').getpid()") == kernel.process.pid
    assert "torch" in template["imports"] and "sklearn.ensemble" in template["imports"]
    assert kernel.value("'torch' in sys.modules and len(os.listdir('/proc/self/fd')) < 100", "import os, sys")


def test_pyarrow_starts_no_thread_of_its_allocator(kernel: Kernel) -> None:
    """Pandas imports it where it is installed; a thread in the template would make every start an ordinary one."""
    assert kernel.value("'pyarrow' in sys.modules, os.environ.get('JE_ARROW_MALLOC_CONF')", "import os, sys") == (
        True,
        None,
    )
    assert kernel.value("pa.compute.sum(pa.array(range(100_000))).as_py()", "import pyarrow as pa") == 4_999_950_000


def test_tools_take_it_for_what_it_is(kernel: Kernel) -> None:
    """What tqdm, plotly and others ask to know where they are."""
    assert kernel.value("type(get_ipython()).__name__") == "ZMQInteractiveShell"
    file = kernel.value("get_ipython().config['IPKernelApp']['connection_file']")
    assert file == kernel.manager.connection_file == kernel.value("ipykernel.get_connection_file()", "import ipykernel")
    assert kernel.value("__name__, sys.argv[1:]", "import sys") == ("__main__", ["-f", file])
    assert kernel.value("(In[1] != '', 6 * 7, _dh[0] == __import__('pathlib').Path.cwd())") == (True, 42, True)


def test_what_the_kernel_left_unread_is_there(kernel: Kernel) -> None:
    """Names of modules for ``%reset -f aggressive``, the list of loggers, and a log of its own."""
    new = kernel.value("set(sys.modules) - get_ipython()._sys_modules_keys", "import sys")
    assert "torch" not in new and len(new) < 20, new
    setup = "import logging\nloggers = logging.root.manager.loggerDict\napp = get_ipython().parent"
    assert kernel.value("type(loggers) is dict and len(loggers) > 100 and loggers['WarmKernelApp'] is app.log", setup)
    assert kernel.value("len(app.log.handlers), app.log.level", setup) == (1, 10)
    setup = "import sys, IPython.core.shellapp, ipykernel.ipkernel"
    assert kernel.value("IPython.core.shellapp.sys is sys and ipykernel.ipkernel.sys is sys", setup)


def test_most_of_its_memory_is_shared(kernel: Kernel) -> None:
    """An idle kernel has half a gigabyte of libraries, and twenty megabytes of its own."""
    kernel.run("import torch, sklearn.ensemble, xarray, matplotlib.pyplot, ipywidgets, pandas")
    lines = Path(f"/proc/{kernel.process.pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    stacks = 64 * len(list(Path(f"/proc/{kernel.process.pid}/task").iterdir()))  # as many as there are processors
    assert kilobytes["Private_Dirty"] - stacks < 28 << 10 and kilobytes["Shared_Dirty"] > 200 << 10


def test_libraries_that_look_for_a_kernel_at_their_import_find_it(template: dict[str, Any], start: Start) -> None:
    found = []
    for kernel in (start(), start({"GENAI4EU_WARM": "off"})):
        targets = kernel.value("sorted(get_ipython().kernel.comm_manager.targets)", "import ipywidgets")
        drawn = kernel.value("tqdm.auto.tqdm.__mro__[1].__module__", "import tqdm.auto")
        said = r"re.findall(r'(?m)^(\S+) (?s:.*?)\[currently: (.*)\]', pd.describe_option(_print_desc=False))"
        options = kernel.value(said, "import re; import pandas as pd")
        table = kernel.value("repr(pd.DataFrame([range(30)]))")
        found.append((kernel.warm, targets, drawn, options, table))
    warm, ordinary = found
    assert warm[0] and not ordinary[0] and warm[1:] == ordinary[1:]
    assert "jupyter.widget.control" in warm[1] and len(warm[3]) > 30 and "[1 rows x 30 columns]" in warm[4]


def test_it_takes_over_what_a_process_inherits(template: dict[str, Any], start: Start, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "matplotlibrc").write_text("figure.dpi: 77\n")
    processors = os.sched_getaffinity(0)
    before = os.umask(0o027)
    os.sched_setaffinity(0, {min(processors)})
    try:
        env = {"TMPDIR": str(tmp_path / "deep"), "TZ": "Asia/Tokyo", "MINE": "ä\udcff", "JPY_SESSION_NAME": "s.ipynb"}
        kernel = start(env, cwd=str(tmp_path))
    finally:
        os.umask(before)
        os.sched_setaffinity(0, processors)
    assert kernel.warm
    setup = "import os, tempfile, time, matplotlib"
    assert kernel.value("os.getcwd(), tempfile.gettempdir()", setup) == (str(tmp_path), env["TMPDIR"])
    assert kernel.value("time.tzname[0], os.environ['MINE'], __session__", setup) == ("JST", "ä\udcff", "s.ipynb")
    assert kernel.value("os.sched_getaffinity(0), os.umask(0)", setup) == ({min(processors)}, 0o027)
    assert kernel.value("matplotlib.rcParams['figure.dpi']") == 77.0
    assert "GENAI4EU_WARM_AHEAD" not in kernel.value("dict(os.environ)", setup)


@pytest.mark.parametrize("options", [[], ["--InteractiveShell.xmode=Plain"]], ids=["ahead", "on demand"])
def test_output_goes_where_the_clients_would(start: Start, template: Any, tmp_path: Path, options: list[str]) -> None:
    with (tmp_path / "log").open("wb") as log:
        kernel = start(stdout=log, stderr=subprocess.STDOUT, extra_arguments=options)
        assert kernel.warm
        assert kernel.run("import os, time; os.system('echo from a child'); time.sleep(0.3)") == "from a child"
        kernel.run("import sys; os.write(sys.stdout._original_stdstream_copy, b'to the log')")
    assert b"to the log" in (tmp_path / "log").read_bytes()


def test_options_of_the_kernelspec_are_heeded(template: dict[str, Any], start: Start) -> None:
    kernel = start(extra_arguments=["--InteractiveShell.xmode=Plain"])
    assert kernel.warm and kernel.value("get_ipython().InteractiveTB.mode") == "Plain"


def test_no_two_kernels_draw_the_same_numbers(template: dict[str, Any], start: Start) -> None:
    """Two made ahead, two forked when asked for; MONAI's transforms share a generator made at import."""
    setup = "import random, numpy, torch, uuid\nfrom monai.transforms import Randomizable"
    plain = {"extra_arguments": ["--InteractiveShell.xmode=Plain"]}
    kernels = [start(), start(), start(**plain), start(**plain)]
    assert all(kernel.warm for kernel in kernels)
    for numbers in zip(*[kernel.value(RANDOM, setup) for kernel in kernels], strict=True):
        assert len(set(numbers)) == len(kernels), numbers


@pytest.mark.parametrize(
    "threads", [{}, {"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}]
)
def test_as_many_threads_as_an_ordinary_kernel(template: Any, start: Start, threads: dict[str, str]) -> None:
    setup = "import torch, numpy, scipy.linalg, sklearn.ensemble, threadpoolctl"
    warm, ordinary = start(threads), start({**threads, "GENAI4EU_WARM": "off"})
    assert warm.warm and not ordinary.warm
    assert warm.value(THREADS, setup) == ordinary.value(THREADS, setup)
    assert warm.value("dict((n, os.environ.get(n)) for n in ('OMP_NUM_THREADS',))", "import os") == {
        "OMP_NUM_THREADS": threads.get("OMP_NUM_THREADS")
    }
    assert warm.value("float(torch.ones(500, 500).matmul(torch.ones(500, 500)).sum())") == 500.0**3


@pytest.mark.parametrize(
    "chosen", [{}, {"GENAI4EU_WARM": "off"}, {"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "7"}]
)
def test_threads_soon_sleep_while_they_wait(start: Start, monkeypatch: Any, chosen: dict[str, str]) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY")
    spins = None if "OMP_WAIT_POLICY" in chosen else chosen.get("GOMP_SPINCOUNT", "1000")
    assert start({"GENAI4EU_WARM": "off", **chosen}).value("os.environ.get('GOMP_SPINCOUNT')", "import os") == spins


def test_what_its_owner_chose_stays() -> None:
    assert patient({}) == {"GOMP_SPINCOUNT": "1000"}
    assert patient({"OMP_WAIT_POLICY": "PASSIVE"}) == {"OMP_WAIT_POLICY": "PASSIVE"}


def test_cuda_is_untouched_and_could_be_started(kernel: Kernel) -> None:
    assert kernel.value("torch.cuda.is_initialized(), torch.cuda._is_in_bad_fork()", "import torch") == (False, False)


def test_figures_appear_inline(kernel: Kernel) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint(plt.get_backend())"
    assert "inline" in kernel.run(code)


def test_a_pool_of_processes_works_inside(kernel: Kernel) -> None:
    code = "import torch.utils.data as d\nprint(sorted(int(b) for b in d.DataLoader(range(6), num_workers=2)))"
    assert kernel.run(code) == "[0, 1, 2, 3, 4, 5]"


@pytest.mark.parametrize("options", [{"transport_encryption": "auto"}, {"transport": "ipc"}], ids=["curve", "ipc"])
def test_encrypted_and_local_connections(template: Any, start: Start, options: dict[str, Any]) -> None:
    kernel = start(options=options)
    assert kernel.warm and kernel.value("1 + 1") == 2
    if "transport_encryption" in options:
        assert kernel.client.curve_publickey
        assert kernel.value(
            "bool(IPKernelApp.instance().curve_secretkey)", "from ipykernel.kernelapp import IPKernelApp"
        )


def test_twenty_at_once(template: dict[str, Any], start: Start) -> None:
    with ThreadPoolExecutor(20) as pool:
        kernels = list(pool.map(lambda _: start(), range(20)))
    assert all(kernel.warm for kernel in kernels)
    assert len({kernel.value("__import__('os').getpid()") for kernel in kernels}) == 20


def test_what_a_kernel_has_open_is_its_own(template: dict[str, Any], start: Start) -> None:
    """No kernel holds the template's lock, its socket or another's connection."""
    start()
    kernel = start()
    names = kernel.value("[os.readlink(path) for path in glob('/proc/self/fd/*') if os.path.lexists(path)]", OPEN)
    assert not [name for name in names if name.endswith("/lock")]
    listening = Path("/proc/net/unix").read_text()
    inodes = {line.split()[6] for line in listening.splitlines() if line.endswith("/.socket")}
    assert inodes and not [name for name in names if name.removeprefix("socket:[").rstrip("]") in inodes]


def test_a_warm_kernel_leaves_the_channels_clean(kernel: Kernel) -> None:
    """Waiting until it is ready leaves none of its own answers behind."""
    question = kernel.client.execute("1")
    assert kernel.client.get_shell_msg(timeout=10)["parent_header"]["msg_id"] == question
    assert kernel.client.get_iopub_msg(timeout=10)["parent_header"]["msg_id"] == question
