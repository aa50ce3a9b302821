"""Asks a person for the PIN of a token, for whichever thread needs it.

The PIN goes from the masked field to the thread that waits, and the field is emptied before the dialog is gone: it is
in no widget afterwards. Whether it is right is for the token to say. What draws the field is loaded with the first
question: most sessions have no token.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QDialog, QWidget

if TYPE_CHECKING:
    from confvm_gui.ui.keys.pin_dialog import PinDialog


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
        from confvm_gui.ui.keys.pin_dialog import PinDialog
        from confvm_gui.ui.theme import theme_controller

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
