"""RAM of an embedded instance as the hypervisor or as the guest sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from confvm_gui.domain.errors import BugError, InvalidInput, WrongState
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, MemoryRegion, Viewer
from confvm_gui.engine.finish import finish
from confvm_gui.providers.embedded.placement import Placement

BEST_LENGTH: Final = 1 << 20
_INLINE: Final = 64 << 10
"""Bytes up to which a read is done on the spot: it takes less time than handing it to a thread."""


class EmbeddedMemory:
    """Implements MemorySource, SparseMemory and WritableMemory for one power-on of an instance."""

    def __init__(self, placement: Placement, viewer: Viewer) -> None:
        self._placement = placement
        self._viewer = viewer

    @property
    def viewer(self) -> Viewer:
        return self._viewer

    @property
    def granularity(self) -> int:
        return PAGE_SIZE

    @property
    def best_length(self) -> int:
        return BEST_LENGTH

    def regions(self) -> Sequence[MemoryRegion]:
        self._require_live()
        return (MemoryRegion(0, self._placement.guest.memory.length),)

    def populated(self) -> Sequence[MemoryRegion]:
        self._require_live()
        self._placement.refresh()
        pages = self._placement.machine.controller.used_pages(self._placement.guest.memory)
        if not pages.size:
            return ()
        breaks = np.flatnonzero(np.diff(pages) != 1) + 1
        starts, ends = pages[np.concatenate(([0], breaks))], pages[np.concatenate((breaks - 1, [pages.size - 1]))]
        return tuple(
            MemoryRegion(int(start) * PAGE_SIZE, int(end - start + 1) * PAGE_SIZE)
            for start, end in zip(starts, ends, strict=True)
        )

    async def read(self, gpa: int, length: int) -> MemoryChunk:
        await self._placement.arrival()
        self._check(gpa, length)
        try:
            chunk = self._read(gpa, length) if length <= _INLINE else await finish(lambda: self._read(gpa, length))
        except BugError:
            self._require_live()
            raise
        # A guest that is being powered off has no key any more: what was read meanwhile is not what it seems to be.
        self._require_live()
        return chunk

    async def write(self, gpa: int, data: bytes) -> None:
        """As a hijacked hypervisor would. Code that the guest runs may be among it.

        Raises WrongState where the host's RMP refuses the write (SEV-SNP).
        """
        await self._placement.arrival()
        self._check_range(gpa, len(data))
        try:
            await finish(lambda: self._placement.write(gpa, data))
        except BugError:
            self._require_live()
            raise
        self._require_live()
        self._placement.code_changed()

    def _read(self, gpa: int, length: int) -> MemoryChunk:
        controller, memory = self._placement.machine.controller, self._placement.guest.memory
        self._placement.refresh()
        as_guest = self._viewer is Viewer.GUEST
        data = (
            controller.guest_read(memory, gpa, length) if as_guest else controller.hypervisor_read(memory, gpa, length)
        )
        return MemoryChunk(gpa, data.tobytes(), controller.kinds(memory, gpa, length, as_guest=as_guest), self._viewer)

    def _check(self, gpa: int, length: int) -> None:
        if gpa % PAGE_SIZE or length % PAGE_SIZE:
            raise InvalidInput("gpa", f"Memory is read in whole pages of {PAGE_SIZE} bytes")
        self._check_range(gpa, length)

    def _check_range(self, gpa: int, length: int) -> None:
        self._require_live()
        size = self._placement.guest.memory.length
        if gpa < 0 or length < 0 or gpa + length > size:
            raise InvalidInput("gpa", f"{gpa:#x} lies outside the guest's {size >> 20} MiB of RAM")

    def _require_live(self) -> None:
        if not self._placement.live:
            raise WrongState("The instance has been stopped: its RAM is gone")
