"""Work on daemon threads: its result or its error comes back, and nobody waits for one that hangs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from confvm_gui.domain.daemon_thread import Delivery, in_daemon_thread


async def test_the_result_and_the_error_come_back() -> None:
    def work(_stop: threading.Event) -> tuple[str, bool]:
        return threading.current_thread().name, threading.current_thread().daemon

    assert await in_daemon_thread("probe", work) == ("probe", True)

    def fail(_stop: threading.Event) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_daemon_thread("probe", fail)


async def test_one_that_is_not_waited_for_any_more_is_told() -> None:
    begun, told = threading.Event(), threading.Event()

    def hang(stop: threading.Event) -> None:
        begun.set()
        if stop.wait(10):
            told.set()

    task = asyncio.ensure_future(in_daemon_thread("probe", hang))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(told.wait, 10)


def test_a_loop_that_is_closed_gets_nothing() -> None:
    async def make() -> Delivery[int]:
        return Delivery()

    delivery = asyncio.run(make())
    delivery.carry_out(lambda: 1)
    delivery.fail(ValueError())
    assert not delivery.future.done()


async def test_only_the_first_outcome_counts() -> None:
    delivery: Delivery[int] = Delivery()
    delivery.carry_out(lambda: 1)
    delivery.fail(ValueError())
    assert await delivery.future == 1
    await asyncio.sleep(0)
    assert delivery.future.result() == 1
