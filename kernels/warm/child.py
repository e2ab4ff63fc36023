"""A fork of the template: it makes a kernel, waits to be given to a client, and becomes that client's kernel."""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import multiprocessing
import multiprocessing.util
import os
import select
import signal
import socket
import sys
import threading
import traceback
import weakref
from collections.abc import Mapping
from typing import Any, NoReturn

import zmq

from .adopt import adopt, call_process, use_threads
from .channel import Channel, ChannelError
from .kernel import WarmKernelApp
from .preload import Preloaded

#: What ``ps -o comm`` and ``top`` show: the command line is the template's.
_SHOWN = "genai4eu-kernel"
#: How a child ends whose port another process took between its choice and now.
PORT_TAKEN = errno.EADDRINUSE


def live(template: Channel, loaded: Preloaded, began: Mapping[str, str], ahead: bool) -> NoReturn:
    """Be a kernel until it ends. Called in the fork, and never returns into the template's code.

    Parameters
    ----------
    template : Channel
        Over which the request comes; when it closes before, nobody wants this child any more.
    loaded : Preloaded
        What the template imported.
    began : mapping
        The variables with which the template began.
    ahead : bool
        Whether to make the kernel before the request is known; else its settings are those of the request.
    """
    code = 1
    try:
        code = _live(template, loaded, began, ahead)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  # the kernel's own output is the only place to say it
        traceback.print_exc(file=sys.__stderr__)
    finally:
        _flush()
        os._exit(code)


def _live(template: Channel, loaded: Preloaded, began: Mapping[str, str], ahead: bool) -> int:
    _become_own(loaded)
    app = WarmKernelApp.instance()
    if ahead:
        use_threads(loaded.pools, began)
        app.make([], loaded.code_files)
        template.send({"made": [str(path) for path in app.config_file_paths], "cuda": _cuda_is_usable()})
    request = _wait(template)
    if request is None:
        return 0
    content, fds = request
    adopt(content, fds, loaded)
    call_process(_SHOWN)
    if "parent" in fds:
        _end_with(fds["parent"])
    if not ahead:
        app.make(content["options"], loaded.code_files)
    try:
        app.connect(content["connection_file"])
    except zmq.ZMQError as error:
        if error.errno == errno.EADDRINUSE:
            return PORT_TAKEN
        raise
    _tell(fds["client"])
    app.settle(loaded)
    gc.enable()
    app.start()
    threading._shutdown()  # type: ignore[attr-defined]  # what an interpreter does at its end, but for tearing down
    atexit._run_exitfuncs()
    return 0


def _become_own(loaded: Preloaded) -> None:
    """Share nothing with the template that a process of its own would not."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for renew in loaded.renewals:
        renew()
    multiprocessing.current_process().authkey = os.urandom(32)
    for function in (weakref.finalize._exitfunc, logging.shutdown, multiprocessing.util._exit_function):  # type: ignore[attr-defined]
        atexit.register(function)


def _cuda_is_usable() -> bool:
    """Tell whether CUDA can be started here: not if the template asked the driver anything."""
    torch: Any = sys.modules.get("torch")
    return torch is None or not (torch.cuda._is_in_bad_fork() or torch.cuda.is_initialized())


def _wait(template: Channel) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Return the request with its open files by name, or None if there will be none."""
    try:
        content, fds = template.receive()
    except ChannelError:
        return None
    finally:
        template.close()
    return content, dict(zip(content["fds"], fds, strict=True))


def _tell(client: int) -> None:
    """Tell the client that its kernel can be reached; it may have lost patience."""
    with socket.socket(fileno=client) as sock:
        try:
            Channel(sock).send({"bound": os.getpid()})
        except OSError:
            return


def _end_with(pidfd: int) -> None:
    """End this process when another does, as a kernel does whose client is gone."""

    def watch() -> None:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll()
        os._exit(1)

    threading.Thread(target=watch, name="Parent", daemon=True).start()


def _flush() -> None:
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):  # whoever read it has gone
            continue
