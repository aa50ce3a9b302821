"""SIGKILL at any moment: everything that was accepted is there, and the chain holds."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from confvm_gui.store import open_store

WRITER = """
import asyncio, pathlib, sys
from confvm_gui.domain.operation import OperationStatus
from confvm_gui.store import open_store
from dataclasses import replace
from tests.unit.store.nouns import event, operation

async def main():
    directory, first = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    store = await open_store(directory)
    assert not store.readonly, store.readonly_reason
    for number in range(first, first + 10**9, 4):
        group = [operation(n) for n in range(number, number + 4)]
        await asyncio.gather(*(store.operations.accept([each]) for each in group))
        # A line that was written whole is a promise: these four are on disk.
        sys.stdout.write(f"{number + 4}\\n")
        sys.stdout.flush()
        store.audit.append(event(number))
        store.operations.update(replace(group[0], status=OperationStatus.SUCCEEDED))

asyncio.run(main())
"""


def write_until_killed(directory: Path, first: int, seconds: float) -> int:
    """Run a console that writes from operation `first` on, kill it after `seconds`; how many were promised."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), str(first)], stdout=subprocess.PIPE, text=True
    ) as console:
        assert console.stdout is not None
        promised = first
        deadline: float | None = None
        for line in console.stdout:
            if line.endswith("\n"):
                promised = int(line)
            if deadline is None:
                deadline = time.monotonic() + seconds
                threading.Timer(seconds, console.send_signal, [signal.SIGKILL]).start()
    assert console.returncode == -signal.SIGKILL
    return promised


async def check(directory: Path, promised: int) -> int:
    """That all promised operations are there and the chain holds; the number of the next operation."""
    store = await open_store(directory)
    assert not store.readonly
    numbers = {int(each.id.removeprefix("op-")) for each in await store.operations.recent(10**6)}
    assert numbers >= set(range(promised))
    verdict = await store.audit.verify()
    assert verdict.intact, verdict.reason
    assert f"op-{max(numbers)}" in {each.id for each in await store.operations.unfinished()}
    await store.aclose()
    return max(numbers) + 1


@pytest.mark.parametrize("seed", range(3))
def test_what_was_accepted_survives(data_dir: Path, seed: int) -> None:
    moment = random.Random(seed)
    first = 0
    for _ in range(3):
        promised = write_until_killed(data_dir, first, moment.uniform(0.0, 0.15))
        first = asyncio.run(check(data_dir, promised))


def test_killed_while_it_opens_for_the_first_time(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from confvm_gui.store import open_store\n"
        "print('ready', flush=True)\n"
        "for number in range(10**6):\n"
        "    asyncio.run(open_store(pathlib.Path(sys.argv[1]) / str(number)))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as console:
        assert console.stdout is not None
        console.stdout.readline()
        threading.Timer(0.3, console.send_signal, [signal.SIGKILL]).start()
        console.wait()

    async def use(directory: Path) -> None:
        store = await open_store(directory)
        assert not store.readonly
        assert await store.instances.all() == []
        await store.aclose()

    directories = sorted(tmp_path.iterdir(), key=lambda path: int(path.name))
    assert directories
    for directory in directories[-3:]:
        asyncio.run(use(directory))
        assert not (directory / "console.db.new").exists()
