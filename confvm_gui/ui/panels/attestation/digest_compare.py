"""Two values in full, one above the other in bytes that stand under each other, the differing ones marked.

Marked by a filled ground, a line below, and (for a screen reader) in words: never by colour alone.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from confvm_gui.ui.models.counted_words import counted
from confvm_gui.ui.text import translate
from confvm_gui.ui.theme import UNIT, current_theme, interface_font, monospace_font, theme_controller
from confvm_gui.ui.widgets.accessible_role import register_role

_HEX = re.compile(r"(?:[0-9a-f]{2}){4,}", re.IGNORECASE)
_MOST_BYTES = 1024
"""Longer values are shown as text."""
_PER_LINE = (48, 32, 24, 16, 8, 4)
_WORD = 4
"""Bytes after which a gap follows."""


def nearest(expected: str, actual: str) -> str:
    """Of the values that `expected` accepts (`a or b`), the one of the most equal bytes; "" if none can be compared."""
    if not is_hex(actual):
        return ""
    choices = [value for value in expected.split(" or ") if is_hex(value)]
    return max(choices, key=lambda value: len(value) - 2 * len(differing(value, actual)), default="")


def is_hex(text: str) -> bool:
    """Whether a text is bytes in hexadecimal: four at least, so that no number is taken for a digest."""
    return len(text) <= 2 * _MOST_BYTES and _HEX.fullmatch(text) is not None


def differing(expected: str, actual: str) -> list[int]:
    """Numbers of the bytes that are not the same in both, those that only one has included."""
    first, second = bytes.fromhex(expected), bytes.fromhex(actual)
    shorter, longer = sorted((len(first), len(second)))
    return [at for at in range(shorter) if first[at] != second[at]] + list(range(shorter, longer))


class DigestCompare(QWidget):
    """Shows `expected` over `actual`, both hexadecimal; as many bytes on a line as fit."""

    def __init__(self, expected: str, actual: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("digest-compare")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        self._font = monospace_font()
        self.show_values(expected, actual)
        theme_controller().changed.connect(self.update)

    def show_values(self, expected: str, actual: str) -> None:
        self.expected = expected.lower()
        self.actual = actual.lower()
        self.different = differing(expected, actual)
        self._marked = frozenset(self.different)
        size = max(len(expected), len(actual)) // 2
        self.summary = counted().bytes_differ(len(self.different), size)
        self.setAccessibleName(
            translate("DigestCompare", "Expected {expected}, found {actual}; {summary}").format(
                expected=self.expected, actual=self.actual, summary=self.summary
            )
        )
        self._fit()
        self.update()

    def text(self) -> str:
        """Both values, for the clipboard."""
        return f"{self._words()[0]}  {self.expected}\n{self._words()[1]}  {self.actual}"

    @staticmethod
    def _words() -> tuple[str, str]:
        return translate("DigestCompare", "expected"), translate("DigestCompare", "found")

    def _metrics(self) -> tuple[QFontMetrics, int, int]:
        """Metrics of the bytes, width of the words before them, bytes on a line."""
        metrics = QFontMetrics(self._font)
        words = QFontMetrics(interface_font())
        left = max(words.horizontalAdvance(word) for word in self._words()) + UNIT
        size = max(len(self.expected), len(self.actual)) // 2
        room = self.width() - left - 4
        pair = metrics.horizontalAdvance("00")
        for count in _PER_LINE:
            if self._x(count - 1, pair) + pair <= room and (count < size * 2 or count == _PER_LINE[-1]):
                return metrics, left, count
        return metrics, left, _PER_LINE[-1]

    @staticmethod
    def _x(at: int, pair: int) -> int:
        """Pixels from the first byte to byte `at` of a line."""
        return at * (pair + 3) + at // _WORD * 6

    def _fit(self) -> None:
        metrics, _, count = self._metrics()
        size = max(len(self.expected), len(self.actual)) // 2
        lines = max(1, -(-size // count))
        height = lines * (2 * (metrics.height() + 4) + 8)
        if self.height() != height or self.minimumHeight() != height:
            self.setFixedHeight(height)

    def minimumSizeHint(self) -> QSize:
        return QSize(150, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        metrics, left, count = self._metrics()
        pair = metrics.horizontalAdvance("00")
        line = metrics.height() + 4
        size = max(len(self.expected), len(self.actual)) // 2
        top = 2
        for begin in range(0, max(1, size), count):
            for row, (word, value) in enumerate(zip(self._words(), (self.expected, self.actual), strict=True)):
                y = top + row * line
                painter.setFont(interface_font())
                painter.setPen(theme.color("muted"))
                if begin == 0:
                    painter.drawText(QRect(0, y, left, line), Qt.AlignmentFlag.AlignVCenter, word)
                painter.setFont(self._font)
                for at in range(begin, min(begin + count, size)):
                    self._byte(painter, QRect(left + self._x(at - begin, pair), y, pair, line), value, at, row == 1)
            top += 2 * line + 8
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 4, 4)
        painter.end()

    def _byte(self, painter: QPainter, cell: QRect, value: str, at: int, found: bool) -> None:
        theme = current_theme()
        text = value[2 * at : 2 * at + 2] or "··"
        if at in self._marked:
            role = "danger" if found else "success"
            painter.fillRect(cell.adjusted(-2, 1, 2, -1), theme.color(f"{role}_soft"))
            painter.setPen(QPen(theme.color(role), 2))
            painter.drawLine(cell.left() - 1, cell.bottom() - 1, cell.right() + 1, cell.bottom() - 1)
            painter.setPen(theme.color("text"))
        else:
            painter.setPen(theme.color("muted"))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)

    # The clipboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        for words, value in (
            (translate("DigestCompare", "Copy both"), self.text()),
            (translate("DigestCompare", "Copy the expected value"), self.expected),
            (translate("DigestCompare", "Copy the value found"), self.actual),
        ):
            menu.addAction(words).triggered.connect(
                lambda _=False, text=value: QGuiApplication.clipboard().setText(text)
            )
        menu.popup(event.globalPos())


register_role(DigestCompare, QAccessible.Role.StaticText)
