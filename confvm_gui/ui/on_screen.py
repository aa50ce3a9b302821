"""How large a window may be made on the screen it opens on."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QScreen

_FRAME = QSize(8, 40)
"""Pixels kept for the window manager's frame, whose size is not known before the window is shown."""


def fitting(wanted: QSize, screen: QScreen | None) -> QSize:
    """`wanted`, cut to what is free on the screen (without panels and task bars)."""
    if screen is None:
        return wanted
    return wanted.boundedTo(screen.availableGeometry().size() - _FRAME)
