"""Blocking work on a thread that nobody waits for when the program ends: a publisher that hangs must not hold it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[threading.Event], T]) -> T:
    """What `work` returns or raises. If the caller is cancelled, `work`'s event is set and its end not waited for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    stop = threading.Event()

    def run() -> None:
        with _Delivery(loop, future) as delivery:
            delivery.result(work(stop))

    threading.Thread(target=run, name="endorsements", daemon=True).start()
    try:
        return await future
    finally:
        stop.set()


class _Delivery(Generic[T]):
    """Hands the result, or whatever was raised, to the loop; a loop that is closed has nobody who waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[T]) -> None:
        self._loop = loop
        self._future = future

    def __enter__(self) -> _Delivery[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self._post(lambda: self._future.set_exception(error))
        return True

    def result(self, value: T) -> None:
        self._post(lambda: self._future.set_result(value))

    def _post(self, settle: Callable[[], None]) -> None:
        def on_loop() -> None:
            if not self._future.done():
                settle()

        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(on_loop)
