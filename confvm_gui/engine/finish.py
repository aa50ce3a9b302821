"""Work in a thread that is seen to its end, whoever stops waiting for it.

A thread cannot be cancelled. Who goes away while one still writes a disk or launches a guest leaves something behind
that nobody knows of; here the cancelled caller waits for the thread, undoes what it made, and then is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def finish(work: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
    """`work`'s result, from a thread. Raises what it raises.

    If the caller is cancelled meanwhile, `work` runs to its end, `undo` is called with its result, in a thread as
    well, and only then CancelledError is raised. `work` and `undo` end by themselves in bounded time.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return running.result()
    if running.exception() is None and undo is not None:
        result = running.result()
        await finish(lambda: undo(result))
    raise cancelled
