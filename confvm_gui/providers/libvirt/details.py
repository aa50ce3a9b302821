"""Reads domains' definitions in the background, few at a time, so that a host with hundreds is not flooded.

Each domain is read once, and again when an event says that its definition or metadata changed; a domain that somebody
waits for is read at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Final

from confvm_gui.domain.errors import ConfvmError
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.domain_facts import details_of
from confvm_gui.providers.libvirt.inventory import DomainDetails, DomainTable
from confvm_gui.providers.libvirt.power import read_xml

_PAUSE_SECONDS: Final = 0.04
"""Between two reads while many wait: about 20 a second."""
_FEW: Final = 4
"""So many are read without a pause: what has just been made or changed shows at once."""
_READ_SECONDS: Final = 5.0


class DetailsReader:
    """Fills a table's details."""

    def __init__(self, connection: LibvirtConnection, table: DomainTable) -> None:
        self._connection = connection
        self._table = table
        self._wanted: dict[str, None] = {}
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, or go on after the connection had broken off."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="libvirt details")

    def want(self, instance_ids: Iterable[str]) -> None:
        """Have these read when their turn comes."""
        for instance_id in instance_ids:
            self._wanted[instance_id] = None
        self._arrived.set()

    async def read(self, instance_id: str, *, again: bool = False) -> DomainDetails:
        """What is known of it, read now if it was not yet, or `again`. Raises NotFound, Transient."""
        entry = self._table.get(instance_id)
        if entry.details is not None and instance_id not in self._wanted and not again:
            return entry.details
        self._wanted.pop(instance_id, None)
        read = partial(read_xml, instance_id=instance_id)
        details = details_of(await self._connection.call(read, seconds=_READ_SECONDS))
        self._table.take_details(instance_id, details)
        return details

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._arrived.clear()
            while self._wanted:
                if not self._connection.connected:
                    return  # begun anew with the next connection, for all domains
                many = len(self._wanted) > _FEW
                await self._read_one(next(iter(self._wanted)))
                if many:
                    await asyncio.sleep(_PAUSE_SECONDS)
            await self._arrived.wait()

    async def _read_one(self, instance_id: str) -> None:
        try:
            await self.read(instance_id)
        except ConfvmError:
            # Gone meanwhile, or its machine hangs: an event or the next connection has it read again.
            self._wanted.pop(instance_id, None)
