"""Reading binary formats from untrusted bytes: every read is bounded, and what does not fit is InvalidInput."""

from __future__ import annotations

from typing import Literal

from confvm_gui.domain.errors import InvalidInput

Order = Literal["little", "big"]


class ByteReader:
    """A position in bytes. `what` names the format in messages, `field` the input in InvalidInput."""

    __slots__ = ("data", "end", "field", "position", "what")

    def __init__(
        self, data: bytes, what: str, *, field: str = "evidence", position: int = 0, end: int | None = None
    ) -> None:
        self.data = data
        self.what = what
        self.field = field
        self.position = position
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return self.end - self.position

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        start = self.position
        stop = start + length
        if length < 0 or stop > self.end:
            raise self.error(f"is cut short: {length} bytes are wanted at offset {start}, {self.left} are left")
        self.position = stop
        return self.data[start:stop]

    def number(self, length: int, order: Order = "little") -> int:
        """An unsigned integer of `length` bytes."""
        return int.from_bytes(self.take(length), order)

    def counted(self, length_size: int, order: Order = "little", *, limit: int = 1 << 24) -> bytes:
        """Bytes behind their own count of `length_size` bytes."""
        length = self.number(length_size, order)
        if length > limit:
            raise self.error(f"has a part of {length} bytes, more than the {limit} that it may have")
        return self.take(length)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def finish(self) -> None:
        """Raise InvalidInput unless everything was read."""
        if self.left:
            raise self.error(f"is followed by {self.left} bytes that do not belong to it")

    def error(self, problem: str) -> InvalidInput:
        """InvalidInput saying that what is read `problem`."""
        return InvalidInput(self.field, f"{self.what} {problem}")


def require_size(data: bytes, limit: int, what: str, field: str = "evidence") -> None:
    """Raise InvalidInput if `data` is larger than `limit` bytes, so that no parser works for long."""
    if len(data) > limit:
        raise InvalidInput(field, f"{what} has {len(data)} bytes; the largest that is accepted has {limit}")
