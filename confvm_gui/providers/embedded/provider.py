"""The embedded provider: instances on this computer's emulated hosts, whose code is loaded later (see `switch_on`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    ConfvmError,
    GuestFault,
    InvalidInput,
    KeyUnavailable,
    NotFound,
    StoreCorrupt,
    StoreError,
    Unsupported,
    WrongState,
)
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.domain.ports.provider import Capability, Change, ChangeKind, HostInfo, OperationContext
from confvm_gui.domain.query import Query, QueryAnswer
from confvm_gui.engine.finish import finish
from confvm_gui.engine.guests.image import RECORDS
from confvm_gui.providers.embedded.console import SerialConsole
from confvm_gui.providers.embedded.creation import define, write
from confvm_gui.providers.embedded.definitions import Definition, Definitions
from confvm_gui.providers.embedded.entry import PROVIDER, Entry, PastReturn, observed
from confvm_gui.providers.embedded.host_keys import HostKeyFile, HostKeys
from confvm_gui.providers.embedded.kernel_images import KernelImages
from confvm_gui.providers.embedded.samples import sample_of, used_memory
from confvm_gui.providers.embedded.shared_channel import SharedChannel, why_silent
from confvm_gui.providers.embedded.switch_on import largest_site, switched_on
from confvm_gui.providers.embedded.wrapped_keys import WrappedKeys

if TYPE_CHECKING:
    from confvm_gui.domain.ports.image_library import ImageLibrary
    from confvm_gui.engine.guest_host.protocol import GuestUsage
    from confvm_gui.providers.embedded.launch import PoweredOn
    from confvm_gui.providers.embedded.memory import EmbeddedMemory
    from confvm_gui.providers.embedded.site import Site

_PAGE_OF_INSTANCES: Final = 1000
_LOAD_STEP: Final = 0.01  # a change of load that is told
_TRUST_BY: Final = "launch measurement, emulated secure processor"
_REASONS: Final[Mapping[Capability | Technology, str]] = {
    Technology.TDX: "The embedded engine emulates AMD's secure processor; Intel TDX runs on Intel's processors",
    Technology.SGX: "SGX protects enclaves inside of processes; the embedded engine runs virtual machines",
    Technology.NITRO: "Nitro Enclaves are part of AWS's own hypervisor",
    Capability.CLONE: "A copy would share its model's disk key, which one guest alone has; create another instance",
    Capability.SNAPSHOT: "A snapshot of encrypted RAM could not be decrypted again: its key ends with the power-on",
}


class EmbeddedProvider(WrappedKeys, SharedChannel):
    """Implements all of `domain.ports.provider` but HasSnapshots and CanClone."""

    def __init__(
        self,
        data_dir: Path,
        catalog: Catalog,
        key_store: KeyStore,
        *,
        workers: int = 2,
        library: ImageLibrary | None = None,
        make_site: Callable[[HostKeys], Site] | None = None,
        make_keys: Callable[[], HostKeys] = HostKeys.generate,
    ) -> None:
        """`library` has the kernels that QEMU can boot. `make_site` makes the emulated hosts, by default the largest
        kind with `workers` vCPU workers in all; `make_keys` their lasting keys where the data directory has none.
        """
        self._definitions = Definitions(data_dir)
        self._catalog = catalog
        self._key_store = key_store
        self.kernels: Final = KernelImages(library)
        self._host_keys = HostKeyFile(data_dir, key_store)
        self._make_keys = make_keys
        self._make_site = make_site or partial(largest_site, workers)
        self._site: Site | None = None
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
            | Capability.ATTESTATION
            | Capability.MIGRATION
        )

    @property
    def technologies(self) -> frozenset[Technology]:
        return frozenset({Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP})

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Technology):
            supported = what in self.technologies or what is Technology.NONE
        else:
            supported = what in self.capabilities
        return "" if supported else _REASONS.get(what, "The embedded engine cannot do this")

    # Life of the provider -------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Switch the emulated hosts on and read the definitions. Instances start stopped: their keys are gone.

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
            keys = await self._lasting_keys()
            self._site = await finish(partial(switched_on, self._make_site, keys), lambda site: site.dram.close())
            self._connected = True
            # The workers come up beside; the first launch waits for them if it has to.
            self._keep(self._site.vcpus.start(), "start of the vCPU workers")
            if not keys.stored:
                self._keep(self._host_keys.save(keys), "making of the emulated root")

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
            if self._site is not None:
                site, self._site = self._site, None
                await site.aclose()
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
            definition = await self.kernels.with_files(define(self._catalog, request, operation), request)
            entry = self._entries.setdefault(definition.id, self._entry(definition, InstanceState.CREATING))
            self._publish(entry, InstanceState.CREATING)
        elif entry.definition.created_by != operation.operation_id:
            raise InvalidInput("name", "The instance exists already")
        async with entry.lock:
            try:
                if not entry.defined:
                    await write(entry.definition, request, self._definitions, self._key_store, operation)
                    entry.defined = True
                return await self._start(entry, operation)
            except asyncio.CancelledError:
                # The console ends. With its definition on disk the instance is found again; without it is nothing.
                if not entry.defined:
                    await self._discard(entry)
                raise
            except BaseException:  # whatever ends the creation, nothing of it stays
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
            await powered.placement.pause()
            self._powered(entry)  # it may have ended meanwhile
            return self._publish(entry, InstanceState.PAUSED)

    async def resume(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            powered = self._powered(entry)
            operation.step("resume vCPU", 0.5)
            await powered.placement.resume()
            return self._publish(entry, InstanceState.RUNNING)

    # Optional powers ------------------------------------------------------------------------------------------------

    def memory(self, instance_id: str, viewer: Viewer) -> EmbeddedMemory:
        from confvm_gui.providers.embedded.memory import EmbeddedMemory

        _, powered = self._live(instance_id)
        return EmbeddedMemory(powered.placement, viewer)

    def console(self, instance_id: str) -> SerialConsole:
        return self._get(instance_id).console

    async def query(self, instance_id: str, query: Query) -> QueryAnswer:
        entry, powered = self._live(instance_id)
        if entry.instance.state is InstanceState.PAUSED:
            raise WrongState(f"{entry.instance.name} is paused: resume it to ask it something")
        if entry.definition.guest != RECORDS or powered.mailbox is None:
            raise Unsupported(why_silent(entry.definition, powered))
        return await powered.mailbox.ask(query)

    def evidence_formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        entry = self._get(instance_id)
        if entry.powered is None or self._site is None:
            return ()
        return self._site.desk.formats(entry.powered)

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        entry, powered = self._live(instance_id)
        if entry.instance.state is InstanceState.PAUSED and form is EvidenceFormat.SNP_REPORT:
            raise WrongState(f"{entry.instance.name} is paused: resume it, so that it can ask for its report")
        return await self._require_site().desk.evidence(powered, form, nonce)

    def hosts(self) -> Sequence[HostInfo]:
        return self._site.infos() if self._site is not None else ()

    def migration_unfit(self, instance_id: str) -> str:
        from confvm_gui.providers.embedded.site import migration_unfit

        return migration_unfit(self._get(instance_id).definition)

    async def migrate(self, instance_id: str, host: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            powered = self._powered(entry)
            reason = self.migration_unfit(instance_id)
            if reason:
                raise Unsupported(reason)
            await self._require_site().migrate(powered, host, operation)
            self._powered(entry)  # it may have ended meanwhile
            return self._publish(entry, entry.instance.state)

    async def sample(self, instance_ids: Sequence[str]) -> Sequence[Sample]:
        live = [
            (entry, entry.powered)
            for instance_id in instance_ids
            if (entry := self._entries.get(instance_id)) is not None and entry.powered is not None
        ]
        if self._site is None or not live:
            return ()
        used = await used_memory([powered.placement for _, powered in live])
        samples = []
        for (entry, powered), touched in zip(live, used, strict=True):
            found = sample_of(entry, powered, touched)
            samples.append(found)
            if abs(found.cpu - entry.instance.load) > _LOAD_STEP:
                entry.instance = replace(entry.instance, load=round(found.cpu, 3))
                self._tell(Change(ChangeKind.OBSERVED, entry.instance))
        return samples

    # Inside ---------------------------------------------------------------------------------------------------------

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
            site = self._require_site()
            entry.powered = await self.kernels.power_on(site, entry.definition, hooks, operation) or await power_on(
                site.host_for(entry.definition.technology_kind),
                site.desk,
                entry.definition,
                self._definitions,
                self._key_store,
                hooks,
                operation,
                entry.power_ons,
            )
            entry.power_ons += 1
        except BaseException:  # whatever ends the start, it does not stay "starting"
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
        if self._site is not None:
            await powered.placement.arrival()
            await powered.placement.release()

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

    def _entry(self, definition: Definition, state: InstanceState) -> Entry:
        def send(data: bytes) -> bool:
            entry = self._entries.get(definition.id)
            powered = entry.powered if entry is not None and self._site is not None else None
            return powered is not None and powered.placement.type_into_console(data)

        return Entry(definition, observed(definition, state), SerialConsole(send), asyncio.Lock())

    def _publish(self, entry: Entry, state: InstanceState, reason: str = "") -> Instance:
        trust, trust_at, trust_by = entry.instance.trust, entry.instance.trust_at, entry.instance.trust_by
        if entry.definition.confidential:
            started = state is InstanceState.RUNNING and entry.instance.state is InstanceState.STARTING
            if started and entry.definition.attest:
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
            host=entry.powered.placement.machine.name if entry.powered is not None else "",
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
        return (entry := self._get(instance_id)), self._powered(entry)

    def _require_site(self) -> Site:
        if self._site is None:
            raise GuestFault("The embedded engine is switched off")
        return self._site

    async def _lasting_keys(self) -> HostKeys:
        """Those of this data directory, or new ones. Where the old cannot be had the hosts are new for this session."""
        try:
            keys = await self._host_keys.load()
        except KeyUnavailable:
            keys = self._make_keys()
            keys.stored = True  # what cannot be opened now may be opened later: it is not replaced
            return keys
        except StoreCorrupt:
            keys = None
        return keys or self._make_keys()

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
