"""The field for an address: checked while it is typed, with the reason shown at the field."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolTip, QWidget

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.memory.address_space import AddressSpace, parse_address
from confvm_gui.ui.panels.memory.colours import css


class GoToField(QLineEdit):
    """Type a GPA, press Enter."""

    chosen = Signal(object)
    """GPA (int)."""
    left = Signal()
    """The user pressed Escape: back to the bytes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("memory-goto")
        self.setAccessibleName(self.tr("Go to address"))
        self.setPlaceholderText(self.tr("0x… or +200"))
        self.setToolTip(self.tr("Guest physical address in hexadecimal; +200 or -200 moves from the cursor (Ctrl+G)"))
        self.setClearButtonEnabled(True)
        self._space: AddressSpace | None = None
        self._base = 0
        self._error_colour = 0xB91C1C
        self.problem = ""
        """What is wrong with the text, or ""."""
        self.textChanged.connect(self._check)

    def set_space(self, space: AddressSpace | None) -> None:
        self._space = space
        self._check()

    def set_base(self, gpa: int) -> None:
        """From where `+200` counts."""
        self._base = gpa

    def set_error_colour(self, colour: int) -> None:
        self._error_colour = colour
        self._check()

    def _check(self) -> None:
        self.problem = ""
        if self.text().strip() and self._space is not None:
            try:
                parse_address(self.text(), self._space, self._base)
            except InvalidInput as error:
                self.problem = error.message
        self.setStyleSheet(f"color: {css(self._error_colour)}" if self.problem else "")
        self.setAccessibleDescription(self.problem)
        if self.problem and self.hasFocus():
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height() - 6)), self.problem, self)
        else:
            QToolTip.hideText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._space is not None and self.text().strip() and not self.problem:
                self.chosen.emit(parse_address(self.text(), self._space, self._base))
            else:
                self._check()
        else:
            super().keyPressEvent(event)
