"""A window that is hidden or minimised is told of, and one that is back."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from confvm_gui.ui.attention import Attention


def test_hidden_minimised_and_back(qtbot: QtBot) -> None:
    told: list[bool] = []
    window = QWidget()
    qtbot.addWidget(window)
    Attention(window, told.append)
    window.show()
    assert told == []
    window.hide()
    assert told == [False]
    window.show()
    window.showMinimized()
    qtbot.waitUntil(lambda: told == [False, True, False])
    window.showNormal()
    qtbot.waitUntil(lambda: told == [False, True, False, True])
