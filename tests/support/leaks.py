"""Fails a test on what it left behind.

One guard wraps every test and another the whole session, so that what wider fixtures start must be ended too. What
is ending by itself (a thread past its last line, a worker whose console was killed) is given a moment.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import process_table, qt_leftovers

_GRACE = float(os.environ.get("CONFVM_TEST_GRACE", "3"))
"""Seconds that something already ending may take."""

_TEMPORARY = (".tmp", ".part", ".partial", "~")


@dataclass
class Leftovers:
    """What existed at the start; `complaints` says what has come since and is still there."""

    tasks: list[str] = field(default_factory=list)
    loops_closed: int = 0
    threads: set[threading.Thread] = field(default_factory=set)
    children: dict[int, str] = field(default_factory=dict)
    zombies: set[int] = field(default_factory=set)
    shared: dict[str, int] = field(default_factory=dict)
    abandoned: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Remember what is there now."""
        self.threads = set(threading.enumerate())
        self.children = process_table.children()
        self.zombies = process_table.zombies()
        self.shared = _shared_memory()
        self.abandoned = process_table.abandoned_shared_memory() if _dev_shm_in_use() else set()

    def complaints(self) -> list[str]:
        """One line for each thing left behind, which is then ended where that is possible."""
        found = [f"asyncio task left pending: {name}" for name in self.tasks]
        self.tasks.clear()
        found += self._thread_complaints()
        found += self._process_complaints()
        found += self._memory_complaints()
        return found

    def _thread_complaints(self) -> list[str]:
        def living() -> list[threading.Thread]:
            return [
                thread
                for thread in threading.enumerate()
                if thread not in self.threads
                and thread.is_alive()
                and process_table.thread_is_alive(thread.native_id)  # a finished QThread stays listed as a dummy
                and not thread.name.startswith("pytest_timeout")
            ]

        _wait_until(lambda: not living())
        return [f"thread still running: {thread.name}" for thread in living()]

    def _process_complaints(self) -> list[str]:
        multiprocessing.active_children()  # joins its own that have ended

        def living() -> dict[int, str]:
            return {pid: command for pid, command in process_table.children().items() if pid not in self.children}

        _wait_until(lambda: not living())
        left = living()
        for pid in left:
            process_table.kill(pid)
        for pid in process_table.zombies() - self.zombies:
            process_table.reap(pid)
        return [f"child process still running: {command[:200]}" for command in left.values()]

    def _memory_complaints(self) -> list[str]:
        def extra() -> list[str]:
            return [name for name, count in _shared_memory().items() if count > self.shared.get(name, 0)]

        if extra():
            gc.collect()  # a mapping that only a reference cycle holds is not a leak
        found = [f"shared memory still open or mapped: {name}" for name in extra()]
        if _dev_shm_in_use():
            abandoned = process_table.abandoned_shared_memory() - self.abandoned
            if abandoned:  # give another process of a parallel run, whose it may be, the time to remove it
                _wait_until(lambda: not any(Path(name).exists() for name in abandoned))
                abandoned &= process_table.abandoned_shared_memory()
            for name in abandoned:
                Path(name).unlink(missing_ok=True)
            found += [f"shared memory left without an owner: {name}" for name in sorted(abandoned)]
        return found


def _shared_memory() -> dict[str, int]:
    counts = process_table.mapped_shared_memory()
    for name, count in process_table.open_files().items():
        if process_table.is_shared_memory(name):
            counts[name] = counts.get(name, 0) + count
    return counts


def _dev_shm_in_use() -> bool:
    folder = Path("/dev/shm")
    return folder.is_dir() and any(folder.iterdir())


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _GRACE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def _watch_runners(monkeypatch: pytest.MonkeyPatch, leftovers: Leftovers) -> None:
    """Note the tasks that are still pending when any `asyncio.Runner` closes, before it cancels them."""
    original = asyncio.Runner.close

    def close(runner: asyncio.Runner) -> None:
        try:
            loop = runner.get_loop()
        except RuntimeError:  # already closed
            loop = None
        if loop is not None:
            leftovers.tasks += [
                f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', task.get_coro())})"
                for task in asyncio.all_tasks(loop)
            ]
        original(runner)
        leftovers.loops_closed += 1

    monkeypatch.setattr(asyncio.Runner, "close", close)


def pytest_configure() -> None:
    """Let no descendant escape."""
    process_table.adopt_orphans()


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_by_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    leftovers = Leftovers()
    leftovers.look()
    yield
    complaints = leftovers.complaints() + _open_files_below(tmp_path_factory.getbasetemp())
    if complaints:
        pytest.fail("Left behind by a fixture wider than one test:\n" + "\n".join(complaints), pytrace=False)


@pytest.fixture(autouse=True)
def _nothing_left_by_the_test(_no_unexpected_logs: None, request: pytest.FixtureRequest) -> Iterator[None]:
    leftovers = Leftovers()
    leftovers.look()
    qt_before = qt_leftovers.look()
    with pytest.MonkeyPatch.context() as patch:
        _watch_runners(patch, leftovers)
        yield
    if leftovers.loops_closed:
        gc.collect()  # an exception that nobody retrieved is logged when its task goes: while this test is looked at
    complaints = qt_leftovers.complaints(qt_before)  # first: what widgets own goes with them
    complaints += leftovers.complaints()
    own_folder = getattr(request.node, "funcargs", {}).get("tmp_path")
    if own_folder is not None:  # files of wider fixtures may stay open until the session ends
        complaints += _open_files_below(own_folder)
    if complaints:
        pytest.fail("Left behind:\n" + "\n".join(complaints), pytrace=False)


def _open_files_below(folder: Path) -> list[str]:
    def still_open() -> list[str]:
        return [name for name in process_table.open_files() if name.startswith(f"{folder}/")]

    if still_open():
        gc.collect()
    return [f"file still open: {name}" for name in still_open()]


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """An empty data directory for a console; fails the test if a temporary file remains in it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    yield folder
    remaining = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.endswith(_TEMPORARY) or path.name.startswith((".tmp", "tmp"))
    )
    if remaining:
        pytest.fail("Temporary files left in the data directory: " + ", ".join(remaining), pytrace=False)
