"""asyncio tasks that belong to a widget: named, watched, cancelled and awaited when the widget closes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TypeVar

from confvm_gui.domain.errors import ConfvmError

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class TaskKeeper:
    """Keeps the tasks of one owner.

    An error that the console raises on purpose goes to `on_error` as its sentence; any other is a bug: it is logged
    with its traceback, and `on_error` is told so too. Nothing is lost in a task that nobody awaits.
    """

    def __init__(self, owner: str, on_error: Callable[[str], None]) -> None:
        self._owner = owner
        self._on_error = on_error
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    def start(
        self,
        name: str,
        work: Coroutine[object, object, _Result],
        *,
        on_done: Callable[[_Result], None] | None = None,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        """Run `work` as the task `name`; one of the same name that still runs is cancelled first.

        `on_done` gets the result on the event loop unless the task was cancelled or failed.
        """
        if self._closed:
            work.close()
            return
        self.cancel(name)
        task = asyncio.get_running_loop().create_task(work, name=f"{self._owner}: {name}")
        self._tasks[name] = task
        self._running.add(task)
        report = on_error or self._on_error

        def finished(done: asyncio.Task[_Result]) -> None:
            self._running.discard(done)
            if self._tasks.get(name) is done:
                del self._tasks[name]
            if done.cancelled() or self._closed:
                return
            error = done.exception()
            if error is None:
                if on_done is not None:
                    on_done(done.result())
            elif isinstance(error, ConfvmError):
                report(error.message)
            else:
                _log.error("%s failed", done.get_name(), exc_info=error)
                report(f"Something unexpected happened ({type(error).__name__}: {error}); please report it")

        task.add_done_callback(finished)

    def cancel(self, name: str) -> None:
        """Cancel the task `name` if it runs; `aclose` still awaits it."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def is_running(self, name: str) -> bool:
        return name in self._tasks

    async def aclose(self) -> None:
        """Cancel everything and wait until it has ended. Later `start`s do nothing."""
        self._closed = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._tasks.clear()
        self._running.clear()
