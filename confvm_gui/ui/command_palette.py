"""The command palette (Ctrl+K): every command, every page and every instance, by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.ui.icons import icon
from confvm_gui.ui.theme import UNIT

_MOST = 40
_WIDTH = 560
_ROW_HEIGHT = 34


@dataclass(frozen=True, slots=True)
class Command:
    """One entry."""

    title: str
    run: Callable[[], None]
    hint: str = ""
    """Keyboard shortcut or kind, shown after the title."""
    icon: str = "arrow"


def matching(commands: Sequence[Command], typed: str) -> list[Command]:
    """Commands that have all typed words, those that begin with the text first."""
    words = typed.lower().split()
    found = [command for command in commands if all(word in command.title.lower() for word in words)]
    text = typed.strip().lower()
    return sorted(found, key=lambda command: not command.title.lower().startswith(text))[:_MOST]


class _PaletteEdit(QLineEdit):
    moved = Signal(int)
    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: 8,
            Qt.Key.Key_PageUp: -8,
        }.get(Qt.Key(event.key()))
        if step is not None:
            self.moved.emit(step)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class CommandPalette(QFrame):
    """Stands over the window without being a dialog; Escape or a click elsewhere puts it away."""

    def __init__(
        self,
        window: QWidget,
        commands: Callable[[], Sequence[Command]],
        instances: Callable[[str], Sequence[Command]],
    ) -> None:
        super().__init__(window)
        self.setObjectName("command-palette")
        self.setProperty("kind", "card")
        self._window = window
        self._commands = commands
        self._instances = instances
        self._known: Sequence[Command] = ()
        self._shown: list[Command] = []
        self._before: QWidget | None = None
        self.edit = _PaletteEdit()
        self.edit.setObjectName("palette-edit")
        self.edit.setPlaceholderText(self.tr("Type a command, a page or an instance"))
        self.edit.setAccessibleName(self.tr("Command"))
        self.list = QListWidget()
        self.list.setObjectName("palette-list")
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        rows.setSpacing(UNIT)
        rows.addWidget(self.edit)
        rows.addWidget(self.list)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(32)
        shadow.setOffset(0, 8)
        shadow.setColor(QColor(0, 0, 0, 90))
        self.setGraphicsEffect(shadow)
        self.edit.textChanged.connect(self._search)
        self.edit.returnPressed.connect(self.run_current)
        self.edit.moved.connect(self._move)
        self.edit.left.connect(self.put_away)
        self.list.itemClicked.connect(lambda _item: self.run_current())
        self.hide()

    def summon(self) -> None:
        """Show it over the upper middle of the window, empty."""
        self._before = self._window.focusWidget()
        self._known = self._commands()
        self.edit.clear()
        self._search("")
        width = min(_WIDTH, self._window.width() - 4 * UNIT)
        height = min(420, self._window.height() - 12 * UNIT)
        self.setGeometry((self._window.width() - width) // 2, 8 * UNIT, width, height)
        self.show()
        self.raise_()
        self.edit.setFocus(Qt.FocusReason.PopupFocusReason)

    def put_away(self) -> None:
        """Hide it; the focus goes back to where it was."""
        if self.isHidden():
            return
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)

    def run_current(self) -> None:
        """Do what the current entry says."""
        row = self.list.currentRow()
        if 0 <= row < len(self._shown):
            command = self._shown[row]
            self.put_away()
            command.run()

    def _search(self, typed: str) -> None:
        self._shown = [*matching(self._known, typed), *(self._instances(typed) if typed.strip() else ())]
        self.list.clear()
        for command in self._shown:
            text = f"{command.title}    {command.hint}" if command.hint else command.title
            item = QListWidgetItem(icon(command.icon, "muted"), text)
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
            self.list.addItem(item)
        if self._shown:
            self.list.setCurrentRow(0)

    def _move(self, step: int) -> None:
        if self._shown:
            self.list.setCurrentRow(max(0, min(len(self._shown) - 1, self.list.currentRow() + step)))
