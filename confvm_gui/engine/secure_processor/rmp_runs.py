"""Entries of the reverse map table, kept as runs: pages in a row whose entries differ in nothing but the GPA.

A table with an entry a page would be 16 bytes of host memory for each 4 KiB of DRAM. A guest's memory is given to it
and validated in large pieces, so runs are few, and a range of a GiB costs as much as a page.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace

from confvm_gui.engine.secure_processor.rmp_entry import PAGE_SIZE, RmpEntry


@dataclass(frozen=True, slots=True)
class RmpRun:
    """Assigned pages `first` to `last` - 1 (numbers of pages of DRAM)."""

    first: int
    last: int
    entry: RmpEntry
    """Of the first page. GPAs of a guest's pages count up from it; the firmware's have none."""

    @property
    def count(self) -> int:
        return self.last - self.first

    def entry_at(self, page: int) -> RmpEntry:
        """The entry of one of the run's pages."""
        if page == self.first or not self.entry.asid:
            return self.entry
        return replace(self.entry, gpa=self.entry.gpa + (page - self.first) * PAGE_SIZE)

    def clipped(self, first: int, last: int) -> RmpRun:
        """The part of the run that lies within `first` to `last` - 1."""
        low, high = max(first, self.first), min(last, self.last)
        return self if (low, high) == (self.first, self.last) else RmpRun(low, high, self.entry_at(low))


class RmpRuns:
    """The runs of one table, in ascending order and as long as they can be. Not thread-safe."""

    def __init__(self) -> None:
        self._runs: list[RmpRun] = []
        self._starts: list[int] = []

    def __len__(self) -> int:
        return len(self._runs)

    def clear(self) -> None:
        """Leave no page assigned."""
        self._runs.clear()
        self._starts.clear()

    def all(self) -> list[RmpRun]:
        """Every run."""
        return list(self._runs)

    def entry(self, page: int) -> RmpEntry | None:
        """The entry of `page`; None if it is not assigned."""
        index = bisect_right(self._starts, page) - 1
        if index < 0 or page >= self._runs[index].last:
            return None
        return self._runs[index].entry_at(page)

    def within(self, first: int, last: int) -> list[RmpRun]:
        """The runs that cover assigned pages of `first` to `last` - 1, clipped to these."""
        low, high = self._span(first, last)
        return [run.clipped(first, last) for run in self._runs[low:high]]

    def store(self, first: int, last: int, entry: RmpEntry | None) -> None:
        """Give the pages `first` to `last` - 1 the entry, its GPA counting up; None: they are not assigned any more."""
        low, high = self._span(first, last)
        pieces = []
        if low < high and self._runs[low].first < first:
            pieces.append(self._runs[low].clipped(self._runs[low].first, first))
        if entry is not None:
            pieces.append(RmpRun(first, last, entry))
        if low < high and self._runs[high - 1].last > last:
            pieces.append(self._runs[high - 1].clipped(last, self._runs[high - 1].last))
        # With its neighbours, which it may continue.
        low, high = max(low - 1, 0), min(high + 1, len(self._runs))
        merged: list[RmpRun] = []
        for run in sorted([*self._outside(low, high, first, last), *pieces], key=lambda one: one.first):
            if merged and merged[-1].last == run.first and merged[-1].entry_at(run.first) == run.entry:
                merged[-1] = RmpRun(merged[-1].first, run.last, merged[-1].entry)
            else:
                merged.append(run)
        self._runs[low:high] = merged
        self._starts[low:high] = [run.first for run in merged]

    def _outside(self, low: int, high: int, first: int, last: int) -> list[RmpRun]:
        return [run for run in self._runs[low:high] if run.last <= first or run.first >= last]

    def _span(self, first: int, last: int) -> tuple[int, int]:
        low = max(bisect_right(self._starts, first) - 1, 0)
        if low < len(self._runs) and self._runs[low].last <= first:
            low += 1
        return low, max(bisect_left(self._starts, last), low)
