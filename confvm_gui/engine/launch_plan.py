"""What a host is given to launch a confidential guest: the owner's part, passed on as it is, and where things go.

The addresses are the built-in guests' (resources/guests): a hypervisor that boots a firmware would take them from the
firmware's metadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.sev.expected_digest import LaunchMode

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
"""Where a guest's image is loaded and entered."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """One launch. What a mode does not use is ignored."""

    mode: LaunchMode
    image: bytes
    """Whole pages, for IMAGE_GPA; measured."""
    ram_bytes: int
    boot_info: bytes
    """For BOOT_INFO_GPA, in clear and not measured."""
    policy: int
    """32 bits for SEV and SEV-ES (GuestPolicy), 64 for SEV-SNP (SnpPolicy)."""
    dh_cert: bytes = b""
    session: bytes = b""
    """SEV, SEV-ES: the owner's; both empty for a launch that nobody can send a secret to."""
    host_data: bytes = bytes(32)
    """SEV-SNP: reported as the host gave it."""
    id_block: bytes | None = None
    id_auth: bytes | None = None
    """SEV-SNP: 96 and 4096 bytes, or neither."""
    author_key_enabled: bool = False
