"""Jobs over a provider that fails as it is told to and a store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.jobs import Jobs
from confvm_gui.fleet.launch.request_file import request_to_mapping
from tests.support.embedded_rig import catalog, launch_request
from tests.support.fake_provider import FakeProvider
from tests.support.fake_session import MemoryStore


class Troubled(FakeProvider):
    """A provider that fails as it is told to, and writes down what it was asked."""

    def __init__(self, instances: Sequence[Instance] = ()) -> None:
        super().__init__(instances)
        self.failures: list[Exception] = []
        """For the next mutating calls, in order."""
        self.calls: list[tuple[str, str]] = []
        self.steps = ("one", "two")
        self.at_work = asyncio.Event()

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        self.calls.append(("create", request.name))
        return await super().create(request, operation)

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        self.calls.append(("delete", self.known[instance_id].name if instance_id in self.known else "nothing"))
        await super().delete(instance_id, operation)

    async def _begin(self, operation: OperationContext) -> None:
        operation.step(self.steps[0], 0.2)
        self.at_work.set()
        await self.hold.wait()
        if self.failures:
            raise self.failures.pop(0)
        operation.step(self.steps[1], 0.9, "almost there")

    async def _become(self, instance_id: str, state: InstanceState, operation: OperationContext) -> Instance:
        self.calls.append((state.value, self.known[instance_id].name))
        return await super()._become(instance_id, state, operation)


@dataclass
class Rig:
    provider: Troubled
    store: MemoryStore
    inventory: Inventory
    jobs: Jobs
    seen: list[Operation] = field(default_factory=list)

    async def create(self, name: str = "probe") -> Operation:
        return await self.jobs.create(launch_request(name))

    async def done(self, operation: Operation) -> Operation:
        async with asyncio.timeout(10):
            return await self.jobs.wait(operation.id)

    def actions(self, severity: Severity | None = None) -> list[str]:
        events = [record.event for record in self.store.audit.records]
        return [event.action for event in events if severity is None or event.severity is severity]


@asynccontextmanager
async def rig(
    *instances: Instance, store: MemoryStore | None = None, provider: Troubled | None = None, retry_pause: float = 0.0
) -> AsyncIterator[Rig]:
    provider = provider or Troubled(instances)
    store = store or MemoryStore(instances)
    events = EventFeed(store.audit, readonly=store.readonly)
    providers = {provider.name: provider}
    inventory = Inventory(providers, store.instances, events, readonly=store.readonly)
    await inventory.load()
    jobs = Jobs(
        catalog(),
        providers,
        inventory,
        store.operations,
        events,
        readonly_reason=store.readonly_reason,
        retry_pause=retry_pause,
    )
    await jobs.load()
    found = Rig(provider, store, inventory, jobs)
    jobs.changes.subscribe(found.seen.append)
    try:
        yield found
    finally:
        await jobs.aclose()
        await inventory.aclose()


def interrupted(
    kind: OperationKind, instance: Instance, status: OperationStatus = OperationStatus.RUNNING
) -> Operation:
    """As an earlier run left it."""
    return Operation(
        id=f"op-{kind.value}",
        kind=kind,
        provider=instance.provider,
        instance_id=instance.id,
        instance_name=instance.name,
        status=status,
        accepted_at=1.0,
        intent=request_to_mapping(launch_request(instance.name)) if kind is OperationKind.CREATE else {},
        attempts=1 if status is OperationStatus.RUNNING else 0,
    )
