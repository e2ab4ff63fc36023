"""``python -P -m genai4eu.kernels.warm FOLDER``: be that folder's template. Started by a client, in background."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .place import Place


def main() -> None:
    """Import everything, serve, and leave nothing behind."""
    place = Place(Path(sys.argv[1]))
    if not place.take():
        return  # another was quicker
    began = dict(os.environ)
    try:
        from .preload import preload
        from .template import Template

        loaded = preload()
        template = Template(place, loaded, began, _open_files() - {place.held})
    except BaseException:
        place.release(keep_log=True)
        raise
    try:
        template.run()
    except SystemExit:
        pass
    finally:
        template.retire()
    os._exit(0)  # tearing down what is loaded takes long and copies the memory of the kernels that go on


def _open_files() -> set[int]:
    listed = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
    return {fd for fd in listed if os.path.lexists(f"/proc/self/fd/{fd}")}  # one was the listing's own


if __name__ == "__main__":
    main()
