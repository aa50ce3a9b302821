"""The launch secret of the built-in guests: a table with the disk's key and the mailbox's.

Plain VMs get the same table, written by the hypervisor, which can therefore read the keys: that is the difference.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from confvm_gui.sev.errors import require_length
from confvm_gui.sev.secret_table import DISK_KEY_GUID, SecretEntry, build_secret_table

MAILBOX_KEY_GUID: Final = UUID("6f1d2a54-33c1-4a57-9d0e-5a0f6c2b8e11")
DISK_KEY_BYTES: Final = 64
"""AES-256-XTS: K1 || K2."""
MAILBOX_KEY_BYTES: Final = 32


def guest_secret(*, disk_key: bytes | None = None, mailbox_key: bytes | None = None) -> bytes:
    """The table, padded to 16 bytes; what is None is left out. Raises InvalidInput("secret") on a key's length."""
    entries = []
    if disk_key is not None:
        require_length(disk_key, DISK_KEY_BYTES, "secret", "The disk's key")
        entries.append(SecretEntry(DISK_KEY_GUID, disk_key))
    if mailbox_key is not None:
        require_length(mailbox_key, MAILBOX_KEY_BYTES, "secret", "The mailbox's key")
        entries.append(SecretEntry(MAILBOX_KEY_GUID, mailbox_key))
    return build_secret_table(entries)
