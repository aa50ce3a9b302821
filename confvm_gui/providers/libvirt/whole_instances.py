"""What a libvirt provider does with instances as wholes: keeps them (snapshots), copies them, moves them elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

from confvm_gui.domain.errors import NotFound, Unsupported
from confvm_gui.domain.ports.provider import HostInfo, Snapshot
from confvm_gui.providers.libvirt.to_the_end import to_the_end

if TYPE_CHECKING:
    from confvm_gui.domain.instance import Instance
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.providers.libvirt.connection import LibvirtConnection
    from confvm_gui.providers.libvirt.details import DetailsReader
    from confvm_gui.providers.libvirt.inventory import DomainTable, Entry

Peers = Callable[[], "Sequence[WholeInstances]"]


class WholeInstances:
    """The part of LibvirtProvider that implements HasSnapshots, CanClone and CanMigrate."""

    connection: LibvirtConnection
    table: DomainTable
    _details: DetailsReader
    _peers: Peers

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def _locked(self, instance_id: str) -> AbstractAsyncContextManager[Entry]: ...

    @abstractmethod
    async def _look(self, instance_id: str) -> Entry: ...

    @abstractmethod
    async def _settled(self, entry: Entry) -> Instance: ...

    @staticmethod
    @abstractmethod
    def _require_live(entry: Entry) -> None: ...

    # Snapshots ------------------------------------------------------------------------------------------------------

    async def snapshots(self, instance_id: str) -> Sequence[Snapshot]:
        from confvm_gui.providers.libvirt.snapshots import list_snapshots

        self.table.get(instance_id)
        return await self.connection.call(partial(list_snapshots, instance_id=instance_id))

    async def snapshot_unfit(self, instance_id: str) -> str:
        from confvm_gui.providers.libvirt import snapshots

        entry = self.table.get(instance_id)
        return snapshots.unfit(await self._details.read(instance_id), live=entry.state.is_live)

    async def take_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        from confvm_gui.providers.libvirt import snapshots

        async with self._locked(instance_id) as entry:
            _require_fit(await self.snapshot_unfit(instance_id))
            snapshots.check_snapshot_name(name)
            operation.step("take snapshot", 0.2, name)
            made_by = operation.operation_id
            take = partial(snapshots.take, instance_id=instance_id, name=name, operation_id=made_by)
            undo = partial(snapshots.drop_own, instance_id=instance_id, name=name, operation_id=made_by)
            try:
                await self.connection.call(take, seconds=snapshots.SECONDS)
            except BaseException:  # whatever ends it, cancelled too, no half snapshot stays
                await to_the_end(self.connection.call(undo, seconds=snapshots.SECONDS))
                raise
            return await self._settled(entry)

    async def revert_to_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        from confvm_gui.providers.libvirt import snapshots

        async with self._locked(instance_id) as entry:
            if entry.reset_by != operation.operation_id:
                operation.step("revert", 0.2, name)
                revert = partial(snapshots.revert, instance_id=instance_id, name=name)
                await self.connection.call(revert, seconds=snapshots.SECONDS)
                entry.reset_by = operation.operation_id
            return await self._settled(entry)

    async def delete_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        from confvm_gui.providers.libvirt import snapshots

        async with self._locked(instance_id) as entry:
            operation.step("delete snapshot", 0.2, name)
            drop = partial(snapshots.drop, instance_id=instance_id, name=name)
            await self.connection.call(drop, seconds=snapshots.SECONDS)
            return await self._settled(entry)

    # Copies ---------------------------------------------------------------------------------------------------------

    async def clone_unfit(self, instance_id: str) -> str:
        from confvm_gui.providers.libvirt import clone

        entry = self.table.get(instance_id)
        return clone.unfit(await self._details.read(instance_id), live=entry.state.is_live)

    async def clone(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        from confvm_gui.providers.libvirt.clone import clone

        async with self._locked(instance_id):
            _require_fit(await self.clone_unfit(instance_id))
            await clone(self.connection, instance_id, name, operation)
        return await self.arrived(operation.instance_id)

    # Moves ----------------------------------------------------------------------------------------------------------

    def hosts(self) -> Sequence[HostInfo]:
        """This host, and the others to which the console is connected."""
        others = [peer for peer in self._peers() if peer is not self and peer.connection.connected]
        return [HostInfo(host.name, host.connection.address.title) for host in (self, *others)]

    def migration_unfit(self, instance_id: str) -> str:
        from confvm_gui.providers.libvirt import migration

        return migration.unfit(self.table.get(instance_id), len(self.hosts()) - 1, self.connection.host)

    async def migrate(self, instance_id: str, host: str, operation: OperationContext) -> Instance:
        from confvm_gui.providers.libvirt import migration

        target = next((peer for peer in self._peers() if peer.name == host and peer is not self), None)
        if target is None:
            raise NotFound(f"There is no connection named {host!r}")
        try:
            async with self._locked(instance_id) as entry:
                self._require_live(entry)
                await self._details.read(instance_id)
                _require_fit(self.migration_unfit(instance_id))
                await migration.migrate(self.connection, target.connection, instance_id, operation)
        except NotFound:
            # After a crash it may have gone already.
            return await target.arrived(instance_id)
        return await target.arrived(instance_id)

    async def arrived(self, instance_id: str) -> Instance:
        """An instance has been made or moved here. Raises NotFound if it has not."""
        return await self._settled(await self._look(instance_id))


def _require_fit(reason: str) -> None:
    if reason:
        raise Unsupported(reason)
