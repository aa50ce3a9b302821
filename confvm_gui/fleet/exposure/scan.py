"""One pass over all RAM of one viewer: read ahead while what has come is searched in a thread."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from confvm_gui.domain.exposure import TermExposure, TermForm, ViewScan
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, MemoryRegion, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.exposure.matching import TermMatcher
from confvm_gui.fleet.exposure.pattern_search import PatternSearch
from confvm_gui.fleet.exposure.terms import Term
from confvm_gui.fleet.memory.address_space import AddressSpace, Run
from confvm_gui.fleet.memory.ranges import populated_runs, read_length

_Result = TypeVar("_Result")

READ_AHEAD: Final = 2
"""Reads under way while one is searched."""


@dataclass(frozen=True, slots=True)
class ExposureProgress:
    viewer: Viewer
    searched: int
    """Bytes."""
    total: int
    found: int
    """Terms found so far."""
    bytes_per_second: float


@dataclass(slots=True)
class ViewProgress:
    """What a scan of one view has come to; true at any moment, also when it was cancelled."""

    viewer: Viewer
    total: int = 0
    searched: int = 0
    skipped: int = 0
    began: float = field(default_factory=time.monotonic)
    matcher: TermMatcher | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def scan(self) -> ViewScan:
        unreadable = self.matcher.unreadable if self.matcher is not None else 0
        return ViewScan(self.viewer, self.searched, self.skipped, unreadable, self.seconds)

    def exposures(self) -> tuple[TermExposure, ...]:
        return self.matcher.exposures(self.viewer) if self.matcher is not None else ()


@asynccontextmanager
async def pattern_search(terms: Sequence[Term]) -> AsyncIterator[tuple[PatternSearch | None, tuple[float, ...]]]:
    """The helper for those of `terms` that are patterns, and how often chance matches each; None if there is none.

    Raises InvalidInput("pattern"), WorkerLost.
    """
    patterns = [term for term in terms if term.form is TermForm.PATTERN]
    if not patterns:
        yield None, ()
        return
    # Never left between its start and this: a thread is seen to its end.
    helper = await _seen_to_end(lambda: PatternSearch(patterns), PatternSearch.close)
    try:

        def chances() -> tuple[float, ...]:
            helper.ready()
            return helper.by_chance()

        yield helper, await _seen_to_end(chances)
    finally:
        await asyncio.to_thread(helper.close)


async def scan_view(
    source: MemorySource,
    terms: Sequence[Term],
    patterns: PatternSearch | None,
    by_chance: Sequence[float],
    progress: ViewProgress,
    on_progress: Callable[[ExposureProgress], None],
) -> None:
    """Search all RAM of `source`; what it has come to stands in `progress`.

    Cancelling ends it after the piece in hand. Raises what `source.read` and `TermMatcher.add` raise.
    """
    matcher = progress.matcher = TermMatcher(terms, patterns, by_chance)
    space = AddressSpace(source.regions())
    if space.runs:
        # Tells at once when the RAM cannot be read, and some sources know only then which of it was ever written.
        await source.read(space.runs[0].gpa, source.granularity)
        space = AddressSpace(source.regions())
    # A page of the zeros around a written range belongs to the search: a match may begin or end in them.
    runs = populated_runs(source, space, margin=PAGE_SIZE)
    progress.total = sum(run.length for run in runs)
    progress.skipped = space.length - progress.total
    async with _Reads(source, runs) as reads:
        async for chunk in reads:
            await _seen_to_end(partial(matcher.add, chunk))
            progress.searched += len(chunk.data)
            rate = progress.searched / max(progress.seconds, 1e-6)
            on_progress(ExposureProgress(source.viewer, progress.searched, progress.total, matcher.found, rate))
    await _seen_to_end(matcher.finish)


class _Reads:
    """Chunks of `runs` in order, READ_AHEAD reads under way. None of them outlives it."""

    def __init__(self, source: MemorySource, runs: Sequence[Run]) -> None:
        self._source = source
        self._pieces = self._cut(runs)
        self._reads: deque[asyncio.Task[MemoryChunk]] = deque()

    async def __aenter__(self) -> _Reads:
        return self

    async def __aexit__(self, *_: object) -> None:
        for read in self._reads:
            read.cancel()
        await asyncio.gather(*self._reads, return_exceptions=True)

    def __aiter__(self) -> _Reads:
        return self

    async def __anext__(self) -> MemoryChunk:
        self._ask()
        if not self._reads:
            raise StopAsyncIteration
        chunk = await self._reads[0]
        self._reads.popleft()
        self._ask()  # before this chunk is searched, so that the source is never idle
        return chunk

    def _ask(self) -> None:
        while len(self._reads) < READ_AHEAD and (piece := next(self._pieces, None)) is not None:
            read = self._source.read(piece.gpa, piece.length)
            self._reads.append(asyncio.create_task(read, name="exposure read"))

    def _cut(self, runs: Sequence[Run]) -> Iterator[MemoryRegion]:
        for run in runs:
            done = 0
            while done < run.length:
                # Asked anew each time: some sources learn how much is best.
                length = min(read_length(self._source), run.length - done)
                yield MemoryRegion(run.gpa + done, length)
                done += length


async def _seen_to_end(work: Callable[[], _Result], undo: Callable[[_Result], None] | None = None) -> _Result:
    """`work`'s result, from a thread that is awaited to its end also when the caller is cancelled: it uses what the
    caller closes afterwards. Then `undo` is given its result. `work` ends in bounded time."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return running.result()
    if running.exception() is None and undo is not None:
        undo(running.result())
    raise cancelled
