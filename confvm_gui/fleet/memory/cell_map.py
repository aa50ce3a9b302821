"""Pages joined into few cells, so that a machine of any size fits on one map.

A map may cover all RAM, or only the ranges that were ever written: of a large machine that has hardly been used, a
map of all RAM shows one thin line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.fleet.memory.address_space import Run
from confvm_gui.fleet.memory.page_statistics import Levels

MOST_CELLS = 65_536


class CellMap:
    """Which pages belong to which cell. Pages are numbered in the machine's AddressSpace, cells from 0 to `cells`."""

    def __init__(self, runs: Sequence[Run], most_cells: int = MOST_CELLS) -> None:
        """`runs`: the ranges to cover, by ascending offset."""
        self._firsts = [run.offset // PAGE_SIZE for run in runs]
        self._sizes = [run.length // PAGE_SIZE for run in runs]
        self._places: list[int] = []
        place = 0
        for size in self._sizes:
            self._places.append(place)
            place += size
        self.pages = place
        """Pages covered."""
        self.per_cell = max(1, -(-place // most_cells))
        """Pages in each cell; the last may have fewer."""
        self.cells = -(-place // self.per_cell)

    def cell_of(self, page: int) -> int | None:
        """The cell with `page`, or None where the map does not cover it."""
        index = bisect_right(self._firsts, page) - 1
        if index < 0 or page >= self._firsts[index] + self._sizes[index]:
            return None
        return (self._places[index] + page - self._firsts[index]) // self.per_cell

    def pages_of(self, first: int, last: int) -> NDArray[np.intp]:
        """The pages of cells `first` to `last`, both included, ascending."""
        start, stop = first * self.per_cell, min((last + 1) * self.per_cell, self.pages)
        found: list[NDArray[np.intp]] = []
        index = max(0, bisect_right(self._places, start) - 1)
        while index < len(self._places) and self._places[index] < stop:
            place, size = self._places[index], self._sizes[index]
            low, high = max(start, place) - place, min(stop, place + size) - place
            found.append(np.arange(self._firsts[index] + low, self._firsts[index] + high))
            index += 1
        return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)

    def covered(self, levels: Levels) -> Levels:
        """Of `levels`, one for each page of the machine, those of the pages covered."""
        parts = [levels[first : first + size] for first, size in zip(self._firsts, self._sizes, strict=True)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint8)
