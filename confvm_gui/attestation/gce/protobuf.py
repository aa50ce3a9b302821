"""Protocol buffers' wire format, as little of it as is needed (protobuf.dev, "Encoding"), with limits.

Messages come out as fields by number, each a list of values in order: integers for varints and fixed-size numbers,
bytes for the rest. Groups, which nobody writes any more, are refused.
"""

from __future__ import annotations

from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader
from confvm_gui.domain.errors import InvalidInput

MAX_FIELDS: Final = 4096
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Message:
    """One decoded message."""

    __slots__ = ("_fields", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        """Decode `data`; InvalidInput("evidence")."""
        reader = ByteReader(data, what)
        self._what = what
        self._fields: dict[int, list[int | bytes]] = {}
        count = 0
        while reader.left:
            count += 1
            if count > MAX_FIELDS:
                raise reader.error(f"has more than {MAX_FIELDS} fields")
            key = read_varint(reader)
            number, wire = key >> 3, key & 7
            if not 1 <= number < 1 << 29:
                raise reader.error("has a field with an impossible number")
            value: int | bytes
            if wire == _VARINT:
                value = read_varint(reader)
            elif wire == _FIXED64:
                value = reader.number(8)
            elif wire == _FIXED32:
                value = reader.number(4)
            elif wire == _BYTES:
                value = reader.take(read_varint(reader))
            else:
                raise reader.error(f"has a field of the unknown wire type {wire}")
            self._fields.setdefault(number, []).append(value)

    def has(self, number: int) -> bool:
        return number in self._fields

    @property
    def numbers(self) -> frozenset[int]:
        """Numbers of the fields that are there."""
        return frozenset(self._fields)

    def integer(self, number: int) -> int:
        """The last integer, or 0."""
        value = self._fields.get(number, [0])[-1]
        if not isinstance(value, int):
            raise self._wrong(number)
        return value

    def raw(self, number: int) -> bytes:
        """The last byte string, or b""."""
        value = self._fields.get(number, [b""])[-1]
        if not isinstance(value, bytes):
            raise self._wrong(number)
        return value

    def text(self, number: int) -> str:
        try:
            return self.raw(number).decode("utf-8")
        except UnicodeDecodeError:
            raise self._wrong(number) from None

    def all_bytes(self, number: int) -> list[bytes]:
        """All byte strings in order."""
        found = []
        for value in self._fields.get(number, []):
            if not isinstance(value, bytes):
                raise self._wrong(number)
            found.append(value)
        return found

    def _wrong(self, number: int) -> InvalidInput:
        return InvalidInput("evidence", f"{self._what} has a field {number} of the wrong type")


def read_varint(reader: ByteReader) -> int:
    """An unsigned integer of at most 64 bits, seven at a time."""
    value = 0
    for shift in range(0, 70, 7):
        byte = reader.number(1)
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            if value >> 64:
                break
            return value
    raise reader.error("has a number of more than 64 bits")
