"""Works the New instance wizard as a person does: by events on its widgets, found by their object names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLabel, QLineEdit, QWidget

from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.records import SAMPLE_RECORDS, inspect_records
from confvm_gui.ui.wizard.choices import ChoiceModel
from confvm_gui.ui.wizard.looks import Note
from confvm_gui.ui.wizard.machine_table import MachineTable
from confvm_gui.ui.wizard.wizard import LaunchWizard
from tests.support.wizard_session import StandInSession

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
W = TypeVar("W", bound=QWidget)


class WizardDriver:
    """One wizard under test."""

    def __init__(self, wizard: LaunchWizard) -> None:
        self.wizard = wizard
        self.submitted: list[LaunchRequest] = []
        self.cancelled = 0
        wizard.submitted.connect(self.submitted.append)
        wizard.cancelled.connect(self._on_cancelled)

    def find(self, kind: type[W], name: str) -> W:
        widget = self.wizard.findChild(kind, f"wizard.{name}")
        assert isinstance(widget, kind), f"there is no wizard.{name}"
        return widget

    def click(self, name: str) -> None:
        button = self.find(QAbstractButton, name)
        assert button.isVisible(), f"wizard.{name} is not visible"
        # A wide check box is clicked where its sign is.
        QTest.mouseClick(button, LEFT, NO_KEY, QPoint(10, button.height() // 2))

    def type_text(self, name: str, text: str) -> None:
        field = self.find(QLineEdit, name)
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(field, Qt.Key.Key_Delete)
        QTest.keyClicks(field, text)

    def choose(self, name: str, key: str) -> None:
        """Click the entry `key` of a list or table."""
        view = self.find(QAbstractItemView, name)
        model = view.model()
        assert isinstance(model, ChoiceModel | MachineTable)
        index: QModelIndex = model.index_of(key)
        assert index.isValid(), f"{key} is not shown in wizard.{name}"
        view.scrollTo(index)
        QTest.mouseClick(view.viewport(), LEFT, NO_KEY, view.visualRect(index).center())

    def take(self, name: str, key: str) -> None:
        """Go to the entry `key` of a combo box by the arrow keys."""
        combo = self.find(QComboBox, name)
        combo.setFocus()
        QTest.keyClick(combo, Qt.Key.Key_Home)
        for _ in range(combo.count()):
            if combo.currentData() == key:
                return
            QTest.keyClick(combo, Qt.Key.Key_Down)
        raise AssertionError(f"{key} is not in wizard.{name}")

    def text(self, name: str) -> str:
        """What a label or note says; "" while it is hidden."""
        widget = self.find(QWidget, name)
        assert isinstance(widget, QLabel | Note)
        return widget.text() if widget.isVisible() else ""

    def enabled(self, name: str) -> bool:
        return self.find(QAbstractButton, name).isEnabled()

    def reason(self) -> str:
        return self.text("reason")

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Let the event loop run until `condition` holds, for 10 seconds at most."""
        for _ in range(2000):
            if condition():
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"never came: {what or condition}")

    async def to_data(self) -> None:
        """From Where to a Data page with checked records, taking every default."""
        for _ in range(4):
            self.click("next")
        await self.until(lambda: self.wizard.draft.summary is not None, "the sample to be checked")

    def _on_cancelled(self) -> None:
        self.cancelled += 1


@asynccontextmanager
async def opened(session: StandInSession | None = None) -> AsyncIterator[WizardDriver]:
    """A wizard on the screen, with the real check of records; gone at the end."""
    wizard = LaunchWizard(session or StandInSession(), inspect=inspect_records, sample=SAMPLE_RECORDS)
    wizard.resize(1180, 760)
    wizard.open()
    try:
        yield WizardDriver(wizard)
    finally:
        await wizard.aclose()
        wizard.deleteLater()
        QCoreApplication.sendPostedEvents(wizard, QEvent.Type.DeferredDelete.value)
