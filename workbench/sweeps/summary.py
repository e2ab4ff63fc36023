"""The summary of a sweep, written when it ends: a notebook that was executed, a page, and a table as CSV.

The notebook is written and executed here; its cells call ``Summary``, so that it can be executed again, and changed.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from ..runs.files import write_text
from ..runs.view import save
from .figures import METRICS, can_draw, plot
from .folder import Sweep, counts, find
from .outcome import Outcome
from .page import ROWS, page
from .table import shown


class Summary:
    """What the cells of ``summary.ipynb`` show; ``genai4eu.open_sweep`` returns it.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    best : str, optional
        ``METRIC``, ``METRIC:min`` or ``METRIC:max``.
    """

    def __init__(self, sweep: Sweep, best: str | None = None) -> None:
        self.sweep = sweep
        self.outcome = Outcome(sweep, sweep.states(), best)

    def _repr_markdown_(self) -> str:
        """Show how the sweep went, and its best run."""
        info, states = self.sweep.info, self.outcome.states
        said = ", ".join(f"{number} {status}" for status, number in counts(states).items())
        lines = [f"{len(states)} runs of `{info['template']}` on `{info['target']}`: {said}."]
        if (best := self.outcome.best) is not None and (by := self.outcome.best_by) is not None:
            lines.append(f"Best run: `{best.run}` ({by.words}).")
        if failed := [s for s in states if s.over and s.status != "completed"]:
            lines.append(f"{len(failed)} did not complete, the first because of: {failed[0].error}.")
        return " ".join(lines)

    def __repr__(self) -> str:
        return self._repr_markdown_()

    def plot(self, metric: str) -> None:
        """Show one metric over the parameters that were studied; in a light installation say why not."""
        if not can_draw():
            print("no figures: matplotlib is not installed here; the table below holds the numbers")
            return
        plot(self.outcome, metric)

    def table(self) -> Table:
        """Return all points, the best first."""
        return Table(self.outcome)


class Table:
    """The points as a notebook shows them."""

    def __init__(self, outcome: Outcome) -> None:
        rows = outcome.ranked()
        self._rows, self._left_out = rows[:ROWS], max(0, len(rows) - ROWS)

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in self._rows[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row.values()) + "</tr>"
            for row in self._rows
        )
        return f'<div class="wide"><table><tr>{heads}</tr>{body}</table></div>{html.escape(self._more)}'

    @property
    def _more(self) -> str:
        return f"{self._left_out} more are in points.csv" if self._left_out else ""

    def __repr__(self) -> str:
        lines = ["\t".join(self._rows[0]), *("\t".join(map(_cell, row.values())) for row in self._rows), self._more]
        return "\n".join(filter(None, lines))


def _cell(value: Any) -> str:
    return "" if value is None else shown(value)


def open_sweep(name: str | Path, best: str | None = None) -> Summary:
    """Return the summary of a sweep, by its id, a part of it, its folder, or ``latest``.

    Raises
    ------
    WorkbenchError
        If there is no such sweep, or no run has the metric.
    """
    return Summary(find(str(name)), best)


def write(sweep: Sweep, best: str | None = None) -> Path:
    """Write notebook, page and table into the sweep's folder; return the page.

    Raises
    ------
    WorkbenchError
        If no run has the metric that ``best`` names.
    """
    import nbformat

    outcome = Outcome(sweep, sweep.states(), best)
    write_text(sweep.folder / "points.csv", outcome.csv())
    notebook = _notebook(outcome, best)
    _execute(notebook, sweep.folder)
    write_text(sweep.folder / "summary.ipynb", nbformat.writes(notebook) + "\n")
    said = repr(Summary(sweep, best)).replace("`", "")
    return save(page(outcome, said), sweep.folder)


def _notebook(outcome: Outcome, best: str | None) -> Any:
    """Return the notebook, not yet executed."""
    from nbformat import v4

    asked = '"."' if best is None else f'".", best={best!r}'
    cells = [
        v4.new_markdown_cell(f"# {outcome.finding}\n\n{outcome.sweep.info['title']} · sweep `{outcome.sweep.id}`"),
        v4.new_code_cell(f"import genai4eu\n\nsweep = genai4eu.open_sweep({asked})\nsweep"),
        *(v4.new_code_cell(f"sweep.plot({metric!r})") for metric in list(outcome.metrics)[:METRICS] if outcome.varied),
        v4.new_code_cell("sweep.table()"),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _execute(notebook: Any, folder: Path) -> None:
    """Execute the notebook in a kernel of this computer; what goes wrong stands in it, the runs are safe."""
    from nbclient import NotebookClient

    from genai4eu.kernels import local

    from ..runs.manager import kernel_manager

    client = NotebookClient(notebook, km=kernel_manager(local.ensure()), allow_errors=True, timeout=300)
    client.owns_km = True
    with (folder / "workers.log").open("ab") as log, client.setup_kernel(cwd=str(folder), stdout=log, stderr=log):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
