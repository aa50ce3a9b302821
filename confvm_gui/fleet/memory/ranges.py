"""Which RAM a pass over all of it must read, and how much of it at a time."""

from __future__ import annotations

from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion
from confvm_gui.domain.ports.memory_source import MemorySource, SparseMemory
from confvm_gui.fleet.memory.address_space import AddressSpace, Run

LARGEST_READ = 4 << 20
"""Bytes. One `bytes.find` over more would hold the interpreter for too long."""


def read_length(source: MemorySource, largest: int = LARGEST_READ) -> int:
    """Bytes of one read in a pass: what is best for the source, at most `largest`, at least one granule."""
    granularity = source.granularity
    return max(granularity, min(source.best_length, largest) // granularity * granularity)


def populated_runs(source: MemorySource, space: AddressSpace, margin: int = 0) -> tuple[Run, ...]:
    """RAM that the source says was written (all of it if it cannot say), each range widened by `margin` bytes on both
    sides and to whole granules, by ascending address, joined where they touch."""
    if not isinstance(source, SparseMemory):
        return space.runs
    widened = [
        MemoryRegion(max(0, region.gpa - margin), region.length + min(region.gpa, margin) + margin)
        for region in source.populated()
    ]
    written = space.of_regions(widened)
    if source.granularity == PAGE_SIZE:
        return written
    aligned = [space.aligned(run, source.granularity) for run in written]
    return space.of_regions([MemoryRegion(run.gpa, run.length) for run in aligned])
