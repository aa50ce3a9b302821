"""CBOR (RFC 8949), the part that attestation documents use, strictly and with limits.

Integers, byte strings, texts, arrays, maps, true, false, null, and tags, which are passed over. Definite lengths only;
no floats, no name twice. Depth, number of items and sizes are bounded.
"""

from __future__ import annotations

from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader, require_size
from confvm_gui.domain.errors import InvalidInput

Cbor = int | bytes | str | bool | None | list["Cbor"] | dict["int | str", "Cbor"]

MAX_CBOR_SIZE: Final = 256 * 1024
_MAX_DEPTH: Final = 8
_MAX_ITEMS: Final = 2048


class CborReader:
    """Decodes one item after the other."""

    __slots__ = ("_items", "reader")

    def __init__(self, data: bytes, what: str) -> None:
        require_size(data, MAX_CBOR_SIZE, what)
        self.reader = ByteReader(data, what)
        self._items = 0

    def item(self, depth: int = 0) -> Cbor:
        """The next item; InvalidInput("evidence")."""
        self._items += 1
        if depth > _MAX_DEPTH or self._items > _MAX_ITEMS:
            raise self.reader.error("is nested too deep, or has too many items")
        first = self.reader.number(1)
        major, information = first >> 5, first & 0x1F
        if major == 7:
            return self._simple(information)
        value = self._argument(information)
        match major:
            case 0:
                return value
            case 1:
                return -1 - value
            case 2:
                return self.reader.take(value)
            case 3:
                return self._text(value)
            case 4:
                return [self.item(depth + 1) for _ in range(self._count(value))]
            case 5:
                return self._map(self._count(value), depth)
        return self.item(depth + 1)  # a tag: what it says is known from the place

    def whole(self) -> Cbor:
        """The one item that the data consist of."""
        value = self.item()
        self.reader.finish()
        return value

    def _argument(self, information: int) -> int:
        if information < 24:
            return information
        if information > 27:
            raise self.reader.error("has an item of indefinite or reserved length")
        return self.reader.number(1 << information - 24, "big")

    def _count(self, value: int) -> int:
        if value > _MAX_ITEMS:
            raise self.reader.error(f"has a list of {value} items")
        return value

    def _text(self, length: int) -> str:
        try:
            return self.reader.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self.reader.error("has a text that is not UTF-8") from None

    def _map(self, count: int, depth: int) -> dict[int | str, Cbor]:
        found: dict[int | str, Cbor] = {}
        for _ in range(count):
            key = self.item(depth + 1)
            if isinstance(key, bool) or not isinstance(key, int | str) or key in found:
                raise self.reader.error("has a map with a name twice, or with a name that is none")
            found[key] = self.item(depth + 1)
        return found

    def _simple(self, information: int) -> Cbor:
        values: dict[int, bool | None] = {20: False, 21: True, 22: None}
        if information not in values:
            raise self.reader.error(f"has a value of the kind 7/{information}, which is not accepted")
        return values[information]


def decode(data: bytes, what: str) -> Cbor:
    """The one item that `data` is; InvalidInput("evidence")."""
    return CborReader(data, what).whole()


def encode_head(major: int, value: int) -> bytes:
    """Initial byte and argument of an item, in the shortest form."""
    if value < 24:
        return bytes((major << 5 | value,))
    for information, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes((major << 5 | information,)) + value.to_bytes(size, "big")
    raise InvalidInput("evidence", "A CBOR number has at most 64 bits")
