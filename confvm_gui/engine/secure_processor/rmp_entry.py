"""One entry of the reverse map table: fields, and the names that 56860 gives their combinations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag
from typing import Final

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


NO_RIGHTS: Final = (Permission.NONE,) * VMPLS


@dataclass(frozen=True, slots=True)
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
    permissions: tuple[Permission, ...] = NO_RIGHTS
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
