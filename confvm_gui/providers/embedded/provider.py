"""The embedded provider: instances on this computer's emulated SEV host.

The engine is imported when the host is switched on (see `switch_on`), not with this module.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    ConfvmError,
    GuestFault,
    InvalidInput,
    NotFound,
    StoreError,
    Unsupported,
    WrongState,
)
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.domain.ports.provider import Capability, Change, ChangeKind, OperationContext
from confvm_gui.domain.query import Query, QueryAnswer
from confvm_gui.engine.finish import finish
from confvm_gui.engine.guests.image import HEARTBEAT, RECORDS
from confvm_gui.providers.embedded.console import SerialConsole
from confvm_gui.providers.embedded.definitions import Definition, Definitions
from confvm_gui.providers.embedded.entry import PROVIDER, Entry, PastReturn, observed
from confvm_gui.providers.embedded.switch_on import largest_machine, switched_on

if TYPE_CHECKING:
    from confvm_gui.engine.guest_host.protocol import GuestUsage
    from confvm_gui.engine.machine import Machine
    from confvm_gui.providers.embedded.launch import PoweredOn
    from confvm_gui.providers.embedded.memory import EmbeddedMemory

_PAGE_OF_INSTANCES: Final = 1000
_TRUST_BY: Final = "launch measurement, emulated secure processor"
_REASONS: Final[Mapping[Capability | Technology, str]] = {
    Technology.SEV_ES: "The embedded engine does not emulate encrypted register state (SEV-ES) yet; choose AMD SEV",
    Technology.SEV_SNP: "The embedded engine does not emulate SEV-SNP yet; choose AMD SEV",
    Technology.TDX: "The embedded engine emulates AMD's secure processor; Intel TDX runs on Intel's processors",
    Technology.SGX: "SGX protects enclaves inside of processes; the embedded engine runs virtual machines",
    Technology.NITRO: "Nitro Enclaves are part of AWS's own hypervisor",
    Capability.ATTESTATION: "The embedded engine measures launches; signed attestation reports are not there yet",
    Capability.SNAPSHOT: "A snapshot of encrypted RAM could not be decrypted again: its key ends with the power-on",
    Capability.MIGRATION: "The embedded engine has one host",
}


class EmbeddedProvider:
    """Implements Provider, CanPause, HasMemory, HasConsole, HasMetrics and HasGuestQueries."""

    def __init__(
        self,
        data_dir: Path,
        catalog: Catalog,
        key_store: KeyStore,
        *,
        workers: int = 2,
        make_machine: Callable[[], Machine] | None = None,
    ) -> None:
        """`make_machine` makes the emulated host, by default one of the largest kind with `workers` vCPU workers."""
        self._definitions = Definitions(data_dir)
        self._catalog = catalog
        self._key_store = key_store
        self._make_machine = make_machine or partial(largest_machine, workers)
        self._machine: Machine | None = None
        self._entries: dict[str, Entry] = {}
        self._watchers: set[asyncio.Queue[Change | None]] = set()
        self._connecting = asyncio.Lock()
        self._connected = False
        self._closed = False
        self._beside: set[asyncio.Task[None]] = set()

    # What it is -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return PROVIDER

    @property
    def title(self) -> str:
        return "This computer (embedded SEV engine, emulated)"

    @property
    def emulated(self) -> bool:
        return True

    @property
    def capabilities(self) -> Capability:
        return (
            Capability.PAUSE
            | Capability.MEMORY_HYPERVISOR
            | Capability.MEMORY_GUEST
            | Capability.MEMORY_WRITE
            | Capability.CONSOLE
            | Capability.METRICS
            | Capability.GUEST_QUERIES
            | Capability.SECRET_INJECTION
        )

    @property
    def technologies(self) -> frozenset[Technology]:
        return frozenset({Technology.SEV})

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Technology):
            supported = what in self.technologies or what is Technology.NONE
        else:
            supported = what in self.capabilities
        return "" if supported else _REASONS.get(what, "The embedded engine cannot do this")

    # Life of the provider -------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Switch the emulated host on and read the definitions. Instances start stopped: their keys are gone.

        Raises StoreCorrupt, StoreError, CapacityExceeded; GuestFault after `aclose`.
        """
        async with self._connecting:
            if self._connected:
                return
            if self._closed:
                raise GuestFault("The embedded engine is switched off")
            found, leftovers = await asyncio.to_thread(self._definitions.load_all)
            for definition in found:
                entry = self._entries.setdefault(definition.id, self._entry(definition, InstanceState.STOPPED))
                entry.defined = True
            # Operations that are taken up again make these anew; nobody else knows of them.
            for instance_id in leftovers:
                await finish(partial(self._definitions.remove, instance_id))
            self._machine = await finish(partial(switched_on, self._make_machine), lambda machine: machine.dram.close())
            self._connected = True
            # The workers come up beside; the first launch waits for them if it has to.
            self._keep(self._machine.vcpus.start(), "start of the vCPU workers")

    async def aclose(self) -> None:
        """Switch the emulated host off: its guests end with it."""
        async with self._connecting:
            if self._closed:
                return
            self._closed = True
            self._connected = False
            for task in tuple(self._beside):
                task.cancel()
            await asyncio.gather(*self._beside, return_exceptions=True)
            if self._machine is not None:
                machine, self._machine = self._machine, None
                await machine.aclose()
            for entry in self._entries.values():
                if entry.powered is not None:
                    entry.powered = None
                    self._publish(entry, InstanceState.STOPPED, "the console was closed")
            for queue in self._watchers:
                queue.put_nowait(None)

    def watch(self) -> AsyncIterator[Change]:
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        if self._closed:
            queue.put_nowait(None)
        self._watchers.add(queue)
        return self._changes(queue)

    async def _changes(self, queue: asyncio.Queue[Change | None]) -> AsyncIterator[Change]:
        try:
            while (change := await queue.get()) is not None:
                yield change
        finally:
            self._watchers.discard(queue)

    async def instances(self) -> AsyncIterator[Sequence[Instance]]:
        everything = [entry.instance for entry in self._entries.values()]
        for start in range(0, len(everything), _PAGE_OF_INSTANCES):
            yield everything[start : start + _PAGE_OF_INSTANCES]

    # Operations -----------------------------------------------------------------------------------------------------

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        await self.connect()
        entry = self._entries.get(operation.instance_id)
        if entry is None:
            entry = self._entry(self._define(request, operation), InstanceState.CREATING)
            self._entries[entry.definition.id] = entry
            self._publish(entry, InstanceState.CREATING)
        elif entry.definition.created_by != operation.operation_id:
            raise InvalidInput("name", "The instance exists already")
        async with entry.lock:
            try:
                if not entry.defined:
                    await self._write(entry.definition, request, operation)
                    entry.defined = True
                return await self._start(entry, operation)
            except asyncio.CancelledError:
                # The console ends. With its definition on disk the instance is found again; without it is nothing.
                if not entry.defined:
                    await self._discard(entry)
                raise
            except BaseException:
                with suppress(StoreError):  # the first error tells more
                    await self._discard(entry)
                raise

    async def start(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            return await self._start(entry, operation)

    async def stop(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            if entry.powered is not None:
                operation.step("DEACTIVATE" if entry.definition.confidential else "power off", 0.3)
                self._publish(entry, InstanceState.STOPPING)
                await self._power_off(entry)
            return self._publish(entry, InstanceState.STOPPED)

    async def reset(self, instance_id: str, operation: OperationContext) -> Instance:
        """Power off and launch again: a new VEK, a new measurement."""
        async with self._locked(instance_id) as entry:
            if entry.powered is None or entry.reset_by != operation.operation_id:
                operation.step("power off", 0.2)
                self._publish(entry, InstanceState.STOPPING)
                await self._power_off(entry)
                self._publish(entry, InstanceState.STOPPED)
                entry.reset_by = operation.operation_id
            return await self._start(entry, PastReturn(operation))

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        try:
            async with self._locked(instance_id) as entry:
                operation.step("power off", 0.3)
                self._publish(entry, InstanceState.DELETING)
                await self._power_off(entry)
                PastReturn(operation).step("remove disk", 0.7)
                await self._discard(entry)
        except NotFound:
            await finish(partial(self._definitions.remove, instance_id))

    async def pause(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            powered = self._powered(entry)
            operation.step("pause vCPU", 0.5)
            await self._require_machine().vcpus.pause(powered.guest.vcpu)
            self._powered(entry)  # it may have ended meanwhile
            return self._publish(entry, InstanceState.PAUSED)

    async def resume(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            powered = self._powered(entry)
            operation.step("resume vCPU", 0.5)
            self._require_machine().vcpus.resume(powered.guest.vcpu)
            return self._publish(entry, InstanceState.RUNNING)

    # Optional powers ------------------------------------------------------------------------------------------------

    def memory(self, instance_id: str, viewer: Viewer) -> EmbeddedMemory:
        from confvm_gui.providers.embedded.memory import EmbeddedMemory

        _, powered = self._live(instance_id)
        return EmbeddedMemory(self._require_machine(), powered.guest, viewer)

    def console(self, instance_id: str) -> SerialConsole:
        return self._get(instance_id).console

    async def query(self, instance_id: str, query: Query) -> QueryAnswer:
        entry, powered = self._live(instance_id)
        if entry.instance.state is InstanceState.PAUSED:
            raise WrongState(f"{entry.instance.name} is paused: resume it to ask it something")
        if entry.definition.guest != RECORDS:
            raise Unsupported("This instance runs the heartbeat guest, which has no records to ask about")
        return await powered.mailbox.ask(query)

    async def sample(self, instance_ids: Sequence[str]) -> Sequence[Sample]:
        live = [
            (entry, entry.powered)
            for instance_id in instance_ids
            if (entry := self._entries.get(instance_id)) is not None and entry.powered is not None
        ]
        machine = self._machine
        if machine is None or not live:
            return ()
        guests = [powered.guest for _, powered in live]

        def count() -> list[int]:
            return [int(machine.controller.used_pages(guest.memory).size) * PAGE_SIZE for guest in guests]

        touched = await finish(count)
        return [self._sample(entry, powered, used) for (entry, powered), used in zip(live, touched, strict=True)]

    # Inside ---------------------------------------------------------------------------------------------------------

    def _define(self, request: LaunchRequest, operation: OperationContext) -> Definition:
        machine_type = self._catalog.machine_type(request.cloud, request.machine_type)
        return Definition(
            id=operation.instance_id,
            name=request.name,
            created_by=operation.operation_id,
            created_at=time.time(),
            cloud=request.cloud,
            region=request.region,
            zone=request.zone,
            machine_type=request.machine_type,
            image=request.image,
            technology=request.technology.value,
            vcpus=machine_type.vcpus,
            memory_mib=machine_type.memory_mib,
            guest=HEARTBEAT if request.records is None else RECORDS,
            labels=dict(request.labels),
        )

    async def _write(self, definition: Definition, request: LaunchRequest, operation: OperationContext) -> None:
        records = request.records
        if records is not None:
            from confvm_gui.engine.guests.records_disk import KEY_BYTES, DiskHeader, prepare_disk

            operation.step("encrypt disk", 0.1, f"AES-256-XTS, its key wrapped by {request.disk_key}")
            await self._key_store.create(request.disk_key)
            dek = os.urandom(KEY_BYTES)
            header = DiskHeader(request.disk_key, await self._key_store.wrap(request.disk_key, dek))

            def write_disk() -> None:
                disk = prepare_disk(
                    records.path,
                    dek,
                    header,
                    index_column=records.index_column,
                    label_column=records.label_column,
                )
                needed = disk.ram_needed
                if needed > definition.memory_mib << 20:
                    raise InvalidInput(
                        "machine_type",
                        f"These records need {needed >> 20} MiB of RAM and {definition.machine_type} has "
                        f"{definition.memory_mib} MiB; choose a larger machine type",
                    )
                self._definitions.write_disk(definition.id, disk.image)

            await finish(write_disk)
        operation.step("define instance", 0.3)
        await finish(partial(self._definitions.write, definition))

    async def _start(self, entry: Entry, operation: OperationContext) -> Instance:
        if entry.powered is not None:
            return entry.instance  # an operation that was taken up again finds its work done
        if entry.releasing is not None:
            await asyncio.wait([entry.releasing])
        from confvm_gui.engine.guest_host.host import GuestHooks
        from confvm_gui.providers.embedded.launch import power_on

        self._publish(entry, InstanceState.STARTING)
        hooks = GuestHooks(
            console=entry.console.feed,
            exited=lambda crashed, reason: self._on_exit(entry, crashed, reason),
            usage=lambda usage: self._on_usage(entry, usage),
        )
        try:
            entry.powered = await power_on(
                self._require_machine(), entry.definition, self._definitions, self._key_store, hooks, operation
            )
        except BaseException:
            self._publish(entry, InstanceState.STOPPED)
            raise
        entry.usage, entry.sampled_at, entry.sampled_cpu = None, time.monotonic(), 0.0
        return self._publish(entry, InstanceState.RUNNING)

    def _on_exit(self, entry: Entry, crashed: bool, reason: str) -> None:
        powered, entry.powered = entry.powered, None
        if powered is None:
            return
        self._publish(entry, InstanceState.CRASHED if crashed else InstanceState.STOPPED, reason)
        entry.releasing = self._keep(self._release(powered), f"release of {entry.definition.name}")

    def _on_usage(self, entry: Entry, usage: GuestUsage) -> None:
        entry.usage = usage

    async def _power_off(self, entry: Entry) -> None:
        powered, entry.powered = entry.powered, None
        if powered is not None:
            await self._release(powered)

    async def _release(self, powered: PoweredOn) -> None:
        if self._machine is not None:
            await self._machine.release(powered.guest)

    async def _discard(self, entry: Entry) -> None:
        await self._power_off(entry)
        try:
            await finish(partial(self._definitions.remove, entry.definition.id))
        except StoreError:
            if entry.defined:
                self._publish(entry, InstanceState.STOPPED)
                raise
        self._entries.pop(entry.definition.id, None)
        entry.console.end()
        self._tell(Change(ChangeKind.REMOVED, entry.instance))

    def _sample(self, entry: Entry, powered: PoweredOn, touched: int) -> Sample:
        now = time.monotonic()
        usage = entry.usage
        cpu = usage.cpu_seconds if usage is not None else 0.0
        load = min(max(cpu - entry.sampled_cpu, 0.0) / max(now - entry.sampled_at, 1e-3), 1.0)
        entry.sampled_at, entry.sampled_cpu = now, cpu
        if abs(load - entry.instance.load) > 0.01:
            entry.instance = replace(entry.instance, load=round(load, 3))
            self._tell(Change(ChangeKind.OBSERVED, entry.instance))
        return Sample(
            instance_id=entry.definition.id,
            at=time.time(),
            cpu=load,
            memory_bytes=touched,
            disk_read_bytes=usage.disk_read_bytes if usage is not None else 0,
            console_bytes=usage.console_bytes if usage is not None else 0,
            queries=powered.mailbox.answered,
        )

    def _entry(self, definition: Definition, state: InstanceState) -> Entry:
        def send(data: bytes) -> bool:
            entry = self._entries.get(definition.id)
            if entry is None or entry.powered is None or self._machine is None:
                return False
            self._machine.vcpus.type_into_console(entry.powered.guest.vcpu, data)
            return True

        return Entry(definition, observed(definition, state), SerialConsole(send), asyncio.Lock())

    def _publish(self, entry: Entry, state: InstanceState, reason: str = "") -> Instance:
        trust, trust_at, trust_by = entry.instance.trust, entry.instance.trust_at, entry.instance.trust_by
        if entry.definition.confidential:
            if state is InstanceState.RUNNING and entry.instance.state is InstanceState.STARTING:
                trust, trust_at, trust_by = Trust.MEASURED, time.time(), _TRUST_BY
            elif not state.is_live:
                trust, trust_at, trust_by = Trust.UNKNOWN, None, ""
        entry.instance = replace(
            entry.instance,
            state=state,
            state_reason=reason,
            trust=trust,
            trust_at=trust_at,
            trust_by=trust_by,
            load=entry.instance.load if state is InstanceState.RUNNING else 0.0,
        )
        self._tell(Change(ChangeKind.OBSERVED, entry.instance))
        return entry.instance

    def _tell(self, change: Change) -> None:
        for queue in self._watchers:
            queue.put_nowait(change)

    def _get(self, instance_id: str) -> Entry:
        entry = self._entries.get(instance_id)
        if entry is None:
            raise NotFound("This instance does not exist any more")
        return entry

    @asynccontextmanager
    async def _locked(self, instance_id: str) -> AsyncIterator[Entry]:
        """The instance, for one operation at a time. Raises NotFound, and what `connect` raises."""
        await self.connect()
        entry = self._get(instance_id)
        async with entry.lock:
            self._get(instance_id)  # it may have been deleted meanwhile
            yield entry

    def _powered(self, entry: Entry) -> PoweredOn:
        if entry.powered is None:
            raise WrongState(f"{entry.instance.name} is {entry.instance.state.value}: it has no RAM and no vCPU")
        return entry.powered

    def _live(self, instance_id: str) -> tuple[Entry, PoweredOn]:
        entry = self._get(instance_id)
        return entry, self._powered(entry)

    def _require_machine(self) -> Machine:
        if self._machine is None:
            raise GuestFault("The embedded engine is switched off")
        return self._machine

    def _keep(self, coroutine: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Let it run beside; what it meets is told at the next operation, which meets it too."""

        async def run() -> None:
            with suppress(ConfvmError):
                await coroutine

        task = asyncio.get_running_loop().create_task(run(), name=name)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        # A task that is cancelled before its first step never comes to the coroutine.
        task.add_done_callback(lambda _: coroutine.close())
        return task
