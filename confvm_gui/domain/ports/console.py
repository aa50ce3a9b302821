"""Serial console of an instance."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol


class Console(Protocol):
    """Serial output as bytes, with scroll-back, and input where the machine has it."""

    @property
    def writable(self) -> bool: ...

    def scrollback(self) -> bytes:
        """What is still held of the output so far, oldest first."""

    def stream(self) -> AsyncIterator[bytes]:
        """Scroll-back first, then output as it comes, until the instance is deleted. Several may run."""

    async def write(self, data: bytes) -> None:
        """Send input. Raises Unsupported where the machine reads none."""
