"""What a server is given: folders of dashboards and bundles of other centres, as one folder. By ``genai4eu serve``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import WorkbenchError
from ..dashboard import Dashboard, all_dashboards, dashboards_root
from ..publishing.aside import aside
from .unpacking import unpack


@contextlib.contextmanager
def gathered(sources: Sequence[Path], *, trusted: bool = False) -> Iterator[tuple[Path, list[Dashboard]]]:
    """Bring sources together for as long as the block runs.

    Parameters
    ----------
    sources : sequence of Path
        Folders of dashboards, which are left where they are, and bundles, which are unpacked into a folder that is
        gone at the end. Without any, the folder where this computer publishes.
    trusted : bool
        Whether the code of bundles may run.

    Yields
    ------
    (Path, list of Dashboard)
        The folder to serve, and what was unpacked.

    Raises
    ------
    WorkbenchError
        If a source is neither, a bundle is not whole, or two dashboards have one address.
    """
    for source in sources:
        if not source.exists():
            raise WorkbenchError(f"there is no {source}: name bundles (.zip) or folders of dashboards")
    if len(sources) < 2 and all(source.is_dir() for source in sources):
        yield sources[0] if sources else dashboards_root(), []
        return
    with aside(Path(tempfile.gettempdir())) as root:
        for folder in (source for source in sources if source.is_dir()):
            _link(folder, root)
        yield root, [unpack(source, root, trusted=trusted) for source in sources if not source.is_dir()]


def _link(folder: Path, root: Path) -> None:
    """Let the dashboards of a folder appear in another."""
    for dashboard in all_dashboards(folder.absolute()):
        try:
            (root / dashboard.slug).symlink_to(dashboard.folder, target_is_directory=True)
        except FileExistsError:
            raise WorkbenchError(f"{folder}: another dashboard is called {dashboard.slug}: serve one of them") from None
