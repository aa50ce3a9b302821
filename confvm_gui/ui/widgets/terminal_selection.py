"""What is selected in a terminal, in lines that are numbered from the first one ever, and what is found in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from confvm_gui.ui.widgets.terminal_line import Line, join

_WORD_MARKS: Final = "_-./:~@%+=,?&#"
"""Besides letters and digits: what stands in paths and addresses."""


class Place(NamedTuple):
    """Between two cells: before the one at `column`."""

    number: int
    column: int


class Lines(Protocol):
    """The lines of a terminal, scroll-back and screen."""

    @property
    def first(self) -> int: ...

    @property
    def behind(self) -> int: ...

    def line_at(self, number: int) -> Line: ...


class Selection:
    """From `anchor` to `head`, in either order."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.anchor = Place(0, 0)
        self.head = Place(0, 0)

    @property
    def empty(self) -> bool:
        return self.anchor == self.head

    def clear(self) -> None:
        self.head = self.anchor

    def put(self, anchor: Place, head: Place) -> None:
        self.anchor, self.head = anchor, head

    def in_line(self, number: int, width: int) -> tuple[int, int]:
        """Selected cells of a line: first, and the one behind the last; `width` stands for the rest of it."""
        start, end = sorted((self.anchor, self.head))
        if start == end or not start.number <= number <= end.number:
            return 0, 0
        return (
            start.column if number == start.number else 0,
            end.column if number == end.number else width,
        )

    def text(self) -> str:
        """As it is copied: without the blanks at the ends of lines, wrapped lines in one."""
        start, end = sorted((self.anchor, self.head))
        first, last = max(start.number, self._lines.first), min(end.number, self._lines.behind - 1)
        return join(
            [
                (
                    self._lines.line_at(number),
                    start.column if number == start.number else 0,
                    end.column if number == end.number else None,
                )
                for number in range(first, last + 1)
            ]
        )

    def select_word(self, place: Place) -> None:
        """The word at `place`, or the blanks."""
        cells = self._lines.line_at(place.number).cells()
        if place.column >= len(cells):
            return
        kind = _kind(cells[place.column])
        start = end = place.column
        while start > 0 and _kind(cells[start - 1]) in (kind, ""):
            start -= 1
        while end < len(cells) and _kind(cells[end]) in (kind, ""):
            end += 1
        self.put(Place(place.number, start), Place(place.number, end))

    def select_line(self, number: int, width: int) -> None:
        self.put(Place(number, 0), Place(number, width))

    def select_all(self, width: int) -> None:
        self.put(Place(self._lines.first, 0), Place(self._lines.behind - 1, width))

    def find(self, text: str, *, backward: bool) -> bool | None:
        """Select the next place with `text`, whatever its case, after the selection (`backward`: before it).

        None if there is none, True if the search began again from the other end.
        """
        wanted = text.lower()
        start, end = sorted((self.anchor, self.head))
        here = start if backward else end
        if self.empty:
            here = Place(self._lines.behind, 0)
        first, behind = self._lines.first, self._lines.behind
        number = min(max(here.number, first), behind - 1)
        order: Iterable[int]
        if backward:
            order = [*range(number, first - 1, -1), *range(behind - 1, number - 1, -1)]
        else:
            order = [*range(number, behind), *range(first, number + 1)]
        for step, each in enumerate(order):
            beyond = step > abs(number - (first if backward else behind - 1))
            line = self._lines.line_at(each)
            at = _find(line, wanted, here.column if step == 0 and each == here.number else None, backward)
            if at is not None:
                self.put(Place(each, at[0]), Place(each, at[1]))
                return beyond
        return None


def _kind(cell: str) -> str:
    """The sort of a cell for words; "" for the second half of a wide character."""
    if not cell:
        return ""
    if cell.isspace():
        return "blank"
    return "word" if cell[0].isalnum() or cell[0] in _WORD_MARKS else "other"


def _find(line: Line, wanted: str, column: int | None, backward: bool) -> tuple[int, int] | None:
    """Cells in which `wanted` stands, from `column` on (`backward`: before it)."""
    text = line.text()
    if wanted not in text.lower():
        return None
    starts: list[int] = []
    pieces: list[str] = []
    for at, cell in enumerate(line.cells()):
        lowered = cell.lower()
        pieces.append(lowered)
        starts.extend([at] * len(lowered))
    starts.append(len(pieces))
    joined = "".join(pieces)
    if backward:
        behind = (
            len(joined) if column is None else next((i for i, at in enumerate(starts) if at >= column), len(joined))
        )
        found = joined.rfind(wanted, 0, behind)
    else:
        before = 0 if column is None else next((i for i, at in enumerate(starts) if at >= column), len(joined))
        found = joined.find(wanted, before)
    return None if found < 0 else (starts[found], starts[found + len(wanted) - 1] + 1)
