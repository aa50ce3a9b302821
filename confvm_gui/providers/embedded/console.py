"""The serial console of an embedded instance: output kept for a while, streams, input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from confvm_gui.domain.errors import WrongState

SCROLLBACK_BYTES: Final = 256 << 10


class SerialConsole:
    """Implements domain.ports.console.Console. Survives stop and start of its instance."""

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        """`send` passes input to the running machine and says whether there is one."""
        self._send = send
        self._buffer = bytearray()
        self._queues: set[asyncio.Queue[bytes | None]] = set()
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
        for queue in self._queues:
            queue.put_nowait(data)

    def end(self) -> None:
        """The instance is deleted: streams end."""
        self._ended = True
        for queue in self._queues:
            queue.put_nowait(None)

    async def stream(self) -> AsyncIterator[bytes]:
        """Scroll-back, then output as it comes."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queues.add(queue)
        if self._ended:
            queue.put_nowait(None)
        try:
            if self._buffer:
                yield bytes(self._buffer)
            while (data := await queue.get()) is not None:
                yield data
        finally:
            self._queues.discard(queue)

    async def write(self, data: bytes) -> None:
        """Raises WrongState when the instance does not run."""
        if not self._send(data):
            raise WrongState("The instance does not run: nobody reads its serial port")
