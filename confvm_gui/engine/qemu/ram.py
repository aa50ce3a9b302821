"""A QEMU guest's RAM: a shared memory of its own, mounted into the emulated host's DRAM at the guest's addresses.

Why not a part of DRAM's own shared memory: QEMU before 8.1 cannot map a file from an offset on, and whoever holds
DRAM's descriptor holds the plaintext of every guest. So each QEMU process gets a descriptor of its guest's RAM and of
nothing else, and the console maps the same memory over the guest's range of DRAM (MAP_FIXED, as a memory module is
plugged in at an address). The memory controller then works on it as on any other range: same addresses, same tweaks,
same key slots. The memory has no name and cannot be resized by anybody (sealed), so a broken QEMU cannot make the
console fault by cutting it short.

QEMU does not tell which pages its guest uses. The kernel does: a page of the shared memory exists once somebody wrote
it. `refresh` takes over what is new, in a confidential guest as private pages in use, so that the hypervisor's view
of them is their encryption. Linux only.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import CapacityExceeded
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.memory_controller.controller import NO_ENCRYPTION
from confvm_gui.engine.memory_controller.page_state import PRIVATE, RAW, STATE_MASK, TOUCHED, UNTOUCHED

if TYPE_CHECKING:
    from confvm_gui.engine.memory_controller.controller import GuestRange, MemoryController
    from confvm_gui.engine.memory_controller.dram import Dram

_MAP_FIXED: Final = 0x10
_FAILED: Final = ctypes.c_void_p(-1).value


class QemuRam:
    """One guest's RAM. Thread-safe."""

    def __init__(self, dram: Dram, controller: MemoryController, memory: GuestRange) -> None:
        """Put new, zeroed RAM in the place of the guest's range of DRAM. Raises CapacityExceeded."""
        self._dram = dram
        self._controller = controller
        self._memory = memory
        self.length = memory.length
        self.descriptor = sealed_memory("confvm-qemu-ram", self.length)
        try:
            _mount(dram, memory.spa, self.length, self.descriptor, 0)
        except BaseException:  # whatever it was, the descriptor does not stay open
            os.close(self.descriptor)
            raise

    def refresh(self) -> None:
        """Bring the page states up to what the guest has written by now. A page never written stays untouched."""
        memory = self._memory
        with memory.lock:
            if self.descriptor < 0 or not memory.length:
                return
            first = memory.spa // PAGE_SIZE
            used = RAW if memory.asid == NO_ENCRYPTION else PRIVATE
            position = 0
            while position < self.length:
                try:
                    start = os.lseek(self.descriptor, position, os.SEEK_DATA)
                except OSError:
                    break  # ENXIO: only a hole follows
                position = os.lseek(self.descriptor, start, os.SEEK_HOLE)
                states = self._dram.states[first + start // PAGE_SIZE : first + -(-position // PAGE_SIZE)]
                kinds = states & STATE_MASK
                states[(kinds == UNTOUCHED) | (kinds == used)] = used | TOUCHED

    def claim(self, offset: int, length: int) -> None:
        """Make the pages of a range private that nobody has used yet, before the hypervisor writes to them.

        What the guest reads in them from then on is noise, as in RAM that was never encrypted.
        """
        self.refresh()
        memory = self._memory
        if memory.asid == NO_ENCRYPTION or not length:
            return
        first, last = offset // PAGE_SIZE, (offset + length - 1) // PAGE_SIZE
        base = memory.spa // PAGE_SIZE
        for page in range(first, last + 1):
            if self._dram.states[base + page] & STATE_MASK == UNTOUCHED:
                self._controller.convert(memory, page, 1, private=True)

    def close(self) -> None:
        """Give the range back to DRAM, whose own content there is zeros. QEMU must have ended. Safe to call twice."""
        if self.descriptor < 0:
            return
        # Out of every reader's reach first: none may meet the range between two mappings.
        self._controller.retire(self._memory)
        with self._memory.lock:
            descriptor, self.descriptor = self.descriptor, -1
            if self._dram.memory_descriptor >= 0:
                _mount(self._dram, self._memory.spa, self.length, self._dram.memory_descriptor, self._memory.spa)
            os.close(descriptor)


def sealed_memory(name: str, length: int) -> int:
    """A descriptor of `length` bytes of zeroed memory that nobody can resize. Raises CapacityExceeded."""
    try:
        descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        raise CapacityExceeded(f"This computer refused shared memory for QEMU: {error.strerror}") from error
    try:
        os.ftruncate(descriptor, length)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    except OSError as error:
        os.close(descriptor)
        raise CapacityExceeded(
            f"This computer refused {length >> 20} MiB of shared memory for QEMU: {error.strerror}"
        ) from error
    return descriptor


def _mount(dram: Dram, spa: int, length: int, descriptor: int, offset: int) -> None:
    # Replaces the pages of DRAM's mapping in one step; whoever reads there sees the one or the other.
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    wanted = dram.bytes.ctypes.data + spa
    protection = mmap.PROT_READ | mmap.PROT_WRITE
    if libc.mmap(wanted, length, protection, mmap.MAP_SHARED | _MAP_FIXED, descriptor, offset) == _FAILED:
        reason = os.strerror(ctypes.get_errno())
        raise CapacityExceeded(f"This computer refused to map {length >> 20} MiB of a QEMU guest's RAM: {reason}")
