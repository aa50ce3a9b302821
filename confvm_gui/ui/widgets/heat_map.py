"""A map of many cells in reading order, each in a colour of a ramp: a whole address range at one glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from confvm_gui.ui.widgets.accessible_role import register_role
from confvm_gui.ui.widgets.byte_palette import mix

UNKNOWN = 0
"""Value of a cell that nothing is known of yet."""
NOTHING = 1
"""Value of a cell with nothing in it."""
LOWEST = 2
"""Values from here to 255 are places on the ramp."""
SMALLEST_CELL = 3
"""Device-independent pixels; cells that would be smaller are joined."""

Levels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Ramp:
    """Colours of a heat map, each 0xRRGGBB."""

    unknown: int
    nothing: int
    stops: Sequence[int]
    """At least two, evenly spaced from the lowest value to the highest."""
    marker: int
    """Outline of the marked cells."""
    border: int

    def colour_table(self) -> list[int]:
        table = [self.unknown, self.nothing]
        spans = len(self.stops) - 1
        for value in range(256 - LOWEST):
            place = value / (255 - LOWEST) * spans
            span = min(int(place), spans - 1)
            table.append(mix(self.stops[span], self.stops[span + 1], place - span))
        return [0xFF000000 | colour for colour in table]


def join_mean(levels: Levels, group: int) -> Levels:
    """Join `group` cells into one: the mean of those on the ramp, else the largest."""
    cells = _grouped(levels, group)
    on_ramp = cells >= LOWEST
    counts = on_ramp.sum(axis=1)
    sums = np.where(on_ramp, cells, 0).sum(axis=1, dtype=np.uint32)
    means = (sums + counts // 2) // np.maximum(counts, 1)
    joined: Levels = np.where(counts > 0, means, cells.max(axis=1)).astype(np.uint8)
    return joined


def join_max(levels: Levels, group: int) -> Levels:
    """Join `group` cells into one: the largest."""
    joined: Levels = _grouped(levels, group).max(axis=1)
    return joined


def _grouped(levels: Levels, group: int) -> Levels:
    short = -levels.size % group
    padded = np.concatenate([levels, np.zeros(short, dtype=np.uint8)]) if short else levels
    grouped: Levels = padded.reshape(-1, group)
    return grouped


class HeatMap(QWidget):
    """Shows `levels` (any number of uint8: UNKNOWN, NOTHING or a place on the ramp)."""

    chosen = Signal(object)
    """Index (int) of a level that the user chose."""

    def __init__(
        self, ramp: Ramp, join: Callable[[Levels, int], Levels] = join_mean, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._ramp = ramp
        self._join = join
        self._levels: Levels = np.zeros(0, dtype=np.uint8)
        self._group = 1
        self._columns = 1
        self._cell = SMALLEST_CELL
        self._cells = 0
        self._image: QImage | None = None
        self._mark = (0, 0)
        self._describe: Callable[[int, int], str] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_levels(self, levels: Levels) -> None:
        if self._image is None or not np.array_equal(levels, self._levels):
            self._levels = levels
            self._rebuild()

    def set_ramp(self, ramp: Ramp) -> None:
        self._ramp = ramp
        self._rebuild()

    def set_mark(self, first: int, last: int) -> None:
        """Outline the cells that hold levels `first` to `last`, both included."""
        if (first, last) != self._mark:
            self._mark = (first, last)
            self.update()

    def set_describe(self, describe: Callable[[int, int], str]) -> None:
        """Tooltips: called with the first and last level (both included) of the cell under the pointer."""
        self._describe = describe

    def _rebuild(self) -> None:
        width, height, count = self.width() - 2, self.height() - 2, self._levels.size
        if count == 0 or width < SMALLEST_CELL or height < SMALLEST_CELL:
            self._image = None
            self.update()
            return
        room = (width // SMALLEST_CELL) * (height // SMALLEST_CELL)
        self._group = -(-count // room)
        cells = self._levels if self._group == 1 else self._join(self._levels, self._group)
        self._cells = cells.size
        # The largest square with which all cells still fit.
        cell = max(SMALLEST_CELL, isqrt(width * height // self._cells))
        while cell > SMALLEST_CELL and (width // cell) * (height // cell) < self._cells:
            cell -= 1
        self._cell, self._columns = cell, width // cell
        rows = -(-self._cells // self._columns)
        image = QImage(self._columns, rows, QImage.Format.Format_Indexed8)
        image.setColorTable(self._ramp.colour_table())
        pixels = np.frombuffer(image.bits(), dtype=np.uint8).reshape(rows, image.bytesPerLine())
        padded = np.zeros(rows * self._columns, dtype=np.uint8)
        padded[: self._cells] = cells
        pixels[:, : self._columns] = padded.reshape(rows, self._columns)
        self._image = image
        self.update()

    def _rect_of(self, cell: int) -> QRect:
        row, column = divmod(cell, self._columns)
        return QRect(1 + column * self._cell, 1 + row * self._cell, self._cell, self._cell)

    def level_at(self, point: QPoint) -> int | None:
        """Index of the first level of the cell at `point`, or None beside the map."""
        column, row = (point.x() - 1) // self._cell, (point.y() - 1) // self._cell
        cell = row * self._columns + column
        if self._image is None or not 0 <= column < self._columns or row < 0 or cell >= self._cells:
            return None
        return cell * self._group

    # --- Qt's events ---

    def sizeHint(self) -> QSize:
        return QSize(180, 84)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._rebuild()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        image = self._image
        if image is not None:
            target = QRect(1, 1, image.width() * self._cell, image.height() * self._cell)
            painter.drawImage(target, image)
            beyond = image.width() * image.height() - self._cells
            if beyond:
                first = self._rect_of(self._cells)
                painter.fillRect(first.x(), first.y(), beyond * self._cell, self._cell, self.palette().window())
            self._paint_mark(painter)
        border = QColor.fromRgb(self._ramp.marker if self.hasFocus() else self._ramp.border)
        painter.setPen(QPen(border, 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_mark(self, painter: QPainter) -> None:
        first, last = (index // self._group for index in self._mark)
        painter.setPen(QPen(QColor.fromRgb(self._ramp.marker), 1.5))
        for cell in {first, min(last, self._cells - 1)}:
            if 0 <= cell < self._cells:
                painter.drawRect(self._rect_of(cell).adjusted(-1, -1, 1, 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        level = self.level_at(event.position().toPoint())
        if level is not None and event.button() is Qt.MouseButton.LeftButton:
            self.chosen.emit(level)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        level = self.level_at(event.position().toPoint())
        if level is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.chosen.emit(level)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._columns,
            Qt.Key.Key_Down: self._columns,
        }
        if key in steps and self._cells:
            cell = min(max(0, self._mark[0] // self._group + steps[key]), self._cells - 1)
            self.chosen.emit(cell * self._group)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._describe is not None:
            first = self.level_at(event.pos())
            if first is not None:
                last = min(first + self._group, self._levels.size) - 1
                QToolTip.showText(event.globalPos(), self._describe(first, last), self)
                return True
        return super().event(event)


register_role(HeatMap, QAccessible.Role.Chart)
