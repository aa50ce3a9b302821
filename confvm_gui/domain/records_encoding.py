"""A table of records as the records guest reads it, from its disk or from a sealed data set. Little-endian:

    sector 0    magic "CVRECS01" | version u32 1 | header_crc u32 | columns u32 | rows u32 | body_bytes u64 |
                body_crc u32 | index_column u32 | label_column u32 (0xFFFFFFFF: none) | label_kind u32 | zeros
    body        columns: kind u8 (1 numeric, 2 feature) | length | name
                rows:    for each field: length | text

CRCs are CRC-32 (IEEE 802.3), header_crc over the sector with itself zero; lengths are LEB128, texts UTF-8, so that
every field stands contiguous in the guest's RAM.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from confvm_gui.domain.records import RecordsTable

SECTOR: Final = 512
"""Bytes; also the data unit of a disk's encryption."""

_FIRST: Final = struct.Struct("<8sIIIIQIIII")
_MAGIC: Final = b"CVRECS01"
_VERSION: Final = 1
_NO_COLUMN: Final = 0xFFFF_FFFF
_NUMERIC: Final = 1
_FEATURE: Final = 2
_CONTINUES: Final = 0x80


def encode_table(table: RecordsTable) -> bytes:
    """Whole sectors."""
    body = bytearray()
    for name, numeric in zip(table.columns, table.numeric, strict=True):
        body.append(_NUMERIC * numeric | _FEATURE * (name in table.features))
        _append(body, name.encode())
    for row in table.rows:
        for text in row:
            _append(body, text.encode())

    def first_sector(header_crc: int) -> bytes:
        label = table.columns.index(table.label_column) if table.label_column else _NO_COLUMN
        index = table.columns.index(table.index_column)
        numbers = (len(table.columns), len(table.rows), len(body), zlib.crc32(body), index, label, table.label_kind)
        return _FIRST.pack(_MAGIC, _VERSION, header_crc, *numbers).ljust(SECTOR, b"\0")

    return first_sector(zlib.crc32(first_sector(0))) + bytes(body) + bytes(-len(body) % SECTOR)


def stored_bytes(text: str) -> int:
    """That a text takes with its length."""
    length = len(text.encode())
    return length + 1 + (length >= 1 << 7) + (length >= 1 << 14)


def _append(body: bytearray, text: bytes) -> None:
    length = len(text)
    while length >= _CONTINUES:
        body.append(length & 0x7F | _CONTINUES)
        length >>= 7
    body.append(length)
    body += text
