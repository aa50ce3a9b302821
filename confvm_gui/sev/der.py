"""DER, as far as AMD's X.509 certificates and revocation lists need it (X.690, chapter 10).

AMD numbers its VCEKs zero, which RFC 5280 forbids and libraries warn of or refuse; so the certificates are read here.
Strict: definite, shortest lengths and single-byte tags only, nothing behind what was asked for. Every fault is an
InvalidInput with the field that the reader was made for. Offsets are into the one buffer; nothing is copied but values.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import Final, NamedTuple, NoReturn

from confvm_gui.sev.errors import InvalidInput


class Tag(IntEnum):
    """The tags in use."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    NULL = 0x05
    OID = 0x06
    ENUMERATED = 0x0A
    UTF8_STRING = 0x0C
    PRINTABLE_STRING = 0x13
    T61_STRING = 0x14
    IA5_STRING = 0x16
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31


_TEXT: Final = frozenset({Tag.UTF8_STRING, Tag.PRINTABLE_STRING, Tag.T61_STRING, Tag.IA5_STRING})
_LONGEST_INTEGER: Final = 1024
_LONGEST_OID: Final = 64


class Element(NamedTuple):
    """One TLV: its tag, where it begins, where its content begins, and where both end."""

    tag: int
    start: int
    content: int
    end: int


class DerReader:
    """Reads the elements of `data` between two offsets, one after the other."""

    __slots__ = ("_data", "_end", "_field", "_position", "_what")

    def __init__(self, data: bytes, field: str, what: str, start: int = 0, end: int | None = None) -> None:
        """`field` and `what` go into errors: which input, and what it is in a sentence ("The certificate")."""
        self._data = data
        self._field = field
        self._what = what
        self._position = start
        self._end = len(data) if end is None else end

    def fail(self, why: str) -> NoReturn:
        """Raise InvalidInput."""
        raise InvalidInput(self._field, f"{self._what} is not well-formed: {why}")

    @property
    def more(self) -> bool:
        """Whether another element follows."""
        return self._position < self._end

    def next(self, *tags: int) -> Element:
        """The next element, which must have one of `tags` if any are given."""
        data, start, end = self._data, self._position, self._end
        if start + 2 > end:
            self.fail("it is cut short")
        tag, length = data[start], data[start + 1]
        content = start + 2
        if length >= 0x80:
            width = length & 0x7F
            if not 1 <= width <= 4 or content + width > end:
                self.fail("a length is damaged")
            length = int.from_bytes(data[content : content + width], "big")
            content += width
            if length < 0x80 or length >> 8 * (width - 1) == 0:
                self.fail("a length is not in its shortest form")
        if tag & 0x1F == 0x1F:
            self.fail("it has a tag that certificates do not have")
        if content + length > end:
            self.fail("it is cut short, or a length is damaged")
        if tags and tag not in tags:
            self.fail(f"there is {tag:#04x} where {' or '.join(f'{wanted:#04x}' for wanted in tags)} belongs")
        self._position = content + length
        return Element(tag, start, content, content + length)

    def peek(self) -> int | None:
        """Tag of the next element, or None at the end."""
        return self._data[self._position] if self.more else None

    def enter(self, *tags: int) -> DerReader:
        """A reader of the content of the next element, a SEQUENCE unless `tags` say other."""
        element = self.next(*(tags or (Tag.SEQUENCE,)))
        return self.inside(element)

    def inside(self, element: Element) -> DerReader:
        """A reader of the content of `element`."""
        return DerReader(self._data, self._field, self._what, element.content, element.end)

    def finish(self) -> None:
        """Insist that nothing follows."""
        if self.more:
            self.fail("something follows that does not belong there")

    def content(self, element: Element) -> bytes:
        """The bytes of `element` without tag and length."""
        return bytes(self._data[element.content : element.end])

    def whole(self, element: Element) -> bytes:
        """The bytes of `element` with tag and length."""
        return bytes(self._data[element.start : element.end])

    def integer(self, tag: int = Tag.INTEGER) -> int:
        """The next element, an INTEGER (or an ENUMERATED)."""
        content = self.content(self.next(tag))
        if not 1 <= len(content) <= _LONGEST_INTEGER:
            self.fail("a number has an impossible length")
        if len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1)):
            self.fail("a number is not in its shortest form")
        return int.from_bytes(content, "big", signed=True)

    def boolean(self) -> bool:
        """The next element, a BOOLEAN."""
        content = self.content(self.next(Tag.BOOLEAN))
        if content not in (b"\x00", b"\xff"):
            self.fail("a truth value is neither")
        return content == b"\xff"

    def oid(self) -> str:
        """The next element, an object identifier, with dots."""
        content = self.content(self.next(Tag.OID))
        if not 1 <= len(content) <= _LONGEST_OID or content[-1] & 0x80:
            self.fail("an object identifier is damaged")
        arcs: list[int] = []
        value = 0
        for byte in content:
            if value == 0 and byte == 0x80:
                self.fail("an object identifier is not in its shortest form")
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))

    def bits(self) -> bytes:
        """The next element, a BIT STRING of whole bytes."""
        content = self.content(self.next(Tag.BIT_STRING))
        if not content or content[0]:
            self.fail("a string of bits is not of whole bytes")
        return content[1:]

    def text(self) -> str:
        """The next element, a string of characters."""
        element = self.next()
        if element.tag not in _TEXT:
            self.fail("there is something else where a text belongs")
        encoding = "latin-1" if element.tag == Tag.T61_STRING else "utf-8"
        try:
            return self.content(element).decode(encoding)
        except UnicodeDecodeError:
            self.fail("a text is not in its encoding")

    def time(self) -> datetime:
        """The next element, a UTCTime (years 1950 to 2049) or GeneralizedTime, in UTC and without fractions."""
        element = self.next(Tag.UTC_TIME, Tag.GENERALIZED_TIME)
        raw = self.content(element)
        width = 2 if element.tag == Tag.UTC_TIME else 4
        if len(raw) != width + 11 or raw[-1:] != b"Z" or not raw[:-1].isdigit():
            self.fail("a time is not in the form that certificates have")
        year = int(raw[:width])
        if width == 2:
            year += 1900 if year >= 50 else 2000
        month, day, hour, minute, second = (int(raw[at : at + 2]) for at in range(width, width + 10, 2))
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            self.fail("a time does not exist")


def encode(tag: int, content: bytes) -> bytes:
    """One element."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    width = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | width)) + length.to_bytes(width, "big") + content


def encode_integer(value: int) -> bytes:
    """An INTEGER, in its shortest form."""
    width = value.bit_length() // 8 + 1 if value >= 0 else (value + 1).bit_length() // 8 + 1
    return encode(Tag.INTEGER, value.to_bytes(width, "big", signed=True))
