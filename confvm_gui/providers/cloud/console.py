"""What a guest wrote to its serial port, as a service tells of it: asked for again as long as somebody looks."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, ClassVar, Final

from confvm_gui.domain.errors import ConfvmError, Unsupported
from confvm_gui.domain.serial_output import SerialOutput
from confvm_gui.providers.cloud.connection import CloudConnection
from confvm_gui.providers.cloud.table import Entry

_PROBE: Final = 256
"""Bytes by which the end of an output is found again; an overlap that is shorter is told twice."""


class TextConsole(ABC):
    """Implements domain.ports.console.Console."""

    no_input: ClassVar[str]
    """Why nothing can be typed."""

    def __init__(self, connection: CloudConnection[Any], find: Callable[[], Entry | None]) -> None:
        """`find`: the instance as it is known now; None once it is gone."""
        self._connection = connection
        self._find = find
        self._output = SerialOutput()
        self._readers = 0
        self._following: asyncio.Task[None] | None = None

    @abstractmethod
    async def _news(self, entry: Entry) -> bytes:
        """What has come since the last call; b"" for nothing. Raises what the connection raises."""

    @property
    def writable(self) -> bool:
        return False

    def scrollback(self) -> bytes:
        return self._output.scrollback()

    async def stream(self) -> AsyncIterator[bytes]:
        self._readers += 1
        if self._following is None and not self._output.ended:
            self._following = asyncio.get_running_loop().create_task(
                self._follow(), name=f"serial port, {self._connection.service}"
            )
        try:
            async for data in self._output.stream():
                yield data
        finally:
            self._readers -= 1

    async def write(self, data: bytes) -> None:
        raise Unsupported(self.no_input)

    def end(self) -> None:
        """The instance is deleted: streams end."""
        self._output.end()
        if self._following is not None:
            self._following.cancel()

    async def aclose(self) -> None:
        following = self._following
        self.end()
        if following is not None:
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        try:
            while self._readers and not self._output.ended:
                entry = self._find()
                if entry is not None:
                    with suppress(ConfvmError):  # the inventory tells of a service that does not answer
                        data = await self._news(entry)
                        if data and not self._output.ended:
                            self._output.feed(data)
                await asyncio.sleep(self._connection.patience.console)
        finally:
            self._following = None


def after(before: bytes, now: bytes) -> bytes:
    """What is new in `now`, the end of an output whose end was `before`: services tell the last so many KiB.

    Where nothing is left of `before`, all of it is new.
    """
    if not before:
        return now
    if now.startswith(before):
        return now[len(before) :]
    # The start has been cut off: the first place in `before` from which all of it is the start of `now`.
    start = before.find(now[:_PROBE])
    while start >= 0:
        if now.startswith(before[start:]):
            return now[len(before) - start :]
        start = before.find(now[:_PROBE], start + 1)
    return now
