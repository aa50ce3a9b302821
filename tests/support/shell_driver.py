"""Opens the real window over a fake session, and waits for what it does without sleeping blindly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.theme import theme_controller
from tests.support.fake_provider import FakeProvider
from tests.support.fake_session import MemoryStore, fake_session


@dataclass
class Opened:
    """A window with what is behind it."""

    window: ShellWindow
    session: FleetSession
    provider: FakeProvider
    store: MemoryStore


@asynccontextmanager
async def open_shell(
    instances: Sequence[Instance] = (),
    *,
    settings: Mapping[str, object] | None = None,
    readonly_reason: str = "",
    provider: FakeProvider | None = None,
) -> AsyncIterator[Opened]:
    """A shown window; closed, awaited and deleted at the end."""
    provider = provider or FakeProvider(instances)
    session = await fake_session(instances, settings=settings, readonly_reason=readonly_reason, provider=provider)
    assert isinstance(session.store, MemoryStore)
    window = ShellWindow(session)
    try:
        window.show()
        yield Opened(window, session, provider, session.store)
    finally:
        window.close_for_good()
        await window.aclose()
        await session.aclose()
        window.deleteLater()
        theme_controller().withdraw()


async def until(condition: Callable[[], object], what: str = "the condition", seconds: float = 10) -> None:
    """Let the loop run until `condition` holds; fails with `what` after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited too long for {what}"
        await asyncio.sleep(0.005)
