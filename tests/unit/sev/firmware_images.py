"""Firmware images for tests: those of Debian's package `ovmf`, and images made here."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from confvm_gui.sev.ovmf_image import (
    FOOTER_GUID,
    SEV_ES_RESET_BLOCK_GUID,
    SEV_HASH_TABLE_GUID,
    SEV_METADATA_GUID,
    SEV_SECRET_GUID,
)

DEBIAN = (
    "/usr/share/OVMF/OVMF_CODE.fd",
    "/usr/share/OVMF/OVMF_CODE.secboot.fd",
    "/usr/share/OVMF/OVMF_CODE_4M.fd",
    "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
    "/usr/share/ovmf/OVMF.fd",
)
"""Images of different content, of the package `ovmf`."""

Sections = Sequence[tuple[int, int, int]]
"""GPA, size and type of each section of the SEV metadata."""

AMD_SEV_SECTIONS: Sections = (
    (0x800000, 0x9000, 1),
    (0x80A000, 0x3000, 1),
    (0x80D000, 0x1000, 2),
    (0x80E000, 0x1000, 3),
    (0x80F000, 0x1000, 4),
    (0x810000, 0x1000, 0x10),
    (0x811000, 0xF000, 1),
)
"""Those of edk2's AmdSev build."""


def debian_image(path: str) -> bytes:
    """The content of one of DEBIAN."""
    file = Path(path)
    assert file.is_file(), f"{path} is missing; install the package ovmf"
    return file.read_bytes()


def make_image(
    pages: int = 3,
    *,
    sections: Sections | None = AMD_SEV_SECTIONS,
    hash_table: int | None = 0x810C00,
    reset_eip: int | None = 0x80B004,
    extra: Mapping[UUID, bytes] | None = None,
    seed: int = 1,
) -> bytes:
    """An image with a footer: random pages, then one with the metadata, the GUID table and a reset vector."""
    entries: list[tuple[UUID, bytes]] = list((extra or {}).items())
    if reset_eip is not None:
        entries.append((SEV_ES_RESET_BLOCK_GUID, struct.pack("<I", reset_eip)))
    if hash_table is not None:
        entries.append((SEV_HASH_TABLE_GUID, struct.pack("<II", hash_table, 0x400)))
    entries.append((SEV_SECRET_GUID, struct.pack("<II", 0x810000, 0xC00)))
    metadata = b""
    if sections is not None:
        metadata = struct.pack("<4sIII", b"ASEV", 16 + 12 * len(sections), 1, len(sections))
        metadata += b"".join(struct.pack("<III", *section) for section in sections)
        entries.append((SEV_METADATA_GUID, struct.pack("<I", 4096 - 256)))
    table = b"".join(data + struct.pack("<H16s", len(data) + 18, guid.bytes_le) for guid, data in entries)
    table += struct.pack("<H16s", len(table) + 18, FOOTER_GUID.bytes_le)
    front = random.Random(seed).randbytes((pages - 1) * 4096)
    last = bytes(256) + metadata
    last = last.ljust(4096 - 32 - len(table), b"\xff") + table + bytes(range(32))
    assert len(last) == 4096
    return front + last


def with_kernel_hashes(image: bytes) -> bytes:
    """A Debian image that claims to measure a kernel: its last metadata section and its hash table are rewritten."""
    patched = bytearray(image)
    table = patched.rindex(SEV_HASH_TABLE_GUID.bytes_le) - 10
    struct.pack_into("<II", patched, table, 0x80FC00, 0x400)
    start = patched.find(b"ASEV")
    if start >= 0:
        count = struct.unpack_from("<I", patched, start + 12)[0]
        struct.pack_into("<III", patched, start + 16 + 12 * (count - 1), 0x80F000, 0x1000, 0x10)
    return bytes(patched)
