"""Work in a thread that is seen to its end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from confvm_gui.domain.errors import CapacityExceeded
from confvm_gui.engine.finish import finish


async def test_result_and_error_are_passed_on() -> None:
    assert await finish(lambda: 5) == 5

    def fail() -> None:
        raise CapacityExceeded("no room")

    with pytest.raises(CapacityExceeded):
        await finish(fail)


@pytest.mark.parametrize("cancels", [1, 3])
async def test_who_is_cancelled_waits_for_the_end_and_undoes_it(cancels: int) -> None:
    go_on = threading.Event()
    undone: list[str] = []

    def work() -> str:
        assert go_on.wait(10)
        return "made"

    task = asyncio.ensure_future(finish(work, undone.append))
    for _ in range(cancels):
        await asyncio.sleep(0.01)
        task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert undone == ["made"]


async def test_who_is_cancelled_while_it_fails_is_cancelled_and_undoes_nothing() -> None:
    go_on = threading.Event()
    undone: list[None] = []

    def work() -> None:
        go_on.wait(10)
        raise CapacityExceeded("no room")

    task = asyncio.ensure_future(finish(work, undone.append))
    await asyncio.sleep(0.01)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert undone == []
