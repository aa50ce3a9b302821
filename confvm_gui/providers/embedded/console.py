"""The serial console of an embedded instance: output kept for a while, streams, input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from confvm_gui.domain.errors import WrongState
from confvm_gui.domain.serial_output import SerialOutput

SCROLLBACK_BYTES: Final = 256 << 10


class SerialConsole:
    """Implements domain.ports.console.Console. Survives stop and start of its instance."""

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        """`send` passes input to the running machine and says whether there is one."""
        self._send = send
        self._output = SerialOutput(scrollback_bytes=SCROLLBACK_BYTES)

    @property
    def writable(self) -> bool:
        return True

    @property
    def written(self) -> int:
        """Bytes since the instance was made."""
        return self._output.written

    def scrollback(self) -> bytes:
        return self._output.scrollback()

    def feed(self, data: bytes) -> None:
        """Output of the guest."""
        self._output.feed(data)

    def end(self) -> None:
        """The instance is deleted: streams end."""
        self._output.end()

    def stream(self) -> AsyncIterator[bytes]:
        """Scroll-back, then output as it comes."""
        return self._output.stream()

    async def write(self, data: bytes) -> None:
        """Raises WrongState when the instance does not run."""
        if not self._send(data):
            raise WrongState("The instance does not run: nobody reads its serial port")
