"""The keys of a host's encrypted disks: which of the console's keys hold them, and wrapping them anew."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from confvm_gui.domain.errors import KeyUnavailable, Transient

if TYPE_CHECKING:
    from confvm_gui.domain.keys import KeyUse
    from confvm_gui.domain.ports.keystore import KeyStore
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.providers.libvirt.connection import LibvirtConnection
    from confvm_gui.providers.libvirt.inventory import DomainTable, Entry


class WrappedKeys:
    """The part of LibvirtProvider that implements HoldsWrappedKeys."""

    connection: LibvirtConnection
    table: DomainTable
    _key_store: KeyStore | None

    @abstractmethod
    def _locked(self, instance_id: str) -> AbstractAsyncContextManager[Entry]: ...

    async def key_uses(self) -> Sequence[KeyUse]:
        """Of a host that cannot be asked now, what it last said."""
        from confvm_gui.providers.libvirt import disk_keys

        if self.connection.connected:
            try:
                return await self.connection.call(disk_keys.uses)
            except Transient:
                pass  # it broke off in this moment
        known = [(entry.instance, entry.details) for entry in self.table.all() if entry.details is not None]
        return [
            use
            for instance, details in known
            if details.xml
            for use in disk_keys.uses_in(details.xml, instance.id, instance.name)
        ]

    async def rewrap(self, instance_id: str, key_ref: str, operation: OperationContext) -> None:
        """Raises NotFound, KeyUnavailable, StoreCorrupt, Transient. An instance that runs goes on running."""
        from confvm_gui.providers.libvirt import disk_keys

        if self._key_store is None:
            raise KeyUnavailable("This session has no key store")
        async with self._locked(instance_id):
            operation.step("wrap", 0.5, key_ref)
            await disk_keys.rewrap(self.connection, self._key_store, instance_id, key_ref)
