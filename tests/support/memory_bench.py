"""A memory panel on a machine that works, for tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from PySide6.QtWidgets import QLabel

from confvm_gui.domain.catalogue import Technology
from confvm_gui.ui.panels.memory import MemoryPanel
from tests.support.fake_memory import FakeMemorySession, busy_machine, fake_instance


class Bench:
    """A session with one machine, and a panel on it."""

    def __init__(self, *, confidential: bool = True) -> None:
        self.session = FakeMemorySession()
        self.machine = busy_machine(confidential=confidential)
        technology = Technology.SEV if confidential else Technology.NONE
        self.instance = fake_instance("records", technology=technology)
        self.session.add(self.instance, self.machine)
        self.panel = MemoryPanel(self.session)
        self.panel.resize(1280, 800)

    def label(self, name: str) -> str:
        found = self.panel.findChild(QLabel, name)
        assert isinstance(found, QLabel)
        return found.text()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let the loop run until `condition` holds."""
        deadline = time.monotonic() + 8
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}; status: {self.label('memory-status')}"
            await asyncio.sleep(0.005)

    async def show(self) -> None:
        self.panel.show()
        self.panel.set_instance(self.instance.id)
        await self.until(lambda: bool(self.label("memory-guest-where")), "the guest's bytes are shown")


@asynccontextmanager
async def opened(*, confidential: bool = True, shown: bool = True) -> AsyncIterator[Bench]:
    bench = Bench(confidential=confidential)
    try:
        if shown:
            await bench.show()
        yield bench
    finally:
        await bench.panel.aclose()
        bench.panel.close()
        bench.panel.deleteLater()


# --- what is shown ---
