"""The console's own line icons: SVG files in `resources/icons`, drawn in the colour of a theme role.

`bind_icon` keeps an action's or a button's icon right when the theme changes.
"""

from __future__ import annotations

import weakref
from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QAction, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton

from confvm_gui.resource_files import resources_dir
from confvm_gui.ui.theme import current_theme, theme_controller

SMALL = 16
"""Pixels: the side of icons in buttons and menus."""


@cache
def _source(name: str) -> str:
    return (resources_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@cache
def pixmap(name: str, color: str, size: int, ratio: float = 1.0) -> QPixmap:
    """An icon in `color` (`#rrggbb`), `size` device-independent pixels square, for a screen of this pixel ratio."""
    from PySide6.QtSvg import QSvgRenderer

    drawn = QPixmap(round(size * ratio), round(size * ratio))
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color).encode()))
    renderer.render(painter, QRectF(drawn.rect()))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn


def role_pixmap(name: str, role: str, size: int, ratio: float = 1.0) -> QPixmap:
    """An icon in the colour that `role` has in the theme in use."""
    return pixmap(name, getattr(current_theme(), role), size, ratio)


def icon(name: str, role: str = "text", size: int = SMALL) -> QIcon:
    """An icon of one size; Qt greys it where it is disabled."""
    return _icon(name, getattr(current_theme(), role), size)


@cache
def _icon(name: str, color: str, size: int) -> QIcon:
    application = QGuiApplication.instance()
    ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    return QIcon(pixmap(name, color, size, ratio))


_bound: weakref.WeakKeyDictionary[QAction | QAbstractButton, tuple[str, str, int]] = weakref.WeakKeyDictionary()
_connected: list[bool] = []


def bind_icon(target: QAction | QAbstractButton, name: str, role: str = "text", size: int = SMALL) -> None:
    """Give `target` an icon, now and after every change of theme."""
    if not _connected:
        theme_controller().changed.connect(_redraw)
        _connected.append(True)
    _bound[target] = (name, role, size)
    target.setIcon(icon(name, role, size))


def _redraw() -> None:
    from shiboken6 import isValid

    for target, (name, role, size) in list(_bound.items()):
        if isValid(target):
            target.setIcon(icon(name, role, size))
