"""A terminal for screen readers: its role, and what is on its screen as its value.

PySide lets no Python class offer Qt's text interface (`interface_cast` is not in it), so that the text is the value of
the whole, and lines that are new are announced while the terminal has the focus.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget

_MOST_ANNOUNCED = 400
"""Characters at a time; a flood is not read aloud."""
_interfaces: dict[int, QAccessibleInterface] = {}
_installed: list[bool] = []


class _TerminalInterface(QAccessibleWidget):
    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget, QAccessible.Role.Terminal)

    def text(self, kind: QAccessible.Text) -> str:
        if kind == QAccessible.Text.Value:
            shown = getattr(self.widget(), "screen_text", None)
            return str(shown()) if callable(shown) else ""
        return super().text(kind)

    def state(self) -> QAccessible.State:
        state = super().state()
        state.multiLine = True
        state.selectableText = True
        state.readOnly = not getattr(self.widget(), "writable", False)
        return state


def _interface(class_name: str, widget: QObject) -> QAccessibleInterface | None:
    if class_name != "TerminalView" or not isinstance(widget, QWidget):
        return None
    interface = _TerminalInterface(widget)
    # Qt keeps the bare pointer: the Python object must live as long as the widget.
    key = id(widget)
    _interfaces[key] = interface
    widget.destroyed.connect(lambda: _interfaces.pop(key, None))
    return interface


def make_accessible() -> None:
    """Announce every TerminalView as a terminal."""
    if not _installed:
        QAccessible.installFactory(_interface)
        _installed.append(True)


def announce(widget: QWidget, text: str) -> None:
    """Have new lines read aloud, if anybody listens."""
    if QAccessible.isActive() and text.strip():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text[-_MOST_ANNOUNCED:]))
