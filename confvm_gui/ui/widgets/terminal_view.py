"""A terminal: shows what a guest prints, and sends what is typed, pasted or asked for by the guest.

While it takes input, nearly all keys are the guest's. The terminal keeps Ctrl+Shift+C, V, A and F (copy, paste, select
all, find), Ctrl+Shift with the arrows (select), Shift with Page Up, Page Down, Home and End (scroll), Shift+Insert
(paste), and Ctrl+Tab and Ctrl+Shift+Tab, which leave it: Tab goes to the guest.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from confvm_gui.ui.widgets.terminal_canvas import MARGIN
from confvm_gui.ui.widgets.terminal_keys import key_bytes, pasted_bytes
from confvm_gui.ui.widgets.terminal_selection import Place
from confvm_gui.ui.widgets.terminal_surface import TerminalSurface

_Key = Qt.Key
_Modifier = Qt.KeyboardModifier
_LEAD: Final = _Modifier.ControlModifier | _Modifier.ShiftModifier
_STEPS: Final = {
    _Key.Key_Left: (0, -1),
    _Key.Key_Right: (0, 1),
    _Key.Key_Up: (-1, 0),
    _Key.Key_Down: (1, 0),
}


class TerminalView(TerminalSurface):
    """The widget."""

    refused = Signal()
    """The user typed, but the terminal is read only."""
    find_wanted = Signal()

    # Selecting, copying, pasting, finding

    def select_all(self) -> None:
        self.selection.select_all(self.terminal.columns)
        self.redraw()

    def copy(self) -> None:
        """Put the selection on the clipboard, if there is one."""
        if not self.selection.empty:
            QApplication.clipboard().setText(self.selection.text())

    def paste(self, text: str | None = None) -> None:
        """Type `text`, or what is on the clipboard."""
        given = QApplication.clipboard().text() if text is None else text
        self._send(pasted_bytes(given, bracketed=2004 in self.terminal.private))

    def find_text(self, text: str, *, backward: bool = False) -> bool | None:
        """Select the next place with `text`; None if there is none, True if it began again from the other end."""
        if not text:
            return None
        found = self.selection.find(text, backward=backward)
        if found is not None:
            self.hold()
            self.show_line(self.selection.head.number)
        return found

    def _place(self, event: QMouseEvent) -> Place:
        point = event.position()
        row = int((point.y() - MARGIN) // self.canvas.height)
        if row < 0 or row >= self.terminal.lines:
            self.scroll_lines(-1 if row < 0 else 1)
            row = min(max(row, 0), self.terminal.lines - 1)
        column = round((point.x() - MARGIN) / self.canvas.width)
        return Place(self.top + row, min(max(column, 0), self.terminal.columns))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place(event)
        if event.button() is Qt.MouseButton.LeftButton:
            extend = bool(event.modifiers() & _Modifier.ShiftModifier)
            self.selection.put(self.selection.anchor if extend else place, place)
            self.redraw()
        elif event.button() is Qt.MouseButton.MiddleButton and QApplication.clipboard().supportsSelection():
            self.paste(QApplication.clipboard().text(QApplication.clipboard().Mode.Selection))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.selection.put(self.selection.anchor, self._place(event))
            self.redraw()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        clipboard = QApplication.clipboard()
        if clipboard.supportsSelection() and not self.selection.empty:
            clipboard.setText(self.selection.text(), clipboard.Mode.Selection)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        column = int((event.position().x() - MARGIN) // self.canvas.width)
        self.selection.select_word(Place(self._place(event).number, max(0, column)))
        self.redraw()

    def _extend(self, key: Qt.Key) -> None:
        """Move the selection's end by a key, starting at the cursor."""
        cursor = self.terminal.cursor
        if self.selection.empty:
            place = Place(self.terminal.scrollback.end + cursor.y, min(cursor.x, self.terminal.columns))
            self.selection.put(place, place)
        lines, cells = _STEPS[key]
        head = self.selection.head
        number = min(max(head.number + lines, self.first), self.behind - 1)
        self.selection.put(
            self.selection.anchor, Place(number, min(max(head.column + cells, 0), self.terminal.columns))
        )
        self.show_line(number)

    # Keys

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and self.writable:
            if event.type() is QEvent.Type.ShortcutOverride and (self._own(event) or self._bytes_of(event)):
                event.accept()  # the guest's, not a shortcut of the window
                return True
            tab = event.key() in (_Key.Key_Tab, _Key.Key_Backtab)
            if event.type() is QEvent.Type.KeyPress and tab:
                self.keyPressEvent(event)
                return True
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._fit()
        return super().event(event)

    @staticmethod
    def _own(event: QKeyEvent) -> bool:
        """Whether a key is the terminal's own."""
        modifiers = event.modifiers() & ~_Modifier.KeypadModifier
        key = event.key()
        if modifiers == _LEAD:
            return (
                key in (_Key.Key_C, _Key.Key_V, _Key.Key_A, _Key.Key_F, _Key.Key_Backtab, _Key.Key_Tab) or key in _STEPS
            )
        if modifiers == _Modifier.ControlModifier:
            return key == _Key.Key_Tab
        return modifiers == _Modifier.ShiftModifier and key in (
            *(_Key.Key_PageUp, _Key.Key_PageDown, _Key.Key_Home, _Key.Key_End, _Key.Key_Insert),
        )

    def _bytes_of(self, event: QKeyEvent) -> bytes:
        return key_bytes(event.key(), event.modifiers(), event.text(), application_cursor=1 in self.terminal.private)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._own(event):
            self._act(Qt.Key(event.key()), event.modifiers())
        elif not self.writable and self._reads(event):
            pass
        else:
            data = self._bytes_of(event)
            if not data:
                event.ignore()
                return
            self._send(data)
        event.accept()

    def _act(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
        lead = bool(modifiers & _Modifier.ControlModifier)
        if key in _STEPS:
            self._extend(key)
        elif key in (_Key.Key_Tab, _Key.Key_Backtab):
            self.focusNextPrevChild(not modifiers & _Modifier.ShiftModifier)
        elif key == _Key.Key_C:
            self.copy()
        elif key == _Key.Key_V or (key == _Key.Key_Insert and not lead):
            self.paste()
        elif key == _Key.Key_A:
            self.select_all()
        elif key == _Key.Key_F:
            self.find_wanted.emit()
        else:
            page = max(1, self.terminal.lines - 1)
            whole = self.behind - self.first
            steps = {_Key.Key_PageUp: -page, _Key.Key_PageDown: page, _Key.Key_Home: -whole, _Key.Key_End: whole}
            self.scroll_lines(steps[key])

    def _reads(self, event: QKeyEvent) -> bool:
        """Keys that move about in a terminal that takes no input."""
        page = max(1, self.terminal.lines - 1)
        whole = self.behind - self.first
        steps = {
            _Key.Key_Up: -1,
            _Key.Key_Down: 1,
            _Key.Key_PageUp: -page,
            _Key.Key_PageDown: page,
            _Key.Key_Home: -whole,
            _Key.Key_End: whole,
        }
        modifiers, key = event.modifiers() & ~_Modifier.KeypadModifier, event.key()
        step = next((lines for known, lines in steps.items() if known == key), 0)
        if modifiers == _Modifier.NoModifier and step:
            self.scroll_lines(step)
        elif modifiers == _Modifier.ControlModifier and key == _Key.Key_C:
            self.copy()
        elif modifiers == _Modifier.ControlModifier and key == _Key.Key_A:
            self.select_all()
        else:
            return False
        return True

    def _send(self, data: bytes) -> None:
        if not data:
            return
        if not self.writable:
            self.refused.emit()
            return
        self.selection.clear()
        self.typed.emit(data)
        self.scroll_to_end()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._send(pasted_bytes(event.commitString(), bracketed=False))
        event.accept()
