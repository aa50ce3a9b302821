"""Hash table of kernel, initrd and command line for measured direct boot (QEMU `kernel-hashes=on`).

QEMU puts it into the guest behind the firmware, so it enters the launch digest; OVMF checks the three against it.
Not AMD's but QEMU's and edk2's format (target/i386/sev.c; OvmfPkg BlobVerifierSevHashes).

    GUID 16 | LENGTH u16 = 168 | 3 x { GUID 16 | LENGTH u16 = 50 | SHA-256 32 } | zeros to 176
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final
from uuid import UUID

TABLE_GUID: Final = UUID("9438d606-4f22-4cc9-b479-a793d411fd21")
COMMAND_LINE_GUID: Final = UUID("97d02dd8-bd20-4c94-aa78-e7714d36ab2a")
INITRD_GUID: Final = UUID("44baf731-3a2f-4bd7-9af1-41e29169781d")
KERNEL_GUID: Final = UUID("4de79437-abd2-427f-b835-d5b172d2045b")

PADDED_SIZE: Final = 176

_HEADER: Final = struct.Struct("<16sH")


def padded_hash_table(kernel: bytes, initrd: bytes = b"", command_line: str = "") -> bytes:
    """The PADDED_SIZE bytes that are measured. A missing initrd is hashed as no bytes.

    The order of the entries is fixed: command line (with its terminating NUL), initrd, kernel.
    """
    entries = b"".join(
        _HEADER.pack(guid.bytes_le, _HEADER.size + 32) + hashlib.sha256(content).digest()
        for guid, content in (
            (COMMAND_LINE_GUID, command_line.encode() + b"\x00"),
            (INITRD_GUID, initrd),
            (KERNEL_GUID, kernel),
        )
    )
    table = _HEADER.pack(TABLE_GUID.bytes_le, _HEADER.size + len(entries)) + entries
    return table.ljust(PADDED_SIZE, b"\x00")
