"""The emulated host's DRAM: one sparse shared memory, and one state byte for each of its pages.

All guests live in it, at system physical addresses (SPA), and every vCPU worker maps it whole, as the cores of one
machine do. The memory has no name in any file system where the operating system allows that (memfd on Linux, an
unlinked file elsewhere), so that nothing is left behind however the console ends.
What a byte of the shared memory is depends on the state of its page: see `page_state`.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import threading
import weakref
from bisect import insort
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from confvm_gui.domain.errors import BugError, CapacityExceeded
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.memory_controller.page_state import UNTOUCHED

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALLOCATION_UNIT: Final = 2 << 20
"""Bytes. Guests begin on 2 MiB, as a hypervisor with huge pages would place them."""

SIZES: Final = (8 << 40, 1 << 40, 64 << 30, 8 << 30)
"""Bytes of emulated DRAM, the largest that this computer's address space allows. Sparse: a page costs memory of this
computer only once it is written."""


def open_shared_memory(name: str, size: int) -> int:
    """Return a file descriptor of `size` bytes of zeroed, sparse memory without a name.

    Raises CapacityExceeded when the operating system refuses.
    """
    try:
        if sys.platform == "linux":
            descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
        else:
            descriptor, path = tempfile.mkstemp(prefix=name)
            Path(path).unlink()
        os.ftruncate(descriptor, size)
    except OSError as error:
        raise CapacityExceeded(f"This computer refused {size >> 20} MiB of shared memory: {error.strerror}") from error
    return descriptor


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class Dram:
    """The memory, its page states, and who has which part of it. Thread-safe."""

    def __init__(self, size: int) -> None:
        """`size`: bytes, a multiple of ALLOCATION_UNIT. Raises CapacityExceeded; see also `largest`."""
        if size <= 0 or size % ALLOCATION_UNIT:
            raise BugError("DRAM is made of whole allocation units")
        self.size = size
        self.memory_descriptor = open_shared_memory("confvm-dram", size)
        self.state_descriptor = open_shared_memory("confvm-page-states", size // PAGE_SIZE)
        try:
            self._memory = mmap.mmap(self.memory_descriptor, size)
            self._state_memory = mmap.mmap(self.state_descriptor, size // PAGE_SIZE)
        except (OSError, ValueError) as error:
            os.close(self.memory_descriptor)
            os.close(self.state_descriptor)
            raise CapacityExceeded(f"This computer cannot map {size >> 20} MiB of shared memory") from error
        # Closes them even for whoever forgets to: they are no objects that anybody collects.
        self._descriptors = weakref.finalize(self, _close, self.memory_descriptor, self.state_descriptor)
        self.bytes: NDArray[np.uint8] = np.frombuffer(self._memory, dtype=np.uint8)
        self.states: NDArray[np.uint8] = np.frombuffer(self._state_memory, dtype=np.uint8)
        self._free: list[tuple[int, int]] = [(0, size)]
        self._allocated: dict[int, int] = {}
        self._lock = threading.Lock()

    @classmethod
    def largest(cls) -> Dram:
        """As much as this computer lets a process map. Raises CapacityExceeded."""
        for size in SIZES[:-1]:
            try:
                return cls(size)
            except CapacityExceeded:
                continue
        return cls(SIZES[-1])

    @property
    def available(self) -> int:
        """Bytes not handed out."""
        with self._lock:
            return sum(length for _, length in self._free)

    def allocate(self, length: int) -> int:
        """Hand out `length` bytes of zeroed DRAM; return their SPA. First fit.

        Raises CapacityExceeded when no free range is long enough.
        """
        rounded = -(-length // ALLOCATION_UNIT) * ALLOCATION_UNIT
        with self._lock:
            for index, (spa, free) in enumerate(self._free):
                if free >= rounded:
                    if free == rounded:
                        del self._free[index]
                    else:
                        self._free[index] = (spa + rounded, free - rounded)
                    self._allocated[spa] = rounded
                    return spa
            largest = max((free for _, free in self._free), default=0)
        raise CapacityExceeded(
            f"The emulated host has no {length >> 20} MiB of free memory in one piece (largest: {largest >> 20} MiB); "
            "stop an instance or choose a smaller machine type"
        )

    def free(self, spa: int) -> None:
        """Take back an allocation: its pages read as zeros from now on and cost nothing."""
        with self._lock:
            length = self._allocated.pop(spa)
        self._zero(spa, length)
        with self._lock:
            insort(self._free, (spa, length))
            merged: list[tuple[int, int]] = []
            for start, free in self._free:
                if merged and merged[-1][0] + merged[-1][1] == start:
                    merged[-1] = (merged[-1][0], merged[-1][1] + free)
                else:
                    merged.append((start, free))
            self._free = merged

    def close(self) -> None:
        """Unmap and close. The workers' mappings keep the memory alive until they end."""
        if self.memory_descriptor < 0:
            return
        # The arrays export the mappings' buffers: they must go first.
        self.bytes = np.empty(0, dtype=np.uint8)
        self.states = np.empty(0, dtype=np.uint8)
        for mapping in (self._memory, self._state_memory):
            mapping.close()
        self._descriptors()
        self.memory_descriptor = self.state_descriptor = -1

    def used_pages(self, spa: int, length: int) -> NDArray[np.int64]:
        """Pages of the range whose state is not UNTOUCHED, numbered from its start, ascending.

        Looks only at states that exist: reading a hole of shared memory would fill it.
        """
        first, last = spa // PAGE_SIZE, (spa + length) // PAGE_SIZE
        found = [
            np.flatnonzero(self.states[start:stop]) + (start - first)
            for start, stop in self._written_states(first, last)
        ]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def _written_states(self, first: int, last: int) -> list[tuple[int, int]]:
        if sys.platform != "linux":
            return [(first, last)]
        ranges = []
        position = first
        while position < last:
            try:
                start = os.lseek(self.state_descriptor, position, os.SEEK_DATA)
            except OSError:
                break  # ENXIO: only a hole follows
            if start >= last:
                break
            stop = min(os.lseek(self.state_descriptor, start, os.SEEK_HOLE), last)
            ranges.append((start, stop))
            position = stop
        return ranges

    def _zero(self, spa: int, length: int) -> None:
        first = spa // PAGE_SIZE
        used = self.used_pages(spa, length)
        if sys.platform == "linux":
            # Punches a hole, which frees the memory of this computer as well.
            self._memory.madvise(mmap.MADV_REMOVE, spa, length)
        else:
            for page in used.tolist():
                start = spa + page * PAGE_SIZE
                self.bytes[start : start + PAGE_SIZE] = 0
        self.states[first + used] = UNTOUCHED
        if sys.platform == "linux":
            whole_first = -(-first // PAGE_SIZE) * PAGE_SIZE
            whole_last = (first + length // PAGE_SIZE) // PAGE_SIZE * PAGE_SIZE
            if whole_last > whole_first:
                self._state_memory.madvise(mmap.MADV_REMOVE, whole_first, whole_last - whole_first)
