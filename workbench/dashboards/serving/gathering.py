"""What a server is given: folders of dashboards and bundles of other centres, as one folder. By ``genai4eu serve``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...errors import WorkbenchError, together
from ..dashboard import Dashboard, all_dashboards, dashboards_root
from ..publishing.aside import aside
from .unpacking import unpack


@contextlib.contextmanager
def gathered(
    sources: Sequence[Path], *, trusted: bool = False, told: Callable[[str], None] | None = None
) -> Iterator[tuple[Path, list[Dashboard]]]:
    """Bring sources together for as long as the block runs.

    Parameters
    ----------
    sources : sequence of Path
        Folders of dashboards, which are left where they are, and bundles, which are unpacked into a folder that is
        gone at the end. Without any, the folder where this computer publishes.
    trusted : bool
        Whether the code of bundles may run.
    told : callable, optional
        Is told why a bundle is left out, where others can be served; without it, the first such bundle ends it all.

    Yields
    ------
    (Path, list of Dashboard)
        The folder to serve, and what was unpacked.

    Raises
    ------
    WorkbenchError
        If a source is neither, two dashboards have one address, or no bundle of several is whole.
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
        bundles = [source for source in sources if not source.is_dir()]
        yield root, _unpacked(bundles, root, trusted, told if len(sources) > 1 else None)


def _unpacked(
    bundles: Sequence[Path], root: Path, trusted: bool, told: Callable[[str], None] | None
) -> list[Dashboard]:
    """Unpack bundles; one that is refused keeps the others from nobody, unless none is left."""
    found, refused = [], []
    for bundle in bundles:
        try:
            found.append(unpack(bundle, root, trusted=trusted))
        except WorkbenchError as error:
            if told is None:
                raise
            refused.append(str(error))
    if refused and not found and not all_dashboards(root):
        raise together(refused, "bundles")
    for why in refused:
        assert told is not None
        told(why)
    return found


def _link(folder: Path, root: Path) -> None:
    """Let the dashboards of a folder appear in another."""
    for dashboard in all_dashboards(folder.absolute()):
        try:
            (root / dashboard.slug).symlink_to(dashboard.folder, target_is_directory=True)
        except FileExistsError:
            raise WorkbenchError(f"{folder}: another dashboard is called {dashboard.slug}: serve one of them") from None
