"""Which register holds what: PCRs of a TPM, and the RTMRs of a TD by their index in a CC event log.

(PC Client profile, section 2.3.4; UEFI specification, section 38.4.1: PCR 1 and 7 go into RTMR0, 2 to 6 into RTMR1,
8 to 15 into RTMR2.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """Indexes as they stand in the log."""

    label: str
    """`PCR`, or `CC register`."""
    firmware: int | None
    """Where S-CRTM version and non-host information are; None where they are measured elsewhere."""
    drivers: int
    secure_boot: int
    applications: int
    exit_boot_services: int
    grub_commands: int
    grub_files: int
    shared: bool
    """Secure Boot variables share their register with other events."""
    separated: frozenset[int]
    """Registers that have exactly one separator."""


TPM: Final = RegisterMap("PCR", 0, 2, 7, 4, 5, 8, 9, False, frozenset(range(8)))
RTMR: Final = RegisterMap("CC register", None, 2, 1, 2, 2, 3, 3, True, frozenset({1, 2}))
