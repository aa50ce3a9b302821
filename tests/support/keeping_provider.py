"""A fake provider that keeps snapshots and copies instances, without any disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.provider import Capability, OperationContext, Snapshot
from tests.support.fake_provider import FakeProvider


class KeepingProvider(FakeProvider):
    """Implements HasSnapshots and CanClone. `unfit` is the reason against both."""

    capabilities = FakeProvider.capabilities | Capability.SNAPSHOT | Capability.CLONE

    def __init__(self, instances: Sequence[Instance] = ()) -> None:
        super().__init__(instances)
        self.unfit = ""
        self.kept: dict[str, list[Snapshot]] = {}

    async def snapshots(self, instance_id: str) -> Sequence[Snapshot]:
        return tuple(self.kept.get(instance_id, ()))

    async def snapshot_unfit(self, instance_id: str) -> str:
        self._get(instance_id)
        return self.unfit

    async def take_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        await self._begin(operation)
        kept = self.kept.setdefault(instance_id, [])
        if any(one.name == name for one in kept):
            raise InvalidInput("snapshot", f"There is a snapshot named {name!r} already")
        instance = self._get(instance_id)
        parent = kept[-1].name if kept else ""
        kept[:] = [replace(one, current=False) for one in kept]
        kept.append(Snapshot(name, time.time(), instance.state.is_live, True, parent))
        return instance

    async def revert_to_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        await self._begin(operation)
        found = next((one for one in self.kept.get(instance_id, ()) if one.name == name), None)
        if found is None:
            raise NotFound(f"There is no snapshot named {name!r} any more")
        state = InstanceState.RUNNING if found.with_memory else InstanceState.STOPPED
        return self.change(replace(self._get(instance_id), state=state))

    async def delete_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        await self._begin(operation)
        self.kept[instance_id] = [one for one in self.kept.get(instance_id, ()) if one.name != name]
        return self._get(instance_id)

    async def clone_unfit(self, instance_id: str) -> str:
        self._get(instance_id)
        return self.unfit

    async def clone(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        self.change(replace(self._get(instance_id), id=operation.instance_id, name=name))
        await self._begin(operation)
        return self._get(operation.instance_id)
