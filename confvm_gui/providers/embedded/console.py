"""The serial console of an embedded instance: output kept for a while, streams, input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from confvm_gui.domain.errors import WrongState

SCROLLBACK_BYTES: Final = 256 << 10
WAITING_BYTES: Final = 1 << 20
"""What a stream that is not read keeps."""


class SerialConsole:
    """Implements domain.ports.console.Console. Survives stop and start of its instance."""

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        """`send` passes input to the running machine and says whether there is one."""
        self._send = send
        self._buffer = bytearray()
        self._readers: set[_Reader] = set()
        self._ended = False
        self.written = 0
        """Bytes since the instance was made."""

    @property
    def writable(self) -> bool:
        return True

    def scrollback(self) -> bytes:
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Output of the guest."""
        self.written += len(data)
        self._buffer += data
        if len(self._buffer) > SCROLLBACK_BYTES:
            # Cut at the start of a line, so that the view does not begin in the middle of one.
            cut = self._buffer.find(b"\n", len(self._buffer) - SCROLLBACK_BYTES) + 1
            del self._buffer[: cut or len(self._buffer) - SCROLLBACK_BYTES]
        for reader in self._readers:
            reader.put(data)

    def end(self) -> None:
        """The instance is deleted: streams end."""
        self._ended = True
        for reader in self._readers:
            reader.end()

    async def stream(self) -> AsyncIterator[bytes]:
        """Scroll-back, then output as it comes."""
        reader = _Reader()
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

    async def write(self, data: bytes) -> None:
        """Raises WrongState when the instance does not run."""
        if not self._send(data):
            raise WrongState("The instance does not run: nobody reads its serial port")


class _Reader:
    """What one stream has still to give. One that reads too slowly loses the oldest, as a scroll-back does."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._ended = False
        self._news = asyncio.Event()

    def put(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) > WAITING_BYTES:
            del self._waiting[: len(self._waiting) - WAITING_BYTES]
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
