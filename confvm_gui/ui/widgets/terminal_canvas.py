"""The picture of a terminal: one row of cells after the other, each as a run of glyphs for every look in it.

A row is drawn again only where it differs from what the picture shows, and drawing stops when its time is over: the
caller goes on in its next turn. Glyphs are placed by cell, not by the font's own advance, so that columns hold.
"""

from __future__ import annotations

import time
from math import ceil
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGlyphRun, QImage, QPainter, QRawFont

from confvm_gui.ui.widgets.terminal_ink import TerminalInk
from confvm_gui.ui.widgets.terminal_line import EMPTY, Line, Run, Style

MARGIN: Final = 4
"""Pixels around the cells."""
_MOST_GLYPHS: Final = 8192


class Row(NamedTuple):
    """What a row of the picture shows."""

    line: Line = EMPTY
    selected: tuple[int, int] = (0, 0)
    """First cell and the one behind the last."""
    inverse: bool = False


class TerminalCanvas:
    """Cells of one font at one device pixel ratio. `width` and `height` of a cell in device-independent pixels."""

    def __init__(self, font: QFont, ratio: float) -> None:
        metrics = QFontMetricsF(font)
        self._ratio = ratio
        self.width = max(1, round(metrics.horizontalAdvance("0") * ratio)) / ratio
        self.height = max(1, ceil((metrics.ascent() + metrics.descent()) * ratio)) / ratio
        self._ascent = metrics.ascent()
        self._fonts: dict[tuple[bool, bool], tuple[QFont, QRawFont, dict[str, int]]] = {}
        self._font = font
        self._shown: list[Row | None] = []
        self.picture = QImage()

    def fit(self, size: QSize) -> tuple[int, int]:
        """Columns and lines that fit into `size`; makes the picture as large."""
        pixels = QSize(ceil(size.width() * self._ratio), ceil(size.height() * self._ratio))
        if self.picture.size() != pixels and not pixels.isEmpty():
            self.picture = QImage(pixels, QImage.Format.Format_RGB32)
            self.picture.setDevicePixelRatio(self._ratio)
            self._shown = []
        columns = int((size.width() - 2 * MARGIN) / self.width)
        lines = int((size.height() - 2 * MARGIN) / self.height)
        return max(1, columns), max(1, lines)

    def forget(self) -> None:
        """Draw everything again."""
        self._shown = []

    def draw(self, rows: list[Row], ink: TerminalInk, selection: QColor, seconds: float) -> bool:
        """Bring the picture up to date for about `seconds`; whether all of it is."""
        if self.picture.isNull():
            return True
        painter = QPainter(self.picture)
        if len(self._shown) != len(rows):
            painter.fillRect(QRectF(0, 0, self.picture.width(), self.picture.height()), ink.ground)
            self._shown = [None] * len(rows)
        until = time.perf_counter() + seconds
        complete = True
        for y, row in enumerate(rows):
            if self._shown[y] != row:
                if time.perf_counter() > until:
                    complete = False
                    break
                self._draw_row(painter, y, row, ink, selection)
                self._shown[y] = row
        painter.end()
        return complete

    def cell(self, column: int, y: int, cells: int = 1) -> QRectF:
        """Where cells are."""
        return QRectF(MARGIN + column * self.width, MARGIN + y * self.height, cells * self.width, self.height)

    def draw_cell(self, painter: QPainter, column: int, y: int, data: str, text: QColor) -> None:
        """A single cell without its ground: the one under the cursor."""
        self._draw_cells(painter, column, y, data if len(data) == 1 else (data,), Style(), text)

    def _draw_row(self, painter: QPainter, y: int, row: Row, ink: TerminalInk, selection: QColor) -> None:
        strip = QRectF(0, MARGIN + y * self.height, self.picture.width() / self._ratio, self.height)
        empty = ink.ink(Style(), row.inverse)
        painter.fillRect(strip, empty.ground or ink.ground)
        painter.setClipRect(strip)
        inks = [ink.ink(run.style, row.inverse) for run in row.line.runs]
        for run, look in zip(row.line.runs, inks, strict=True):
            if look.ground is not None:
                painter.fillRect(self.cell(run.column, y, len(run.cells)), look.ground)
        start, end = row.selected
        if end > start:
            painter.fillRect(self.cell(start, y, end - start), selection)
        for run, look in zip(row.line.runs, inks, strict=True):
            before, behind = max(start - run.column, 0), max(end - run.column, 0)
            if end > start and before < len(run.cells) and behind > 0:
                for first, last, text in (
                    (0, before, look.text),
                    (before, behind, ink.text),
                    (behind, len(run.cells), look.text),
                ):
                    if run.cells[first:last]:
                        self._draw_run(painter, y, Run(run.column + first, run.cells[first:last], run.style), text)
            else:
                self._draw_run(painter, y, run, look.text)
        painter.setClipping(False)

    def _draw_run(self, painter: QPainter, y: int, run: Run, text: QColor) -> None:
        self._draw_cells(painter, run.column, y, run.cells, run.style, text)
        if run.style.underscore or run.style.strikethrough:
            box = self.cell(run.column, y, len(run.cells))
            thick = max(1.0, round(self.height / 14))
            if run.style.underscore:
                painter.fillRect(QRectF(box.left(), box.bottom() - thick - 1, box.width(), thick), text)
            if run.style.strikethrough:
                painter.fillRect(QRectF(box.left(), box.center().y(), box.width(), thick), text)

    def _draw_cells(
        self, painter: QPainter, column: int, y: int, cells: str | tuple[str, ...], style: Style, text: QColor
    ) -> None:
        font, raw, glyphs = self._face(style.bold, style.italics)
        if isinstance(cells, str):
            self._learn(raw, glyphs, cells)
        indexes: list[int] = []
        places: list[QPointF] = []
        others: list[tuple[int, str]] = []
        base = MARGIN + y * self.height + self._ascent
        for at, data in enumerate(cells, column):
            if data in (" ", ""):
                continue
            glyph = glyphs.get(data, 0)
            if glyph:
                indexes.append(glyph)
                places.append(QPointF(MARGIN + at * self.width, base))
            else:
                others.append((at, data))
        painter.setPen(text)
        if indexes:
            run = QGlyphRun()
            run.setRawFont(raw)
            run.setGlyphIndexes(indexes)
            run.setPositions(places)
            painter.drawGlyphRun(QPointF(0, 0), run)
        if others:
            # Characters that the font has not, wide ones, and such that combine: Qt finds another font for them.
            painter.setFont(font)
            for at, data in others:
                wide = at - column + 1 < len(cells) and cells[at - column + 1] == ""
                painter.drawText(self.cell(at, y, 2 if wide else 1), Qt.AlignmentFlag.AlignCenter, data)

    def _face(self, bold: bool, italics: bool) -> tuple[QFont, QRawFont, dict[str, int]]:
        face = self._fonts.get((bold, italics))
        if face is None:
            font = QFont(self._font)
            font.setBold(bold)
            font.setItalic(italics)
            face = self._fonts[bold, italics] = (font, QRawFont.fromFont(font), {})
        return face

    @staticmethod
    def _learn(raw: QRawFont, glyphs: dict[str, int], cells: str) -> None:
        for character in set(cells):
            if character not in glyphs:
                if len(glyphs) >= _MOST_GLYPHS:
                    glyphs.clear()
                found = raw.glyphIndexesForString(character)
                glyphs[character] = found[0] if len(found) == 1 else 0
