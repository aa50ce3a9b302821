"""A view of bytes in rows: address, hexadecimal, text; each byte in the colour class that it is given.

It shows one `HexRows` at a time and knows nothing of where they come from. Scrolling, cursor and selection live in a
`HexPosition`, which several views may share.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFont,
    QFontDatabase,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from confvm_gui.ui.widgets.accessible_role import register_role
from confvm_gui.ui.widgets.byte_palette import BLANK, SELECTED, BytePalette
from confvm_gui.ui.widgets.glyph_atlas import GlyphAtlas, glyph_atlas
from confvm_gui.ui.widgets.hex_image import HexImage, HexLayout, HexRows
from confvm_gui.ui.widgets.hex_position import HexPosition

SMALLEST_FONT, LARGEST_FONT = 6.0, 28.0
"""Points."""
WHEEL_ROWS = 3
"""Rows for one notch of the wheel (120 eighths of a degree)."""


class HexView(QWidget):
    """Bytes in rows. Give it rows with `set_rows` whenever they are new; it repaints what differs."""

    rows_fit = Signal(int)
    """How many rows fit whole, when that changes."""
    zoomed = Signal(float)
    """The user asked for another font size, in points."""
    copy_requested = Signal()

    def __init__(self, position: HexPosition, palette: BytePalette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._position = position
        self._colours = palette
        self._digits = 8
        self._rows: HexRows | None = None
        self._image: HexImage | None = None
        self._wheel = 0
        self._cursor_row = 0
        self._font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        position.cursor_moved.connect(self._recompose)
        position.range_changed.connect(self._rebuild)

    # --- what it shows ---

    def set_rows(self, rows: HexRows) -> None:
        """Show `rows`, the first of which is the position's top row."""
        self._rows = rows
        self._recompose()

    def clear(self) -> None:
        """Show nothing."""
        self._rows = None
        self._image = None
        self.update()

    def set_palette_of_bytes(self, palette: BytePalette) -> None:
        self._colours = palette
        self._rebuild()

    def set_address_digits(self, digits: int) -> None:
        """Hexadecimal digits of the address column; 0 hides it."""
        if digits != self._digits:
            self._digits = digits
            self._rebuild()

    def set_font_size(self, points: float) -> None:
        """Clipped to SMALLEST_FONT … LARGEST_FONT."""
        self._font.setPointSizeF(min(max(points, SMALLEST_FONT), LARGEST_FONT))
        self._rebuild()
        self.rows_fit.emit(self.fitting_rows())

    @property
    def font_size(self) -> float:
        """Points."""
        return self._font.pointSizeF()

    def width_for(self, bytes_per_row: int, address_digits: int) -> int:
        """Width in device-independent pixels that a row of this layout takes."""
        atlas = self._atlas()
        columns = HexLayout(bytes_per_row, address_digits).columns
        return round(columns * atlas.width / atlas.device_pixel_ratio)

    def fitting_rows(self) -> int:
        atlas = self._atlas()
        return max(1, int(self.height() * atlas.device_pixel_ratio / atlas.height))

    @property
    def font_of_bytes(self) -> QFont:
        return self._font

    # --- composing ---

    def _atlas(self) -> GlyphAtlas:
        return glyph_atlas(self._font, self.devicePixelRatioF())

    def _layout(self) -> HexLayout:
        return HexLayout(self._position.bytes_per_row, self._digits)

    def _rebuild(self) -> None:
        self._image = None
        if self._rows is not None and self._rows.data.shape[1] != self._position.bytes_per_row:
            self._rows = None
        self._recompose()
        self.update()

    def _recompose(self) -> None:
        rows = self._rows
        if rows is None:
            self.update()
            return
        atlas = self._atlas()
        count = -(-round(self.height() * atlas.device_pixel_ratio) // atlas.height)
        image = self._image
        if image is None or image.rows != count or image.atlas is not atlas:
            image = self._image = HexImage(atlas, self._layout(), max(1, count), self._colours)
            self.update()
        changed = image.compose(self._with_selection(rows))
        if changed is not None:
            height = atlas.height / atlas.device_pixel_ratio
            first, last = changed
            self.update(0, int(first * height), self._used_width(), int((last - first + 1) * height) + 2)
        # The cursor's outline is painted over the image and moves without any byte changing.
        self._update_cursor()

    def _with_selection(self, rows: HexRows) -> HexRows:
        position = self._position
        if not position.has_selection:
            return rows
        start = position.top * position.bytes_per_row
        low, high = (edge - start for edge in position.selection)
        if high <= 0 or low >= rows.data.size:
            return rows
        classes = rows.classes.copy()
        flat = classes.reshape(-1)
        part = flat[max(0, low) : high]
        part[part != BLANK] = SELECTED
        return HexRows(rows.addresses, rows.data, classes, rows.absent, rows.rules)

    def _used_width(self) -> int:
        """Device-independent pixels of a row; what is right of them never changes."""
        return self.width() if self._image is None else int(self._image.picture.deviceIndependentSize().width()) + 1

    def _update_cursor(self) -> None:
        row = self._position.cursor // self._position.bytes_per_row - self._position.top
        previous, self._cursor_row = self._cursor_row, row
        height = self._atlas().height / self.devicePixelRatioF()
        for each in {previous, row}:
            if 0 <= each * height < self.height():
                self.update(0, int(each * height) - 1, self._used_width(), int(height) + 4)

    # --- Qt's events ---

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paper = QColor.fromRgb(self._colours.inks[BLANK].paper)
        image = self._image
        if image is None or self._rows is None:
            painter.fillRect(event.rect(), paper)
            painter.end()
            return
        picture, dirty = image.picture, event.rect()
        row_height = image.atlas.height / image.atlas.device_pixel_ratio
        painter.drawImage(0, 0, picture)
        # Rounded down: at fractional ratios no strip may stay unpainted, and the last column is blank anyway.
        right = int(picture.deviceIndependentSize().width())
        if dirty.right() >= right:
            painter.fillRect(right, dirty.top(), self.width() - right, dirty.height(), paper)
        painter.setPen(QPen(QColor.fromRgb(self._colours.rule), 1))
        for row in self._rows.rules:
            painter.drawLine(0, round(row * row_height), self.width(), round(row * row_height))
        self._paint_cursor(painter, image)
        painter.end()

    def _paint_cursor(self, painter: QPainter, image: HexImage) -> None:
        position, layout = self._position, image.layout
        row, index = divmod(position.cursor, position.bytes_per_row)
        row -= position.top
        if not 0 <= row < image.rows or position.length == 0:
            return
        ratio = image.atlas.device_pixel_ratio
        width, height = image.atlas.width / ratio, image.atlas.height / ratio
        pen = QPen(QColor.fromRgb(self._colours.cursor), 2 if self.hasFocus() else 1)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        top = row * height
        painter.drawRect(QRectF((layout.hex_column(index) + 0.25) * width, top + 0.5, 2.5 * width, height - 1))
        painter.drawRect(QRectF((layout.text_start + index) * width, top + 0.5, width, height - 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows_fit.emit(self.fitting_rows())
        self._recompose()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._rebuild()
            self.rows_fit.emit(self.fitting_rows())
        return super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(self.width_for(16, self._digits), 320)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.width_for(8, 0), 80)

    def focusInEvent(self, event: QEvent) -> None:
        self._update_cursor()

    def focusOutEvent(self, event: QEvent) -> None:
        self._update_cursor()

    # --- mouse ---

    def offset_at(self, point: QPoint) -> int:
        """Offset of the byte nearest to `point`, which may lie outside the widget."""
        atlas, position = self._atlas(), self._position
        ratio = atlas.device_pixel_ratio
        row = int(point.y() * ratio // atlas.height)
        index = self._layout().byte_at(point.x() * ratio / atlas.width)
        return min(max(0, (position.top + row) * position.bytes_per_row + index), max(0, position.length - 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._position.move_cursor(self.offset_at(event.position().toPoint()), extend=extend)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._position.move_cursor(self.offset_at(event.position().toPoint()), extend=True)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            notches, self._wheel = int(self._wheel / 120), 0
            if notches:
                self.zoomed.emit(self.font_size + notches)
        else:
            # Touchpads send fractions of a notch: what is left over counts for the next event.
            rows = int(self._wheel * WHEEL_ROWS / 120)
            self._wheel -= int(rows * 120 / WHEEL_ROWS)
            self._position.scroll_to(self._position.top - rows)
        event.accept()

    # --- keys ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        position = self._position
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        row_start = position.cursor - position.cursor % position.bytes_per_row
        key = Qt.Key(event.key())
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        lines = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        pages = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if control and key in (Qt.Key.Key_C, Qt.Key.Key_Insert):
            self.copy_requested.emit()
        elif control and key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoomed.emit(self.font_size + (-1 if key == Qt.Key.Key_Minus else 1))
        elif control and key in lines:
            position.scroll_to(position.top + lines[key])
        elif key in steps:
            position.move_cursor(position.cursor + steps[key], extend=extend)
        elif key in lines:
            target = position.cursor + lines[key] * position.bytes_per_row
            if 0 <= target < position.length:
                position.move_cursor(target, extend=extend)
        elif key in pages:
            position.page(pages[key], extend=extend)
        elif key == Qt.Key.Key_Home:
            position.move_cursor(0 if control else row_start, extend=extend)
        elif key == Qt.Key.Key_End:
            end = position.length - 1 if control else row_start + position.bytes_per_row - 1
            position.move_cursor(end, extend=extend)
        elif key == Qt.Key.Key_Escape and position.has_selection:
            position.move_cursor(position.cursor)
        else:
            super().keyPressEvent(event)


register_role(HexView, QAccessible.Role.StaticText)
