"""A splitter whose handle is a line in the colour of borders."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QSplitter, QWidget

from confvm_gui.ui.theme import current_theme, theme_controller


class LineSplitter(QSplitter):
    """Add what it divides with `add`."""

    def __init__(self, orientation: Qt.Orientation, parent: QWidget | None = None) -> None:
        super().__init__(orientation, parent)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        theme_controller().changed.connect(self._draw)

    def add(self, widget: QWidget) -> None:
        """Put `widget` after the others."""
        self.addWidget(widget)
        self._draw()

    def _draw(self) -> None:
        for at in range(1, self.count()):
            handle = self.handle(at)
            look = handle.palette()
            look.setColor(QPalette.ColorRole.Window, current_theme().color("border"))
            handle.setPalette(look)
            handle.setAutoFillBackground(True)
