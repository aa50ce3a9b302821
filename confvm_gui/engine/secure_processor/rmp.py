"""The reverse map table (RMP): who owns each page of DRAM, and what each VMPL of the guest may do there (24593, 15.36).

SEV-SNP's integrity. The hypervisor gives a page to a guest or to the firmware with RMPUPDATE; the guest accepts it
with PVALIDATE and shares rights among its privilege levels with RMPADJUST. From RMPUPDATE on, the hypervisor can read
what is there (ciphertext) and no longer write it; an entry names the GPA, so that no page can stand in for another.

Instructions answer with the code that the processor leaves in EAX; checks answer with the fault or None. Pages of 4 KiB
only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag
from threading import RLock
from typing import Final

from confvm_gui.domain.errors import WrongState

PAGE_SIZE: Final = 4096
VMPLS: Final = 4


class Permission(IntFlag):
    """What a VMPL may do with a page."""

    NONE = 0
    READ = 1
    WRITE = 2
    EXECUTE_USER = 4
    EXECUTE_SUPERVISOR = 8
    ALL = 15


class PageState(Enum):
    """State of a page, as 56860 names the combinations of an entry's fields."""

    HYPERVISOR = "Hypervisor"
    RECLAIM = "Reclaim"
    FIRMWARE = "Firmware"
    CONTEXT = "Context"
    PRE_GUEST = "Pre-Guest"
    GUEST_INVALID = "Guest-Invalid"
    PRE_SWAP = "Pre-Swap"
    GUEST_VALID = "Guest-Valid"


class RmpResult(IntEnum):
    """EAX after RMPUPDATE, PVALIDATE, RMPADJUST."""

    SUCCESS = 0
    FAIL_INPUT = 1
    FAIL_PERMISSION = 2


class RmpFault(Enum):
    """Why an access was stopped."""

    ASSIGNED = "the page is assigned to a guest or to the firmware; reclaim it before the host writes"
    NOT_ASSIGNED = "the page is the hypervisor's, and the guest accessed it as private"
    OWNER = "the page is another guest's"
    MOVED = "the page was given to the guest at another address"
    NOT_VALIDATED = "the guest has not validated the page"
    PERMISSION = "the privilege level (VMPL) has not the right"


@dataclass(slots=True)
class RmpEntry:
    """One page's entry. An unassigned page is the hypervisor's."""

    assigned: bool = False
    asid: int = 0
    """0 with `assigned`: the firmware's."""
    gpa: int = 0
    immutable: bool = False
    """The hypervisor cannot change the entry; the firmware can."""
    validated: bool = False
    vmsa: bool = False
    permissions: list[Permission] = field(default_factory=lambda: [Permission.NONE] * VMPLS)
    """By VMPL."""

    @property
    def state(self) -> PageState:
        if not self.assigned:
            return PageState.HYPERVISOR
        if self.asid == 0:
            if not self.immutable:
                return PageState.RECLAIM
            return PageState.CONTEXT if self.vmsa else PageState.FIRMWARE
        if self.validated:
            return PageState.PRE_SWAP if self.immutable else PageState.GUEST_VALID
        return PageState.PRE_GUEST if self.immutable else PageState.GUEST_INVALID


class ReverseMap:
    """The RMP of one host. Safe to use from any thread."""

    def __init__(self) -> None:
        self._entries: dict[int, RmpEntry] = {}
        self._lock = RLock()

    def clear(self) -> None:
        """All pages are the hypervisor's (SNP_INIT)."""
        with self._lock:
            self._entries.clear()

    def entry(self, spa: int) -> RmpEntry:
        """The entry of the page at `spa`, for the firmware to change; a fresh one for a page of the hypervisor's."""
        with self._lock:
            return self._entries.get(spa // PAGE_SIZE) or RmpEntry()

    def state(self, spa: int) -> PageState:
        """State of the page at `spa`."""
        return self.entry(spa).state

    def pages_of(self, asid: int) -> int:
        """How many pages are assigned to the guest on `asid`."""
        with self._lock:
            return sum(1 for entry in self._entries.values() if entry.asid == asid)

    def rmpupdate(
        self, spa: int, *, assigned: bool, asid: int = 0, gpa: int = 0, immutable: bool = False, count: int = 1
    ) -> RmpResult:
        """RMPUPDATE by the hypervisor, for `count` pages from `spa` and `gpa` on; all or none.

        A page that changes hands is no longer validated. Immutable pages are the firmware's to release.
        """
        aligned = spa >= 0 and gpa >= 0 and spa % PAGE_SIZE == 0 and gpa % PAGE_SIZE == 0
        if not aligned or count < 1 or asid < 0 or (not assigned and (asid or gpa or immutable)):
            return RmpResult.FAIL_INPUT
        first = spa // PAGE_SIZE
        with self._lock:
            old = [self._entries.get(page) for page in range(first, first + count)]
            if any(entry is not None and entry.immutable for entry in old):
                return RmpResult.FAIL_PERMISSION
            for index in range(count):
                if not assigned:
                    self._entries.pop(first + index, None)
                    continue
                rights = [Permission.ALL if asid else Permission.NONE, *[Permission.NONE] * (VMPLS - 1)]
                place = gpa + index * PAGE_SIZE if asid else gpa
                self._entries[first + index] = RmpEntry(True, asid, place, immutable, permissions=rights)
        return RmpResult.SUCCESS

    def pvalidate(self, asid: int, gpa: int, spa: int, *, validate: bool = True) -> tuple[RmpResult, bool]:
        """PVALIDATE by VMPL 0 of the guest on `asid`, of its page `gpa` that is mapped to `spa`.

        The second value tells whether anything changed (the carry flag is its opposite): a guest that validates a page
        twice is being cheated.
        """
        with self._lock:
            entry = self.entry(spa)
            if not entry.assigned or entry.asid != asid or entry.gpa != gpa or entry.immutable:
                return RmpResult.FAIL_INPUT, False
            changed = entry.validated is not validate
            entry.validated = validate
            return RmpResult.SUCCESS, changed

    def rmpadjust(
        self, asid: int, gpa: int, spa: int, *, vmpl: int, target: int, permissions: Permission, vmsa: bool = False
    ) -> RmpResult:
        """RMPADJUST by `vmpl`: the rights of the less privileged `target` (a higher number) become `permissions`.

        Nobody gives away what he has not. `vmsa`, for VMPL 0 only, makes the page a VMSA.
        """
        with self._lock:
            if not 0 <= vmpl < target < VMPLS:
                return RmpResult.FAIL_INPUT
            if self._guest_fault(asid, gpa, spa, vmpl, Permission.NONE) is not None:
                return RmpResult.FAIL_INPUT
            entry = self.entry(spa)
            if permissions & ~entry.permissions[vmpl] or (vmsa and vmpl):
                return RmpResult.FAIL_PERMISSION
            entry.permissions[target] = permissions
            entry.vmsa = vmsa
            return RmpResult.SUCCESS

    def host_write_fault(self, spa: int, length: int = 1) -> RmpFault | None:
        """Why the hypervisor (or a device) may not write `length` bytes at `spa`; None if it may."""
        with self._lock:
            for page in range(spa // PAGE_SIZE, (spa + max(length, 1) - 1) // PAGE_SIZE + 1):
                entry = self._entries.get(page)
                if entry is not None and entry.assigned:
                    return RmpFault.ASSIGNED
        return None

    def require_host_write(self, spa: int, length: int = 1) -> None:
        """WrongState, with the reason, if the hypervisor may not write there."""
        fault = self.host_write_fault(spa, length)
        if fault is not None:
            raise WrongState(f"The RMP refuses a write of the host at {spa:#x}: {fault.value}")

    def guest_fault(
        self, asid: int, gpa: int, spa: int, *, vmpl: int = 0, access: Permission, private: bool = True
    ) -> RmpFault | None:
        """Why the guest on `asid` may not `access` its page `gpa`, mapped to `spa`; None if it may.

        `private` is the C-bit. A shared page must be the hypervisor's to be written.
        """
        with self._lock:
            if private:
                return self._guest_fault(asid, gpa, spa, vmpl, access)
            return RmpFault.ASSIGNED if self.entry(spa).assigned and access & Permission.WRITE else None

    def _guest_fault(self, asid: int, gpa: int, spa: int, vmpl: int, access: Permission) -> RmpFault | None:
        entry = self.entry(spa)
        if not entry.assigned:
            return RmpFault.NOT_ASSIGNED
        if entry.asid != asid:
            return RmpFault.OWNER
        if entry.gpa // PAGE_SIZE != gpa // PAGE_SIZE:
            return RmpFault.MOVED
        if not entry.validated or entry.immutable:
            return RmpFault.NOT_VALIDATED
        return RmpFault.PERMISSION if access & ~entry.permissions[vmpl] else None
