"""What a host is given to launch a confidential guest: the owner's part, passed on as it is.

Where things go is in `guests.memory_map`.
"""

from __future__ import annotations

from dataclasses import dataclass

from confvm_gui.sev.expected_digest import LaunchMode


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
