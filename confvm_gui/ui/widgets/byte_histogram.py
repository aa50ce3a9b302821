"""How often each byte value occurs, as 256 bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QAccessible, QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from confvm_gui.ui.widgets.accessible_role import register_role


@dataclass(frozen=True, slots=True)
class HistogramColours:
    """Each 0xRRGGBB."""

    bar: int
    paper: int
    border: int
    level: int
    """The line at the height that all bars would have if every value were equally frequent."""


class ByteHistogram(QWidget):
    """Bar heights go with the square root of the count, or one frequent value would hide all the others."""

    def __init__(self, colours: HistogramColours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._counts: NDArray[np.intp] = np.zeros(256, dtype=np.intp)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_counts(self, counts: NDArray[np.intp]) -> None:
        """`counts`: 256 numbers."""
        if not np.array_equal(counts, self._counts):
            self._counts = counts
            self.update()

    def set_colours(self, colours: HistogramColours) -> None:
        self._colours = colours
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(180, 84)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = self._colours
        painter.fillRect(self.rect(), QColor.fromRgb(colours.paper))
        total = int(self._counts.sum())
        room = QRectF(self.rect()).adjusted(2, 3, -2, -1)
        if total:
            # At least twice the even level, so that equal counts look like a calm sea and not like a full box.
            tallest = max(float(np.sqrt(self._counts.max())), 1.6 * (total / 256) ** 0.5)
            width = room.width() / 256
            bar = QColor.fromRgb(colours.bar)
            for value in np.flatnonzero(self._counts):
                height = float(np.sqrt(self._counts[value])) / tallest * room.height()
                painter.fillRect(
                    QRectF(room.left() + float(value) * width, room.bottom() - height, max(width, 1.0), height), bar
                )
            level = room.bottom() - (total / 256) ** 0.5 / tallest * room.height()
            pen = QPen(QColor.fromRgb(colours.level), 1, Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawLine(int(room.left()), int(level), int(room.right()), int(level))
        painter.setPen(QColor.fromRgb(colours.border))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            value = min(255, max(0, int((event.pos().x() - 2) / max(1, self.width() - 4) * 256)))
            QToolTip.showText(event.globalPos(), f"0x{value:02x}: {int(self._counts[value]):,}×", self)
            return True
        return super().event(event)


register_role(ByteHistogram, QAccessible.Role.Chart)
