"""Looks at a client's frame before jupyter_server does, which believes the counts in it. Used by ``channels``.

Eight bytes that say "2**60 parts" would keep jupyter_server's loop, and with it every user, waiting for ever.
"""

from __future__ import annotations

import itertools
import struct

from ..wire import V1, BadMessage


def check(frame: str | bytes, protocol: str | None) -> None:
    """Refuse a frame whose offsets lead out of it.

    Raises
    ------
    BadMessage
        If they do, or if it is text where the protocol has none.
    """
    if isinstance(frame, str):
        if protocol == V1:
            raise BadMessage("a text message, where this wire has none")
        return  # the old protocol's JSON
    word, form, first = (8, "<{}Q", 8) if protocol == V1 else (4, "!{}I", 4)
    count = int.from_bytes(frame[:word], "little" if protocol == V1 else "big")
    if not 1 <= count <= len(frame) // word - 1:
        raise BadMessage("a message with more parts than it has room for")
    offsets = [*struct.unpack_from(form.format(count), frame, first), len(frame)]
    if offsets[0] < first + count * word or any(start > end for start, end in itertools.pairwise(offsets)):
        raise BadMessage("a message whose parts lie outside of it")
