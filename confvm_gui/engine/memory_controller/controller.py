"""Who gets what out of DRAM: the encryption engine between the caches and memory.

Every guest's range of DRAM belongs to an ASID; ASID 0 stands for ranges without memory encryption. A guest's access
with the C-bit set goes through the cipher of its ASID, any other access (the guest's shared pages, the hypervisor,
devices) gets what DRAM holds.

The shared memory keeps a page's plaintext while the page is in private use (`page_state.PRIVATE`), as the caches do,
and this module computes what DRAM holds when somebody reads it. `convert` changes the representation of a page and
never what either side sees: the same bytes of DRAM, decrypted, are what the guest's next private load returns.

Under SEV-SNP the host's reverse map table (RMP) is asked before the hypervisor writes and before a page becomes
private; a page that changes hands loses its private representation, so that the guest's next access asks anew.

One lock per range keeps a reader from seeing a page between two representations: without it, a hypervisor's read
could meet plaintext in a page that it had just found to be raw.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from confvm_gui.domain.errors import BugError, GuestFault, InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE, PageKind
from confvm_gui.engine.memory_controller.dram import Dram
from confvm_gui.engine.memory_controller.page_state import PRIVATE, RAW, STATE_MASK, TOUCHED, UNTOUCHED
from confvm_gui.engine.memory_controller.xex import BLOCK, CHUNK, AddressTweaks, XexCipher
from confvm_gui.engine.memory_controller.xts import KEY_SIZE, XtsCipher
from confvm_gui.engine.secure_processor.rmp import ReverseMap
from confvm_gui.engine.secure_processor.rmp_entry import Permission, RmpResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from confvm_gui.engine.secure_processor.volume_key import VolumeKey

NO_ENCRYPTION: Final = 0
"""The ASID of a range that is never encrypted: the hypervisor's own, which no guest has."""
_STEP: Final = 16 * CHUNK
"""Bytes that a hypervisor's read takes from a range at once; a whole number of the cipher's chunks."""

_KINDS_CONFIDENTIAL = np.zeros(256, dtype=np.uint8)
_KINDS_PLAIN = np.zeros(256, dtype=np.uint8)
for _flag in (0, TOUCHED):
    # A page is made private in batches, ahead of its first use: only the vCPU's flag says that it is in use.
    _KINDS_CONFIDENTIAL[PRIVATE | _flag] = PageKind.CIPHERTEXT if _flag else PageKind.UNTOUCHED
    _KINDS_CONFIDENTIAL[RAW | _flag] = PageKind.SHARED
    _KINDS_PLAIN[RAW | _flag] = PageKind.PLAINTEXT
_GUEST_KINDS_CONFIDENTIAL = _KINDS_CONFIDENTIAL.copy()
_GUEST_KINDS_CONFIDENTIAL[PRIVATE | TOUCHED] = PageKind.PLAINTEXT


@dataclass(slots=True)
class GuestRange:
    """A guest's part of DRAM."""

    spa: int
    length: int
    """Bytes of RAM; 0 once the guest is gone."""
    asid: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    host_bytes: int = 0
    """Bytes behind the RAM, at no GPA: the pages that the host keeps for the guest (VMSA, SNP context)."""
    snp: bool = False
    """Whether the RMP guards it."""
    span: int = field(init=False)
    """Bytes of DRAM, while the guest lives and afterwards."""

    def __post_init__(self) -> None:
        self.span = self.length + self.host_bytes


class MemoryController:
    """The memory controller of one host. Thread-safe."""

    def __init__(self, dram: Dram, tweaks: AddressTweaks | None = None) -> None:
        self._dram = dram
        self._tweaks = tweaks or AddressTweaks()
        self._ciphers: dict[int, XexCipher | XtsCipher] = {}
        self._by_asid: dict[int, GuestRange] = {}
        self._rmp = ReverseMap()

    def guard_with(self, rmp: ReverseMap) -> None:
        """Take `rmp` for the host's reverse map table; before the first SNP guest."""
        self._rmp = rmp

    # Ranges -----------------------------------------------------------------------------------------------------

    def add_range(
        self, length: int, asid: int = NO_ENCRYPTION, *, host_pages: int = 0, snp: bool = False
    ) -> GuestRange:
        """Allocate DRAM for a guest: `length` bytes of RAM and `host_pages` behind it. Raises CapacityExceeded."""
        if asid in self._by_asid:
            raise BugError(f"ASID {asid} has memory already")
        host_bytes = host_pages * PAGE_SIZE
        found = GuestRange(self._dram.allocate(length + host_bytes), length, asid, host_bytes=host_bytes, snp=snp)
        if asid != NO_ENCRYPTION:
            self._by_asid[asid] = found
        return found

    def retire(self, guest: GuestRange) -> None:
        """Take the memory out of everybody's reach: its guest is being powered off. Nothing is written back."""
        with guest.lock:
            if self._by_asid.get(guest.asid) is guest:
                del self._by_asid[guest.asid]
            guest.length = 0

    def remove_range(self, guest: GuestRange) -> None:
        """Give the guest's DRAM back; its content is gone. No vCPU may use it any more."""
        self.retire(guest)
        self._dram.free(guest.spa)

    # The secure processor's side (see secure_processor.memory_port.MemoryPort) ------------------------------------

    def install_key(self, asid: int, key: VolumeKey) -> None:
        """Load a VEK into the slot of `asid` (ACTIVATE)."""
        material = key.cipher_key()
        self._ciphers[asid] = XtsCipher(material) if key.SIZE == KEY_SIZE else XexCipher(material, self._tweaks)

    def remove_key(self, asid: int) -> None:
        """Forget the key (DEACTIVATE). What was in the caches is written back: DRAM keeps the ciphertext."""
        guest = self._by_asid.get(asid)
        if guest is not None and asid in self._ciphers:
            with guest.lock:
                self._write_back(guest, guest.spa, guest.span)
        self._ciphers.pop(asid, None)

    def encrypt_in_place(self, asid: int, spa: int, length: int) -> bytes:
        """Encrypt what DRAM holds at `spa`; return the plaintext that was there (LAUNCH_UPDATE_DATA).

        `spa` and `length`: bytes, multiples of 16.
        """
        guest = self._owner(asid, spa, length)
        with guest.lock:
            plaintext = self._read_raw(guest, spa, length).tobytes()
            self._store_private(guest, spa, plaintext)
            return plaintext

    def write_private(self, asid: int, spa: int, data: bytes) -> None:
        """Write plaintext as the guest would, through its key (LAUNCH_SECRET)."""
        guest = self._owner(asid, spa, len(data))
        with guest.lock:
            self._store_private(guest, spa, data)

    def read_private(self, asid: int, spa: int, length: int) -> bytes:
        """Read as the guest would, through its key (DBG_DECRYPT)."""
        guest = self._owner(asid, spa, length)
        with guest.lock:
            return self._read_decrypted(guest, spa, length).tobytes()

    # The hypervisor's side ----------------------------------------------------------------------------------------

    def hypervisor_read(self, guest: GuestRange, offset: int, length: int) -> NDArray[np.uint8]:
        """What DRAM holds at GPA `offset` of the guest. Any alignment."""
        out = np.empty(length, dtype=np.uint8)
        self.hypervisor_read_into(guest, offset, out)
        return out

    def hypervisor_read_into(self, guest: GuestRange, offset: int, out: NDArray[np.uint8]) -> None:
        """As `hypervisor_read`, into an array of the caller's."""
        spa = guest.spa + offset
        position = 0
        while position < out.size:
            # In pieces, so that a vCPU that waits for the lock waits for one of them and not for the whole read.
            step = min(_STEP - (spa + position) % CHUNK, out.size - position)
            with guest.lock:
                self._check(guest, spa + position, step)
                self._dram_content(guest, spa + position, out[position : position + step])
            position += step

    def hypervisor_write(self, guest: GuestRange, offset: int, data: bytes) -> None:
        """Overwrite what DRAM holds, as host software or a device can. Any alignment.

        In a page in private use, the guest's next load decrypts the new bytes: plain SEV has no integrity, so it
        gets garbage and no error. Under SEV-SNP: WrongState unless all of it is the hypervisor's.
        """
        spa = guest.spa + offset
        with guest.lock:
            self._check(guest, spa, len(data))
            if guest.snp and data:
                self._rmp.require_host_write(spa, len(data))
            source = np.frombuffer(data, dtype=np.uint8)
            for first, count, state in self._runs(spa, len(data)):
                start, stop = max(first * PAGE_SIZE, spa), min((first + count) * PAGE_SIZE, spa + len(data))
                part = source[start - spa : stop - spa]
                if state == PRIVATE:
                    low, high = start - start % BLOCK, stop + -stop % BLOCK
                    blocks = np.empty(high - low, dtype=np.uint8)
                    cipher = self._cipher(guest)
                    cipher.encrypt(low, self._dram.bytes[low:high], blocks)
                    blocks[start - low : stop - low] = part
                    cipher.decrypt(low, blocks, self._dram.bytes[low:high])
                else:
                    self._dram.bytes[start:stop] = part
                    if state == UNTOUCHED:
                        self._dram.states[first : first + count] = RAW

    def kinds(self, guest: GuestRange, offset: int, length: int, *, as_guest: bool) -> bytes:
        """One PageKind per page of a page-aligned range of GPAs."""
        first, count = (guest.spa + offset) // PAGE_SIZE, length // PAGE_SIZE
        with guest.lock:
            self._check(guest, guest.spa + offset, length)
            states = self._dram.states[first : first + count]
            if guest.asid == NO_ENCRYPTION:
                return _KINDS_PLAIN[states].tobytes()
            return (_GUEST_KINDS_CONFIDENTIAL if as_guest else _KINDS_CONFIDENTIAL)[states].tobytes()

    def guest_read(self, guest: GuestRange, offset: int, length: int) -> NDArray[np.uint8]:
        """What the guest's own loads return for the pages that it uses; zeros for those that it does not use.

        No reader outside the guest has this on real hardware.
        """
        spa = guest.spa + offset
        with guest.lock:
            self._check(guest, spa, length)
            out = np.zeros(length, dtype=np.uint8)
            for first, count, _ in self._runs(spa, length, used_only=True):
                start, stop = max(first * PAGE_SIZE, spa), min((first + count) * PAGE_SIZE, spa + length)
                out[start - spa : stop - spa] = self._dram.bytes[start:stop]
            return out

    def used_pages(self, guest: GuestRange) -> NDArray[np.int64]:
        """Numbers of the guest's pages that somebody wrote or used, ascending."""
        pages = self._dram.used_pages(guest.spa, guest.length)
        states = self._dram.states[guest.spa // PAGE_SIZE + pages]
        used: NDArray[np.int64] = pages[(states & TOUCHED != 0) | (states == RAW)]
        return used

    # SEV-SNP: who owns a page --------------------------------------------------------------------------------------

    def rmpupdate(
        self,
        guest: GuestRange,
        offset: int,
        *,
        assigned: bool,
        asid: int | None = None,
        gpa: int = 0,
        immutable: bool = False,
        count: int = 1,
    ) -> RmpResult:
        """RMPUPDATE by the hypervisor, of `count` pages from byte `offset` of the guest's DRAM on.

        An assigned page is the guest's own unless `asid` says otherwise. See ReverseMap.rmpupdate.
        """
        spa = guest.spa + offset
        owner = (guest.asid if asid is None else asid) if assigned else 0
        with guest.lock:
            self._check(guest, spa, count * PAGE_SIZE)
            self._write_back(guest, spa, count * PAGE_SIZE)
            return self._rmp.rmpupdate(spa, assigned=assigned, asid=owner, gpa=gpa, immutable=immutable, count=count)

    def pvalidate(self, guest: GuestRange, page: int, count: int, *, validate: bool) -> tuple[RmpResult, bool]:
        """PVALIDATE by the guest, of `count` of its pages from number `page` on. See ReverseMap.pvalidate."""
        gpa = page * PAGE_SIZE
        with guest.lock:
            self._check(guest, guest.spa + gpa, count * PAGE_SIZE)
            if not validate:
                self._write_back(guest, guest.spa + gpa, count * PAGE_SIZE)
            return self._rmp.pvalidate(guest.asid, gpa, guest.spa + gpa, validate=validate, count=count)

    def reclaim(self, guest: GuestRange) -> RmpResult:
        """RMPUPDATE all pages of a retired guest's DRAM back to the hypervisor; none is immutable any more."""
        return self._rmp.rmpupdate(guest.spa, assigned=False, count=guest.span // PAGE_SIZE)

    # The vCPU's side ------------------------------------------------------------------------------------------------

    def convert(self, guest: GuestRange, page: int, count: int, private: bool) -> None:
        """Change the representation of `count` of the guest's pages from `page` on, as its C-bits now ask for.

        Under SEV-SNP the first page is the one that the guest accesses and the others are ahead of their use:
        GuestFault, with the RMP's reason, if the guest may not access the first; those that it may not access later
        stay as they are.
        """
        with guest.lock:
            spa = guest.spa + page * PAGE_SIZE
            self._check(guest, spa, count * PAGE_SIZE)
            if guest.snp:
                count = self._accessible(guest, page, count, private)
            self._convert(guest, spa // PAGE_SIZE, count, private)

    # Inside, with the range's lock held -----------------------------------------------------------------------------

    def _accessible(self, guest: GuestRange, page: int, count: int, private: bool) -> int:
        gpa = page * PAGE_SIZE
        spa = guest.spa + gpa
        fault = self._rmp.guest_fault(guest.asid, gpa, spa, access=Permission.WRITE, private=private)
        if fault is not None:
            raise GuestFault(f"The RMP stopped the guest's access to {gpa:#x}: {fault.value}")
        return self._rmp.private_pages(guest.asid, gpa, spa, count) if private else 1

    def _cipher(self, guest: GuestRange) -> XexCipher | XtsCipher:
        cipher = self._ciphers.get(guest.asid)
        if cipher is None:
            raise BugError(f"No key is installed for ASID {guest.asid}")
        return cipher

    def _check(self, guest: GuestRange, spa: int, length: int) -> None:
        limit = guest.spa + guest.span if guest.length else guest.spa
        if length < 0 or spa < guest.spa or spa + length > limit:
            raise BugError("The access lies outside the guest's memory")

    def _owner(self, asid: int, spa: int, length: int) -> GuestRange:
        guest = self._by_asid.get(asid)
        if guest is not None and guest.spa <= spa and spa + length <= guest.spa + guest.span:
            return guest
        raise InvalidInput("address", f"ASID {asid} does not own {length} bytes at SPA {spa:#x}")

    def _runs(self, spa: int, length: int, *, used_only: bool = False) -> list[tuple[int, int, int]]:
        """Runs of pages in one state over a range: (first page, count, state)."""
        if length == 0:
            return []
        first, last = spa // PAGE_SIZE, (spa + length - 1) // PAGE_SIZE + 1
        states = self._dram.states[first:last]
        if used_only:
            masked = (_GUEST_KINDS_CONFIDENTIAL[states] != PageKind.UNTOUCHED).astype(np.uint8)
        else:
            masked = states & STATE_MASK
        edges = np.flatnonzero(masked[1:] != masked[:-1]) + 1
        starts = [0, *edges.tolist()]
        ends = [*edges.tolist(), last - first]
        runs = [(first + start, end - start, int(masked[start])) for start, end in zip(starts, ends, strict=True)]
        return [run for run in runs if run[2]] if used_only else runs

    def _dram_content(self, guest: GuestRange, spa: int, out: NDArray[np.uint8]) -> None:
        end = spa + out.size
        for first, count, state in self._runs(spa, out.size):
            start, stop = max(first * PAGE_SIZE, spa), min((first + count) * PAGE_SIZE, end)
            target = out[start - spa : stop - spa]
            if state == UNTOUCHED:
                target[:] = 0  # without a look at it: reading a hole of shared memory would fill it
            elif state == RAW:
                target[:] = self._dram.bytes[start:stop]
            elif start % BLOCK or stop % BLOCK:
                low, high = start - start % BLOCK, stop + -stop % BLOCK
                blocks = np.empty(high - low, dtype=np.uint8)
                self._cipher(guest).encrypt(low, self._dram.bytes[low:high], blocks)
                target[:] = blocks[start - low : stop - low]
            else:
                self._cipher(guest).encrypt(start, self._dram.bytes[start:stop], target)

    def _read_raw(self, guest: GuestRange, spa: int, length: int) -> NDArray[np.uint8]:
        out = np.empty(length, dtype=np.uint8)
        self._dram_content(guest, spa, out)
        return out

    def _read_decrypted(self, guest: GuestRange, spa: int, length: int) -> NDArray[np.uint8]:
        low, high = spa - spa % BLOCK, spa + length + -(spa + length) % BLOCK
        out = self._dram.bytes[low:high].copy()
        for first, count, state in self._runs(low, high - low):
            if state != PRIVATE:
                start, stop = max(first * PAGE_SIZE, low), min((first + count) * PAGE_SIZE, high)
                part = out[start - low : stop - low]
                self._cipher(guest).decrypt(start, part, part)
        return out[spa - low : spa - low + length]

    def _store_private(self, guest: GuestRange, spa: int, data: bytes) -> None:
        first, last = spa // PAGE_SIZE, (spa + len(data) - 1) // PAGE_SIZE + 1
        self._convert(guest, first, last - first, private=True)
        self._dram.bytes[spa : spa + len(data)] = np.frombuffer(data, dtype=np.uint8)
        self._dram.states[first:last] |= TOUCHED

    def _convert(self, guest: GuestRange, first: int, count: int, private: bool) -> None:
        cipher = self._cipher(guest)
        for start, run, state in self._runs(first * PAGE_SIZE, count * PAGE_SIZE):
            spa, pages = start * PAGE_SIZE, slice(start, start + run)
            memory = self._dram.bytes[spa : spa + run * PAGE_SIZE]
            if private and state != PRIVATE:
                cipher.decrypt(spa, memory, memory)
            elif not private and state == PRIVATE:
                cipher.encrypt(spa, memory, memory)
            self._dram.states[pages] = (self._dram.states[pages] & TOUCHED) | (PRIVATE if private else RAW)

    def _write_back(self, guest: GuestRange, spa: int, length: int) -> None:
        """Let the shared memory hold what DRAM holds: whoever wants a page of it private must ask for that again."""
        pages = self._dram.used_pages(spa, length)
        if pages.size:
            first = spa // PAGE_SIZE
            low, high = first + int(pages[0]), first + int(pages[-1]) + 1
            for start, run, state in self._runs(low * PAGE_SIZE, (high - low) * PAGE_SIZE):
                if state == PRIVATE:
                    self._convert(guest, start, run, private=False)
