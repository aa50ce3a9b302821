"""Waiting for something that no event tells of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_LIMIT = 20.0
"""Seconds."""


async def until(condition: Callable[[], bool]) -> None:
    """Let the others go on until the condition holds; fail after 20 seconds."""
    for pause in _pauses():
        if condition():
            return
        await asyncio.sleep(pause)
    raise AssertionError("it does not come to that")


def until_now(condition: Callable[[], bool]) -> None:
    """The same without an event loop, for other processes."""
    for pause in _pauses():
        if condition():
            return
        time.sleep(pause)
    raise AssertionError("it does not come to that")


def _pauses() -> list[float]:
    """At first only the others' turn, then ever longer."""
    pauses = [0.0] * 100
    while sum(pauses) < _LIMIT:
        pauses.append(min(max(pauses[-1] * 1.2, 0.001), 0.05))
    return pauses
