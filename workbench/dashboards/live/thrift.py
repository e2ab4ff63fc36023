"""Give memory back that answers took, once nobody has asked for a while. Executed in the kernels of live views.

glibc keeps what was freed, and rightly so while an answer is computed; a viewer who reads it needs none of that.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from typing import Any

#: What the live tier lets each kernel execute, before the dashboard part.
CODE = f"from {__name__} import begin as _begin; _begin(get_ipython().kernel); del _begin"
#: Seconds without a message: after that a few milliseconds are nobody's.
_IDLE = 1.0


def begin(kernel: Any) -> None:
    """Give back after each message that is followed by none. Call in the kernel's own loop."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:  # another C library, which keeps less
        return
    loop = asyncio.get_running_loop()
    after = kernel.post_handler_hook
    waiting: list[asyncio.TimerHandle] = []

    def handled() -> None:
        after()
        while waiting:
            waiting.pop().cancel()
        waiting.append(loop.call_later(_IDLE, trim, 0))

    kernel.post_handler_hook = handled
