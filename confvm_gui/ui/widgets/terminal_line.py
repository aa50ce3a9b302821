"""What a terminal keeps of a line: runs of cells that look alike.

Both the lines on screen and those of the scroll-back are kept so. A line of plain text costs some 200 bytes, against
some 10,000 as a dictionary of cells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

MOST_LINES: Final = 10_000
_MOST_RUNS: Final = 200_000
"""In the whole scroll-back: lines in which every cell looks different must not fill the memory."""


class Style(NamedTuple):
    """How a cell looks. A colour is "default", a number of the palette ("0" to "255") or "#rrggbb"."""

    fg: str = "default"
    bg: str = "default"
    bold: bool = False
    italics: bool = False
    underscore: bool = False
    strikethrough: bool = False
    reverse: bool = False


PLAIN: Final = Style()


class Run(NamedTuple):
    """Neighbouring cells of one style."""

    column: int
    cells: str | tuple[str, ...]
    """By cell: a character with what combines with it, "" behind a wide one. A str where each is one character."""
    style: Style


class Line(NamedTuple):
    """Cells that no run holds are blank; so is everything behind the last run."""

    runs: tuple[Run, ...] = ()
    wrapped: bool = False
    """Goes on in the next line without a line end."""

    @property
    def width(self) -> int:
        """Cells up to the end of the last run."""
        return self.runs[-1].column + len(self.runs[-1].cells) if self.runs else 0

    def cells(self) -> list[str]:
        """Every cell up to `width`."""
        found: list[str] = []
        for run in self.runs:
            found.extend(" " * (run.column - len(found)))
            found.extend(run.cells)
        return found

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The characters of the cells from `start` to before `end`."""
        if start == 0 and end is None and len(self.runs) == 1 and self.runs[0].column == 0:
            cells = self.runs[0].cells
            return cells if isinstance(cells, str) else "".join(cells)
        return "".join(self.cells()[start:end])


EMPTY: Final = Line()


class Scrollback:
    """Lines that have left the screen at its top, oldest first; numbers stay valid while older lines are dropped."""

    def __init__(self, most: int = MOST_LINES) -> None:
        self._lines: deque[Line] = deque()
        self._most = most
        self._runs = 0
        self.dropped = 0
        """Lines that are gone: the number of the oldest kept."""

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def end(self) -> int:
        """Number of the first line on screen."""
        return self.dropped + len(self._lines)

    def push(self, line: Line) -> None:
        self._lines.append(line)
        self._runs += len(line.runs)
        while len(self._lines) > self._most or self._runs > _MOST_RUNS:
            self._runs -= len(self._lines.popleft().runs)
            self.dropped += 1

    def pop(self) -> Line:
        """Take the newest line back."""
        line = self._lines.pop()
        self._runs -= len(line.runs)
        return line

    def clear(self) -> None:
        """Forget all lines. Numbers go on from where they were."""
        self.dropped += len(self._lines)
        self._lines.clear()
        self._runs = 0

    def line(self, number: int) -> Line:
        return self._lines[number - self.dropped]

    def lines(self, start: int, end: int) -> Iterator[Line]:
        """Lines `start` to before `end`, as far as there are any."""
        return islice(self._lines, max(0, start - self.dropped), max(0, end - self.dropped))


def join(lines: Sequence[tuple[Line, int, int | None]]) -> str:
    """Text of parts of consecutive lines: line, first cell, cell behind the last. Wrapped ones go on without an end."""
    pieces: list[str] = []
    for at, (line, start, end) in enumerate(lines):
        text = line.text(start, end)
        last = at == len(lines) - 1
        if line.wrapped and not last:
            pieces.append(text)
        else:
            pieces.append(text.rstrip(" ") if end is None or not last else text)
            if not last:
                pieces.append("\n")
    return "".join(pieces)
