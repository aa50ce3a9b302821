"""The real window over a real, signed store, with instances of a FakeProvider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QWidget

from confvm_gui.app.bootstrap import sign_audit
from confvm_gui.catalog import load_catalog
from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.session import FleetSession
from confvm_gui.store import open_store
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.theme import theme_controller
from tests.support.fake_provider import FakeProvider

_Widget = TypeVar("_Widget", bound=QWidget)


@dataclass
class StoredWindow:
    """A window with what is behind it."""

    window: ShellWindow
    session: FleetSession

    def find(self, kind: type[_Widget], name: str) -> _Widget:
        found = self.window.findChild(kind, name)
        assert found is not None, f"there is no {kind.__name__} named {name}"
        return found


@asynccontextmanager
async def stored_window(
    data_dir: Path, instances: Sequence[Instance] = (), *, readonly: bool = False
) -> AsyncIterator[StoredWindow]:
    """A shown window; closed, awaited and deleted at the end. What it records stays in `data_dir`."""
    store = await open_store(data_dir, readonly=readonly)
    provider = FakeProvider(instances)
    session = await FleetSession.begin(load_catalog(), {provider.name: provider}, store, data_dir, via="window")
    sign_audit(session, data_dir)
    window = ShellWindow(session)
    try:
        window.resize(1280, 820)
        window.show()
        await session.connect()
        if not session.readonly:
            await session.inventory.connected(provider.name)
        yield StoredWindow(window, session)
    finally:
        window.close_for_good()
        await window.aclose()
        await session.aclose()
        window.deleteLater()
        theme_controller().withdraw()
