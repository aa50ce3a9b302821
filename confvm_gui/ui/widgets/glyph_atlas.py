"""Every glyph that a hex view needs, drawn once per font and screen, as arrays of intensities.

Text layout costs microseconds per call, and a screen of bytes needs thousands of calls: `drawText` per byte takes
ten times as long as copying ready-made cells into one image.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, qRgb

from confvm_gui.ui.widgets.byte_palette import ADDRESS, CLASSES

ABSENT = 256
"""Index of the cell for a byte whose value is not known."""

GLYPHS = 257
"""Cells of one colour class: one for each byte, and ABSENT."""

Cells = NDArray[np.uint8]


class GlyphAtlas:
    """Cells of one font at one device pixel ratio; sizes in device pixels.

    A pixel is `class << 4 | intensity`. Cells are kept line by line, (height, cells, width), since gathering whole
    lines of many cells is four times as fast as gathering whole cells. `hexadecimal` and `text` have one cell for
    every colour class and byte, at index `class * GLYPHS + byte`: a hexadecimal cell is three characters wide (half a
    gap, two digits, half a gap), so that neighbours touch and a coloured paper has no holes; a text cell is printable
    ASCII, or a dot. `digits` has sixteen cells in the class of addresses.
    """

    def __init__(self, font: QFont, device_pixel_ratio: float) -> None:
        self.device_pixel_ratio = device_pixel_ratio
        drawn = QFont(font)
        drawn.setStyleStrategy(QFont.StyleStrategy.PreferAntialias | QFont.StyleStrategy.NoSubpixelAntialias)
        if drawn.pixelSize() > 0:
            drawn.setPixelSize(max(1, round(drawn.pixelSize() * device_pixel_ratio)))
        else:
            drawn.setPointSizeF(drawn.pointSizeF() * device_pixel_ratio)
        metrics = QFontMetricsF(drawn)
        self.width = max(1, ceil(metrics.horizontalAdvance("0") - 0.25))
        self.height = max(1, ceil(metrics.ascent() + metrics.descent()) + 2)
        self._baseline = 1 + metrics.ascent()
        self._font = drawn
        glyphs = {character: self._draw(character) for character in map(chr, range(0x20, 0x7F))}
        dot = self._draw("·")
        digits = np.stack([glyphs[digit] for digit in "0123456789abcdef"])
        left = self.width // 2
        pairs = np.zeros((GLYPHS, self.height, 3 * self.width), dtype=np.uint8)
        for value in range(256):
            pairs[value, :, left : left + self.width] = digits[value >> 4]
            pairs[value, :, left + self.width : left + 2 * self.width] = digits[value & 15]
        pairs[ABSENT, :, left : left + self.width] = dot
        pairs[ABSENT, :, left + self.width : left + 2 * self.width] = dot
        self.digits = _inked(digits, (ADDRESS,))
        self.hexadecimal = _inked(pairs, range(CLASSES))
        self.text = _inked(np.stack([glyphs.get(chr(value), dot) for value in range(256)] + [dot]), range(CLASSES))

    def _draw(self, character: str) -> Cells:
        image = QImage(self.width, self.height, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(self._font)
        painter.setPen(qRgb(255, 255, 255))
        painter.drawText(QPointF(0, self._baseline), character)
        painter.end()
        rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(self.height, image.bytesPerLine())
        # A plain shift would make the thin strokes of small fonts thinner still.
        return np.minimum((rows[:, : self.width].astype(np.uint16) + 8) // 16, 15).astype(np.uint8)


def _inked(glyphs: Cells, classes: Iterable[int]) -> Cells:
    """(cells, height, width) of intensities as (height, classes x cells, width) of pixels."""
    lines = glyphs.transpose(1, 0, 2)
    return np.ascontiguousarray(np.concatenate([lines | np.uint8(each << 4) for each in classes], axis=1))


@lru_cache(maxsize=4)
def _cached(description: str, device_pixel_ratio: float) -> GlyphAtlas:
    font = QFont()
    font.fromString(description)
    return GlyphAtlas(font, device_pixel_ratio)


def glyph_atlas(font: QFont, device_pixel_ratio: float) -> GlyphAtlas:
    """The atlas of `font` for a screen of `device_pixel_ratio`, drawn on first use (about 10 ms)."""
    return _cached(font.toString(), device_pixel_ratio)
