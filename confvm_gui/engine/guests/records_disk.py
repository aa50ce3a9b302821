"""The encrypted disk on which records reach their guest.

    bytes 0..4095       clear, the console's business: magic "CVMDISK1" | version u32 | length u32 | JSON | zeros
    from sector 8 on    AES-256-XTS (IEEE 1619), data units of 512 bytes, numbered from 0

The clear header says how to get at the key, never the key: the KeyRef of the key that wraps the DEK, and the wrapped
DEK. The encrypted part is a table as `domain.records_encoding` writes it; XTS turns every change into garbage, which
its CRC tells.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from confvm_gui.domain.errors import InvalidInput, StoreCorrupt
from confvm_gui.domain.records import RecordsTable, let_go, parse_records
from confvm_gui.domain.records_encoding import SECTOR, encode_table, stored_bytes
from confvm_gui.domain.records_file import read_records_file
from confvm_gui.engine.guests.memory_map import IMAGE_GPA

HEADER_BYTES: Final = 4096
"""Of the clear header; the encrypted part begins behind it, at sector 8."""
KEY_BYTES: Final = 64

_CLEAR: Final = struct.Struct("<8sII")
_CLEAR_MAGIC: Final = b"CVMDISK1"
_VERSION: Final = 1

_TRAINING_CELLS: Final = 1 << 20
_TRAINING_ROWS: Final = 1 << 16
_FIXED_RAM: Final = IMAGE_GPA + (256 << 10)
"""Bytes below the guest's heap: 1 MiB that is not RAM of its own, its image, tables, stack and buffers."""
_LARGE_PAGE: Final = 2 << 20


@dataclass(frozen=True, slots=True)
class DiskHeader:
    """The clear header."""

    key_ref: str
    """KeyRef URI of the key that wraps the DEK."""
    wrapped_dek: bytes = field(repr=False)

    def encode(self) -> bytes:
        """4096 bytes. Raises InvalidInput("disk_key") if it does not fit."""
        content = {
            "cipher": "aes-256-xts",
            "data_unit": SECTOR,
            "key": self.key_ref,
            "wrapped_dek": base64.b64encode(self.wrapped_dek).decode(),
        }
        text = json.dumps(content, sort_keys=True).encode()
        if _CLEAR.size + len(text) > HEADER_BYTES:
            raise InvalidInput("disk_key", "The reference of the disk's key and the wrapped key take too much room")
        return (_CLEAR.pack(_CLEAR_MAGIC, _VERSION, len(text)) + text).ljust(HEADER_BYTES, b"\0")

    @classmethod
    def decode(cls, data: bytes) -> DiskHeader:
        """Raises StoreCorrupt if the first 4096 bytes of `data` are not such a header."""
        try:
            magic, version, length = _CLEAR.unpack_from(data)
            if magic != _CLEAR_MAGIC or version != _VERSION or length > HEADER_BYTES - _CLEAR.size:
                raise ValueError(magic)
            content = json.loads(data[_CLEAR.size : _CLEAR.size + length])
            key, wrapped = content["key"], content["wrapped_dek"]
            if not isinstance(key, str) or content["cipher"] != "aes-256-xts" or content["data_unit"] != SECTOR:
                raise ValueError(content)
            return cls(key, base64.b64decode(wrapped, validate=True))
        except (struct.error, ValueError, KeyError, TypeError, RecursionError):
            raise StoreCorrupt("The header of the instance's disk is damaged; the disk cannot be unlocked") from None


def build_disk(table: RecordsTable, dek: bytes, header: DiskHeader) -> bytes:
    """The whole disk image: a multiple of 512 bytes. `dek` is 64 bytes (K1 || K2, different). Slow: off the loop."""
    return header.encode() + encrypt_sectors(encode_table(table), dek)


@dataclass(frozen=True, slots=True)
class PreparedDisk:
    """A disk image made of a records file, and what there is to know of it. It does not print the image."""

    image: bytes = field(repr=False)
    ram_needed: int
    """Bytes of RAM that the records guest needs for it."""
    rows: int
    columns: int


def prepare_disk(
    path: Path, dek: bytes, header: DiskHeader, *, index_column: str | None = None, label_column: str | None = None
) -> PreparedDisk:
    """Read, check, encode and encrypt a records file. Slow: call it off the loop; it keeps no other thread waiting.

    Raises InvalidInput("records") as `parse_records` and `read_records_file` do.
    """
    table = parse_records(read_records_file(path), index_column=index_column, label_column=label_column)
    image = build_disk(table, dek, header)
    prepared = PreparedDisk(image, ram_needed(table, len(image)), len(table.rows), len(table.columns))
    rows = list(table.rows)
    del table
    let_go(rows)
    return prepared


def encrypt_sectors(plain: bytes, dek: bytes, first: int = 0) -> bytes:
    """AES-256-XTS over whole sectors, numbered from `first`."""
    return _xts(plain, dek, first, encrypting=True)


def decrypt_sectors(data: bytes, dek: bytes, first: int = 0) -> bytes:
    """The reverse. A wrong key gives garbage, not an error."""
    return _xts(data, dek, first, encrypting=False)


def _xts(data: bytes, dek: bytes, first: int, *, encrypting: bool) -> bytes:
    if len(data) % SECTOR or len(dek) != KEY_BYTES:
        raise ValueError("whole sectors and a key of 64 bytes are needed")
    key = algorithms.AES(dek)
    out = bytearray(len(data))
    for at in range(0, len(data), SECTOR):
        cipher = Cipher(key, modes.XTS((first + at // SECTOR).to_bytes(16, "little")))
        unit = cipher.encryptor() if encrypting else cipher.decryptor()
        out[at : at + SECTOR] = unit.update(data[at : at + SECTOR])
    return bytes(out)


def ram_needed(table: RecordsTable, disk_bytes: int | None = None) -> int:
    """Bytes of RAM with which the records guest can work on the table: whole 2 MiB, at least 4 MiB, at most 64 MiB.

    `disk_bytes` is the length of what `build_disk` made of the table, if it was made; without it the fields are
    counted. Mirrors what the guest takes: the text, an offset for each row, an index entry for each field, and the
    larger of what sorting and training need.
    """
    if disk_bytes is None:
        names = sum(1 + stored_bytes(name) for name in table.columns)
        disk_bytes = HEADER_BYTES + 2 * SECTOR + names + sum(stored_bytes(text) for row in table.rows for text in row)
    rows, columns, features = len(table.rows), len(table.columns), len(table.features)
    stride = max(1, -(-rows * features // _TRAINING_CELLS), -(-rows // _TRAINING_ROWS))
    training = -(-rows // stride) * (8 * features + 1)
    text = disk_bytes - HEADER_BYTES - SECTOR
    heap = text + 4 * rows + 4 * rows * columns + max(32 * rows, training) + 64 * (columns + 8)
    return max(2 * _LARGE_PAGE, -(-(_FIXED_RAM + heap) // _LARGE_PAGE) * _LARGE_PAGE)
