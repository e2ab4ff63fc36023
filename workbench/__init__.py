"""GenAI4EU workbench: a notebook template becomes a run, a run becomes a record, a record becomes a dashboard.

In a notebook::

    import genai4eu

    sizes = genai4eu.resolve(PROFILES, profile, epochs=epochs)  # sizes of the profile, or the explicit ones
    day = genai4eu.coerce(day, date)  # dates and paths are injected as text
    key = genai4eu.secret(key)  # the parameter holds secret:NAME, the value stays out of the record
    run = genai4eu.current_run()  # where the study part leaves what is worth keeping
    run.checkpoint("training", state)  # and run.restore("training"): a run that broke off goes on from there
    record = genai4eu.open_run()  # where the dashboard part finds it again

In a script or notebook that starts runs::

    genai4eu.params("health-imaging")  # what it can be given
    genai4eu.form("health-imaging")  # a form that asks for it and runs
    genai4eu.targets()  # where it can run: state, queue and cost of each place
    record = genai4eu.run("health-imaging", profile="smoke", seed=1)
    genai4eu.monitor("latest")  # a run that goes on elsewhere, and a way to cancel it
    genai4eu.table(compare=[record, "latest~1"])  # all runs, to sort and to compare
    genai4eu.publish(record)  # and genai4eu.republish(slug, record), genai4eu.unpublish(slug)
"""

import importlib
from typing import TYPE_CHECKING, Any

from .runs.coercion import coerce
from .runs.context import CurrentRun, OpenRun, current_run, open_run
from .runs.sizes import resolve

if TYPE_CHECKING:
    from .dashboards.publishing.publish import publish, republish, unpublish
    from .forms import form
    from .monitors import monitor
    from .places import targets
    from .runs.compare import compare
    from .runs.runner import run
    from .secrets import secret
    from .sweeps.summary import open_sweep
    from .sweeps.sweep import sweep
    from .tables import table
    from .views import params

__version__ = "0.1.0"

__all__ = [
    "CurrentRun",
    "OpenRun",
    "__version__",
    "coerce",
    "compare",
    "current_run",
    "form",
    "monitor",
    "open_run",
    "open_sweep",
    "params",
    "publish",
    "republish",
    "resolve",
    "run",
    "secret",
    "sweep",
    "table",
    "targets",
    "unpublish",
]

#: Imported on first use: they bring papermill and more, which a kernel that only executes cells does not need.
_LATER = {
    "form": ".forms",
    "compare": ".runs.compare",
    "monitor": ".monitors",
    "params": ".views",
    "publish": ".dashboards.publishing.publish",
    "republish": ".dashboards.publishing.publish",
    "run": ".runs.runner",
    "secret": ".secrets",
    "open_sweep": ".sweeps.summary",
    "sweep": ".sweeps.sweep",
    "table": ".tables",
    "targets": ".places",
    "unpublish": ".dashboards.publishing.publish",
}


def __dir__() -> list[str]:
    """Name what is imported on first use, too: people find it with the Tab key."""
    return sorted({*globals(), *_LATER})


def __getattr__(name: str) -> Any:
    """Import what starts runs only where it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name], __name__), name)
