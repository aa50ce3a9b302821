"""A slow, endless pass over all RAM of one viewer: entropy, change and kind of every page, for the heat maps.

Only ranges that were ever written are read, a chunk at a time, with pauses in between: the sweep spends a fixed small
share of the time, however large the machine is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, PageKind
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.address_space import AddressSpace, Run, chunks
from confvm_gui.fleet.memory.cell_map import CellMap
from confvm_gui.fleet.memory.page_statistics import (
    LOWEST_LEVEL,
    NEVER_USED,
    Digests,
    Levels,
    entropy_levels,
    page_digests,
    page_entropies,
)
from confvm_gui.fleet.memory.ranges import populated_runs, read_length

LARGEST_STEP = 1 << 20
"""Bytes of one step, however fast the source is: a step must not be felt."""
BETWEEN_PASSES = 0.5
"""Seconds, at least, from the end of a pass to the next."""
_COOLING = 0.75
"""What is left of a page's heat when a pass finds it unchanged."""


class PageSweep:
    """Statistics of every page of one viewer. Arrays have one element per page of RAM and are only ever written by
    the sweep; memory is taken for pages that were read, not for all (fresh zero pages cost nothing)."""

    def __init__(
        self,
        source: MemorySource,
        *,
        share: float = 0.1,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`share`: of the time that the sweep may work, 0.0 to 1.0."""
        self.source = source
        self.space = AddressSpace(source.regions())
        self.entropy: Levels = np.zeros(self.space.pages, dtype=np.uint8)
        self.heat: Levels = np.zeros(self.space.pages, dtype=np.uint8)
        self.kinds: NDArray[np.uint8] = np.zeros(self.space.pages, dtype=np.uint8)
        self.digests: Digests = np.zeros(self.space.pages, dtype=np.uint64)
        """0 where the page was not read."""
        self.passes = 0
        """Whole passes so far."""
        self.steps = 0
        """Chunks read so far: has anything changed since I last looked?"""
        self._share = share
        self._sleep = sleep
        self._populated: tuple[Run, ...] = ()

    async def run(self) -> None:
        """Sweep until cancelled. Raises what the source raises (WrongState when the instance has stopped)."""
        while True:
            await self.sweep_once()
            await self._sleep(BETWEEN_PASSES)

    async def sweep_once(self) -> None:
        """One pass over everything that was ever written."""
        populated = populated_runs(self.source, self.space)
        self._forget_all_but(populated)
        self._populated = populated
        for run in populated:
            for piece in chunks(run, read_length(self.source, LARGEST_STEP)):
                began = time.perf_counter()
                chunk = await self.source.read(piece.gpa, piece.length)
                await asyncio.to_thread(self._measure, piece.offset // PAGE_SIZE, chunk)
                self.steps += 1
                spent = time.perf_counter() - began
                await self._sleep(spent * (1 / self._share - 1))
        self.passes += 1

    def _measure(self, first: int, chunk: MemoryChunk) -> None:
        pages = slice(first, first + len(chunk.kinds))
        kinds = np.frombuffer(chunk.kinds, dtype=np.uint8)
        readable = kinds != PageKind.UNREADABLE
        used = readable & (kinds != PageKind.UNTOUCHED)
        data = np.frombuffer(chunk.data, dtype=np.uint8).reshape(-1, PAGE_SIZE)
        levels = np.zeros(len(kinds), dtype=np.uint8)
        levels[kinds == PageKind.UNTOUCHED] = NEVER_USED
        if used.any():
            levels[used] = entropy_levels(page_entropies(data if used.all() else data[used]))
        digests = np.where(readable, page_digests(chunk.data), np.uint64(0))
        known = self.digests[pages] != 0
        changed = known & readable & (self.digests[pages] != digests)
        cooled = np.maximum(self.heat[pages].astype(np.float32) * _COOLING, LOWEST_LEVEL).astype(np.uint8)
        heat = np.where(changed, 255, cooled)
        heat[~used & ~changed] = levels[~used & ~changed]
        self.entropy[pages], self.heat[pages], self.kinds[pages] = levels, heat, kinds
        self.digests[pages] = digests

    def _forget_all_but(self, populated: tuple[Run, ...]) -> None:
        """Clear what was known of pages that the source no longer counts as written (the machine was reset)."""
        for run in self._populated:
            gone = np.ones(run.length // PAGE_SIZE, dtype=np.bool_)
            first = run.offset // PAGE_SIZE
            for kept in populated:
                start, stop = kept.offset // PAGE_SIZE - first, (kept.offset + kept.length) // PAGE_SIZE - first
                if stop > 0:
                    gone[max(0, start) : stop] = False
            if gone.any():
                where = np.flatnonzero(gone) + first
                for array in (self.entropy, self.heat, self.kinds, self.digests):
                    array[where] = 0

    def page_counts(self) -> dict[PageKind, int]:
        """Pages of each kind as of the last pass; what was never written counts as UNTOUCHED."""
        counts: NDArray[np.intp] = np.zeros(len(PageKind), dtype=np.intp)
        for run in self._populated:
            counts += np.bincount(self.kinds[_pages_of(run)], minlength=len(PageKind))
        counts[PageKind.UNTOUCHED] += self.space.pages - int(counts.sum())
        return {kind: int(counts[kind]) for kind in PageKind if counts[kind]}

    def changed_since(self, digests: Digests) -> NDArray[np.intp]:
        """Indices of pages whose content, as last swept, is not that of `digests` (from `Snapshot`), ascending.

        A page that was not written then and is now counts as changed.
        """
        found = [
            np.flatnonzero((now != 0) & (now != digests[pages])) + pages.start
            for pages in map(_pages_of, self._populated)
            for now in (self.digests[pages],)
        ]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)

    def cell_map(self, *, used_only: bool) -> CellMap:
        """For maps of `entropy` and `heat`: of the ranges that the last pass found written, or of all RAM."""
        return CellMap(self._populated if used_only else self.space.runs)

    def mark_unused(self, levels: Levels) -> Levels:
        """A copy of `levels` (one per page) with NEVER_USED for everything that was never written."""
        if not self._populated:
            return levels
        marked: Levels = np.full(self.space.pages, NEVER_USED, dtype=np.uint8)
        for run in self._populated:
            marked[_pages_of(run)] = levels[_pages_of(run)]
        return marked


def _pages_of(run: Run) -> slice:
    return slice(run.offset // PAGE_SIZE, (run.offset + run.length) // PAGE_SIZE)
