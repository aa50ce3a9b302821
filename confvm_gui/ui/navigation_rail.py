"""The rail at the left: one button for each page of the window."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.theme import UNIT

WIDTH = 76


class NavigationRail(QFrame):
    """Emits the key of a page that is wanted."""

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "rail")
        self.setObjectName("navigation")
        self.setFixedWidth(WIDTH)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        rows = QVBoxLayout(self)
        rows.setContentsMargins(6, UNIT, 6, UNIT)
        rows.setSpacing(UNIT // 2)
        for key, text in (
            ("fleet", self.tr("Fleet")),
            ("events", self.tr("Events")),
            ("evidence", self.tr("Evidence")),
            ("hosts", self.tr("Hosts")),
            ("settings", self.tr("Settings")),
            ("help", self.tr("Help")),
            ("about", self.tr("About")),
        ):
            if key == "settings":
                rows.addStretch(1)
            button = QToolButton()
            button.setObjectName(f"rail-{key}")
            button.setText(text)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(20, 20))
            button.setCheckable(True)
            button.setFixedWidth(WIDTH - 13)
            bind_icon(button, key, "muted", 20)
            button.clicked.connect(lambda _=False, chosen=key: self.wanted.emit(chosen))
            self._group.addButton(button)
            self._buttons[key] = button
            rows.addWidget(button)

    def show_page(self, key: str) -> None:
        """Mark the page in sight."""
        self._buttons[key].setChecked(True)
