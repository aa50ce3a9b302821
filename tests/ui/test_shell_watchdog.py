"""The stall watchdog: what it counts, what it names, what it costs."""

from __future__ import annotations

import asyncio
import time

from confvm_gui.ui.stall_watchdog import StallWatchdog
from tests.support.runners import Run
from tests.support.shell_driver import until


def _hold_the_thread_up(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_a_stall_is_measured_and_its_culprit_named(qasync_run: Run) -> None:
    async def scenario() -> None:
        watchdog = StallWatchdog()
        watchdog.start()
        await until(lambda: watchdog.report().heartbeats > 3)
        _hold_the_thread_up(0.2)
        await until(lambda: watchdog.report().count == 1)
        watchdog.stop()
        report = watchdog.report()
        assert 150 < report.longest_ms < 1000
        assert "_hold_the_thread_up" in report.stalls[0].stack
        assert 0 <= report.stalls[0].starved_ms <= report.stalls[0].milliseconds

    qasync_run(scenario())


def test_an_idle_loop_is_no_stall(qasync_run: Run) -> None:
    async def scenario() -> None:
        watchdog = StallWatchdog()
        watchdog.start()
        await asyncio.sleep(0.3)
        watchdog.stop()
        report = watchdog.report()
        assert report.heartbeats > 5
        assert report.longest_own_ms < 50

    qasync_run(scenario())


def test_it_costs_little(qasync_run: Run) -> None:
    async def scenario() -> float:
        watchdog = StallWatchdog()
        watchdog.start()
        await until(lambda: watchdog.report().heartbeats > 2)
        began, used = time.perf_counter(), time.process_time()
        await asyncio.sleep(0.5)
        share = (time.process_time() - used) / (time.perf_counter() - began)
        watchdog.stop()
        return share

    assert qasync_run(scenario()) < 0.1


def test_it_can_be_started_twice_and_stopped_twice(qasync_run: Run) -> None:
    async def scenario() -> None:
        watchdog = StallWatchdog()
        for _ in range(2):
            watchdog.start()
            watchdog.start()
            watchdog.stop()
            watchdog.stop()
        assert watchdog.report().count == 0

    qasync_run(scenario())


def test_it_ends_whenever_it_is_stopped(qasync_run: Run) -> None:
    async def scenario() -> None:
        for delay in range(40):
            watchdog = StallWatchdog(period_ms=2, threshold_ms=5)
            watchdog.start()
            # The watching thread wakes while this one holds the interpreter, and finds itself stopped.
            _hold_the_thread_up(delay / 10_000)
            watchdog.stop()

    qasync_run(scenario())
