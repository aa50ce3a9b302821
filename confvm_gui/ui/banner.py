"""Messages inside the window: what went wrong, what to confirm, what restricts. Never a modal dialog."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from confvm_gui.ui.icons import bind_icon, role_pixmap
from confvm_gui.ui.theme import UNIT, theme_controller


class Tone(Enum):
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


_MARKS = {
    Tone.INFO: ("info", "accent"),
    Tone.SUCCESS: ("ok", "success"),
    Tone.WARNING: ("warning", "warning"),
    Tone.ERROR: ("error", "danger"),
}


class Banner(QFrame):
    """One sentence with an icon, perhaps one action, and a way to put it away."""

    dismissed = Signal()

    def __init__(
        self,
        tone: Tone,
        text: str,
        action: str = "",
        on_action: Callable[[], None] | None = None,
        *,
        dismissable: bool = True,
        dismiss_word: str = "",
        dangerous: bool = False,
    ) -> None:
        super().__init__()
        self._tone = tone
        self.setProperty("banner", tone.value)
        self.setObjectName(f"banner-{tone.value}")
        self.rows = QVBoxLayout(self)
        """For what stands below the sentence."""
        self.rows.setContentsMargins(UNIT + 4, UNIT - 2, UNIT, UNIT - 2)
        row = self._row = QHBoxLayout()
        row.setSpacing(UNIT)
        self.rows.addLayout(row)
        self._mark = QLabel()
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignVCenter)
        self.label = QLabel(text)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row.addWidget(self.label, 1)
        self.action_button: QPushButton | None = None
        self._closers = 0
        if action and on_action is not None:
            button = QPushButton(action)
            if dangerous:
                button.setProperty("kind", "danger")
            button.clicked.connect(self._put_away)
            button.clicked.connect(lambda _checked=False, act=on_action: act())
            row.addWidget(button)
            self.action_button = button
        if dismissable and dismiss_word:
            keep = QPushButton(dismiss_word)
            keep.clicked.connect(self._put_away)
            row.addWidget(keep)
            self._closers = 1
        elif dismissable:
            close = QToolButton()
            close.setAccessibleName(self.tr("Dismiss"))
            close.setToolTip(self.tr("Dismiss"))
            bind_icon(close, "close", "muted")
            close.clicked.connect(self._put_away)
            row.addWidget(close)
            self._closers = 1
        self._draw_mark()
        theme_controller().changed.connect(self._draw_mark)

    def add_button(self, button: QWidget) -> None:
        """Before what puts the banner away; unlike the action, it leaves the banner where it is."""
        self._row.insertWidget(self._row.count() - self._closers, button)

    def _draw_mark(self) -> None:
        name, role = _MARKS[self._tone]
        self._mark.setPixmap(role_pixmap(name, role, 18, self.devicePixelRatioF()))

    def _put_away(self) -> None:
        self.dismissed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._put_away()
            return
        super().keyPressEvent(event)


class BannerStack(QWidget):
    """The place at the top of the window where banners stand. Each `slot` holds one; a newer replaces it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(UNIT * 2, UNIT, UNIT * 2, 0)
        self._rows.setSpacing(UNIT // 2)
        self._shown: dict[str, Banner] = {}
        self.hide()

    def put(self, slot: str, banner: Banner, *, focus: bool = False) -> None:
        """Show a banner in a slot (`error`, `confirm`, `readonly` …) and tell assistive technology."""
        self.remove(slot)
        self._shown[slot] = banner
        self._rows.addWidget(banner)
        banner.dismissed.connect(lambda: self._dismissed(slot, banner))
        self.show()
        if focus and banner.action_button is not None:
            banner.action_button.setFocus(Qt.FocusReason.PopupFocusReason)
        from PySide6.QtGui import QAccessible, QAccessibleEvent

        QAccessible.updateAccessibility(QAccessibleEvent(banner.label, QAccessible.Event.Alert))

    def _dismissed(self, slot: str, banner: Banner) -> None:
        if self._shown.get(slot) is banner:
            self.remove(slot)

    def remove(self, slot: str) -> None:
        banner = self._shown.pop(slot, None)
        if banner is not None:
            self._rows.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        if not self._shown:
            self.hide()

    def banner(self, slot: str) -> Banner | None:
        """What stands in a slot."""
        return self._shown.get(slot)
