"""Where things lie in the built-in guests' memory (resources/guests/README.md), all GPAs.

A hypervisor that boots a firmware would take such addresses from the firmware's metadata. The mailbox's two areas are
in `mailbox`.
"""

from __future__ import annotations

from typing import Final

from confvm_gui.domain.memory import PAGE_SIZE

BOOT_INFO_GPA: Final = 0x8000
"""Shared, written by the host, not measured."""
GUEST_REQUEST_GPA: Final = 0x9000
"""Shared page in which an SNP guest leaves a message for the firmware."""
GUEST_RESPONSE_GPA: Final = 0xA000
"""Shared page in which the firmware's answer lies."""
ATTESTATION_GPA: Final = 0xB000
"""Shared page over which an SNP guest is asked for reports."""
SECRET_GPA: Final = 0x40000
"""Private page: LAUNCH_SECRET writes it under SEV and SEV-ES, the guest itself under SEV-SNP."""
SECRET_SIZE: Final = PAGE_SIZE
SNP_SECRETS_GPA: Final = 0x41000
"""Private page that the firmware fills: the guest's VMPCKs (SEV-SNP)."""
SNP_CPUID_GPA: Final = 0x42000
"""Private page of CPUID values (SEV-SNP)."""
IMAGE_GPA: Final = 0x100000
"""Where a guest's image is loaded, and its first instruction."""
