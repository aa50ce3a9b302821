"""Run a coroutine to its end in a test: on asyncio's own loop, or on Qt's as the window does.

Both end with a clear failure after `timeout` seconds, and the leak guard fails the test on tasks that are still there
when the loop is closed.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Protocol, TypeVar

import pytest
from PySide6.QtWidgets import QApplication

_T = TypeVar("_T")


class Run(Protocol):
    """Type of the fixtures `asyncio_run` and `qasync_run`."""

    def __call__(self, coro: Coroutine[object, object, _T], *, timeout: float = 30) -> _T: ...


async def _bounded(coro: Coroutine[object, object, _T], seconds: float) -> _T:
    async with asyncio.timeout(seconds):
        return await coro


@pytest.fixture
def asyncio_run() -> Run:
    """Run a coroutine on asyncio's own loop: `asyncio_run(coro, timeout=30)`."""

    def run(coro: Coroutine[object, object, _T], *, timeout: float = 30) -> _T:
        with asyncio.Runner() as runner:
            return runner.run(_bounded(coro, timeout))

    return run


@pytest.fixture
def qasync_run(qapp: QApplication) -> Run:
    """Run a coroutine on Qt's loop, widgets alive: `qasync_run(coro, timeout=30)`."""
    import qasync

    qapp.setQuitOnLastWindowClosed(False)  # closing a window must not end the loop that the test runs in

    def run(coro: Coroutine[object, object, _T], *, timeout: float = 30) -> _T:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
            return runner.run(_bounded(coro, timeout))

    return run


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes by their place: those made with fresh keys would give a test another name in each process."""
    return "bytes" if isinstance(val, bytes | bytearray) else None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def test_…` on asyncio's own loop, as if by `asyncio_run`."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    with asyncio.Runner() as runner:
        runner.run(_bounded(pyfuncitem.obj(**arguments), 60))
    return True
