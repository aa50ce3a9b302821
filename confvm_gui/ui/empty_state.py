"""What stands where there is nothing to show: a picture, what it means, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.theme import UNIT, theme_controller


class EmptyState(QWidget):
    """An icon, a heading, a sentence, and perhaps one button."""

    action = Signal()

    def __init__(self, icon: str, heading: str, text: str, button: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._picture = QLabel()
        self.heading = QLabel(heading)
        self.heading.setProperty("kind", "heading")
        self.text = QLabel(text)
        self.text.setProperty("kind", "muted")
        self.text.setWordWrap(True)
        self.text.setVisible(bool(text))
        rows = QVBoxLayout(self)
        rows.setSpacing(UNIT)
        rows.addStretch(1)
        for label in (self._picture, self.heading, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            rows.addWidget(label)
        if button:
            rows.addSpacing(UNIT)
            self.button = QPushButton(button)
            self.button.setObjectName("empty-action")
            self.button.setProperty("kind", "primary")
            self.button.clicked.connect(self.action)
            rows.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        rows.addStretch(2)
        self._draw()
        theme_controller().changed.connect(self._draw)

    def set_texts(self, heading: str, text: str) -> None:
        self.heading.setText(heading)
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def _draw(self) -> None:
        self._picture.setPixmap(role_pixmap(self._icon, "control_border", 48, self.devicePixelRatioF()))
