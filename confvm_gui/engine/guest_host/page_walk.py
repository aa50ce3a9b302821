"""From a guest's virtual address to DRAM: its page tables, its C-bits, its place in the host's memory.

Four-level paging of long mode (APM volume 2, 5.3). The C-bit of the last entry says whether the access is private
(APM volume 2, 15.34.1); with paging off (CR3 zero here: guests start so) every access of an SEV guest is private.

No translation is kept here from one walk to the next, and the CPU's TLB is dropped before every turn and after every
page state change: a page that the hypervisor took back faults at the guest's next access, a turn later at most.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from mmap import mmap
from typing import Final

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.memory_controller.page_state import PRIVATE, RAW, STATE_MASK, TOUCHED, UNTOUCHED

_PRESENT: Final = 1
_WRITABLE: Final = 2
_LARGE: Final = 0x80
_ADDRESS: Final = 0x000F_FFFF_FFFF_F000
_LEVELS: Final = (39, 30, 21, 12)
_AHEAD: Final = 64
"""Pages converted at once: following pages that nobody has used are most likely wanted next."""

Convert = Callable[[int, int, bool], None]
"""(page, count, private): ask the memory controller to change the pages' representation. Raises PageFault."""


class PageFault(Exception):
    """No mapping, or an address outside the guest's RAM; the message says which."""


class PageWalk:
    """One guest's address translation."""

    def __init__(
        self,
        memory: mmap,
        states: mmap,
        *,
        spa: int,
        ram_bytes: int,
        sev: bool,
        c_bit: int,
        convert: Convert,
        snp: bool = False,
    ) -> None:
        self._memory = memory
        self._states = states
        self._spa = spa
        self._first_state = spa // PAGE_SIZE
        self._pages = ram_bytes // PAGE_SIZE
        self._sev = sev
        self._c_mask = 1 << c_bit if sev else 0
        self._address_mask = _ADDRESS & ~self._c_mask
        self._convert = convert
        self._validated = bytearray(self._pages) if snp else None
        """Pages that the guest has PVALIDATEd: under SEV-SNP no other may be converted ahead of its use."""

    def note_validated(self, page: int, count: int, validated: bool) -> None:
        """PVALIDATE succeeded on `count` pages from `page` on."""
        if self._validated is not None:
            self._validated[page : page + count] = bytes([validated]) * count

    def locate(self, virtual: int, cr3: int) -> int:
        """The GPA of the page behind `virtual`, which itself is not accessed (PVALIDATE). Raises PageFault."""
        gpa, _, _ = self._walk(virtual, cr3)
        if gpa // PAGE_SIZE >= self._pages:
            raise PageFault(f"access to {gpa:#x}, outside the guest's RAM")
        return gpa

    def translate(self, virtual: int, cr3: int) -> tuple[int, bool]:
        """Return (SPA of the page, writable) and make the page's representation fit the access.

        Raises PageFault.
        """
        gpa, private, writable = self._walk(virtual, cr3)
        return self._use(gpa, private=private), writable

    def _walk(self, virtual: int, cr3: int) -> tuple[int, bool, bool]:
        """(GPA of the page, private, writable)."""
        if cr3 == 0:
            return virtual & ~(PAGE_SIZE - 1), True, True
        table, private, writable = cr3 & self._address_mask, bool(cr3 & self._c_mask), True
        for shift in _LEVELS:
            base = self._use(table, private=private)
            (entry,) = struct.unpack_from("<Q", self._memory, base + 8 * (virtual >> shift & 511))
            if not entry & _PRESENT:
                raise PageFault(f"page fault at {virtual:#x}: not mapped")
            private = bool(entry & self._c_mask)
            writable = writable and bool(entry & _WRITABLE)
            if shift == _LEVELS[-1] or entry & _LARGE:
                offset = virtual & ((1 << shift) - 1)
                frame = entry & self._address_mask & ~((1 << shift) - 1)
                return (frame | offset) & ~(PAGE_SIZE - 1), private, writable
            table = entry & self._address_mask
        raise PageFault(f"page fault at {virtual:#x}")

    def _use(self, gpa: int, *, private: bool) -> int:
        page = gpa // PAGE_SIZE
        if page >= self._pages:
            raise PageFault(f"access to {gpa:#x}, outside the guest's RAM")
        index = self._first_state + page
        wanted = PRIVATE if private and self._sev else RAW
        state = self._states[index]
        if state & STATE_MASK != wanted:
            if state == UNTOUCHED and wanted == RAW:
                self._states[index] = RAW
            else:
                self._make_fit(page, index, state, wanted == PRIVATE)
            state = wanted
        if not state & TOUCHED:
            self._states[index] = wanted | TOUCHED
        return self._spa + gpa

    def _make_fit(self, page: int, index: int, state: int, private: bool) -> None:
        count = self._untouched_run(index) if state == UNTOUCHED else 1
        if self._validated is not None and count > 1:
            known = self._validated[page : page + count]
            count = len(known) - len(known.lstrip(b"\1")) or 1
        try:
            self._convert(page, count, private)
        except PageFault:
            if count == 1:
                raise
            # The hypervisor took one of the following pages back: that is no fault of this access.
            self._convert(page, 1, private)

    def _untouched_run(self, index: int) -> int:
        limit = min(_AHEAD, self._first_state + self._pages - index)
        states = self._states[index : index + limit]
        return len(states) - len(states.lstrip(b"\0")) or 1
