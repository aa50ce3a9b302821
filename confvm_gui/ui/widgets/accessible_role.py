"""Gives custom-painted widgets a role for screen readers; a plain QWidget is announced as nothing at all."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget

_roles: dict[str, QAccessible.Role] = {}
_interfaces: dict[int, QAccessibleInterface] = {}


def _interface(class_name: str, widget: QObject) -> QAccessibleInterface | None:
    role = _roles.get(class_name)
    if role is None or not isinstance(widget, QWidget):
        return None
    interface = QAccessibleWidget(widget, role)
    # Qt keeps the bare pointer: the Python object must live as long as the widget.
    key = id(widget)
    _interfaces[key] = interface
    widget.destroyed.connect(lambda: _interfaces.pop(key, None))
    return interface


def register_role(widget_class: type[QWidget], role: QAccessible.Role) -> None:
    """Announce every `widget_class` with `role`."""
    if not _roles:
        QAccessible.installFactory(_interface)
    _roles[widget_class.__name__] = role
