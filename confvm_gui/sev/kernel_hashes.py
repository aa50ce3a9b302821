"""Hash table of kernel, initrd and command line for measured direct boot (QEMU `kernel-hashes=on`).

QEMU puts it into the guest behind the firmware, so it enters the launch digest; OVMF checks the three against it.
Not AMD's but QEMU's and edk2's format (target/i386/sev.c; OvmfPkg BlobVerifierSevHashes).

    GUID 16 | LENGTH u16 = 168 | 3 x { GUID 16 | LENGTH u16 = 50 | SHA-256 32 } | zeros to 176

Under SEV and SEV-ES the padded table is measured; under SEV-SNP the page that it lies in, which is zero elsewhere.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final, NamedTuple
from uuid import UUID

from confvm_gui.sev.errors import InvalidInput, require_length

TABLE_GUID: Final = UUID("9438d606-4f22-4cc9-b479-a793d411fd21")
COMMAND_LINE_GUID: Final = UUID("97d02dd8-bd20-4c94-aa78-e7714d36ab2a")
INITRD_GUID: Final = UUID("44baf731-3a2f-4bd7-9af1-41e29169781d")
KERNEL_GUID: Final = UUID("4de79437-abd2-427f-b835-d5b172d2045b")

PADDED_SIZE: Final = 176
PAGE_SIZE: Final = 4096

_HEADER: Final = struct.Struct("<16sH")


class KernelHashes(NamedTuple):
    """What is booted, as the SHA-256 of each part: enough to measure, and a kernel need not be held for it."""

    kernel: bytes
    initrd: bytes
    command_line: bytes

    @classmethod
    def of(cls, kernel: bytes, initrd: bytes = b"", command_line: str = "") -> KernelHashes:
        """The hashes of these contents. A missing initrd is hashed as no bytes."""
        return cls.of_digests(hashlib.sha256(kernel).digest(), hashlib.sha256(initrd).digest(), command_line)

    @classmethod
    def of_digests(cls, kernel: bytes, initrd: bytes | None, command_line: str = "") -> KernelHashes:
        """From digests made while reading; None is no initrd. InvalidInput("kernel", "initrd" or "append")."""
        chosen = hashlib.sha256().digest() if initrd is None else initrd
        require_length(kernel, 32, "kernel", "The SHA-256 of a kernel")
        require_length(chosen, 32, "initrd", "The SHA-256 of an initrd")
        return cls(kernel, chosen, hashlib.sha256(_encoded(command_line) + b"\x00").digest())

    def table(self) -> bytes:
        """The PADDED_SIZE bytes that SEV and SEV-ES measure.

        The order of the entries is fixed: command line (hashed with its terminating NUL), initrd, kernel.
        """
        entries = b"".join(
            _HEADER.pack(guid.bytes_le, _HEADER.size + 32) + digest
            for guid, digest in (
                (COMMAND_LINE_GUID, self.command_line),
                (INITRD_GUID, self.initrd),
                (KERNEL_GUID, self.kernel),
            )
        )
        table = _HEADER.pack(TABLE_GUID.bytes_le, _HEADER.size + len(entries)) + entries
        return table.ljust(PADDED_SIZE, b"\x00")

    def page(self, table_gpa: int) -> bytes:
        """The PAGE_SIZE bytes that SEV-SNP measures, with the table where `table_gpa` lies in its page.

        InvalidInput("ovmf") if it would reach over the end of the page.
        """
        offset = table_gpa % PAGE_SIZE
        if offset + PADDED_SIZE > PAGE_SIZE:
            raise InvalidInput("ovmf", f"The firmware wants the kernel hashes at {table_gpa:#x}, across two pages")
        return (bytes(offset) + self.table()).ljust(PAGE_SIZE, b"\x00")


def padded_hash_table(kernel: bytes, initrd: bytes = b"", command_line: str = "") -> bytes:
    """The PADDED_SIZE bytes that are measured. A missing initrd is hashed as no bytes."""
    return KernelHashes.of(kernel, initrd, command_line).table()


def _encoded(command_line: str) -> bytes:
    try:
        # What a shell passed on that is no UTF-8 comes back as the bytes that it was.
        return command_line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidInput("append", "The kernel command line has a character that cannot be encoded") from None
