"""The masked field for the PIN of a token.

Object names: `pin-dialog`, `pin-field`, `pin-unlock`.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from confvm_gui.ui.text import breakable
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.looks import Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import field_label

_LONGEST_PIN = 255


class PinDialog(QDialog):
    """A masked field. `take_pin` gives what was typed and empties it."""

    def __init__(self, token: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pin-dialog")
        self.setWindowTitle(self.tr("PIN of a token"))
        self.field = QLineEdit(self)
        self.field.setObjectName("pin-field")
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
        )
        self.field.setMaxLength(_LONGEST_PIN)
        self.field.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        about = ToneLabel(
            self.tr(
                "It is handed to the token, and kept in memory until the console is closed; it is not written "
                "anywhere. After a few wrong PINs a token locks itself."
            ),
            Tone.MUTED,
            self,
        )
        self.buttons = QDialogButtonBox(self)
        self.unlock = self.buttons.addButton(self.tr("&Unlock"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.unlock.setObjectName("pin-unlock")
        self.unlock.setProperty("kind", "primary")
        self.unlock.setEnabled(False)
        self.buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.field.textChanged.connect(lambda text: self.unlock.setEnabled(bool(text)))
        title = heading(self.tr("The token {0} is locked").format(breakable(token)), self, 1.1)
        title.setWordWrap(True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT * 2)
        rows.setSpacing(UNIT)
        rows.addWidget(title)
        rows.addWidget(field_label(self.tr("Its &PIN"), self.field, self))
        rows.addWidget(self.field)
        rows.addWidget(about)
        rows.addSpacing(UNIT)
        rows.addWidget(self.buttons)
        self.setMinimumWidth(400)

    def take_pin(self) -> str:
        """What was typed; the field, and what it remembers for undoing, are empty then."""
        pin = self.field.text()
        self.field.setText("")
        return pin
