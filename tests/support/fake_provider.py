"""An in-memory provider with everything a real one has, at once and without processes: for tests of the window."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound, WrongState
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, MemoryRegion, PageKind, Viewer
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.provider import Capability, Change, ChangeKind, OperationContext
from confvm_gui.domain.query import Query, QueryAnswer, QueryVerb

COLUMNS = ("id", "name", "age", "diagnosis", "secret")
RECORDS = tuple(
    (str(at), f"patient-{at}", str(30 + at % 50), "flu" if at % 3 else "none", f"s3cret-{at}") for at in range(64)
)


def make_instance(name: str, **changes: Any) -> Instance:
    """A running confidential instance; `changes` replace fields of it."""
    usual = Instance(
        id=hashlib.sha256(name.encode()).hexdigest()[:32],
        name=name,
        provider="embedded",
        cloud="gce",
        region="europe-west1",
        zone="europe-west1-b",
        machine_type="n2d-standard-2",
        image="ubuntu-2004-lts",
        technology=Technology.SEV,
        state=InstanceState.RUNNING,
        vcpus=2,
        memory_mib=8192,
        created_at=time.time() - 3600,
        trust=Trust.MEASURED,
        load=0.12,
        emulated=True,
        runs="records",
        labels={"env": "test"},
    )
    return replace(usual, **changes)


class FakeConsole:
    """Scroll-back and a live stream; `say` prints."""

    def __init__(self) -> None:
        self._held = b""
        self._readers: list[asyncio.Queue[bytes | None]] = []
        self._ended = False
        self.written = b""

    @property
    def writable(self) -> bool:
        return False

    def scrollback(self) -> bytes:
        return self._held

    def say(self, data: bytes) -> None:
        self._held += data
        for reader in self._readers:
            reader.put_nowait(data)

    def end(self) -> None:
        """The instance is deleted."""
        self._ended = True
        for reader in self._readers:
            reader.put_nowait(None)

    async def stream(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._readers.append(queue)
        if self._ended:
            queue.put_nowait(None)
        try:
            yield self._held
            while (data := await queue.get()) is not None:
                yield data
        finally:
            self._readers.remove(queue)

    async def write(self, data: bytes) -> None:
        self.written += data


class FakeMemory:
    """RAM with the records in it: plain to the guest, hashed into noise for the hypervisor of a confidential VM."""

    best_length = 256 * PAGE_SIZE
    granularity = PAGE_SIZE

    def __init__(self, instance: Instance, viewer: Viewer, megabytes: int = 4) -> None:
        self._viewer = viewer
        self._hidden = instance.confidential and viewer is Viewer.HYPERVISOR
        self._length = megabytes << 20

    @property
    def viewer(self) -> Viewer:
        return self._viewer

    def regions(self) -> Sequence[MemoryRegion]:
        return (MemoryRegion(0, self._length),)

    async def read(self, gpa: int, length: int) -> MemoryChunk:
        if gpa < 0 or gpa + length > self._length:
            raise InvalidInput("gpa", "That address is outside the instance's RAM")
        pages = length // PAGE_SIZE
        data = b"".join(self._page(gpa // PAGE_SIZE + at) for at in range(pages))
        kind = PageKind.CIPHERTEXT if self._hidden else PageKind.PLAINTEXT
        return MemoryChunk(gpa, data, bytes([kind]) * pages, self._viewer)

    def _page(self, number: int) -> bytes:
        if number < 256 or number > 320:
            plain = bytes(PAGE_SIZE)
        else:
            text = "".join(",".join(record) + "\n" for record in RECORDS[:24]).encode()
            plain = (text * (PAGE_SIZE // len(text) + 1))[:PAGE_SIZE]
        if not self._hidden:
            return plain
        return hashlib.shake_128(number.to_bytes(8, "little") + plain[:64]).digest(PAGE_SIZE)


class FakeProvider:
    """See the module. Set `fail_next` to have the next mutating call fail with that error."""

    name = "embedded"
    title = "This computer (embedded SEV engine, emulated)"
    emulated = True
    capabilities = (
        Capability.PAUSE
        | Capability.MEMORY_HYPERVISOR
        | Capability.MEMORY_GUEST
        | Capability.CONSOLE
        | Capability.METRICS
        | Capability.GUEST_QUERIES
        | Capability.SECRET_INJECTION
    )
    technologies = frozenset({Technology.SEV})

    def __init__(self, instances: Sequence[Instance] = ()) -> None:
        self.known = {instance.id: instance for instance in instances}
        self.consoles: dict[str, FakeConsole] = {}
        self.queries: list[Query] = []
        self.fail_next: Exception | None = None
        self.hold = asyncio.Event()
        """Cleared by a test that wants operations to wait."""
        self.hold.set()
        self._watchers: list[asyncio.Queue[Change | None]] = []

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Technology):
            supported = what in self.technologies or what is Technology.NONE
            return "" if supported else f"The fake provider has no {what.title}"
        return "" if what in self.capabilities else "The fake provider cannot do this"

    async def connect(self) -> None:
        pass

    async def aclose(self) -> None:
        for watcher in self._watchers:
            watcher.put_nowait(None)

    def watch(self) -> AsyncIterator[Change]:
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._watchers.append(queue)  # now, not when the first change is asked for: none may be missed

        async def changes() -> AsyncIterator[Change]:
            while (change := await queue.get()) is not None:
                yield change

        return changes()

    async def instances(self) -> AsyncIterator[Sequence[Instance]]:
        yield tuple(self.known.values())

    def change(self, instance: Instance) -> Instance:
        """Make an instance what is given, and tell whoever watches."""
        self.known[instance.id] = instance
        for watcher in self._watchers:
            watcher.put_nowait(Change(ChangeKind.OBSERVED, instance))
        return instance

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        if operation.instance_id in self.known:
            return self.known[operation.instance_id]
        await self._begin(operation)
        return self.change(
            make_instance(
                request.name,
                id=operation.instance_id,
                region=request.region,
                zone=request.zone,
                machine_type=request.machine_type,
                image=request.image,
                technology=request.technology,
                trust=Trust.MEASURED if request.confidential else Trust.NOT_APPLICABLE,
                labels=dict(request.labels),
            )
        )

    async def start(self, instance_id: str, operation: OperationContext) -> Instance:
        return await self._become(instance_id, InstanceState.RUNNING, operation)

    async def stop(self, instance_id: str, operation: OperationContext) -> Instance:
        return await self._become(instance_id, InstanceState.STOPPED, operation)

    async def reset(self, instance_id: str, operation: OperationContext) -> Instance:
        return await self._become(instance_id, InstanceState.RUNNING, operation)

    async def pause(self, instance_id: str, operation: OperationContext) -> Instance:
        self._live(instance_id)
        return await self._become(instance_id, InstanceState.PAUSED, operation)

    async def resume(self, instance_id: str, operation: OperationContext) -> Instance:
        self._live(instance_id)
        return await self._become(instance_id, InstanceState.RUNNING, operation)

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        await self._begin(operation)
        gone = self.known.pop(instance_id, None)
        if gone is not None:
            self.console_of(instance_id).end()
            for watcher in self._watchers:
                watcher.put_nowait(Change(ChangeKind.REMOVED, gone))

    async def _begin(self, operation: OperationContext) -> None:
        operation.step("LAUNCH_START", 0.2)
        await self.hold.wait()
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error
        operation.step("LAUNCH_FINISH", 0.9)

    async def _become(self, instance_id: str, state: InstanceState, operation: OperationContext) -> Instance:
        self._get(instance_id)
        await self._begin(operation)
        return self.change(replace(self._get(instance_id), state=state))

    def _get(self, instance_id: str) -> Instance:
        if instance_id not in self.known:
            raise NotFound("This instance does not exist any more")
        return self.known[instance_id]

    def _live(self, instance_id: str) -> Instance:
        instance = self._get(instance_id)
        if not instance.state.is_live:
            raise WrongState(f"{instance.name} is {instance.state.value}: it has no memory and no vCPU")
        return instance

    def memory(self, instance_id: str, viewer: Viewer) -> FakeMemory:
        return FakeMemory(self._live(instance_id), viewer)

    def console(self, instance_id: str) -> FakeConsole:
        self._get(instance_id)
        return self.console_of(instance_id)

    def console_of(self, instance_id: str) -> FakeConsole:
        """Also of an instance that is gone."""
        return self.consoles.setdefault(instance_id, FakeConsole())

    async def sample(self, instance_ids: Sequence[str]) -> Sequence[Sample]:
        now = time.time()
        return [
            Sample(one, now, 0.1, 64 << 20, 4096, 1234, len(self.queries))
            for one in instance_ids
            if one in self.known and self.known[one].state.is_live
        ]

    async def query(self, instance_id: str, query: Query) -> QueryAnswer:
        if self._live(instance_id).state is InstanceState.PAUSED:
            raise WrongState("A paused guest answers nothing")
        self.queries.append(query)
        if query.verb is QueryVerb.STATUS:
            return QueryAnswer(len(RECORDS), COLUMNS, (), "indexed, epoch 12", 0.004)
        if query.verb is QueryVerb.PREDICT:
            return QueryAnswer(1, (), (), "probability 0.83", 0.004)
        if query.column not in COLUMNS:
            raise InvalidInput("column", f"There is no column named {query.column!r}")
        at = COLUMNS.index(query.column)
        rows = tuple(record for record in RECORDS if record[at] == query.value)
        shown = () if query.verb is QueryVerb.COUNT else rows[:16]
        return QueryAnswer(len(rows), COLUMNS, shown, "hash index", 0.004)
