"""Whose turn it is: round robin over the guests that want to run, timers for those that sleep.

Every turn has the same length and a guest that used its whole turn goes to the end of the queue, so that each of n
busy guests gets one n-th of the core. A guest that sleeps, is paused or has ended costs nothing.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Final

TURN_SECONDS: Final = 0.010


class Scheduler:
    """Guests by number. Times are seconds of one monotonic clock, given by the caller."""

    def __init__(self) -> None:
        self._ready: deque[int] = deque()
        self._queued: set[int] = set()
        self._sleeping: dict[int, float | None] = {}
        """Guest -> when it wakes; None: at the doorbell only."""
        self._timers: list[tuple[float, int]] = []
        self._paused: set[int] = set()

    def add(self, guest: int) -> None:
        """A new guest, or one whose turn ended early: ready to run."""
        self._sleeping.pop(guest, None)
        if guest not in self._queued:
            self._queued.add(guest)
            self._ready.append(guest)

    def remove(self, guest: int) -> None:
        self._sleeping.pop(guest, None)
        self._paused.discard(guest)
        if guest in self._queued:
            self._queued.discard(guest)
            self._ready.remove(guest)

    def sleep(self, guest: int, until: float | None) -> None:
        self._sleeping[guest] = until
        if until is not None:
            heapq.heappush(self._timers, (until, guest))

    def wake(self, guest: int) -> None:
        """The doorbell: ends a sleep, does nothing to a guest that does not sleep."""
        if guest in self._sleeping:
            self.add(guest)

    def pause(self, guest: int) -> None:
        self._paused.add(guest)

    def resume(self, guest: int) -> None:
        self._paused.discard(guest)

    def is_paused(self, guest: int) -> bool:
        return guest in self._paused

    def next(self, now: float) -> int | None:
        """The guest to run now, taken from the queue; None if nobody wants to."""
        while self._timers and self._timers[0][0] <= now:
            at, guest = heapq.heappop(self._timers)
            if self._sleeping.get(guest) == at:
                self.add(guest)
        for _ in range(len(self._ready)):
            guest = self._ready.popleft()
            if guest in self._paused:
                self._ready.append(guest)
                continue
            self._queued.discard(guest)
            return guest
        return None

    def next_timer(self) -> float | None:
        """When the next sleeper wakes."""
        while self._timers and self._sleeping.get(self._timers[0][1]) != self._timers[0][0]:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None
