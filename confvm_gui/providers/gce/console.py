"""Serial ports as Compute Engine tells of them.

`instances.getSerialPortOutput` gives the last 1 MiB, and the position from which to go on (`next`).
"""

from __future__ import annotations

from typing import Any, Final

from confvm_gui.providers.cloud.console import TextConsole
from confvm_gui.providers.cloud.table import Entry
from confvm_gui.providers.gce.connection import Clients, GceConnection

_PORT: Final = 1


class SerialConsole(TextConsole):
    """Implements domain.ports.console.Console."""

    no_input = "Compute Engine takes input for serial ports by SSH only: `gcloud compute connect-to-serial-port`"
    _next = 0

    async def _news(self, entry: Entry) -> bytes:
        start = self._next
        answer = await self._connection.call(lambda clients: self._ask(clients, entry, start))
        self._next = int(answer.next)
        return str(answer.contents).encode("utf-8", "replace")

    def _ask(self, clients: Clients, entry: Entry, start: int) -> Any:
        assert isinstance(self._connection, GceConnection)
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
