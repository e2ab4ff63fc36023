"""What libraries do at their import if a kernel is there. In the template there was none; a child makes up for it."""

from __future__ import annotations

import sys
from typing import Any

#: Choose at their import how to draw, and so must be imported again.
_CHOOSERS = ("tqdm.auto", "tqdm.autonotebook")
#: Columns that pandas shows: as many as a terminal is wide, or where there is a kernel, whose width it cannot know.
_TERMINAL, _NOTEBOOK = 0, 20
#: Left out of the template because they are slow to build; user's code may want them.
_LEFT_OUT = ("rfc3987_syntax",)


def make_up() -> None:
    """Do what the imports would have done in a kernel. Called by a child as soon as it has made its own."""
    ipywidgets: Any = sys.modules.get("ipywidgets")
    if ipywidgets is not None:
        ipywidgets.register_comm_target()  # by it a page asks for the state of all widgets
    pandas: Any = sys.modules.get("pandas")
    if pandas is not None and pandas.get_option("display.max_columns") == _TERMINAL:
        pandas.set_option("display.max_columns", _NOTEBOOK, "display.encoding", sys.stdout.encoding)
    for name in _CHOOSERS:
        if sys.modules.pop(name, None) is not None:
            package, _, attribute = name.rpartition(".")
            vars(sys.modules[package]).pop(attribute, None)
    for name in _LEFT_OUT:
        if sys.modules.get(name, ...) is None:
            del sys.modules[name]
