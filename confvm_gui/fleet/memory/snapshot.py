"""All RAM of one viewer as it was at one moment, to compare with later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, PageKind, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.address_space import AddressSpace, chunks
from confvm_gui.fleet.memory.page_statistics import Digests, page_digests
from confvm_gui.fleet.memory.ranges import populated_runs, read_length

CONTENT_LIMIT = 256 << 20
"""Bytes of content that a snapshot keeps; of pages beyond that it keeps digests only."""


@dataclass(slots=True)
class Snapshot:
    """Digests of every page that was written, and as much of the content as CONTENT_LIMIT allows.

    It lives in this process's memory only: the guest's view of it is plaintext, which must not reach a disk unasked.
    """

    viewer: Viewer
    taken_at: float
    """Seconds since the epoch, when it was complete."""
    digests: Digests
    """One per page of RAM; 0 for a page that was not written or not readable."""
    pages: int = 0
    """Pages read."""
    _contents: dict[int, memoryview] = field(default_factory=dict, repr=False)

    @property
    def pages_with_content(self) -> int:
        return len(self._contents)

    def content(self, page: int) -> bytes | None:
        """The page's bytes, or None where only its digest was kept or it was not written."""
        kept = self._contents.get(page)
        return None if kept is None else bytes(kept)

    def differs(self, page: int, data: NDArray[np.uint8], kind: int) -> NDArray[np.bool_]:
        """Which of the 4096 bytes of `data`, read from `page` now as `kind`, are not what they were.

        Where only the digest was kept, all bytes of a changed page count as changed.
        """
        kept = self._contents.get(page)
        if kind == PageKind.UNREADABLE:
            return np.zeros(PAGE_SIZE, dtype=np.bool_)
        if kept is not None:
            return np.asarray(data != np.frombuffer(kept, dtype=np.uint8), dtype=np.bool_)
        if self.digests[page]:
            changed = bool(page_digests(data)[0] != self.digests[page])
        else:
            changed = kind != PageKind.UNTOUCHED
            if changed and self.viewer is Viewer.HYPERVISOR:
                # DRAM that was never written holds zeros.
                return np.asarray(data != 0, dtype=np.bool_)
        return np.full(PAGE_SIZE, changed, dtype=np.bool_)

    def add(self, first: int, chunk: MemoryChunk, room: int) -> None:
        """Keep the digests of `chunk`, which begins at page `first`, and at most `room` bytes of its content."""
        readable = np.frombuffer(chunk.kinds, dtype=np.uint8) != PageKind.UNREADABLE
        self.digests[first : first + len(readable)] = np.where(readable, page_digests(chunk.data), np.uint64(0))
        self.pages += len(readable)
        whole = memoryview(chunk.data)
        for page in np.flatnonzero(readable)[: room // PAGE_SIZE].tolist():
            self._contents[first + page] = whole[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]


async def take_snapshot(
    source: MemorySource,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    content_limit: int = CONTENT_LIMIT,
) -> Snapshot:
    """Read everything that was written; `on_progress(done, total)` in bytes.

    A running guest changes while it is read: pages are of slightly different moments. Raises what the source raises.
    """
    space = AddressSpace(source.regions())
    runs = populated_runs(source, space)
    total = sum(run.length for run in runs)
    snapshot = Snapshot(source.viewer, time.time(), np.zeros(space.pages, dtype=np.uint64))
    done = 0
    for run in runs:
        for piece in chunks(run, read_length(source)):
            chunk = await source.read(piece.gpa, piece.length)
            room = content_limit - snapshot.pages_with_content * PAGE_SIZE
            await asyncio.to_thread(snapshot.add, piece.offset // PAGE_SIZE, chunk, room)
            done += piece.length
            if on_progress is not None:
                on_progress(done, total)
    snapshot.taken_at = time.time()
    return snapshot
