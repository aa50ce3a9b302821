"""Threads for calls that block, and may block for ever.

They are daemon threads: nobody waits for a hung one when the console ends. A call whose caller has gone away keeps
its thread until the host answers, and another thread takes its place, so that one hung call blocks no other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from confvm_gui.domain.daemon_thread import Delivery
from confvm_gui.domain.errors import Transient

T = TypeVar("T")

_MOST_HUNG: Final = 32
_IDLE_SECONDS: Final = 10.0
"""After which an idle thread ends."""


@dataclass(eq=False, slots=True)
class _Job(Generic[T]):
    work: Callable[[], T]
    delivery: Delivery[T] = field(default_factory=Delivery)
    begun: bool = False
    left: bool = False
    """Its caller has gone."""


class CallThreads:
    """A pool of daemon threads, at most `width` of which do work that somebody waits for."""

    def __init__(self, name: str, width: int = 6) -> None:
        self._name = name
        self._width = width
        self._waiting: deque[_Job[Any]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._hung = 0
        self._closed = False

    @property
    def hung(self) -> int:
        """Threads whose call nobody waits for any more."""
        return self._hung

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. If the caller is cancelled, a call that has begun goes on without it.

        Raises Transient when too many calls hang, or the pool is closed.
        """
        job: _Job[T] = _Job(work)
        with self._changed:
            if self._closed:
                raise Transient("The connection is closed")
            if self._hung >= _MOST_HUNG:
                raise Transient("The host does not answer: too many calls to it hang")
            self._waiting.append(job)
            if self._idle < len(self._waiting) and self._threads - self._hung < self._width:
                self._threads += 1
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            self._changed.notify()
        try:
            return await job.delivery.future
        finally:
            self._leave(job)

    def close(self) -> None:
        """Take no more work; threads end when they are through with theirs. Waits for none."""
        with self._changed:
            self._closed = True
            dropped = tuple(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for job in dropped:
            job.delivery.fail(Transient("The connection is closed"))

    def _leave(self, job: _Job[Any]) -> None:
        with self._changed:
            future = job.delivery.future
            if future.done() and not future.cancelled():
                return
            job.left = True
            if job.begun:
                self._hung += 1
                if self._waiting and self._threads - self._hung < self._width:
                    self._threads += 1
                    threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            else:
                with suppress(ValueError):  # taken in this very moment: `begun` would be true
                    self._waiting.remove(job)

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            job.delivery.carry_out(job.work)
            with self._changed:
                job.begun = False
                if job.left:
                    self._hung -= 1
            del job

    def _next(self) -> _Job[Any] | None:
        with self._changed:
            self._idle += 1
            try:
                while not self._waiting:
                    too_many = self._threads - self._hung > self._width
                    if self._closed or too_many or not self._changed.wait(_IDLE_SECONDS):
                        if self._waiting:
                            break
                        self._threads -= 1
                        return None
                job = self._waiting.popleft()
                job.begun = True
                return job
            finally:
                self._idle -= 1
