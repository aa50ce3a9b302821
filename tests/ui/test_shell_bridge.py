"""Tasks that belong to a widget, and subscriptions."""

from __future__ import annotations

import asyncio
import re

from confvm_gui.domain.errors import StoreFull
from confvm_gui.fleet.observable import Observable
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from tests.support.logs import ExpectedLogs


async def test_results_and_errors_reach_the_owner() -> None:
    problems: list[str] = []
    keeper = TaskKeeper("owner", problems.append)
    results: list[int] = []

    async def work(value: int) -> int:
        if value < 0:
            raise StoreFull("The disk is full; make room")
        return value

    keeper.start("a", work(3), on_done=results.append)
    keeper.start("b", work(-1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert results == [3]
    assert problems == ["The disk is full; make room"]
    await keeper.aclose()


async def test_the_same_name_replaces_and_closing_awaits() -> None:
    keeper = TaskKeeper("owner", lambda _: None)
    ended: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    keeper.start("x", wait("first"))
    await asyncio.sleep(0)
    keeper.start("x", wait("second"))
    await asyncio.sleep(0)
    assert ended == ["first"]
    assert keeper.is_running("x")
    await keeper.aclose()
    assert ended == ["first", "second"]
    keeper.start("late", wait("late"))
    assert not keeper.is_running("late")


async def test_a_bug_is_logged_and_told(expected_logs: ExpectedLogs) -> None:
    expected_logs("ERROR confvm_gui.ui.bridge.tasks: owner: x failed")
    problems: list[str] = []
    keeper = TaskKeeper("owner", problems.append)

    async def broken() -> None:
        raise KeyError("nothing")

    keeper.start("x", broken())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert re.search("KeyError.*please report", problems[0])
    await keeper.aclose()


def test_subscriptions_end_together() -> None:
    source: Observable[int] = Observable()
    seen: list[int] = []
    subscriptions = Subscriptions()
    subscriptions.add(source, seen.append)
    subscriptions.add(source, seen.append)
    source.emit(1)
    subscriptions.clear()
    subscriptions.clear()
    source.emit(2)
    assert seen == [1, 1]
