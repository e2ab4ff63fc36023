"""Which variables lock a client out of a template, and what may be said about the template."""

from __future__ import annotations

import sys

import pytest

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.warm.settings import settings
from genai4eu.kernels.warm.variables import unlike, without_traces


@pytest.mark.parametrize("name", [
    "CLICOLOR", "FORCE_COLOR", "GIT_PAGER", "JPY_PARENT_PID", "JPY_SESSION_NAME", "JUPYTER_CONFIG_PATH", "LC_TERMINAL",
    "MPLBACKEND", "NO_COLOR", "PAGER", "PYDEVD_DISABLE_FILE_VALIDATION", "PYTHONIOENCODING", "PYTHONUNBUFFERED",
    "PYTHON_BASIC_REPL", "SCRIPT_NAME", "SLURM_JOB_ID", "TERM", "VSCODE_PID",
])  # fmt: skip
def test_what_tools_set_for_themselves_locks_nobody_out(name: str) -> None:
    assert unlike({name: "1"}, {}, {}) is None and unlike({}, {name: "1"}, {name: "1"}) is None


@pytest.mark.parametrize("name", ["PYTHONPATH", "LC_ALL", "PYDEVD_USE_CYTHON", "GEVENT_SUPPORT", "KMP_AFFINITY"])
def test_what_was_read_at_import_does(name: str) -> None:
    assert unlike({name: "1"}, {}, {}) == name == unlike({}, {name: "1"}, {name: "1"})


def test_what_imports_left_behind_goes_to_no_template() -> None:
    left = {"KMP_INIT_AT_FORK": "FALSE", "PYDEVD_USE_FRAME_EVAL": "NO", "HDF5_PLUGIN_PATH": f"{sys.prefix}/plugins"}
    own = {"KMP_DUPLICATE_LIB_OK": "no", "HOME": "/home/ada"}
    assert without_traces(left | own) == own
    assert without_traces({"HDF5_PLUGIN_PATH": "/opt/plugins"}) == {"HDF5_PLUGIN_PATH": "/opt/plugins"}


def test_settings() -> None:
    assert settings({}) == (900, 3)
    assert settings({"GENAI4EU_WARM_IDLE": "0.5", "GENAI4EU_WARM_AHEAD": "0"}) == (0.5, 0)


@pytest.mark.parametrize("name", ["GENAI4EU_WARM_IDLE", "GENAI4EU_WARM_AHEAD"])
@pytest.mark.parametrize("value", ["abc", "-1", "inf", "nan", "1e99"])
def test_settings_of_no_use_are_named(name: str, value: str) -> None:
    with pytest.raises(KernelsError, match=f"{name} is '{value}': give .* or unset it"):
        settings({name: value})


def test_half_a_child_is_refused() -> None:
    with pytest.raises(KernelsError, match="a whole number"):
        settings({"GENAI4EU_WARM_AHEAD": "1.5"})


def test_who_imported_what_the_template_leaves_to_kernels_is_served() -> None:
    """The imports of the kernel set it again: netCDF4 names the plugins that it brings along."""
    plugins = {"HDF5_PLUGIN_PATH": f"{sys.prefix}/lib/netCDF4/plugins", "KMP_INIT_AT_FORK": "FALSE"}
    assert unlike(plugins, {}, {}) is None
    theirs = {"HDF5_PLUGIN_PATH": "/somebody/elses"}
    assert unlike(theirs, {}, {}) == "HDF5_PLUGIN_PATH"
    assert unlike({}, theirs, theirs) == "HDF5_PLUGIN_PATH"
