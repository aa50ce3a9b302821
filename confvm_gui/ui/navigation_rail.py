"""The rail at the left: one button for each page of the window."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QLayout, QToolButton, QVBoxLayout, QWidget

from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.text import count_text
from confvm_gui.ui.theme import UNIT

WIDTH = 76
_MOST_SHOWN = 99
_ICONS = {"keys": "key"}
"""Where the icon is not named like the page."""
_WORDED, _BARE = 52, 36
"""Pixels: the height of a button with its word below the icon, and of one without."""


class NavigationRail(QFrame):
    """Emits the key of a page that is wanted. In a window too low for its words it shows icons alone."""

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
            ("guardrails", self.tr("Guardrails")),
            ("keys", self.tr("Keys")),
            ("access", self.tr("Access")),
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
            bind_icon(button, _ICONS.get(key, key), "muted", 20)
            button.clicked.connect(lambda _=False, chosen=key: self.wanted.emit(chosen))
            self._group.addButton(button)
            self._buttons[key] = button
            rows.addWidget(button)

        rows.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)

    def minimumSizeHint(self) -> QSize:
        return QSize(WIDTH, self._height_of(_BARE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        worded = event.size().height() >= self._height_of(_WORDED)
        style = Qt.ToolButtonStyle.ToolButtonTextUnderIcon if worded else Qt.ToolButtonStyle.ToolButtonIconOnly
        for key, button in self._buttons.items():
            button.setToolButtonStyle(style)
            button.setFixedHeight(_WORDED if worded else _BARE)
            self._describe(key)

    def _height_of(self, button: int) -> int:
        """With buttons so high."""
        count = len(self._buttons)
        return count * button + (count + 1) * (UNIT // 2) + UNIT * 2

    def show_page(self, key: str) -> None:
        """Mark the page in sight."""
        self._buttons[key].setChecked(True)

    def set_badge(self, key: str, count: int) -> None:
        """Show a number on the button of a page, what waits there; 0 for none."""
        button = self._buttons[key]
        badge = button.findChild(QLabel, f"badge-{key}")
        if badge is None:
            badge = QLabel(button)
            badge.setObjectName(f"badge-{key}")
            badge.setProperty("kind", "badge")
            badge.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        badge.setText(count_text(min(count, _MOST_SHOWN)) + ("+" if count > _MOST_SHOWN else ""))
        badge.adjustSize()
        badge.move(button.width() - badge.width() - 4, 3)
        badge.setVisible(count > 0)
        waiting = self.tr("%n wait(s)", "", count).replace(str(count), count_text(count)) if count else ""
        button.setAccessibleDescription(waiting)
        self._describe(key)

    def _describe(self, key: str) -> None:
        """A tool tip with what the button does not show in words."""
        button = self._buttons[key]
        bare = button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
        words = [button.text() if bare else "", button.accessibleDescription()]
        button.setToolTip(": ".join(filter(None, words)))
