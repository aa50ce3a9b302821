"""The bytes in a window of RAM as they are now, and for each how long ago it changed.

Only the pages in the window are read. A page that leaves the window is forgotten: what changed while nobody looked is
not a change that was seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from confvm_gui.domain.memory import PAGE_SIZE, PageKind
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.address_space import AddressSpace
from confvm_gui.fleet.memory.snapshot import Snapshot

FROZEN_PAGES = 4096
"""Pages that a frozen watch keeps; beyond that the oldest are read again."""


@dataclass(frozen=True, slots=True)
class Window:
    """`length` bytes from `offset` on; every array has one element per byte."""

    offset: int
    data: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    """PageKind."""
    ages: NDArray[np.float32]
    """Seconds since the byte was last seen to change; infinite if it never was."""
    differs: NDArray[np.bool_] | None
    """Not what the snapshot has; None without a snapshot."""


@dataclass(frozen=True, slots=True)
class WatchedPage:
    """A page as last read."""

    data: NDArray[np.uint8]
    kind: PageKind


class _Page:
    __slots__ = ("changed_at", "data", "kind")

    def __init__(self, data: NDArray[np.uint8], kind: int) -> None:
        self.data = data
        self.kind = kind
        self.changed_at: NDArray[np.float64] = np.full(PAGE_SIZE, -np.inf)


class MemoryWatch:
    """Follows one viewer's window."""

    def __init__(self, source: MemorySource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self.space = AddressSpace(source.regions())
        self.snapshot: Snapshot | None = None
        """What to compare with."""
        self.frozen = False
        """Keep what was read; read only pages that were not."""
        self._clock = clock
        self._pages: dict[int, _Page] = {}

    async def refresh(self, offset: int, length: int, extra: Iterable[int] = ()) -> Window:
        """Read the pages of the window, and those of the offsets in `extra`, again.

        Offsets are those of the source's AddressSpace; the window is clipped to RAM. Raises WrongState when the
        instance has stopped.
        """
        length = max(0, min(length, self.space.length - offset))
        wanted = set(range(offset // PAGE_SIZE, -(-(offset + length) // PAGE_SIZE)))
        wanted.update(each // PAGE_SIZE for each in extra if 0 <= each < self.space.length)
        due = sorted(page for page in wanted if not (self.frozen and page in self._pages))
        for first, count in _runs(due):
            for part in self.space.parts(first * PAGE_SIZE, count * PAGE_SIZE):
                whole = self.space.aligned(part, self.source.granularity)
                chunk = await self.source.read(whole.gpa, whole.length)
                self._take(whole.offset // PAGE_SIZE, chunk.data, chunk.kinds, wanted)
        self._forget(wanted)
        return self._window(offset, length)

    def page(self, offset: int) -> WatchedPage | None:
        """The page with `offset` as last read, if it was in the last window or its extras."""
        page = self._pages.get(offset // PAGE_SIZE)
        return None if page is None else WatchedPage(page.data, PageKind(page.kind))

    def _take(self, first: int, data: bytes, kinds: bytes, wanted: set[int]) -> None:
        now = self._clock()
        whole = np.frombuffer(data, dtype=np.uint8)
        for index, kind in enumerate(kinds):
            number = first + index
            if number not in wanted:
                continue
            content = whole[index * PAGE_SIZE : (index + 1) * PAGE_SIZE]
            known = self._pages.get(number)
            if known is None:
                self._pages[number] = _Page(content, kind)
                continue
            if PageKind.UNREADABLE not in (kind, known.kind):
                known.changed_at[content != known.data] = now
            known.data, known.kind = content, kind

    def _forget(self, wanted: set[int]) -> None:
        if not self.frozen:
            self._pages = {number: page for number, page in self._pages.items() if number in wanted}
        elif len(self._pages) > FROZEN_PAGES:
            surplus = len(self._pages) - FROZEN_PAGES
            for number in [number for number in self._pages if number not in wanted][:surplus]:
                del self._pages[number]

    def _window(self, offset: int, length: int) -> Window:
        if length == 0:
            empty = np.zeros(0, dtype=np.uint8)
            return Window(offset, empty, empty, np.zeros(0, dtype=np.float32), None)
        first, last = offset // PAGE_SIZE, (offset + length - 1) // PAGE_SIZE
        pages = [self._pages[number] for number in range(first, last + 1)]
        cut = slice(offset - first * PAGE_SIZE, offset - first * PAGE_SIZE + length)
        data = np.concatenate([page.data for page in pages])[cut]
        kinds = np.repeat(np.array([page.kind for page in pages], dtype=np.uint8), PAGE_SIZE)[cut]
        ages = (self._clock() - np.concatenate([page.changed_at for page in pages])[cut]).astype(np.float32)
        differs = None
        if self.snapshot is not None:
            snapshot = self.snapshot
            marks = [snapshot.differs(first + index, page.data, page.kind) for index, page in enumerate(pages)]
            differs = np.concatenate(marks)[cut]
        return Window(offset, data, kinds, ages, differs)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """(first, count) of runs of neighbours in ascending `numbers`."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][0] + runs[-1][1] == number:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((number, 1))
    return runs
