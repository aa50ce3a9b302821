"""Whether anybody can see a window: hidden and minimised ones need less often what clouds are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

_TELLING: Final = frozenset({QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.WindowStateChange})


class Attention(QObject):
    """Tells `attend` when `window` goes out of sight and when it is back. It lives as long as the window."""

    def __init__(self, window: QWidget, attend: Callable[[bool], None]) -> None:
        super().__init__(window)
        self._window = window
        self._attend = attend
        self._seen = True
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() in _TELLING:
            seen = self._window.isVisible() and not self._window.isMinimized()
            if seen is not self._seen:
                self._seen = seen
                self._attend(seen)
        return False
