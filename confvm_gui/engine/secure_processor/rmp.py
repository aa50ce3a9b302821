"""The reverse map table (RMP): who owns each page of DRAM, and what each VMPL of the guest may do there (24593, 15.36).

SEV-SNP's integrity. The hypervisor gives a page to a guest or to the firmware with RMPUPDATE; the guest accepts it
with PVALIDATE and shares rights among its privilege levels with RMPADJUST. From RMPUPDATE on, the hypervisor can read
what is there (ciphertext) and no longer write it; an entry names the GPA, so that no page can stand in for another.

Instructions answer with the code that the processor leaves in EAX; checks answer with the fault or None. Pages of 4 KiB
only; a `count` of them stands for as many instructions in a row, or for one on a larger page.
"""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import Final

from confvm_gui.domain.errors import WrongState
from confvm_gui.engine.secure_processor.rmp_entry import (
    NO_RIGHTS,
    PAGE_SIZE,
    VMPLS,
    PageState,
    Permission,
    RmpEntry,
    RmpFault,
    RmpResult,
)
from confvm_gui.engine.secure_processor.rmp_runs import RmpRuns

_UNASSIGNED: Final = RmpEntry()
_GUEST_RIGHTS: Final = (Permission.ALL, *NO_RIGHTS[1:])


class ReverseMap:
    """The RMP of one host. Safe to use from any thread."""

    def __init__(self) -> None:
        self._runs = RmpRuns()
        self._lock = RLock()

    def clear(self) -> None:
        """All pages are the hypervisor's (SNP_INIT)."""
        with self._lock:
            self._runs.clear()

    def entry(self, spa: int) -> RmpEntry:
        """The entry of the page at `spa`."""
        with self._lock:
            return self._runs.entry(spa // PAGE_SIZE) or _UNASSIGNED

    def amend(self, spa: int, entry: RmpEntry) -> None:
        """The firmware's way to change an assigned page's entry, past all rules."""
        page = spa // PAGE_SIZE
        with self._lock:
            self._runs.store(page, page + 1, entry)

    def state(self, spa: int) -> PageState:
        """State of the page at `spa`."""
        return self.entry(spa).state

    def pages_of(self, asid: int) -> int:
        """How many pages are assigned to the guest on `asid`; 0 asks for the firmware's."""
        with self._lock:
            return sum(run.count for run in self._runs.all() if run.entry.asid == asid)

    @property
    def run_count(self) -> int:
        """How many runs of pages the table keeps: what it costs in memory."""
        with self._lock:
            return len(self._runs)

    def immutable_pages(self, spa: int, length: int) -> list[int]:
        """SPAs of the pages among `length` bytes that SNP_PAGE_RECLAIM must release before the host has them back."""
        with self._lock:
            runs = self._runs.within(spa // PAGE_SIZE, (spa + length) // PAGE_SIZE)
        return [page * PAGE_SIZE for run in runs if run.entry.immutable for page in range(run.first, run.last)]

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
        rights = _GUEST_RIGHTS if asid else NO_RIGHTS
        new = RmpEntry(True, asid, gpa, immutable, permissions=rights) if assigned else None
        with self._lock:
            if any(run.entry.immutable for run in self._runs.within(first, first + count)):
                return RmpResult.FAIL_PERMISSION
            self._runs.store(first, first + count, new)
        return RmpResult.SUCCESS

    def pvalidate(
        self, asid: int, gpa: int, spa: int, *, validate: bool = True, count: int = 1
    ) -> tuple[RmpResult, bool]:
        """PVALIDATE by VMPL 0 of the guest on `asid`, of `count` pages from `gpa` on that are mapped to `spa`; or none.

        The second value tells whether every page changed (the carry flag is its opposite): a guest that validates a
        page twice is being cheated.
        """
        first = spa // PAGE_SIZE
        with self._lock:
            runs = self._runs.within(first, first + count)
            if count < 1 or sum(run.count for run in runs) != count:
                return RmpResult.FAIL_INPUT, False
            for run in runs:
                entry = run.entry
                if entry.asid != asid or entry.gpa != gpa + (run.first - first) * PAGE_SIZE or entry.immutable:
                    return RmpResult.FAIL_INPUT, False
            for run in runs:
                if run.entry.validated is not validate:
                    self._runs.store(run.first, run.last, replace(run.entry, validated=validate))
            return RmpResult.SUCCESS, all(run.entry.validated is not validate for run in runs)

    def rmpadjust(
        self, asid: int, gpa: int, spa: int, *, vmpl: int, target: int, permissions: Permission, vmsa: bool = False
    ) -> RmpResult:
        """RMPADJUST by `vmpl`: the rights of the less privileged `target` (a higher number) become `permissions`.

        Nobody gives away what he has not. `vmsa`, for VMPL 0 only, makes the page a VMSA.
        """
        with self._lock:
            if not 0 <= vmpl < target < VMPLS:
                return RmpResult.FAIL_INPUT
            entry = self.entry(spa)
            if _fault(entry, asid, gpa, vmpl, Permission.NONE) is not None:
                return RmpResult.FAIL_INPUT
            if permissions & ~entry.permissions[vmpl] or (vmsa and vmpl):
                return RmpResult.FAIL_PERMISSION
            rights = (*entry.permissions[:target], permissions, *entry.permissions[target + 1 :])
            self.amend(spa, replace(entry, permissions=rights, vmsa=vmsa))
            return RmpResult.SUCCESS

    def host_write_fault(self, spa: int, length: int = 1) -> RmpFault | None:
        """Why the hypervisor (or a device) may not write `length` bytes at `spa`; None if it may."""
        last = (spa + max(length, 1) - 1) // PAGE_SIZE + 1
        with self._lock:
            return RmpFault.ASSIGNED if self._runs.within(spa // PAGE_SIZE, last) else None

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
        entry = self.entry(spa)
        if private:
            return _fault(entry, asid, gpa, vmpl, access)
        return RmpFault.ASSIGNED if entry.assigned and access & Permission.WRITE else None

    def private_pages(self, asid: int, gpa: int, spa: int, count: int) -> int:
        """How many of `count` pages from `gpa` on, mapped to `spa`, the guest on `asid` may write as VMPL 0.

        Counted up to the first that it may not.
        """
        first = page = spa // PAGE_SIZE
        with self._lock:
            for run in self._runs.within(first, first + count):
                place = gpa + (page - first) * PAGE_SIZE
                if run.first != page or _fault(run.entry, asid, place, 0, Permission.WRITE) is not None:
                    break
                page = run.last
        return page - first


def _fault(entry: RmpEntry, asid: int, gpa: int, vmpl: int, access: Permission) -> RmpFault | None:
    if not entry.assigned:
        return RmpFault.NOT_ASSIGNED
    if entry.asid != asid:
        return RmpFault.OWNER
    if entry.gpa // PAGE_SIZE != gpa // PAGE_SIZE:
        return RmpFault.MOVED
    if not entry.validated or entry.immutable:
        return RmpFault.NOT_VALIDATED
    return RmpFault.PERMISSION if access & ~entry.permissions[vmpl] else None
