"""What a guest prints, as a terminal shows it: the half of the terminal that is looked at.

Output is worked on in slices of a few milliseconds, and so is drawing: a guest that floods its console never holds the
window. Whoever feeds it waits while `waiting` is high, until `drained`.
"""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from confvm_gui.ui.theme import current_theme, monospace_font, theme_controller
from confvm_gui.ui.widgets.terminal_accessible import announce, make_accessible
from confvm_gui.ui.widgets.terminal_canvas import MARGIN, Row, TerminalCanvas
from confvm_gui.ui.widgets.terminal_ink import TerminalInk
from confvm_gui.ui.widgets.terminal_line import EMPTY, Line, join
from confvm_gui.ui.widgets.terminal_parser import TerminalParser
from confvm_gui.ui.widgets.terminal_screen import LARGEST, SMALLEST, TerminalScreen
from confvm_gui.ui.widgets.terminal_selection import Place, Selection

HIGH_WATER: Final = 256 * 1024
"""Bytes waiting to be worked on at which whoever feeds the terminal should wait."""
_LOW_WATER: Final = HIGH_WATER // 4
_SLICE_SECONDS: Final = 0.004
_FRAME_SECONDS: Final = 0.03
_DRAW_SECONDS: Final = 0.006
_REST_MS: Final = 2
"""Between two slices: others have their turn."""
_WHEEL_LINES: Final = 3
_WHEEL_NOTCH: Final = 120


class TerminalSurface(QAbstractScrollArea):
    """Screen and scroll-back. Rows and columns follow the widget's size."""

    typed = Signal(bytes)
    """Input for the guest: keys, pasted text, answers to what it asked its terminal."""
    drained = Signal()
    """Little waits to be worked on."""
    changed = Signal()
    """Something was printed, or the view scrolled or was resized."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        make_accessible()
        self.terminal = TerminalScreen(80, 24)
        self._parser = TerminalParser(self.terminal)
        self._live: list[Line | None] = []
        self.selection = Selection(self)
        self.writable = False
        self.top = 0
        """Number of the first line shown."""
        self._follow = True
        self._wheel = 0
        self._drawn_at = 0.0
        self._announced = 0
        self._received = False
        self._ink = TerminalInk(current_theme())
        self.canvas = TerminalCanvas(monospace_font(), self.devicePixelRatioF())
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(_REST_MS)
        self._turn.timeout.connect(self._work)
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.timeout.connect(self.redraw)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.verticalScrollBar().valueChanged.connect(self._bar_moved)
        theme_controller().changed.connect(self._put_theme)

    # Lines, by number

    @property
    def first(self) -> int:
        """Number of the oldest line."""
        return self.terminal.scrollback.dropped

    @property
    def behind(self) -> int:
        """Number behind that of the screen's last line."""
        return self.terminal.scrollback.end + self.terminal.lines

    def line_at(self, number: int) -> Line:
        """A line of the scroll-back or the screen; an empty one for a number that is gone."""
        y = number - self.terminal.scrollback.end
        if y < 0:
            return self.terminal.scrollback.line(number) if number >= self.first else EMPTY
        if self.terminal.dirty or len(self._live) != self.terminal.lines:
            self._live += [None] * (self.terminal.lines - len(self._live))
            del self._live[self.terminal.lines :]
            for each in self.terminal.dirty:
                if each < len(self._live):
                    self._live[each] = None
            self.terminal.dirty.clear()
        if y >= len(self._live):
            return EMPTY
        line = self._live[y]
        if line is None:
            line = self._live[y] = self.terminal.line(y)
        return line

    def screen_text(self) -> str:
        """What is on screen."""
        return self._text(self.top, self.top + self.terminal.lines)

    def all_text(self) -> str:
        """Scroll-back and screen, without the empty lines at the end."""
        text = self._text(self.first, self.behind).rstrip("\n")
        return text + "\n" if text else ""

    def _text(self, start: int, end: int) -> str:
        return join([(self.line_at(number), 0, None) for number in range(start, min(end, self.behind))])

    # Output of the guest

    def set_writable(self, writable: bool) -> None:
        """Whether it takes input; if not, its cursor is an outline and Tab leaves it."""
        self.writable = writable
        self.viewport().update()

    @property
    def received(self) -> bool:
        """Whether anything was fed since the last reset."""
        return self._received

    @property
    def waiting(self) -> int:
        """Bytes fed and not yet worked on."""
        return self._parser.waiting

    def feed(self, data: bytes, *, live: bool = True) -> None:
        """Show output. What old output (not `live`) asked of its terminal is not answered now."""
        self._received = self._received or bool(data)
        self._parser.take(data, answer=live)
        if not self._turn.isActive():
            self._turn.start()

    def reset(self) -> None:
        """Begin anew: nothing on screen, nothing in the scroll-back, nothing waiting."""
        columns, lines = self.terminal.columns, self.terminal.lines
        self.terminal = TerminalScreen(columns, lines)
        self._parser = TerminalParser(self.terminal)
        self._live = []
        self._received = False
        self.top, self._follow, self._announced = 0, True, 0
        self.selection.put(Place(0, 0), Place(0, 0))
        self._turn.stop()
        self.canvas.forget()
        self.redraw()
        self.drained.emit()

    def _work(self) -> None:
        many = self._parser.waiting > _LOW_WATER
        alternate = self.terminal.alternate
        more = self._parser.work(_SLICE_SECONDS)
        if alternate != self.terminal.alternate:
            self.selection.clear()  # what was selected is not on screen any more
        answers = self._parser.answers()
        if answers and self.writable:
            self.typed.emit(answers)
        if more:
            self._turn.start()
        if many and self._parser.waiting <= _LOW_WATER:
            self.drained.emit()
        self._plan_draw(0.0 if not more else _FRAME_SECONDS)

    # Drawing

    def _plan_draw(self, pause: float = 0.0) -> None:
        if not self._frame.isActive():
            since = time.perf_counter() - self._drawn_at
            self._frame.start(max(0, round((max(pause, 0.008) - since) * 1000)))

    def redraw(self) -> None:
        """Bring the picture up to date, as far as it goes in one turn."""
        self._drawn_at = time.perf_counter()
        end = self.terminal.scrollback.end
        self.top = end if self._follow else min(max(self.top, self.first), end)
        bar = self.verticalScrollBar()
        bar.blockSignals(True)
        bar.setRange(0, end - self.first)
        bar.setPageStep(self.terminal.lines)
        bar.setValue(self.top - self.first)
        bar.blockSignals(False)
        if self.isVisible():
            columns, inverse = self.terminal.columns, 5 in self.terminal.private
            rows = [
                Row(self.line_at(number), self.selection.in_line(number, columns), inverse)
                for number in range(self.top, self.top + self.terminal.lines)
            ]
            complete = self.canvas.draw(rows, self._ink, current_theme().color("accent_soft"), _DRAW_SECONDS)
            self.viewport().update()
            if not complete:
                self._plan_draw()
            self._announce(end)
        self.changed.emit()

    def _announce(self, end: int) -> None:
        if self.hasFocus() and end > self._announced:
            announce(self, self._text(max(self._announced, end - self.terminal.lines), end))
        self._announced = end

    def _put_theme(self) -> None:
        self._ink = TerminalInk(current_theme())
        self.canvas.forget()
        self._plan_draw()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        if self.canvas.picture.isNull():
            painter.fillRect(event.rect(), self._ink.ground)
        else:
            painter.drawImage(0, 0, self.canvas.picture)
        self._paint_cursor(painter)
        painter.end()

    def _cursor_cell(self) -> QRectF | None:
        cursor = self.terminal.cursor
        y = cursor.y + self.terminal.scrollback.end - self.top
        if cursor.hidden or not 0 <= y < self.terminal.lines:
            return None
        return self.canvas.cell(min(cursor.x, self.terminal.columns - 1), y)

    def _paint_cursor(self, painter: QPainter) -> None:
        box = self._cursor_cell()
        if box is None:
            return
        accent = current_theme().color("accent")
        if not (self.hasFocus() and self.writable):
            painter.setPen(QPen(accent, 1))
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
            return
        painter.fillRect(box, accent)
        column, y = min(self.terminal.cursor.x, self.terminal.columns - 1), self.terminal.cursor.y
        line = self.line_at(y + self.terminal.scrollback.end)
        cells = line.cells()
        if column < len(cells):
            self.canvas.draw_cell(
                painter,
                column,
                y + self.terminal.scrollback.end - self.top,
                cells[column],
                current_theme().color("on_accent"),
            )

    def _fit(self) -> None:
        ratio = self.devicePixelRatioF()
        if self.canvas.picture.devicePixelRatio() != ratio and not self.canvas.picture.isNull():
            self.canvas = TerminalCanvas(self.font_of_cells, ratio)
        columns, lines = self.canvas.fit(self.viewport().size())
        self.terminal.resize(min(max(lines, SMALLEST[1]), LARGEST[1]), min(max(columns, SMALLEST[0]), LARGEST[0]))
        self._plan_draw()

    @property
    def font_of_cells(self) -> QFont:
        return monospace_font()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()
        self.redraw()

    def sizeHint(self) -> QSize:
        return QSize(round(80 * self.canvas.width) + 2 * MARGIN + 20, round(24 * self.canvas.height) + 2 * MARGIN)

    def minimumSizeHint(self) -> QSize:
        return QSize(round(20 * self.canvas.width), round(4 * self.canvas.height) + 2 * MARGIN)

    # Scrolling

    @property
    def following(self) -> bool:
        """Whether new output is shown as it comes."""
        return self._follow

    def scroll_to_end(self) -> None:
        self._follow = True
        self.redraw()

    def hold(self) -> None:
        """Stay where the view is, whatever comes."""
        self._follow = False
        self.redraw()

    def scroll_lines(self, lines: int) -> None:
        """Up for negative numbers; at the end the view follows again."""
        end = self.terminal.scrollback.end
        self.top = min(max(self.top + lines, self.first), end)
        self._follow = self.top >= end
        self.redraw()

    def _bar_moved(self, value: int) -> None:
        self.scroll_lines(self.first + value - self.top)

    def show_line(self, number: int) -> None:
        if not self.top <= number < self.top + self.terminal.lines:
            self.scroll_lines(number - self.terminal.lines // 2 - self.top)
        else:
            self.redraw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y()
        notches, self._wheel = (
            int(self._wheel / _WHEEL_NOTCH),
            int(self._wheel % _WHEEL_NOTCH) if self._wheel > 0 else 0,
        )
        if notches:
            self.scroll_lines(-notches * _WHEEL_LINES)
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()
