"""Serial ports as Compute Engine tells of them: asked for what has come since, as long as somebody looks.

`instances.getSerialPortOutput` gives the last 1 MiB, and the position from which to go on (`next`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final

from confvm_gui.domain.errors import ConfvmError, Unsupported
from confvm_gui.domain.serial_output import SerialOutput
from confvm_gui.providers.gce.connection import Clients, GceConnection
from confvm_gui.providers.gce.inventory import Entry

_PORT: Final = 1


class SerialConsole:
    """Implements domain.ports.console.Console."""

    def __init__(self, connection: GceConnection, find: Callable[[], Entry | None]) -> None:
        """`find`: the instance as it is known now; None once it is gone."""
        self._connection = connection
        self._find = find
        self._output = SerialOutput()
        self._next = 0
        self._readers = 0
        self._following: asyncio.Task[None] | None = None

    @property
    def writable(self) -> bool:
        return False

    def scrollback(self) -> bytes:
        return self._output.scrollback()

    async def stream(self) -> AsyncIterator[bytes]:
        self._readers += 1
        if self._following is None and not self._output.ended:
            self._following = asyncio.get_running_loop().create_task(self._follow(), name="Google serial port")
        try:
            async for data in self._output.stream():
                yield data
        finally:
            self._readers -= 1

    async def write(self, data: bytes) -> None:
        raise Unsupported(
            "Compute Engine takes input for serial ports by SSH only: `gcloud compute connect-to-serial-port`"
        )

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
                        await self._look(entry)
                await asyncio.sleep(self._connection.patience.console)
        finally:
            self._following = None

    async def _look(self, entry: Entry) -> None:
        start = self._next
        answer = await self._connection.call(lambda clients: self._ask(clients, entry, start))
        data = str(answer.contents).encode("utf-8", "replace")
        self._next = int(answer.next)
        if data and not self._output.ended:
            self._output.feed(data)

    def _ask(self, clients: Clients, entry: Entry, start: int) -> Any:
        request = clients.types.GetSerialPortOutputInstanceRequest(
            project=self._connection.project,
            zone=entry.instance.zone,
            instance=entry.seen.number,
            port=_PORT,
            start=start,
        )
        return clients.instances.get_serial_port_output(
            request=request, timeout=self._connection.patience.answer, retry=None
        )
