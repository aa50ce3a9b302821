"""Searches all RAM of one viewer for byte patterns.

The count is exact: matches that overlap or lie across two reads are counted, each place once. RAM that was never
written is not read, since the hypervisor sees only zeros there; only a pattern of nothing but zeros makes it read all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, PageKind, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.address_space import AddressSpace, Run, chunks
from confvm_gui.fleet.memory.needle import Pattern, expected_by_chance, proves_nothing
from confvm_gui.fleet.memory.ranges import populated_runs, read_length

MOST_HITS = 10_000
"""Places that a result lists by default; the count goes on."""
CONTEXT = 16
"""Bytes kept before and after a hit, for a preview."""
_SINGLE_FINDS = 512
"""Hits in one piece after which counting goes over to arrays."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place found."""

    gpa: int
    pattern: Pattern
    kind: PageKind
    """Of the page with the first byte."""
    before: bytes
    """Up to CONTEXT bytes in front of it."""
    after: bytes


@dataclass(frozen=True, slots=True)
class SearchProgress:
    searched: int
    """Bytes."""
    total: int
    count: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found."""

    viewer: Viewer
    patterns: tuple[Pattern, ...]
    count: int
    """Places found, exact."""
    hits: tuple[Hit, ...]
    """The first ones, by ascending GPA within each read."""
    counts: tuple[tuple[PageKind, int], ...]
    """Places by the kind of page in which they begin."""
    searched: int
    """Bytes read."""
    skipped: int
    """Bytes of RAM never used, which were not read."""
    expected_by_chance: float
    """Places that random bytes of this size would show on average."""

    @property
    def proves_nothing(self) -> bool:
        """Whether chance alone explains the count."""
        return proves_nothing(self.count, self.expected_by_chance)


async def search(
    source: MemorySource,
    patterns: Sequence[Pattern],
    *,
    on_progress: Callable[[SearchProgress], None] | None = None,
    most_hits: int = MOST_HITS,
) -> SearchResult:
    """Find every place in RAM that holds one of `patterns`.

    The work is done in a thread; cancelling ends it after the current read. Raises what `source.read` raises.
    """
    space = AddressSpace(source.regions())
    only_zeros = any(not any(pattern.data) for pattern in patterns)
    runs = _runs_to_read(source, space, read_all=only_zeros)
    total = sum(run.length for run in runs)
    tally = _Tally(tuple(patterns), most_hits)
    searched = 0
    for run in runs:
        tally.break_run()
        for piece in chunks(run, read_length(source)):
            chunk = await source.read(piece.gpa, piece.length)
            await asyncio.to_thread(tally.add, chunk)
            searched += piece.length
            if on_progress is not None:
                on_progress(SearchProgress(searched, total, tally.count))
    return SearchResult(
        viewer=source.viewer,
        patterns=tuple(patterns),
        count=tally.count,
        hits=tuple(tally.hits),
        counts=tuple((PageKind(kind), int(count)) for kind, count in enumerate(tally.by_kind) if count),
        searched=searched,
        skipped=space.length - total,
        expected_by_chance=expected_by_chance(patterns, tally.run_lengths),
    )


def _runs_to_read(source: MemorySource, space: AddressSpace, *, read_all: bool) -> tuple[Run, ...]:
    # A page of the zeros around a written range belongs to the search: a pattern may begin or end in them.
    return space.runs if read_all else populated_runs(source, space, margin=PAGE_SIZE)


class _Tally:
    """Counts matches in a stream of chunks."""

    def __init__(self, patterns: tuple[Pattern, ...], most_hits: int) -> None:
        self._patterns = patterns
        self._most_hits = most_hits
        self._carry_length = max((len(pattern.data) for pattern in patterns), default=1) - 1
        self._carry = b""
        self._carry_kinds = b""
        self._open = 0
        self.run_lengths: list[int] = []
        self.count = 0
        self.hits: list[Hit] = []
        self.by_kind: NDArray[np.int64] = np.zeros(len(PageKind), dtype=np.int64)

    def break_run(self) -> None:
        """What comes next does not continue what came before."""
        self._carry = b""
        self._open = -1

    def add(self, chunk: MemoryChunk) -> None:
        """Count what the next chunk completes. Unreadable pages hold nothing and join nothing."""
        unreadable = np.frombuffer(chunk.kinds, dtype=np.uint8) == PageKind.UNREADABLE
        if not unreadable.any():
            self._add_readable(chunk.gpa, chunk.data, chunk.kinds)
            return
        for page, skip in enumerate(unreadable):
            if skip:
                self.break_run()
            else:
                start = page * PAGE_SIZE
                data = chunk.data[start : start + PAGE_SIZE]
                self._add_readable(chunk.gpa + start, data, chunk.kinds[page : page + 1])

    def _add_readable(self, gpa: int, data: bytes, kinds: bytes) -> None:
        if self._open < 0:
            self.run_lengths.append(0)
            self._open = len(self.run_lengths) - 1
        self.run_lengths[self._open] += len(data)
        carry = self._carry
        joined = carry + data
        found: list[Hit] = []
        for pattern in self._patterns:
            # Only what the new bytes complete: the rest was counted when it came.
            start = max(0, len(carry) - len(pattern.data) + 1)
            positions = match_positions(joined, pattern.data, start)
            self.count += positions.size
            pages = (positions - len(carry)) // PAGE_SIZE
            # A match that begins in the carry lies in the page before this chunk.
            before = self._carry_kinds[-1:] or kinds[:1]
            kind_of = np.frombuffer(before + kinds, dtype=np.uint8)[np.maximum(pages, -1) + 1]
            self.by_kind += np.bincount(kind_of, minlength=len(PageKind))
            room = max(0, self._most_hits - len(self.hits))
            for position, kind in zip(positions[:room].tolist(), kind_of[:room].tolist(), strict=True):
                end = position + len(pattern.data)
                around = joined[max(0, position - CONTEXT) : position], joined[end : end + CONTEXT]
                found.append(Hit(gpa + position - len(carry), pattern, PageKind(kind), *around))
        found.sort(key=lambda hit: hit.gpa)
        self.hits.extend(found[: max(0, self._most_hits - len(self.hits))])
        self._carry = joined[len(joined) - self._carry_length :] if self._carry_length else b""
        self._carry_kinds = kinds[-1:]


def match_positions(data: bytes, needle: bytes, start: int) -> NDArray[np.int64]:
    """Where `needle` begins in `data[start:]`, overlapping matches included, ascending."""
    found: list[int] = []
    position = data.find(needle, start)
    while position >= 0 and len(found) < _SINGLE_FINDS:
        found.append(position)
        position = data.find(needle, position + 1)
    singles = np.array(found, dtype=np.int64)
    if position < 0:
        return singles
    # So many that one call each would take seconds: narrow down candidates byte by byte instead.
    values = np.frombuffer(data, dtype=np.uint8)
    candidates = np.flatnonzero(values[position : len(data) - len(needle) + 1] == needle[0]) + position
    for index in range(1, len(needle)):
        candidates = candidates[values[candidates + index] == needle[index]]
    return np.concatenate([singles, candidates])
