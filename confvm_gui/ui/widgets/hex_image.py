"""Composes rows of bytes into one indexed image by copying glyph cells.

The row is: address, gap, hexadecimal cells with a gap after every eight, gap, one character per byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from confvm_gui.ui.widgets.byte_palette import BytePalette
from confvm_gui.ui.widgets.glyph_atlas import ABSENT, GLYPHS, Cells, GlyphAtlas

GROUP = 8
"""Bytes between two gaps."""
_CHEAPER_THAN_A_RUN = 6
"""Rows that take as long to compose as to begin a run."""


@dataclass(frozen=True, slots=True)
class HexRows:
    """What a hex view shows: `rows` rows of `n` bytes, `n` a multiple of 8."""

    addresses: NDArray[np.uint64]
    """(rows,): address of each row's first byte."""
    data: NDArray[np.uint8]
    """(rows, n)."""
    classes: NDArray[np.uint8]
    """(rows, n): colour class of each byte, 0 to 15."""
    absent: NDArray[np.bool_] | None = None
    """(rows, n): where the byte's value is not known and dots stand in its place."""
    rules: tuple[int, ...] = ()
    """Rows above which a line is drawn."""

    def __post_init__(self) -> None:
        shape = self.data.shape
        fits = self.classes.shape == shape and (self.absent is None or self.absent.shape == shape)
        if len(shape) != 2 or shape[1] % GROUP or not fits or self.addresses.shape != shape[:1]:
            raise ValueError("rows of a hex view have one address, and one class for each byte, in groups of eight")


@dataclass(frozen=True, slots=True)
class HexLayout:
    """Columns of a row, in characters of the fixed font."""

    bytes_per_row: int
    """A multiple of 8."""
    address_digits: int
    """0 hides the address column; at most 16."""

    @property
    def hex_start(self) -> int:
        return self.address_digits + (2 if self.address_digits else 1)

    @property
    def text_start(self) -> int:
        return self.hex_start + 3 * self.bytes_per_row + self.bytes_per_row // GROUP

    @property
    def columns(self) -> int:
        return self.text_start + self.bytes_per_row + 1

    def hex_column(self, index: int) -> int:
        """Where the cell of byte `index` of the row starts; it is three characters wide."""
        return self.hex_start + 3 * index + index // GROUP

    def byte_at(self, column: float) -> int:
        """Index of the byte nearest to `column` (in characters), in either part of the row."""
        if column >= self.text_start - 0.5:
            index = int(column - self.text_start)
        else:
            group_width = 3 * GROUP + 1
            group, rest = divmod(max(0.0, column - self.hex_start), group_width)
            index = int(group) * GROUP + min(GROUP - 1, int(rest / 3))
        return min(max(0, index), self.bytes_per_row - 1)


class HexImage:
    """One indexed image of `rows` rows, composed row by row as they change."""

    def __init__(self, atlas: GlyphAtlas, layout: HexLayout, rows: int, palette: BytePalette) -> None:
        self.atlas = atlas
        self.layout = layout
        self.rows = rows
        width, height = layout.columns * atlas.width, rows * atlas.height
        self.image = QImage(width, height, QImage.Format.Format_Indexed8)
        self._picture: QImage | None = None
        self.image.setColorTable(palette.colour_table())
        self.image.fill(0)
        # The image owns the memory; the array only looks at it, and goes with it.
        pixels = np.frombuffer(self.image.bits(), dtype=np.uint8)
        self._lines = pixels.reshape(rows, atlas.height, self.image.bytesPerLine())
        self._shown: HexRows | None = None

    @property
    def picture(self) -> QImage:
        """The image in the format of the screen: converting it once is much faster than at every paint."""
        if self._picture is None:
            self._picture = self.image.convertToFormat(QImage.Format.Format_RGB32)
            self._picture.setDevicePixelRatio(self.atlas.device_pixel_ratio)
        return self._picture

    def compose(self, content: HexRows) -> tuple[int, int] | None:
        """Draw the rows that differ from those last composed; the first and last of them, or None if none does.

        Rows past the end of `content` are left blank. Raises ValueError where `content` is not of this layout.
        """
        count = min(self.rows, content.data.shape[0])
        if content.data.shape[1] != self.layout.bytes_per_row:
            raise ValueError("the rows have another number of bytes than the layout")
        changed = self._changed(content, count)
        self._shown = content
        if changed.size == 0:
            return None
        self._picture = None
        for first, last in _runs(changed):
            self._compose_rows(content, first, min(last, count))
            if last > count:
                self._lines[max(first, count) : last] = 0
        return int(changed[0]), int(changed[-1])

    def _changed(self, content: HexRows, count: int) -> NDArray[np.intp]:
        shown = self._shown
        if (
            shown is None
            or shown.data.shape != content.data.shape
            or (shown.absent is None) != (content.absent is None)
        ):
            return np.arange(self.rows)
        differs = shown.addresses[:count] != content.addresses[:count]
        differs |= (shown.data[:count] != content.data[:count]).any(axis=1)
        differs |= (shown.classes[:count] != content.classes[:count]).any(axis=1)
        if shown.absent is not None and content.absent is not None:
            differs |= (shown.absent[:count] != content.absent[:count]).any(axis=1)
        return np.flatnonzero(differs)

    def _compose_rows(self, content: HexRows, first: int, last: int) -> None:
        if last <= first:
            return
        atlas, layout = self.atlas, self.layout
        if layout.address_digits:
            shifts = np.arange(4 * (layout.address_digits - 1), -1, -4, dtype=np.uint64)
            digits = ((content.addresses[first:last, None] >> shifts) & np.uint64(15)).astype(np.intp)
            self._lines[first:last, :, : layout.address_digits * atlas.width] = _gather(atlas.digits, digits)
        cells = content.data[first:last].astype(np.intp)
        if content.absent is not None:
            cells[content.absent[first:last]] = ABSENT
        cells += content.classes[first:last].astype(np.intp) * GLYPHS
        pairs = _gather(atlas.hexadecimal, cells)
        width = GROUP * 3 * atlas.width
        for group in range(layout.bytes_per_row // GROUP):
            start = layout.hex_column(group * GROUP) * atlas.width
            self._lines[first:last, :, start : start + width] = pairs[:, :, group * width : (group + 1) * width]
        start = layout.text_start * atlas.width
        self._lines[first:last, :, start : start + layout.bytes_per_row * atlas.width] = _gather(atlas.text, cells)


def _gather(cells: Cells, indices: NDArray[np.intp]) -> Cells:
    """The cells at `indices` (rows, count) side by side: (rows, height, count x width)."""
    rows, count = indices.shape
    height, _, width = cells.shape
    lines: Cells = np.take(cells, indices.reshape(-1), axis=1).reshape(height, rows, count * width)
    return lines.transpose(1, 0, 2)


def _runs(indices: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Half-open runs that cover ascending `indices`; a few rows more are cheaper than another run."""
    breaks = np.flatnonzero(np.diff(indices) > _CHEAPER_THAN_A_RUN) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(indices, breaks)]
