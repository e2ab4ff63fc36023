"""``python -P -m genai4eu.kernels.warm FOLDER``: be that folder's template. Started by a client, in background.

``FOLDER LOCK MODULE …`` is how it begins again, in the same process, without the modules whose import starts a thread.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from .place import Place


def main() -> None:
    """Import everything, serve, and leave nothing behind."""
    place, without = Place(Path(sys.argv[1])), sys.argv[3:]
    if without:
        place.held = int(sys.argv[2])
        os.set_inheritable(place.held, False)
    elif not place.take():
        return  # another was quicker
    began = dict(os.environ)
    try:
        from .preload import StartedThreadError, preload
        from .template import Template

        try:
            loaded = preload(without)
        except StartedThreadError as error:
            _again(place, [*without, error.name], began)
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


def _again(place: Place, without: list[str], began: dict[str, str]) -> NoReturn:
    """Begin again as the same process, which holds the place throughout: a thread cannot be taken back."""
    print(f"importing {without[-1]} starts a thread: beginning again without it", flush=True)
    os.set_inheritable(place.held, True)
    command = [sys.executable, "-P", "-m", "genai4eu.kernels.warm", str(place.folder), str(place.held), *without]
    os.execve(sys.executable, command, began)


def _open_files() -> set[int]:
    listed = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
    return {fd for fd in listed if os.path.lexists(f"/proc/self/fd/{fd}")}  # one was the listing's own


if __name__ == "__main__":
    main()
