"""The table of certificates that a host hands to a guest with its report (56421, SNP Extended Guest Request).

    { GUID 16 | OFFSET u32 | LENGTH u32 } x n | 24 zeros | the certificates

Offsets are from the start of the table. GUIDs stand in the order of their text, most significant byte first; hosts
that wrote them as UEFI does, with the first three parts little-endian, are understood too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from confvm_gui.sev.errors import InvalidInput

VCEK_GUID: Final = UUID("63da758d-e664-4564-adc5-f4b93be8accd")
VLEK_GUID: Final = UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1")
ASK_GUID: Final = UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")
"""ASK or ASVK."""
ARK_GUID: Final = UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae")
CRL_GUID: Final = UUID("92f81bc3-5811-4d3d-97ff-d19f88dc67ea")

NAMES: Mapping[UUID, str] = MappingProxyType(
    {VCEK_GUID: "VCEK", VLEK_GUID: "VLEK", ASK_GUID: "ASK", ARK_GUID: "ARK", CRL_GUID: "CRL"}
)
"""What each GUID stands for."""

MAXIMUM_TABLE: Final = 1 << 20
"""Bytes; hosts give a few pages."""
MAXIMUM_ENTRIES: Final = 32

_ENTRY: Final = struct.Struct("<16sII")


class CertificateEntry(NamedTuple):
    """One blob of the table: a certificate in DER or PEM, or something of the host's own."""

    guid: UUID
    data: bytes


def parse_certificate_table(data: bytes) -> tuple[CertificateEntry, ...]:
    """The entries, in the order of the table; what follows the last certificate is padding.

    InvalidInput("certificates") if the table has no end, or an entry lies outside of it.
    """
    if len(data) > MAXIMUM_TABLE:
        raise InvalidInput(
            "certificates", f"The certificate table has {len(data)} bytes; at most {MAXIMUM_TABLE} are taken"
        )
    placed: list[tuple[bytes, int, int]] = []
    position = 0
    while True:
        if position + _ENTRY.size > len(data):
            raise InvalidInput("certificates", "The certificate table has no end; is it cut short?")
        raw, offset, length = _ENTRY.unpack_from(data, position)
        position += _ENTRY.size
        if not (any(raw) or offset or length):
            break
        if len(placed) == MAXIMUM_ENTRIES:
            raise InvalidInput("certificates", f"The certificate table has more than {MAXIMUM_ENTRIES} entries")
        placed.append((raw, offset, length))
    found: list[CertificateEntry] = []
    for raw, offset, length in placed:
        if offset < position or offset + length > len(data):
            raise InvalidInput(
                "certificates",
                f"The certificate table places {length} bytes at {offset:#x}, outside of the certificates",
            )
        guid = _guid(raw)
        if any(entry.guid == guid for entry in found):
            raise InvalidInput("certificates", f"The certificate table has two entries {NAMES.get(guid, guid)}")
        found.append(CertificateEntry(guid, bytes(data[offset : offset + length])))
    return tuple(found)


def build_certificate_table(entries: Iterable[CertificateEntry]) -> bytes:
    """The table with these entries; InvalidInput("certificates") if they are too many or too large."""
    chosen = tuple(entries)
    offset = (len(chosen) + 1) * _ENTRY.size
    header = bytearray()
    for entry in chosen:
        header += _ENTRY.pack(entry.guid.bytes, offset, len(entry.data))
        offset += len(entry.data)
    if len(chosen) > MAXIMUM_ENTRIES or offset > MAXIMUM_TABLE:
        raise InvalidInput("certificates", "The certificates are too many or too large for one table")
    return bytes(header) + bytes(_ENTRY.size) + b"".join(entry.data for entry in chosen)


def _guid(raw: bytes) -> UUID:
    guid = UUID(bytes=raw)
    other = UUID(bytes_le=raw)
    return other if guid not in NAMES and other in NAMES else guid
