"""The libvirt provider: one host, reached by one connection.

Errors come as those of `domain.errors` with libvirt's own wording in them. While the connection is broken everything
but `connect` fails at once with the reason; `watch` ends with it, and whoever follows connects again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, InvalidInput, NotFound, Transient, WrongState
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.domain.ports.provider import Capability, Change, OperationContext
from confvm_gui.providers.libvirt import power
from confvm_gui.providers.libvirt.connection import LibvirtConnection, Patience
from confvm_gui.providers.libvirt.console import Consoles, DomainConsole
from confvm_gui.providers.libvirt.details import DetailsReader
from confvm_gui.providers.libvirt.events import DomainEvent, EventKind
from confvm_gui.providers.libvirt.inventory import (
    DomainTable,
    Entry,
    FollowUp,
    list_domains,
    planned,
)
from confvm_gui.providers.libvirt.metrics import Meter
from confvm_gui.providers.libvirt.whole_instances import Peers, WholeInstances
from confvm_gui.providers.libvirt.wrapped_keys import WrappedKeys

if TYPE_CHECKING:
    from confvm_gui.providers.libvirt.capabilities import HostCapabilities

STOP_SECONDS: Final = 60.0
"""How long a guest may take to shut itself down before it is switched off."""
_PAGE_OF_INSTANCES: Final = 1000
_REASONS: Final[Mapping[Capability | Technology, str]] = {
    Technology.SGX: "SGX protects enclaves inside of processes; QEMU runs virtual machines",
    Technology.NITRO: "Nitro Enclaves are part of AWS's own hypervisor",
    Capability.MEMORY_GUEST: "libvirt shows a machine's RAM as the host sees it; only the guest sees its own",
    Capability.MEMORY_WRITE: "libvirt reads a machine's RAM and does not write to it",
    Capability.GUEST_QUERIES: "Questions are answered by the built-in records guest of the embedded engine",
    Capability.SECRET_INJECTION: "Secrets are injected into SEV guests while they are launched, not afterwards",
}


def provider_name(uri: str) -> str:
    """`libvirt-SLUG` for a connection URI. Raises InvalidInput("uri")."""
    from confvm_gui.providers.libvirt.uri import parse_uri

    return f"libvirt-{parse_uri(uri).slug}"


class LibvirtProvider(WholeInstances, WrappedKeys):
    """Provider, CanPause, HasMemory, HasConsole, HasMetrics and HasEvidence; see also WholeInstances, WrappedKeys."""

    def __init__(
        self,
        name: str,
        uri: str,
        library: ImageLibrary,
        catalog: Catalog,
        *,
        patience: Patience | None = None,
        stop_seconds: float = STOP_SECONDS,
        peers: Peers = tuple,
        key_store: KeyStore | None = None,
    ) -> None:
        """`peers`: the console's providers for libvirt hosts, to which instances can be moved.
        `key_store`: who wraps the keys of disks; without, disks are plain.

        Raises InvalidInput("uri").
        """
        self.connection = LibvirtConnection(uri, patience=patience)
        self._name = name
        self._library = library
        self._catalog = catalog
        self._stop_seconds = stop_seconds
        self._peers = peers
        self._key_store = key_store
        self._watchers: set[asyncio.Queue[Change | ConfvmError | None]] = set()
        self._connecting = asyncio.Lock()
        self._listed = False
        self._closed = False
        self._host: HostCapabilities | None = None
        self._learnt = asyncio.Event()
        self.table = DomainTable(name, self._tell)
        self._details = DetailsReader(self.connection, self.table)
        self._consoles = Consoles(self.connection)
        self._meter = Meter(self.connection)
        self._beside: set[asyncio.Task[None]] = set()
        self.connection.on_event = self._on_event
        self.connection.on_lost = self._on_lost

    # What it is -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._name

    @property
    def title(self) -> str:
        return self.connection.address.title

    @property
    def emulated(self) -> bool:
        return False

    @property
    def host_capabilities(self) -> HostCapabilities | None:
        """What the host can do, read soon after it was connected."""
        return self._host

    @property
    def known(self) -> bool:
        return self._host is not None

    @property
    def trouble(self) -> str:
        return self.connection.trouble

    async def learnt(self) -> None:
        await self._learnt.wait()

    def definition(self, request: LaunchRequest) -> str:
        from confvm_gui.providers.libvirt.definition import definition_text

        if self._host is None:
            raise Transient(self.reason_unsupported(Technology.SEV))
        return definition_text(request, self._host, self._library, self._catalog, keyed=self._key_store is not None)

    @property
    def capabilities(self) -> Capability:
        shown = Capability.MEMORY_HYPERVISOR | Capability.CONSOLE | Capability.METRICS | Capability.ATTESTATION
        return shown | Capability.PAUSE | Capability.SNAPSHOT | Capability.MIGRATION | Capability.CLONE

    @property
    def technologies(self) -> frozenset[Technology]:
        return self._host.technologies if self._host is not None else frozenset()

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Capability):
            return "" if what in self.capabilities else _REASONS.get(what, "libvirt cannot do this")
        if what is Technology.NONE or what in self.technologies:
            return ""
        if what in _REASONS:
            return _REASONS[what]
        if self._host is None:
            return self.connection.trouble or f"What {self.connection.host} offers has not been read yet"
        return self._host.reason(what)

    # Life of the provider -------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect if it is not, and take the list of domains in. Raises Transient, Unsupported.

        After a failure it waits a while that grows (see LibvirtConnection.open).
        """
        await self._connected(at_once=False)

    async def _connected(self, *, at_once: bool) -> None:
        if self._listed:
            return
        await self.connection.open(at_once=at_once)
        async with self._connecting:
            if self._listed or self._closed:
                return
            self.table.listing_begins()
            rows = await self.connection.call(list_domains)
            ids = self.table.take_list(rows)
            if not self.connection.connected:  # it broke off in this moment
                raise Transient(self.connection.trouble)
            self._listed = True
            self._details.want(ids)
            self._details.start()
            self._keep(self._read_host())
            self._consoles.connected({entry.instance.id for entry in self.table.all() if entry.state.is_live})

    async def _read_host(self) -> None:
        """Beside the list, as a host takes seconds when it is asked for the first time since it was started."""
        from confvm_gui.providers.libvirt.capabilities import read_capabilities

        with suppress(ConfvmError):  # until the next connection the reason is that it is not known
            self._host = await self.connection.call(read_capabilities)
            self._learnt.set()

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._listed = False
        for task in tuple(self._beside):
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self._details.aclose()
        await self._consoles.aclose()
        await self.connection.aclose()
        for queue in self._watchers:
            queue.put_nowait(None)

    def watch(self) -> AsyncIterator[Change]:
        """Changes until closed; raises Transient with the reason when the connection breaks off."""
        queue: asyncio.Queue[Change | ConfvmError | None] = asyncio.Queue()
        if self._closed:
            queue.put_nowait(None)
        self._watchers.add(queue)
        return self._changes(queue)

    async def _changes(self, queue: asyncio.Queue[Change | ConfvmError | None]) -> AsyncIterator[Change]:
        try:
            while (change := await queue.get()) is not None:
                if isinstance(change, ConfvmError):
                    raise change
                yield change
        finally:
            self._watchers.discard(queue)

    async def instances(self) -> AsyncIterator[Sequence[Instance]]:
        await self._connected(at_once=True)
        everything = [entry.instance for entry in self.table.all()]
        for start in range(0, len(everything), _PAGE_OF_INSTANCES):
            yield everything[start : start + _PAGE_OF_INSTANCES]

    # Operations -----------------------------------------------------------------------------------------------------

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        """Make the domain with the UUID `operation.instance_id` and start it; see `create.create`."""
        from confvm_gui.providers.libvirt.create import create

        await self._connected(at_once=True)
        entry = self.table.find(operation.instance_id)
        if entry is None:
            entry = self.table.begin(planned(self._name, request, operation.instance_id, self._catalog))
        elif (made_by := await self._made_by(entry)) != operation.operation_id:
            raise InvalidInput("name", "The instance exists already" if made_by else "Another has this UUID already")
        async with entry.lock:
            self.table.set_busy(entry, InstanceState.CREATING)
            self._consoles.expect(entry.instance.id)
            try:
                ready = partial(self._consoles.ready, entry.instance.id)
                make = partial(create, before_run=ready, key_store=self._key_store)
                await make(self.connection, request, operation, self._library, self._catalog)
            except BaseException:  # whatever ends the creation, the table does not stay busy
                # What create could not undo on the host remains visible; without a domain there is nothing.
                self.table.set_busy(entry, None)
                if not entry.defined or not self.connection.connected:
                    self._forget(entry)
                raise
            return await self._settled(entry)

    async def start(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            if not entry.state.is_live:
                operation.step("start", 0.2)
                await self._start(entry, operation)
            elif entry.state is InstanceState.PAUSED:
                # An earlier call broke off while the vCPUs were held; nobody knows whether a SEV guest was verified.
                if entry.instance.confidential:
                    await self._call(power.power_off, instance_id)
                    await self._start(entry, operation)
                else:
                    await self._call(power.resume, instance_id)
            return await self._settled(entry)

    async def stop(self, instance_id: str, operation: OperationContext) -> Instance:
        """Shut the guest down as its power button does (ACPI); switch it off where it has not ended after a while.

        A guest whose vCPUs are paused cannot hear the button and is switched off at once.
        """
        async with self._locked(instance_id) as entry:
            if entry.state.is_live or entry.state is InstanceState.STOPPING:
                await self._stop(entry, operation)
            return await self._settled(entry)

    async def reset(self, instance_id: str, operation: OperationContext) -> Instance:
        """The reset button. A confidential guest, whose encrypted vCPUs cannot be reset, is launched anew."""
        async with self._locked(instance_id) as entry:
            if entry.reset_by != operation.operation_id:
                operation.step("reset", 0.2)
                if not entry.state.is_live:
                    await self._start(entry, operation)
                elif entry.instance.confidential:
                    self.table.set_busy(entry, InstanceState.STOPPING)
                    await self._call(power.power_off, instance_id)
                    await self._start(entry, operation)
                else:
                    await self._call(power.reset, instance_id)
                entry.reset_by = operation.operation_id
            return await self._settled(entry)

    async def pause(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            self._require_live(entry)
            operation.step("pause vCPUs", 0.5)
            await self._call(power.pause, instance_id)
            return await self._settled(entry)

    async def resume(self, instance_id: str, operation: OperationContext) -> Instance:
        async with self._locked(instance_id) as entry:
            self._require_live(entry)
            operation.step("resume vCPUs", 0.5)
            await self._call(power.resume, instance_id)
            return await self._settled(entry)

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        """Switch off, undefine with NVRAM, TPM state and snapshots, remove the volumes that the console made for it."""
        from confvm_gui.providers.libvirt.storage import remove_volumes

        await self._connected(at_once=True)
        try:
            async with self._locked(instance_id) as entry:
                operation.step("power off", 0.1)
                self.table.set_busy(entry, InstanceState.DELETING)
                try:
                    await self._call(power.power_off, instance_id)
                    await self._call(power.undefine, instance_id)
                except NotFound:  # a transient one has gone with its machine, or another was quicker
                    pass
                finally:
                    self.table.set_busy(entry, None)
                self._forget(entry)
        except NotFound:
            pass
        await self.connection.call(partial(remove_volumes, instance_id=instance_id))

    # Optional powers ------------------------------------------------------------------------------------------------

    def memory(self, instance_id: str, viewer: Viewer) -> MemorySource:
        from confvm_gui.providers.libvirt.memory import open_memory

        entry = self.table.get(instance_id)
        self._require_live(entry)
        return open_memory(self.connection, entry.instance, viewer)

    def console(self, instance_id: str) -> DomainConsole:
        entry = self.table.get(instance_id)
        return self._consoles.get(instance_id, live=entry.state.is_live)

    def evidence_formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        from confvm_gui.providers.libvirt.measured_boot import evidence_formats

        entry = self.table.get(instance_id)
        return evidence_formats(entry.instance, agent=entry.details is not None and entry.details.agent)

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        """See `measured_boot.boot_evidence`."""
        from confvm_gui.providers.libvirt.measured_boot import boot_evidence

        entry = self.table.get(instance_id)
        self._require_live(entry)
        return await boot_evidence(self.connection, entry.instance, form, nonce)

    async def sample(self, instance_ids: Sequence[str]) -> Sequence[Sample]:
        samples = await self._meter.sample(self._consoles.written(), instance_ids)
        for sample in samples:
            self.table.set_load(sample.instance_id, sample.cpu)
        return samples

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _call(self, work: Callable[..., None], instance_id: str) -> None:
        await self.connection.call(partial(work, instance_id=instance_id))

    async def _start(self, entry: Entry, operation: OperationContext) -> None:
        from confvm_gui.providers.libvirt.disk_keys import unlocked
        from confvm_gui.providers.libvirt.start import start

        instance_id = entry.instance.id
        details = await self._details.read(instance_id)
        self.table.set_busy(entry, InstanceState.STARTING)
        async with unlocked(self.connection, self._key_store, instance_id):
            await start(self.connection, operation, instance_id, details, self._consoles, self._library, self._catalog)

    async def _stop(self, entry: Entry, operation: OperationContext) -> None:
        instance_id = entry.instance.id
        heard = False
        if entry.state is not InstanceState.PAUSED:
            operation.step("ACPI shutdown", 0.1, f"the guest has {self._stop_seconds:g} seconds to end")
            self.table.set_busy(entry, InstanceState.STOPPING)
            heard = await self.connection.call(partial(power.request_shutdown, instance_id=instance_id))
        if heard and await self._ends(entry):
            return
        deaf = f"the guest has not ended within {self._stop_seconds:g} seconds"
        operation.step("power off", 0.7, deaf if heard else "the guest does not hear its power button")
        self.table.set_busy(entry, InstanceState.STOPPING)
        await self._call(power.power_off, instance_id)

    async def _ends(self, entry: Entry) -> bool:
        try:
            async with asyncio.timeout(self._stop_seconds):
                await self.table.until(lambda: entry.state in (InstanceState.STOPPED, InstanceState.CRASHED))
        except TimeoutError:
            return False
        return True

    async def _look(self, instance_id: str) -> Entry:
        """Ask the host for one instance and take in what it says. Raises NotFound."""
        seen, row = -1, None
        while seen != self.table.events_of(instance_id):  # an event that comes meanwhile is newer than the answer
            seen = self.table.events_of(instance_id)
            row = await self.connection.call(partial(power.look, instance_id=instance_id))
        if row is None:
            entry = self.table.find(instance_id)
            if entry is not None:
                self._forget(entry)
            raise NotFound("This instance does not exist any more")
        return self.table.take_row(row)

    async def _settled(self, entry: Entry) -> Instance:
        """The instance as the host has it after an operation."""
        entry = await self._look(entry.instance.id)
        self.table.set_busy(entry, None)
        if entry.details is None or not entry.details.machine_type:
            await self._details.read(entry.instance.id, again=True)
        if entry.state.is_live:
            self._consoles.runs(entry.instance.id)
        return entry.instance

    async def _made_by(self, entry: Entry) -> str:
        if not entry.defined:
            return ""
        return (await self._details.read(entry.instance.id, again=True)).operation_id

    def _forget(self, entry: Entry) -> None:
        self.table.remove(entry.instance.id)
        self._consoles.end(entry.instance.id)

    @staticmethod
    def _require_live(entry: Entry) -> None:
        if not entry.state.is_live:
            raise WrongState(f"{entry.instance.name} is {entry.instance.state.value}: it has no RAM and no vCPU")

    @asynccontextmanager
    async def _locked(self, instance_id: str) -> AsyncIterator[Entry]:
        """The instance, for one operation at a time. Raises NotFound, and Transient without a connection."""
        await self._connected(at_once=True)
        # What another has just made may be here before its event is.
        entry = self.table.find(instance_id) or await self._look(instance_id)
        async with entry.lock:
            if self.table.find(instance_id) is not entry:  # it may have been deleted meanwhile
                raise NotFound("This instance does not exist any more")
            try:
                yield entry
            finally:
                self.table.set_busy(entry, None)

    def _tell(self, change: Change) -> None:
        for queue in self._watchers:
            queue.put_nowait(change)

    def _on_event(self, event: DomainEvent) -> None:
        follow_up = self.table.apply(event)
        entry = self.table.find(event.instance_id)
        if entry is None:
            self._consoles.end(event.instance_id)
            return
        if event.kind is EventKind.LIFECYCLE:
            if entry.state.is_live:
                self._consoles.runs(event.instance_id)
            else:
                self._consoles.stopped(event.instance_id)
        if follow_up is FollowUp.READ_DETAILS:
            self._details.want([event.instance_id])
        elif follow_up is FollowUp.VERIFY:
            self._keep(self._verify(event.instance_id))

    async def _verify(self, instance_id: str) -> None:
        try:
            await self._look(instance_id)
        except ConfvmError:
            return  # NotFound: it has been forgotten; Transient: the next list tells

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _on_lost(self, reason: ConfvmError) -> None:
        self._listed = False
        self.table.lost(reason)
        self._consoles.lost()
        watchers = tuple(self._watchers)
        self._watchers.clear()
        for queue in watchers:
            queue.put_nowait(reason)
