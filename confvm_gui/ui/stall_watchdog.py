"""Finds out when the GUI thread did not take up its events, for how long, and what it was doing.

A thread posts a heartbeat to the GUI thread every few milliseconds, one at a time, and the GUI thread notes when it
takes it up: the delay is what a key press would have had to wait. A loop that sleeps because there is nothing to do
takes the heartbeat up at once, so idleness is never a stall. (Qt's `awake` and `aboutToBlock` would tell the same
without a thread, but under GLib's dispatcher events are handled between those two as well.) A stall that began just
after a heartbeat is measured up to one period short.

While a heartbeat is late, the thread takes the GUI thread's Python stack, so that the report can name the culprit. On
Linux the report also says how long the GUI thread was ready to run but had no CPU: on a busy machine a delay can be
nobody's fault here.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal

THRESHOLD_MS = 50.0
_KEPT = 50
"""Stalls kept with their stacks."""


@dataclass(frozen=True, slots=True)
class Stall:
    """One time that events had to wait."""

    at: float
    """Seconds since the epoch."""
    milliseconds: float
    starved_ms: float
    """Of these, how long the thread waited for a CPU (0.0 where the system does not say)."""
    stack: str
    """Python stack of the GUI thread meanwhile, innermost call last; "" if it could not be taken."""


@dataclass(frozen=True, slots=True)
class StallReport:
    """What has been seen since `start`."""

    longest_ms: float
    longest_own_ms: float
    """The longest without the time in which the thread had no CPU."""
    count: int
    """Stalls over the threshold."""
    threshold_ms: float
    heartbeats: int
    stalls: tuple[Stall, ...]


class _Heart(QObject):
    """Lives on the GUI thread; `beat` is emitted from the watching thread and so delivered by the event loop."""

    beat = Signal(float)


class StallWatchdog:
    """Watches the thread that it is made on. `start` and `stop` are called on that thread."""

    def __init__(self, *, period_ms: float = 10.0, threshold_ms: float = THRESHOLD_MS) -> None:
        self._period = period_ms / 1000
        self._threshold = threshold_ms / 1000
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._taken = threading.Event()
        self._heart = _Heart()
        self._heart.beat.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._watched = threading.get_ident()
        self._schedstat_path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
        self._schedstat = -1
        self._delay = 0.0
        self._longest = 0.0
        self._longest_own = 0.0
        self._count = 0
        self._heartbeats = 0
        self._stalls: list[Stall] = []

    def start(self) -> None:
        """Begin to watch. A second call does nothing."""
        if self._thread is None:
            self._stopping.clear()
            self._schedstat = _open_or_none(self._schedstat_path)
            self._thread = threading.Thread(target=self._watch, name="stall-watchdog", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching; the report stays."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            self._taken.set()
            thread.join()
            if self._schedstat >= 0:
                os.close(self._schedstat)
                self._schedstat = -1

    def report(self) -> StallReport:
        """What has been seen so far."""
        return StallReport(
            longest_ms=self._longest * 1000,
            longest_own_ms=self._longest_own * 1000,
            count=self._count,
            threshold_ms=self._threshold * 1000,
            heartbeats=self._heartbeats,
            stalls=tuple(self._stalls),
        )

    def _take(self, posted: float) -> None:
        self._delay = time.perf_counter() - posted
        self._taken.set()

    def _watch(self) -> None:
        while not self._stopping.wait(self._period):
            self._taken.clear()
            starved = self._waited_for_cpu()
            self._heart.beat.emit(time.perf_counter())
            stack = ""
            if not self._taken.wait(self._threshold):
                stack = self._stack()
                # Not for ever: `stop` may have set both events just before this cleared one of them.
                while not self._taken.wait(self._threshold):
                    if self._stopping.is_set():
                        return
            if self._stopping.is_set():
                return
            self._heartbeats += 1
            self._note(self._delay, starved, stack)

    def _note(self, delay: float, starved_before: float, stack: str) -> None:
        if delay > self._longest:
            self._longest = delay
        if delay <= self._threshold:
            self._longest_own = max(self._longest_own, delay)
            return
        starved = min(delay, max(0.0, self._waited_for_cpu() - starved_before))
        self._longest_own = max(self._longest_own, delay - starved)
        self._count += 1
        if len(self._stalls) < _KEPT:
            self._stalls.append(Stall(time.time(), delay * 1000, starved * 1000, stack))

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._watched)
        return "".join(traceback.format_stack(frame)) if frame is not None else ""

    def _waited_for_cpu(self) -> float:
        """Seconds that the watched thread has been runnable without running (proc_pid_schedstat, second field)."""
        if self._schedstat < 0:
            return 0.0
        try:
            return int(os.pread(self._schedstat, 128, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0


def _open_or_none(path: str) -> int:
    """A descriptor, or -1 where the system has no such file."""
    try:
        return os.open(path, os.O_RDONLY)
    except OSError:
        return -1
