"""A scroll bar over a range of any size: Qt's counts in 32-bit integers, addresses do not."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractSlider, QScrollBar, QWidget

LARGEST = 2**31 - 1 - 2**20
"""Largest position given to Qt; the rest is room for the page step, which Qt adds."""


@dataclass(frozen=True, slots=True)
class ScaledRange:
    """Maps positions 0 … `maximum` of any size to 0 … `steps`, which fits in 31 bits, and back.

    The ends map to the ends, order is kept, and where `maximum` fits in 31 bits the mapping is the identity.
    """

    maximum: int

    @property
    def steps(self) -> int:
        return min(self.maximum, LARGEST)

    def to_step(self, position: int) -> int:
        position = min(max(0, position), self.maximum)
        return position if self.maximum <= LARGEST else (position * LARGEST + self.maximum // 2) // self.maximum

    def from_step(self, step: int) -> int:
        step = min(max(0, step), self.steps)
        return step if self.maximum <= LARGEST else (step * self.maximum + LARGEST // 2) // LARGEST


class LongScrollBar(QScrollBar):
    """Scrolls through rows 0 … `maximum`; keeps the exact row, though the slider may show it rounded."""

    moved = Signal(object)
    """The user scrolled to this row (int of any size)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._scale = ScaledRange(0)
        self._row = 0
        self._page = 1
        self.actionTriggered.connect(self._act)

    def set_rows(self, maximum: int, page: int, row: int) -> None:
        """Show that `row` is at the top of `page` visible rows; `maximum` is the last row that can be there."""
        self._scale, self._row, self._page = ScaledRange(maximum), row, page
        with QSignalBlocker(self):
            self.setRange(0, self._scale.steps)
            self.setPageStep(max(1, min(2**20, self._scale.to_step(page) if maximum else 1)))
            self.setSingleStep(1)
            self.setValue(self._scale.to_step(row))

    @property
    def row(self) -> int:
        return self._row

    def _act(self, action: int) -> None:
        kind = QAbstractSlider.SliderAction
        exact = {
            kind.SliderSingleStepAdd: 1,
            kind.SliderSingleStepSub: -1,
            kind.SliderPageStepAdd: max(1, self._page - 1),
            kind.SliderPageStepSub: -max(1, self._page - 1),
        }
        step = exact.get(kind(action))
        if step is None:
            row = self._scale.from_step(self.sliderPosition())
        else:
            row = min(max(0, self._row + step), self._scale.maximum)
            self.setSliderPosition(self._scale.to_step(row))
        if row != self._row:
            self._row = row
            self.moved.emit(row)
