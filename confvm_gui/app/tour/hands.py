"""Mouse and keyboard of the tour: real events on real widgets, and patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, TypeVar

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLineEdit, QTabWidget, QWidget

from confvm_gui.domain.errors import ConfvmError

_POLL_SECONDS: Final = 0.02
W = TypeVar("W", bound=QWidget)


class TourFailed(ConfvmError):
    """The window did not do what the tour waited for; the message says what."""


async def until(condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Wait until `condition` is true. Raises TourFailed after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TourFailed(f"Waited {seconds:.0f} seconds in vain: {what}")
        await asyncio.sleep(_POLL_SECONDS)


async def find(parent: QWidget, kind: type[W], name: str, seconds: float = 15.0) -> W:
    """The visible widget `name` under `parent`, as soon as it is there."""

    def visible() -> W | None:
        return next((w for w in parent.findChildren(kind, name) if w.isVisible()), None)

    await until(visible, f"{name} is to be seen", seconds)
    found = visible()
    if found is None:
        raise TourFailed(f"{name} went away again")
    return found


async def pause(seconds: float = 0.15) -> None:
    """Let the window draw, as an eye would."""
    await asyncio.sleep(seconds)


async def click(widget: QWidget) -> None:
    """A click in the middle; on a check box or radio button on its mark."""
    await until(widget.isEnabled, f"{widget.objectName()} can be used")
    position = widget.rect().center()
    if isinstance(widget, QAbstractButton) and widget.isCheckable():
        position.setX(min(10, widget.width() // 2))
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, position)
    await pause(0.05)


async def click_tab(tabs: QTabWidget, page: QWidget) -> None:
    """A click on the tab of `page`."""
    place = tabs.tabBar().tabRect(tabs.indexOf(page)).center()
    QTest.mouseClick(tabs.tabBar(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    await pause(0.05)


async def type_into(field: QLineEdit, text: str) -> None:
    """Replace what the field holds."""
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)
    await pause(0.05)


async def press(widget: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """One key on a widget."""
    QTest.keyClick(widget, key, modifiers)
    await pause(0.05)


async def choose(view: QAbstractItemView, index: QModelIndex) -> None:
    """Scroll to an entry and click it."""
    if not index.isValid():
        raise TourFailed(f"{view.objectName()} has no such entry")
    view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
    await pause(0.05)
    QTest.mouseClick(
        view.viewport(),
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        view.visualRect(index).center(),
    )
    await pause(0.05)
