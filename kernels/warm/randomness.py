"""Every fork would draw the same numbers: what the template holds of random state, and how a child makes it its own."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable
from typing import Any

#: The first word of a Mersenne Twister that was seeded from the system; a whole number as seed stands there itself.
_FROM_SYSTEM = 0x80000000
Renewal = Callable[[], object]


def inventory() -> list[Renewal]:
    """Return what gives each random state fresh entropy. Called in the template, after the imports.

    Generators that a library made at import are found wherever they are (MONAI's transforms share one); those that
    it seeded with a number on purpose stay as they are.
    """
    renewals: list[Renewal] = [random.seed]
    things = gc.get_objects()
    renewals += [thing.seed for thing in things if type(thing) is random.Random and not _seeded(thing)]
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        renewals += [numpy.random.seed, *_of_numpy(numpy, things)]
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        renewals.append(torch.default_generator.seed)  # CUDA's are made with fresh entropy when CUDA is first used
    return renewals


def _seeded(generator: random.Random) -> bool:
    """Tell whether it was seeded with one of the numbers that people choose; the state itself does not say."""
    state = generator.getstate()
    return any(random.Random(n).getstate() == state for n in (*range(256), 1234, 12345))


def _of_numpy(numpy: Any, things: list[Any]) -> list[Renewal]:
    states = [thing for thing in things if type(thing) is numpy.random.RandomState]
    found: list[Renewal] = [state.seed for state in states if _from_system(state)]
    generators = [thing for thing in things if type(thing) is numpy.random.Generator]
    chance = (g.bit_generator for g in generators if _is_large(getattr(g.bit_generator.seed_seq, "entropy", 0)))
    return found + [_fresh(bits) for bits in chance]


def _from_system(state: Any) -> bool:
    name, key, *_ = state.get_state()
    return bool(name == "MT19937" and int(key[0]) == _FROM_SYSTEM)


def _is_large(entropy: object) -> bool:
    """Tell the system's 128 bits of entropy from a number that somebody wrote."""
    return isinstance(entropy, int) and entropy.bit_length() > 64


def _fresh(bits: Any) -> Renewal:
    def renew() -> None:
        bits.state = type(bits)().state

    return renew
