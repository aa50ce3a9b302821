"""The screen of a terminal: pyte's, with what serial consoles of Linux need beyond it, and hardened.

pyte keeps the cells, the cursor, the margins, the tab stops and most movements. Added here: scroll-back, the alternate
screen, autowrap that remembers where it wrapped, a resize that loses nothing, scrolling and repeating commands. Bounded
here: combining characters in a cell and saved cursors, which pyte lets grow without end.

Sources: ECMA-48 (5th edition), DEC VT510 reference (EK-VT510-RM), xterm's ctlseqs (private modes 47, 1047, 1049, 2004).
"""

from __future__ import annotations

import copy
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import pyte
from pyte import charsets, modes
from pyte.screens import Char, Cursor, Margins, StaticDefaultDict, wcwidth

from confvm_gui.ui.widgets.terminal_line import EMPTY, PLAIN, Line, Run, Scrollback, Style

SMALLEST: Final = (10, 2)
LARGEST: Final = (1000, 400)
"""Columns and lines."""
_MOST_COMBINED: Final = 6
"""Characters in one cell."""
_MOST_CACHED: Final = 4096
_BLANK: Final = Char(" ")


class Row(StaticDefaultDict[int, Char]):
    """Cells by column; those that are missing are blank."""

    wrapped = False
    """Goes on in the next row: the text was longer than the row."""


class _Cells(dict[str, Char]):
    """A cell for each character, in one style."""

    def __init__(self, attributes: Char) -> None:
        super().__init__()
        self.attributes = attributes

    def __missing__(self, character: str) -> Char:
        cell = self.attributes._replace(data=character)
        if len(self) < _MOST_CACHED:
            self[character] = cell
        return cell


class TerminalScreen(pyte.Screen):
    """What the guest has drawn. `number`s of lines count from the first line ever, scroll-back included."""

    def __init__(self, columns: int, lines: int) -> None:
        self.scrollback = Scrollback()
        self.private: set[int] = set()
        """Private modes that are set and that pyte does not know: 1 application cursor keys, 5 inverse screen, 2004."""
        self.keypad = False
        """Application keypad."""
        self._cells = _Cells(_BLANK)
        self._styles: dict[tuple[object, ...], Style] = {}
        self._last_drawn = ""
        self._main: tuple[dict[int, StaticDefaultDict[int, Char]], Cursor, int] | None = None
        super().__init__(columns, lines)
        self.buffer = defaultdict(lambda: Row(_BLANK))

    # What is on it

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program has the alternate screen: nothing goes to the scroll-back then."""
        return self._main is not None

    def line(self, y: int) -> Line:
        """The line at `y` of the screen as it is now."""
        row = self.buffer.get(y)
        return EMPTY if row is None else self._line_of(row)

    def _line_of(self, row: StaticDefaultDict[int, Char]) -> Line:
        runs: list[Run] = []
        cells: list[str] = []
        start, simple = 0, True
        style: tuple[object, ...] = ()
        expected = -1
        for column in sorted(row):
            if column >= self.columns:
                break
            cell = row[column]
            look = cell[1:8]
            if column != expected or look != style:
                if cells:
                    runs.append(self._run(start, cells, simple, style))
                start, cells, simple, style = column, [], True, look
            cells.append(cell.data)
            simple = simple and len(cell.data) == 1
            expected = column + 1
        if cells:
            runs.append(self._run(start, cells, simple, style))
        wrapped = isinstance(row, Row) and row.wrapped
        while runs and not wrapped and runs[-1].style == PLAIN:
            last = runs.pop()
            kept = len(last.cells)
            while kept and last.cells[kept - 1] == " ":
                kept -= 1
            if kept:
                runs.append(last._replace(cells=last.cells[:kept]))
                break
        return Line(tuple(runs), wrapped)

    def _run(self, start: int, cells: list[str], simple: bool, look: tuple[object, ...]) -> Run:
        style = self._styles.get(look)
        if style is None:
            if len(self._styles) > _MOST_CACHED:
                self._styles.clear()
            style = self._styles[look] = Style._make(look)  # one object for all runs of this look
        return Run(start, "".join(cells) if simple else tuple(cells), style)

    # Text

    def draw(self, data: str) -> None:
        self._last_drawn = data[-1:]
        active = self.g1_charset if self.charset else self.g0_charset
        if active != charsets.LAT1_MAP:
            data = data.translate(active)
        if data.isascii() and modes.IRM not in self.mode:
            self._draw_narrow(data)
        else:
            for character in data:
                self._draw_one(character)

    def _known(self) -> _Cells:
        attributes = self.cursor.attrs
        if self._cells.attributes is not attributes:
            self._cells = _Cells(attributes)
        return self._cells

    def _draw_narrow(self, data: str) -> None:
        cells, at = self._known(), 0
        while at < len(data):
            self._wrap_if_full(1)
            x = self.cursor.x
            piece = data[at : at + self.columns - x]
            row = self.buffer[self.cursor.y]
            end = x + len(piece)
            self._part_wide(row, x, end)
            row.update(zip(range(x, end), map(cells.__getitem__, piece), strict=True))
            self.cursor.x = end
            self.dirty.add(self.cursor.y)
            at += len(piece)

    def _draw_one(self, character: str) -> None:
        width = wcwidth(character)
        if width <= 0:
            if unicodedata.combining(character):
                self._combine(character)
            return
        self._wrap_if_full(width)
        if modes.IRM in self.mode:
            self.insert_characters(width)
        row, x = self.buffer[self.cursor.y], self.cursor.x
        self._part_wide(row, x, x + width)
        row[x] = self._known()[character]
        if width == 2:
            row[x + 1] = self.cursor.attrs._replace(data="")
        self.cursor.x = x + width
        self.dirty.add(self.cursor.y)

    def _wrap_if_full(self, width: int) -> None:
        if self.cursor.x + width <= self.columns:
            return
        if modes.DECAWM in self.mode:
            row = self.buffer[self.cursor.y]
            if isinstance(row, Row):
                row.wrapped = True
            self.cursor.x = 0
            self.index()
        else:
            self.cursor.x = self.columns - width

    @staticmethod
    def _part_wide(row: StaticDefaultDict[int, Char], start: int, end: int) -> None:
        """Blank the other half of wide characters that are overwritten in part."""
        first, behind = row.get(start), row.get(end)
        if first is not None and not first.data and start:
            row[start - 1] = first._replace(data=" ")
        if behind is not None and not behind.data:
            row[end] = behind._replace(data=" ")

    def _combine(self, character: str) -> None:
        row = self.buffer[self.cursor.y]
        x = self.cursor.x - 1
        if x > 0 and not row[x].data:
            x -= 1
        if x >= 0 and len(row[x].data) < _MOST_COMBINED:
            row[x] = row[x]._replace(data=unicodedata.normalize("NFC", row[x].data + character))
            self.dirty.add(self.cursor.y)

    def repeat(self, count: int) -> None:
        """REP: the last character again."""
        if self._last_drawn:
            self.draw(self._last_drawn * min(count, self.columns))

    # Scrolling

    def index(self) -> None:
        top, bottom = self.margins or Margins(0, self.lines - 1)
        if self.cursor.y == bottom and top == 0 and not self.alternate:
            self.scrollback.push(self.line(0))
        super().index()

    def scroll(self, count: int) -> None:
        """SU (positive) and SD: move what stands between the margins; the cursor stays."""
        top, bottom = self.margins or Margins(0, self.lines - 1)
        x, y = self.cursor.x, self.cursor.y
        self.cursor.y = bottom if count > 0 else top
        for _ in range(min(abs(count), bottom - top + 1)):
            if count > 0:
                self.index()
            else:
                self.reverse_index()
        self.cursor.x, self.cursor.y = x, y

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """As the widget says. Rows that no longer fit go to the scroll-back, and come back from it."""
        lines = min(max(lines or self.lines, SMALLEST[1]), LARGEST[1])
        columns = min(max(columns or self.columns, SMALLEST[0]), LARGEST[0])
        if (lines, columns) == (self.lines, self.columns):
            return
        self._change_lines(lines)
        self.tabstops.update(range(-(-self.columns // 8) * 8 or 8, columns, 8))
        self.columns = columns
        self.margins = None
        self.cursor.x = min(self.cursor.x, columns)
        self.dirty.update(range(lines))

    def _change_lines(self, lines: int) -> None:
        surplus = max(0, self.cursor.y - lines + 1)
        for y in range(surplus):
            if not self.alternate:
                self.scrollback.push(self.line(y))
        wanted = 0 if self.alternate else min(max(0, lines - self.lines), len(self.scrollback))
        shift = wanted - surplus
        if shift:
            rows = {y + shift: row for y, row in self.buffer.items() if y >= surplus}
            self.buffer.clear()
            self.buffer.update(rows)
            for y in reversed(range(wanted)):
                self.buffer[y] = self._row_of(self.scrollback.pop())
            self.cursor.y += shift
        for y in [y for y in self.buffer if y >= lines]:
            del self.buffer[y]
        self.lines = lines
        self.cursor.y = min(self.cursor.y, lines - 1)

    @staticmethod
    def _row_of(line: Line) -> Row:
        row = Row(_BLANK)
        row.wrapped = line.wrapped
        for run in line.runs:
            for column, data in enumerate(run.cells, run.column):
                row[column] = Char(data, *run.style)
        return row

    # Erasing

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        row = self.buffer[self.cursor.y]
        start = self.cursor.x if how == 0 else 0
        end = self.cursor.x + 1 if how == 1 else self.columns
        self._part_wide(row, min(start, self.columns - 1), end)
        self._blank(row, start, end)
        if how != 1:
            for column in [column for column in row if column >= self.columns]:
                del row[column]  # kept from when the widget was wider
            if isinstance(row, Row):
                row.wrapped = False
        self.dirty.add(self.cursor.y)

    def _blank(self, row: StaticDefaultDict[int, Char], start: int, end: int) -> None:
        """Blank cells in the colour of the ground in use."""
        ground = self.cursor.attrs.bg
        if ground == "default":
            for column in range(start, end):
                row.pop(column, None)
        else:
            row.update(dict.fromkeys(range(start, end), Char(" ", bg=ground)))

    def erase_in_display(self, how: int = 0, *args: object, **kwargs: object) -> None:
        if how == 3:
            self.scrollback.clear()
            return
        rows: Iterable[int] = range(self.lines)
        if how == 0:
            rows = range(self.cursor.y + 1, self.lines)
            self.erase_in_line(0)
        elif how == 1:
            rows = range(self.cursor.y)
            self.erase_in_line(1)
        for y in rows:
            self.buffer.pop(y, None)
            if self.cursor.attrs.bg != "default":
                self._blank(self.buffer[y], 0, self.columns)
        self.dirty.update(range(self.lines))

    def erase_characters(self, count: int | None = None) -> None:
        end = min(self.cursor.x + (count or 1), self.columns)
        self._blank(self.buffer[self.cursor.y], self.cursor.x, end)
        self.dirty.add(self.cursor.y)

    def alignment_display(self) -> None:
        for y in range(self.lines):
            row = self.buffer[y] = Row(_BLANK)
            row.update(dict.fromkeys(range(self.columns), Char("E")))
        self.margins = None
        self.cursor_position()
        self.dirty.update(range(self.lines))

    # Cursor and modes

    def cursor_to_line(self, line: int | None = None) -> None:
        top = self.margins.top if self.margins is not None and modes.DECOM in self.mode else 0
        self.cursor.y = (line or 1) - 1 + top
        self.ensure_vbounds()

    def back_tab(self, count: int) -> None:
        """CBT."""
        stops = sorted(stop for stop in self.tabstops if stop < self.cursor.x)
        self.cursor.x = stops[-count] if count <= len(stops) else 0

    def save_cursor(self) -> None:
        super().save_cursor()
        del self.savepoints[:-1]

    def restore_cursor(self) -> None:
        saved = [point._replace(cursor=copy.copy(point.cursor)) for point in self.savepoints]
        super().restore_cursor()
        self.savepoints = saved

    def set_private(self, numbers: Iterable[int], on: bool) -> None:
        """DECSET and DECRST."""
        for number in numbers:
            if number in (6, 7, 25):  # DECOM, DECAWM, DECTCEM
                (self.set_mode if on else self.reset_mode)(number, private=True)
            elif number in (1, 5, 2004):
                (self.private.add if on else self.private.discard)(number)
                self.dirty.update(range(self.lines) if number == 5 else ())
            elif number == 1048:
                (self.save_cursor if on else self.restore_cursor)()
            elif number in (47, 1047, 1049):
                self._enter_alternate() if on else self._leave_alternate()

    def _enter_alternate(self) -> None:
        if self._main is None:
            self._main = (self.buffer, copy.copy(self.cursor), self.lines)
            self.buffer = defaultdict(lambda: Row(_BLANK))
            self.dirty.update(range(self.lines))

    def _leave_alternate(self) -> None:
        if self._main is not None:
            lines = self.lines
            self.buffer, self.cursor, self.lines = self._main
            self._main = None
            self.margins = None
            self._change_lines(lines)
            self.cursor.x = min(self.cursor.x, self.columns)
            self.dirty.update(range(lines))

    def soft_reset(self) -> None:
        """DECSTR: modes and attributes, not what is on screen."""
        self.mode = {modes.DECAWM, modes.DECTCEM}
        self.private.clear()
        self.keypad = False
        self.margins = None
        self.savepoints = []
        self.cursor.attrs = _BLANK
        self.cursor.hidden = False
        self.charset, self.g0_charset, self.g1_charset = 0, charsets.LAT1_MAP, charsets.VT100_MAP

    def reset(self) -> None:
        self._main = None
        self.private.clear()
        self.keypad = False
        self.savepoints = []
        super().reset()
