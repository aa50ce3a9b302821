"""Where a reader of bytes is: scroll position, cursor and selection, shared by every view of the same range.

Views that share one position scroll together and show one cursor. Offsets count bytes from the start of the range;
they are Python integers, so a range of any size works.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class HexPosition(QObject):
    """Position in a range of `length` bytes shown in rows of `bytes_per_row`."""

    scrolled = Signal()
    """Other rows are at the top, or other rows fit."""
    cursor_moved = Signal()
    """The cursor or the selection is another."""
    range_changed = Signal()
    """`length` or `bytes_per_row` is another."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._length = 0
        self._bytes_per_row = 16
        self._visible_rows = 1
        self._top = 0
        self._cursor = 0
        self._anchor = 0

    @property
    def length(self) -> int:
        """Bytes."""
        return self._length

    @property
    def bytes_per_row(self) -> int:
        return self._bytes_per_row

    @property
    def visible_rows(self) -> int:
        """Rows that fit whole."""
        return self._visible_rows

    @property
    def rows(self) -> int:
        return -(-self._length // self._bytes_per_row)

    @property
    def last_top(self) -> int:
        """The largest row that can be at the top."""
        return max(0, self.rows - self._visible_rows)

    @property
    def top(self) -> int:
        """Row at the top."""
        return self._top

    @property
    def cursor(self) -> int:
        """Offset of the byte under the cursor."""
        return self._cursor

    @property
    def selection(self) -> tuple[int, int]:
        """Half-open range of offsets: from the anchor to the cursor, both included; the cursor's byte alone if
        nothing was marked."""
        low, high = sorted((self._anchor, self._cursor))
        return low, min(high + 1, self._length)

    @property
    def has_selection(self) -> bool:
        """Whether more than the cursor's byte is marked."""
        return self._anchor != self._cursor

    def set_length(self, length: int) -> None:
        """Begin a new range: the position goes back to its start if it no longer fits."""
        if length == self._length:
            return
        self._length = length
        last = max(0, length - 1)
        self._cursor, self._anchor = min(self._cursor, last), min(self._anchor, last)
        self._top = min(self._top, self.last_top)
        self.range_changed.emit()

    def set_bytes_per_row(self, count: int) -> None:
        """Rewrap, keeping the first byte shown at the top."""
        if count == self._bytes_per_row:
            return
        first = self._top * self._bytes_per_row
        self._bytes_per_row = count
        self._top = min(first // count, self.last_top)
        self.range_changed.emit()

    def set_visible_rows(self, rows: int) -> None:
        rows = max(1, rows)
        if rows == self._visible_rows:
            return
        self._visible_rows = rows
        self._top = min(self._top, self.last_top)
        self.scrolled.emit()

    def scroll_to(self, row: int) -> None:
        """Bring `row` to the top, as far as the range allows."""
        row = min(max(0, row), self.last_top)
        if row != self._top:
            self._top = row
            self.scrolled.emit()

    def move_cursor(self, offset: int, *, extend: bool = False) -> None:
        """Put the cursor on `offset` (clipped to the range) and bring it into view; `extend` keeps the anchor."""
        offset = min(max(0, offset), max(0, self._length - 1))
        anchor = self._anchor if extend else offset
        if (offset, anchor) != (self._cursor, self._anchor):
            self._cursor, self._anchor = offset, anchor
            self.cursor_moved.emit()
        row = offset // self._bytes_per_row
        if row < self._top:
            self.scroll_to(row)
        elif row >= self._top + self._visible_rows:
            self.scroll_to(row - self._visible_rows + 1)

    def select(self, first: int, last: int) -> None:
        """Mark `first` to `last`, both included, with the cursor on `first` and a few rows of context above it."""
        top = max(0, self._length - 1)
        self._anchor, cursor = min(max(0, last), top), min(max(0, first), top)
        self._cursor = cursor
        self.cursor_moved.emit()
        row = cursor // self._bytes_per_row
        if not self._top <= row < self._top + self._visible_rows:
            self.scroll_to(row - self._visible_rows // 4)

    def page(self, pages: int, *, extend: bool = False) -> None:
        """Move cursor and view by `pages` screens."""
        rows = pages * max(1, self._visible_rows - 1)
        self.scroll_to(self._top + rows)
        self.move_cursor(self._cursor + rows * self._bytes_per_row, extend=extend)
