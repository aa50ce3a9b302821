"""The real window over a real session with all its key stores, worked as a person does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QWidget

from confvm_gui.app.bootstrap import open_session
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import AuditFilter, AuditRecord
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.keys import KeyInfo
from confvm_gui.domain.operation import Operation, OperationKind
from confvm_gui.fleet.keys import Keys
from confvm_gui.fleet.session import FleetSession
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.providers.embedded.host_keys import HostKeyFile
from confvm_gui.ui.keys.page import KeysPage
from confvm_gui.ui.keys.pin_desk import PinDesk
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.theme import theme_controller
from tests.support.embedded_rig import host_keys
from tests.support.embedded_window import window_request
from tests.support.shell_driver import until

_Widget = TypeVar("_Widget", bound=QWidget)


@dataclass
class KeysWindow:
    """A window with what is behind it."""

    window: ShellWindow
    session: FleetSession
    pins: PinDesk

    @property
    def keys(self) -> Keys:
        assert self.session.keys is not None
        return self.session.keys

    @property
    def page(self) -> KeysPage:
        return self.find(KeysPage, "keys-page")

    def find(self, kind: type[_Widget], name: str) -> _Widget:
        found = self.window.findChild(kind, name)
        assert found is not None, f"there is no {kind.__name__} named {name}"
        return found

    def click(self, name: str) -> None:
        button = self.find(QPushButton, name)
        assert button.isVisible(), f"{name} is not visible"
        assert button.isEnabled(), f"{name} is greyed"
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    async def look(self) -> None:
        """Show the page and wait for the list."""
        self.window.show_page("keys")
        await until(self._quiet, "the list of keys", 20)

    async def quiet(self) -> None:
        """Wait until what was asked for is done and shown."""
        await until(self._quiet, "the key's change", 20)

    def _quiet(self) -> bool:
        return self.find(QPushButton, "keys-look").isEnabled() and not self.page.busy

    def info(self, key_ref: str) -> KeyInfo:
        row = self.page.model.row_of(key_ref)
        assert row is not None, f"{key_ref} is not listed"
        return self.page.model.info(row)

    def fill_form(self, scheme: str, place: str, name: str) -> None:
        """Open the form for a new key and fill it in."""
        self.click("keys-new")
        form = self.page.form
        form.store.setCurrentIndex(form.store.findData(scheme))
        if place:
            form.place.setEditText(place)
        QTest.keyClicks(form.name, name)

    async def answer_pin(self, pin: str) -> None:
        """Type a PIN into the dialog that asks for one."""
        await until(lambda: self.window.findChild(QLineEdit, "pin-field"), "the question for the PIN")
        field = self.find(QLineEdit, "pin-field")
        assert field.echoMode() is QLineEdit.EchoMode.Password
        QTest.keyClicks(field, pin)
        self.click("pin-unlock")
        await until(lambda: self.window.findChild(QLineEdit, "pin-field") is None, "the end of the question")

    async def launch(self, records: Path, key_ref: str, name: str = "probe") -> Instance:
        """Hand a request over as the wizard does; returns the running instance."""
        request = replace(window_request(Technology.SEV_SNP, records, name=name), disk_key=key_ref)
        operation = await self.session.jobs.create(request)
        done = await self.session.jobs.wait(operation.id)
        assert not done.error, done.error
        await until(lambda: self.state_of(name) is InstanceState.RUNNING, f"{name} runs", 30)
        return self.session.inventory.find(name)

    async def act(self, kind: OperationKind, instance: Instance) -> Operation:
        (operation,) = await self.session.jobs.act(kind, [instance.id])
        return await self.session.jobs.wait(operation.id)

    def state_of(self, name: str) -> InstanceState | None:
        return next((one.state for one in self.session.inventory.all() if one.name == name), None)

    async def told(self, action: str) -> list[AuditRecord]:
        """Oldest first."""
        found = await self.session.events.search(AuditFilter(action=action), limit=200)
        return [record for record in reversed(found) if record.event.action == action]

    def choose(self, name: str, data: str) -> None:
        combo = self.find(QComboBox, name)
        combo.setCurrentIndex(combo.findData(data))


@asynccontextmanager
async def keys_window(data_dir: Path) -> AsyncIterator[KeysWindow]:
    """A shown window, its embedded provider connected; closed, awaited and deleted at the end."""
    if not (data_dir / "engine").exists():
        # To make the emulated root takes seconds, in a thread that outlives a short test.
        await HostKeyFile(data_dir, LocalKeyStore(data_dir)).save(host_keys())
    pins = PinDesk()
    session = await open_session(data_dir, workers=1, ask_pin=pins.ask, via="window")
    window = ShellWindow(session)
    pins.window = window
    try:
        window.resize(1280, 820)
        window.show()
        await session.connect()
        await session.inventory.connected("embedded")
        yield KeysWindow(window, session, pins)
    finally:
        pins.close()
        window.close_for_good()
        await window.aclose()
        await session.aclose()
        window.deleteLater()
        theme_controller().withdraw()
