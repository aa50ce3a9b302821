"""The table in which a launch secret lies in guest memory (edk2 and QEMU: confidential computing secret area).

    GUID 16 | LENGTH u32 | entries { GUID 16 | LENGTH u32 | data } | zeros to a multiple of 16

LENGTH counts its own header; the table's counts all entries but not the padding. GUIDs are in their mixed-endian form.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NoReturn
from uuid import UUID

from confvm_gui.sev.errors import InvalidInput

TABLE_GUID: Final = UUID("1e74f542-71dd-4d66-963e-ef4287ff173b")
DISK_KEY_GUID: Final = UUID("736869e5-84f0-4973-92ec-06879ce3da0b")
"""Entry that unlocks the guest's disk."""
MAXIMUM_SIZE: Final = 16 * 1024
"""Bytes that one LAUNCH_SECRET injects at most."""

_HEADER: Final = struct.Struct("<16sI")
_ALIGNMENT: Final = 16


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """One secret. It does not print its data and does not pickle."""

    guid: UUID
    data: bytes = field(repr=False)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a SecretEntry is neither pickled nor copied")


def build_secret_table(entries: Iterable[SecretEntry]) -> bytes:
    """The padded table; InvalidInput("secret") if it is larger than one LAUNCH_SECRET takes."""
    body = b"".join(_HEADER.pack(entry.guid.bytes_le, _HEADER.size + len(entry.data)) + entry.data for entry in entries)
    table = _HEADER.pack(TABLE_GUID.bytes_le, _HEADER.size + len(body)) + body
    padded = table + bytes(-len(table) % _ALIGNMENT)
    if len(padded) > MAXIMUM_SIZE:
        raise InvalidInput(
            "secret", f"The launch secret takes {len(padded)} bytes with its table; at most {MAXIMUM_SIZE} fit"
        )
    return padded


def parse_secret_table(data: bytes) -> tuple[SecretEntry, ...]:
    """Entries of the table at the start of `data`, in order; InvalidInput("secret")."""
    guid, end = _header(data, 0, len(data), "secret table")
    if guid != TABLE_GUID:
        raise InvalidInput("secret", "The data do not start with the launch secret table's GUID")
    entries = []
    offset = _HEADER.size
    while offset < end:
        guid, next_offset = _header(data, offset, end, "secret")
        entries.append(SecretEntry(guid, bytes(data[offset + _HEADER.size : next_offset])))
        offset = next_offset
    return tuple(entries)


def _header(data: bytes, offset: int, limit: int, what: str) -> tuple[UUID, int]:
    """GUID at `offset` and the offset of the end of what it heads, which lies within `limit`."""
    if limit - offset < _HEADER.size:
        raise InvalidInput("secret", f"A {what} is cut short within its header")
    raw, length = _HEADER.unpack_from(data, offset)
    if length < _HEADER.size or offset + length > limit:
        raise InvalidInput("secret", f"A {what} says that it has {length} bytes, which does not fit")
    return UUID(bytes_le=raw), offset + length
