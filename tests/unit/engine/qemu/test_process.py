"""The QEMU process itself: held until it is released, refused in its own words, never left behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from confvm_gui.domain.errors import WorkerLost
from confvm_gui.engine.guest_host.host import GuestHooks
from confvm_gui.engine.qemu.linux_boot import boot_parts
from confvm_gui.engine.qemu.process import QemuProcess
from confvm_gui.engine.qemu.ram import sealed_memory
from tests.support.linux_kernel import kernel_path

RAM = 256 << 20
CONSOLE = """
import asyncio
from tests.unit.engine.qemu.test_process import start, Told
async def main():
    process = await start(Told())
    print(process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Told:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.console = bytearray()
        self.ends: list[tuple[bool, str]] = []
        self.ended = asyncio.Event()

    @property
    def hooks(self) -> GuestHooks:
        return GuestHooks(
            console=self.console.extend,
            exited=self._exited,
            usage=lambda _: None,
        )

    def _exited(self, crashed: bool, reason: str) -> None:
        self.ends.append((crashed, reason))
        self.ended.set()


async def start(told: Told, executable: str = "qemu-system-x86_64", ram_bytes: int = RAM) -> QemuProcess:
    """With a kernel in RAM that finds no root and says so."""
    ram, rom = sealed_memory("test-ram", RAM), sealed_memory("test-rom", 64 << 10)
    try:
        parts = boot_parts(kernel_path().read_bytes(), b"", "console=ttyS0 reboot=t panic=-1", RAM)
        for part in parts:
            os.pwrite(ram, part.data, part.gpa)
        os.pwrite(rom, parts[0].data, 0)
        return await QemuProcess.start(
            ram=ram, ram_bytes=ram_bytes, rom=rom, signature=0xA10F11, hooks=told.hooks, executable=executable
        )
    finally:
        os.close(ram)
        os.close(rom)


async def test_the_vcpu_is_held_until_it_is_released() -> None:
    told = Told()
    process = await start(told)
    try:
        assert await process.status() == "prelaunch"
        assert not told.console
        await process.resume()
        assert await process.status() == "running"
        await process.pause()
        assert await process.status() == "paused"
        assert process.usage().cpu_seconds >= 0
    finally:
        await process.aclose()
        await process.aclose()
    assert not told.ends, "who ends it needs not be told"
    assert not process.type(b"nobody")
    with pytest.raises(WorkerLost):
        await process.resume()


@pytest.mark.parametrize(
    ("executable", "words"), [("true", "did not start"), ("no-such-qemu", "no-such-qemu: not found")]
)
async def test_what_does_not_start_says_why(executable: str, words: str) -> None:
    told = Told()
    with pytest.raises(WorkerLost, match=words):
        await start(told, executable)
    assert not told.ends


async def test_qemus_own_refusal_is_passed_on() -> None:
    with pytest.raises(WorkerLost, match=r"did not start: .*size"):
        await start(Told(), ram_bytes=2 * RAM)


def test_it_runs_on_the_loop_of_the_window(qasync_run: Callable[[Coroutine[object, object, None]], None]) -> None:
    async def work() -> None:
        told = Told()
        process = await start(told)
        await process.resume()
        await told.ended.wait()  # the kernel finds no root, panics and restarts
        await process.aclose()
        assert b"Linux version" in told.console
        ((crashed, reason),) = told.ends
        assert not crashed
        assert "restarted itself" in reason

    qasync_run(work())


def test_a_console_that_is_killed_leaves_no_qemu() -> None:
    root = Path(__file__).parents[4]
    with subprocess.Popen([sys.executable, "-c", CONSOLE], cwd=root, stdout=subprocess.PIPE) as console:
        try:
            assert console.stdout is not None
            watch = os.pidfd_open(int(console.stdout.readline()))
        finally:
            console.kill()
    try:
        assert select.select([watch], [], [], 10)[0], "QEMU outlived the console"
    finally:
        os.close(watch)
    assert console.returncode == -signal.SIGKILL
