"""The template's children: forked when asked for, and a few ahead, so that a request finds its kernel already made."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .channel import Channel, ChannelError
from .child import live
from .preload import Preloaded
from .variables import made_alike

_SETTINGS = ("ipython_config.py", "ipython_config.json", "ipython_kernel_config.py", "ipython_kernel_config.json")


@dataclass
class Child:
    """A fork that nobody uses yet, or that has just been given away.

    Attributes
    ----------
    pidfd : int
        Names the process even when its number is another's.
    channel : Channel
        To it; closed, it ends.
    ahead : bool
        Whether it makes its kernel before it is asked for.
    settings : dict or None
        The files of IPython's settings by path, as they were when it read them; None while it is still at it.
    """

    pid: int
    pidfd: int
    channel: Channel
    ahead: bool
    settings: dict[str, float] | None = None
    cuda: bool = True

    def ready(self) -> bool:
        """Tell whether it has made its kernel."""
        if self.settings is None and (message := self._said()):
            self.settings = _stamps(message["made"])
            self.cuda = message["cuda"]
        return self.settings is not None

    def up_to_date(self) -> bool:
        """Tell whether it would read the same settings today."""
        return self.settings is not None and all(_stamp(path) == stamp for path, stamp in self.settings.items())

    def _said(self) -> dict[str, Any] | None:
        self.channel.sock.setblocking(False)
        try:
            self.channel.feed()
        except (BlockingIOError, ChannelError):
            return None
        finally:
            self.channel.sock.settimeout(2)
        message = self.channel.pop()
        return message[0] if message else None


@dataclass
class Nursery:
    """The children that nobody uses yet.

    Attributes
    ----------
    keep : set of int
        Open files that every child may have: what the imports opened, and the standard three.
    wanted : int
        How many to hold ready.
    """

    loaded: Preloaded
    began: Mapping[str, str]
    keep: set[int]
    wanted: int
    ahead: list[Child] = field(default_factory=list)

    def take(self, request: Mapping[str, Any]) -> Child:
        """Return a child for a request: one made ahead if it is as if made for it, else a fresh fork."""
        for child in list(self.ahead):
            if not child.ready():
                continue
            if not child.up_to_date():
                self.drop(child)
            elif not request["options"] and made_alike(request["env"], self.began):
                self.ahead.remove(child)
                return child
        return self.fork(ahead=False)

    def lacks(self) -> bool:
        """Tell whether there are too few children ahead."""
        return len(self.ahead) < self.wanted

    def refill(self) -> Child:
        """Fork one child ahead; called when nothing else is to be done."""
        child = self.fork(ahead=True)
        self.ahead.append(child)
        return child

    def fork(self, ahead: bool) -> Child:
        """Fork a child."""
        mine, its = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            _close_all_but({*self.keep, its.fileno()})
            live(Channel(its), self.loaded, self.began, ahead)
        its.close()
        mine.settimeout(2)
        return Child(pid, os.pidfd_open(pid), Channel(mine), ahead)

    def drop(self, child: Child) -> None:
        """End a child that nobody uses."""
        if child in self.ahead:
            self.ahead.remove(child)
        child.channel.close()
        if child.pidfd >= 0:
            signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)

    def usable(self) -> bool:
        """Tell whether a child could start CUDA, as far as one has said."""
        return all(child.cuda for child in self.ahead if child.ready())


def _close_all_but(keep: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:  # the listing's own
                continue


def _stamps(folders: list[str]) -> dict[str, float]:
    return {str(Path(f, name)): _stamp(str(Path(f, name))) for f in folders for name in _SETTINGS}


def _stamp(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:  # not there, as most are not
        return 0.0
