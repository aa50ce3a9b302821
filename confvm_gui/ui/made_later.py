"""A place whose widget is made when it is first looked at: made with the rest of a page it would stall the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

W = TypeVar("W", bound=QWidget)


class MadeLater(QWidget, Generic[W]):
    """`make` is called once, on the first showing or when somebody asks for the widget."""

    def __init__(self, make: Callable[[], W], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self.made: W | None = None
        """None as long as nobody has looked."""

    def widget(self) -> W:
        """The widget, made now if need be."""
        if self.made is None:
            self.made = self._make()
            self._rows.addWidget(self.made)
            self.made.show()  # at once: a parent in sight shows what it is given a turn later
        return self.made

    def showEvent(self, event: QShowEvent) -> None:
        self.widget()
        super().showEvent(event)
