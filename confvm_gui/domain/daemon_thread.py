"""Blocking work on daemon threads: one that hangs must not hold the end of the program, so nobody waits for it there.

What the work returned or raised is handed to the event loop of who waits (`Delivery`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


async def in_daemon_thread(name: str, work: Callable[[threading.Event], T]) -> T:
    """What `work` returns or raises, from a thread of its own called `name`.

    If the caller is cancelled, `work`'s event is set and its end not waited for.
    """
    delivery: Delivery[T] = Delivery()
    stop = threading.Event()
    threading.Thread(target=lambda: delivery.carry_out(lambda: work(stop)), name=name, daemon=True).start()
    try:
        return await delivery.future
    finally:
        stop.set()


class Delivery(Generic[T]):
    """Hands a result, or whatever was raised, from a thread to the loop on which this was made.

    Whoever has gone meanwhile, or whose loop is closed, gets nothing.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self._loop.create_future()

    def carry_out(self, work: Callable[[], T]) -> None:
        """Do `work` in this thread and deliver. Raises nothing: it is told who waits."""
        with _Catch(self):
            result = work()
            self._post(lambda: self.future.set_result(result))

    def fail(self, error: BaseException) -> None:
        """Deliver an error. Safe in any thread."""
        self._post(lambda: self.future.set_exception(error))

    def _post(self, settle: Callable[[], None]) -> None:
        def on_loop() -> None:
            if not self.future.done():
                settle()

        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(on_loop)


class _Catch(Generic[T]):
    """Every error goes to who waits, whatever it is: in the thread nobody would see it."""

    def __init__(self, delivery: Delivery[T]) -> None:
        self._delivery = delivery

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self._delivery.fail(error)
        return True
