"""Reading guest memory as one viewer sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from confvm_gui.domain.memory import MemoryChunk, MemoryRegion, Viewer


class MemorySource(Protocol):
    """RAM of one instance, seen by one viewer. Pages, never single bytes."""

    @property
    def viewer(self) -> Viewer: ...

    @property
    def granularity(self) -> int:
        """Bytes: reads are aligned to it and multiples of it. A multiple of PAGE_SIZE."""

    @property
    def best_length(self) -> int:
        """Bytes: the length at which a sweep over all RAM is fastest."""

    def regions(self) -> Sequence[MemoryRegion]:
        """All RAM, by ascending GPA."""

    async def read(self, gpa: int, length: int) -> MemoryChunk:
        """Read `length` bytes at `gpa`, both multiples of `granularity`, within one region.

        Raises InvalidInput("gpa") outside RAM, WrongState when the instance has stopped meanwhile.
        """


@runtime_checkable
class SparseMemory(Protocol):
    """A source that knows which RAM was never written, so that a sweep need not read it."""

    def populated(self) -> Sequence[MemoryRegion]:
        """Ranges outside of which every byte that the hypervisor sees is zero, by ascending GPA."""


@runtime_checkable
class WritableMemory(Protocol):
    """A hypervisor's power to overwrite what DRAM holds."""

    async def write(self, gpa: int, data: bytes) -> None:
        """Write raw bytes into DRAM, as a hijacked hypervisor could. Any alignment and length within a region."""


@runtime_checkable
class DescribedMemory(Protocol):
    """A source that has something to say of its pages which their kinds cannot."""

    @property
    def note(self) -> str:
        """One or two sentences for a person; "" where there is nothing to say."""
