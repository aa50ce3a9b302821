"""Asks a person for the PIN of a token, for whichever thread needs it.

The PIN goes from the masked field to the thread that waits, and the field is emptied before the dialog is gone: it is
in no widget afterwards. Whether it is right is for the token to say.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from confvm_gui.ui.text import breakable
from confvm_gui.ui.theme import UNIT, theme_controller
from confvm_gui.ui.wizard.looks import Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import field_label

_LONGEST_PIN = 255


class _Question:
    """One thread's, about one token."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.answered = threading.Event()
        self.__pin: str | None = None

    def answer(self, pin: str | None) -> None:
        self.__pin = pin
        self.answered.set()

    def take(self) -> str | None:
        """The answer, once."""
        pin, self.__pin = self.__pin, None
        return pin

    def __repr__(self) -> str:
        return f"<question for the PIN of {self.token}>"


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
                "It is handed to the token, and kept in memory until the console is closed; it is not written anywhere. "
                "After a few wrong PINs a token locks itself."
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


class PinDesk:
    """Made on the event loop's thread. One question at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Question] = deque()
        self._question: _Question | None = None
        self._dialog: PinDialog | None = None
        self._closed = False
        self.window: QWidget | None = None
        """Over which it is asked; before there is a window nobody is asked."""

    def ask(self, token: str) -> str | None:
        """Wait for a person's answer: None where nobody gives one. Not on the event loop's thread."""
        question = _Question(token)
        try:
            self._loop.call_soon_threadsafe(self._put, question)
        except RuntimeError:  # the loop is closed: the console has ended
            return None
        question.answered.wait()
        return question.take()

    def close(self) -> None:
        """Answer nobody any more."""
        self._closed = True
        if self._dialog is not None:
            self._dialog.reject()
        while self._waiting:
            self._waiting.popleft().answer(None)

    def _put(self, question: _Question) -> None:
        if self._closed or self.window is None:
            question.answer(None)
            return
        self._waiting.append(question)
        if self._dialog is None:
            self._next()

    def _next(self) -> None:
        if not self._waiting:
            return
        self._question = self._waiting.popleft()
        # Over the wizard, where that is open: a dialog over the window below it could not be reached.
        self._dialog = PinDialog(self._question.token, QApplication.activeModalWidget() or self.window)
        theme_controller().dress(self._dialog)
        self._dialog.finished.connect(self._finished)
        self._dialog.open()

    def _finished(self, result: int) -> None:
        dialog, question = self._dialog, self._question
        self._dialog = self._question = None
        if dialog is not None and question is not None:
            pin = dialog.take_pin()
            question.answer(pin if result == QDialog.DialogCode.Accepted and pin else None)
            dialog.deleteLater()
        if not self._closed:
            self._next()
