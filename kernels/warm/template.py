"""The template: one process with everything imported, whose forks become kernels. Started in background by a client."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .adopt import beyond, call_process
from .channel import Channel, ChannelError, listen, same_user
from .children import Child, Nursery
from .installed import Installed
from .place import Place
from .preload import Preloaded
from .settings import UNTIL, settings
from .variables import unlike

#: Seconds after a request in which the processors belong to the kernels, not to new children.
_QUIET = 0.4
#: Milliseconds that a poll can wait for at once: a template may be idle for longer.
_LONGEST = 1 << 30


@dataclass
class Conversation:
    """One client: what it asked for, and the child that it was offered, or has."""

    channel: Channel
    request: dict[str, Any] = field(default_factory=dict)
    fds: list[int] = field(default_factory=list)
    child: Child | None = None

    def send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> bool:
        """Send, and tell whether anybody was there to take it."""
        try:
            self.channel.send(message, fds)
        except OSError:
            return False
        return True

    def close_fds(self) -> None:
        """Close the open files that came with the request."""
        for fd in self.fds:
            os.close(fd)
        self.fds = []


class Template:
    """Serves forks of this process at a place.

    Parameters
    ----------
    place : Place
        Where to listen.
    loaded : Preloaded
        What was imported.
    began : mapping
        The variables with which this process began.
    keep : set of int
        Open files that every child may have.
    """

    def __init__(self, place: Place, loaded: Preloaded, began: Mapping[str, str], keep: set[int]) -> None:
        self.place, self.loaded, self.began = place, loaded, dict(began)
        self.idle, ahead = settings(began)
        self.nursery = Nursery(loaded, self.began, keep, ahead)
        self.installed = Installed()
        self.kernels: dict[int, Conversation | None] = {}  # who hears how it ended, by pid
        self.started, self.born, self.asked = 0, time.time(), time.monotonic() - _QUIET
        self.retired = False
        self._handlers: dict[int, Callable[[], None]] = {}
        self._poll = select.poll()
        self._listener = listen(place.socket)
        self._watch(self._listener.fileno(), self._accept)
        if pid := began.get(UNTIL):
            self._watch(os.pidfd_open(int(pid)), sys.exit)

    def run(self) -> None:
        """Serve until nobody has asked for the idle time and no kernel of ours runs, or until told to stop."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        call_process("genai4eu-warm")
        while not self._over():
            self._refill()
            for fd, _ in self._poll.poll(self._pause()):
                if fd in self._handlers:  # an earlier one of the same round may have ended it
                    self._handlers[fd]()

    def _watch(self, fd: int, handler: Callable[[], None]) -> None:
        self._handlers[fd] = handler
        self._poll.register(fd, select.POLLIN)

    def _forget(self, fd: int) -> None:
        if self._handlers.pop(fd, None):
            self._poll.unregister(fd)

    def _over(self) -> bool:
        if self.kernels:
            return False
        return self.retired or time.monotonic() - self.asked > self.idle

    def _pause(self) -> float | None:
        """Return how many milliseconds to wait for something to happen; None is for ever."""
        since = time.monotonic() - self.asked
        if not self.retired and self.nursery.lacks():
            return max(0.0, _QUIET - since) * 1000
        return None if self.kernels else min(max(0.0, self.idle - since) * 1000, _LONGEST)

    def _refill(self) -> None:
        if self.retired or not self.nursery.lacks() or time.monotonic() - self.asked < _QUIET:
            return
        child = self.nursery.refill()
        self._watch(child.pidfd, lambda: self._ended(child))

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        if not same_user(sock):
            return sock.close()
        sock.settimeout(2)
        conversation = Conversation(Channel(sock))
        return self._watch(sock.fileno(), lambda: self._hear(conversation))

    def _hear(self, conversation: Conversation) -> None:
        """Take what a client says; one that has gone or talks nonsense is forgotten."""
        try:
            conversation.channel.feed()
            while message := conversation.channel.pop():
                self._answer(conversation, *message)
        except (OSError, LookupError, TypeError, ValueError) as error:
            self._hang_up(conversation)
            if not isinstance(error, ChannelError):
                print(f"a request that could not be served: {error!r}", flush=True)

    def _answer(self, conversation: Conversation, message: dict[str, Any], fds: list[int]) -> None:
        ask = message["ask"]
        if ask == "kernel":
            conversation.request = message
            self._offer(conversation)
        elif ask == "go" and conversation.child:
            conversation.request["fds"], conversation.fds = message["fds"], fds
            self._give(conversation, conversation.child)
        elif ask == "status":
            conversation.send(self.about())
        elif ask == "stop":
            conversation.send({"stopping": os.getpid()})
            sys.exit(0)

    def _offer(self, conversation: Conversation) -> None:
        """Offer a child. It becomes the client's only when that says so: it may have lost patience long ago."""
        self.asked = time.monotonic()
        refusal = self._refusal(conversation.request)
        if refusal:
            conversation.send({"refused": refusal, "retired": self.retired})
            return
        child = self.nursery.take(conversation.request)
        conversation.child = child
        if not conversation.send({"pid": child.pid}, (child.pidfd,)):
            self._hang_up(conversation)
        elif child.pidfd not in self._handlers:
            self._watch(child.pidfd, lambda: self._ended(child))

    def _refusal(self, request: dict[str, Any]) -> str | None:
        if changed := self.installed.changed():
            self.retire()
            return f"{changed} has changed since the template was started"
        if name := unlike(request["env"], self.began, os.environ):
            return f"{name} differs from the template's ({self.began.get(name)!r}): genai4eu warm stop makes room"
        if name := beyond(request):
            return f"{name} is not within the template's own limit"
        return None if self.nursery.usable() else "an import of the template has touched CUDA"

    def _give(self, conversation: Conversation, child: Child) -> None:
        self.kernels[child.pid], conversation.child = conversation, None
        self.started += 1
        names = ["client", *conversation.request["fds"]]
        try:
            child.channel.send(
                {**conversation.request, "fds": names}, (conversation.channel.fileno(), *conversation.fds)
            )
        finally:
            conversation.close_fds()
            child.channel.close()

    def _hang_up(self, conversation: Conversation) -> None:
        self._forget(conversation.channel.fileno())
        conversation.close_fds()
        conversation.channel.close()
        for pid, client in self.kernels.items():
            if client is conversation:
                self.kernels[pid] = None
        child = conversation.child  # offered and not taken
        if child and child.pidfd >= 0:
            if child.ahead and not self.retired:
                self.nursery.ahead.append(child)
            else:
                self.nursery.drop(child)

    def _ended(self, child: Child) -> None:
        """Learn how a child ended, and tell its client."""
        self._forget(child.pidfd)
        _, status = os.waitpid(child.pid, 0)
        os.close(child.pidfd)
        child.pidfd = -1  # the number may soon be another's
        if child in self.nursery.ahead:  # it could not even be made: the same would befall the next
            self.nursery.ahead.remove(child)
            self.nursery.wanted = 0
            print("a child forked ahead has ended by itself: forking when asked from now on", flush=True)
        conversation = self.kernels.pop(child.pid, None)
        self.asked = time.monotonic() if not self.kernels else self.asked
        if conversation:
            conversation.send({"returncode": os.waitstatus_to_exitcode(status)})

    def retire(self) -> None:
        """Serve nobody any more, but learn how the kernels end. The place is free for the next template."""
        if self.retired:
            return
        self.retired = True
        self._forget(self._listener.fileno())
        self._listener.close()
        for child in list(self.nursery.ahead):
            self.nursery.drop(child)
        self.place.release()

    def about(self) -> dict[str, Any]:
        """Return what ``genai4eu warm status`` shows."""
        return {
            "pid": os.getpid(),
            "started": self.born,
            "idle_seconds": self.idle,
            "kernels": sorted(self.kernels),
            "kernels_started": self.started,
            "ahead": [child.pid for child in self.nursery.ahead if child.ready()],
            "interpreter": sys.executable,
            "owner": self.began.get("GENAI4EU_WARM_OWNER", ""),
            "imports": self.loaded.seconds,
            "skipped": self.loaded.skipped,
            "seconds_to_load": round(sum(self.loaded.seconds.values()), 2),
        }
