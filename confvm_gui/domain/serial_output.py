"""What a machine has written to its serial port: kept for a while, and streamed to whoever watches.

Both are bounded: a machine that prints without end and a reader that does not read take no more memory than said here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

SCROLLBACK_BYTES: Final = 1 << 20
WAITING_BYTES: Final = 1 << 20
"""What a stream that is not read keeps."""


class SerialOutput:
    """Called on the event loop. Survives stop and start of its machine."""

    def __init__(self, *, scrollback_bytes: int = SCROLLBACK_BYTES, waiting_bytes: int = WAITING_BYTES) -> None:
        self._scrollback_bytes = scrollback_bytes
        self._waiting_bytes = waiting_bytes
        self._buffer = bytearray()
        self._readers: set[_Reader] = set()
        self._ended = False
        self.written = 0
        """Bytes that have ever come."""

    @property
    def ended(self) -> bool:
        return self._ended

    def scrollback(self) -> bytes:
        """What is still held, oldest first."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Output of the machine."""
        self.written += len(data)
        self._buffer += data
        if len(self._buffer) > self._scrollback_bytes:
            # Cut at the start of a line, so that the view does not begin in the middle of one.
            least = len(self._buffer) - self._scrollback_bytes
            del self._buffer[: self._buffer.find(b"\n", least) + 1 or least]
        for reader in self._readers:
            reader.put(data)

    def end(self) -> None:
        """The instance is deleted: streams end."""
        self._ended = True
        for reader in self._readers:
            reader.end()

    async def stream(self) -> AsyncIterator[bytes]:
        """Scroll-back, then output as it comes."""
        reader = _Reader(self._waiting_bytes)
        self._readers.add(reader)
        if self._ended:
            reader.end()
        try:
            if self._buffer:
                yield bytes(self._buffer)
            while data := await reader.get():
                yield data
        finally:
            self._readers.discard(reader)


class _Reader:
    """What one stream has still to give. One that reads too slowly loses the oldest, as a scroll-back does."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = bytearray()
        self._ended = False
        self._news = asyncio.Event()

    def put(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) > self._most:
            del self._waiting[: len(self._waiting) - self._most]
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def get(self) -> bytes:
        """What came since; b"" at the end."""
        while not self._waiting and not self._ended:
            self._news.clear()
            await self._news.wait()
        data = bytes(self._waiting)
        self._waiting.clear()
        return data
