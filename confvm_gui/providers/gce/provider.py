"""The Compute Engine provider: one project, by one account.

Errors come as those of `domain.errors` with Google's own wording in them. While the service does not answer, `watch`
ends with the reason and whoever follows connects again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, NotFound, ReadOnly, Transient
from confvm_gui.domain.instance import Instance, LaunchRequest, check_labels
from confvm_gui.domain.ports.provider import Capability, Change, ChangeKind, OperationContext
from confvm_gui.providers.gce.connection import Clients, GceConnection, Patience
from confvm_gui.providers.gce.console import SerialConsole
from confvm_gui.providers.gce.create import Body, create, delete, find_named
from confvm_gui.providers.gce.instance_read import CLOUD, OWN_LABELS, Seen, read_instance
from confvm_gui.providers.gce.inventory import Entry, InstanceTable
from confvm_gui.providers.gce.operations import request_id, to_the_end
from confvm_gui.providers.gce.polling import PAGE, Poller

_log: Final = logging.getLogger(__name__)
_TECHNOLOGIES: Final = frozenset({Technology.SEV, Technology.SEV_SNP, Technology.TDX})
_MEMORY: Final = (
    "Google's hypervisor shows nobody the memory of its guests, neither as it sees it nor in the clear; what can be "
    "known of a launch is in the instance's evidence"
)
_REASONS: Final[Mapping[Capability | Technology, str]] = {
    Technology.SEV_ES: "Compute Engine offers AMD SEV, AMD SEV-SNP and Intel TDX; SEV-ES is not among its types",
    Technology.SGX: "Compute Engine runs whole virtual machines; it offers no SGX enclaves",
    Technology.NITRO: "Nitro Enclaves are part of AWS's own hypervisor",
    Capability.PAUSE: "Compute Engine cannot suspend Confidential VMs; stop the instance instead",
    Capability.MEMORY_HYPERVISOR: _MEMORY,
    Capability.MEMORY_GUEST: _MEMORY,
    Capability.MEMORY_WRITE: "Google's hypervisor lets nobody write into the memory of its guests",
    Capability.METRICS: "Compute Engine tells of processor and memory through Cloud Monitoring, which is not read here",
    Capability.GUEST_QUERIES: "Questions are answered by the built-in records guest of the embedded engine",
    Capability.SECRET_INJECTION: "Google launches its guests itself; secrets reach them through attestation afterwards",
    Capability.ATTESTATION: "Evidence of a Google instance is given inside of it: fetch it there, and open it on the "
    "page Evidence",
    Capability.SNAPSHOT: "Snapshots of Google's disks are made in the Cloud console",
    Capability.MIGRATION: "Google itself decides on which host an instance runs",
    Capability.CLONE: "Machine images of Google instances are made in the Cloud console",
}


class GceProvider:
    """Implements Provider, HasConsole and LearnsAbilities: what it learns is the catalogue of its project."""

    def __init__(
        self,
        name: str,
        project: str,
        credentials: Callable[[], Any],
        catalog: Catalog,
        body: Body,
        *,
        title: str = "",
        readonly: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """`credentials`: called in a thread, for google.auth's object. `body`: see `create`.

        Raises InvalidInput("endpoint") for an override of the service's address that is none.
        """
        self.connection = GceConnection(project, credentials, patience=patience)
        self._name = name
        self._title = title or f"Google Cloud, project {project}"
        self._catalog = catalog
        self._body = body
        self._readonly = readonly
        self._watchers: set[asyncio.Queue[Change | ConfvmError | None]] = set()
        self._consoles: dict[str, SerialConsole] = {}
        self._listed = False
        self._closed = False
        self._polling: asyncio.Task[None] | None = None
        self._known = False
        self.table = InstanceTable(self._tell)
        self.poller = Poller(self.connection, self.table, name, catalog)

    # What it is -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._name

    @property
    def title(self) -> str:
        return self._title

    @property
    def emulated(self) -> bool:
        return False

    @property
    def readonly(self) -> bool:
        return self._readonly

    @property
    def known(self) -> bool:
        """Whether the project's own catalogue has been read, or could not be: then the shipped one holds."""
        return self._known

    @property
    def trouble(self) -> str:
        return ""

    async def learnt(self) -> None:
        """Read what the project can choose from, unless that is done. What fails leaves the shipped catalogue."""
        from confvm_gui.providers.gce import live_catalogue

        if self._known:
            return
        try:
            told = await live_catalogue.read(self.connection, self._catalog)
        except ConfvmError as error:
            _log.info("The catalogue of %s could not be read: %s", self._name, error.message)
        else:
            self._catalog.learn(
                CLOUD,
                live_catalogue.regions(self._catalog, told),
                live_catalogue.machine_types(self._catalog, told),
                live_catalogue.images(self._catalog, told, self.connection.project),
            )
        self._known = True

    @property
    def capabilities(self) -> Capability:
        return Capability.CONSOLE

    @property
    def technologies(self) -> frozenset[Technology]:
        return _TECHNOLOGIES

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Capability):
            return "" if what in self.capabilities else _REASONS.get(what, "Compute Engine cannot do this")
        if what is Technology.NONE or what in _TECHNOLOGIES:
            return ""
        return _REASONS[what]

    # Life of the provider -------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Ask the service for the project's instances once. Raises Transient, Forbidden, Unsupported, NotFound."""
        if self._listed or self._closed:
            return
        await self.poller.look()
        self._listed = True
        self._follow()

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._listed = False
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        for console in self._consoles.values():
            await console.aclose()
        await self.connection.aclose()
        for queue in self._watchers:
            queue.put_nowait(None)

    def watch(self) -> AsyncIterator[Change]:
        """Changes until closed; raises the reason when the service cannot be asked any more."""
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
        await self.connect()
        everything = [entry.instance for entry in self.table.all()]
        for start in range(0, len(everything), PAGE):
            yield everything[start : start + PAGE]

    def _follow(self) -> None:
        if self._polling is None or self._polling.done():
            self._polling = asyncio.get_running_loop().create_task(self._poll(), name=f"inventory of {self._name}")

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.connection.patience.inventory)
            try:
                await self.poller.look()
            except ConfvmError as error:  # of any kind: credentials may be withdrawn, a project deleted
                self._listed = False
                for queue in self._watchers:
                    queue.put_nowait(error)
                return

    # Operations -----------------------------------------------------------------------------------------------------

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        """Make the instance and start it; see `create.create`."""
        self._require_writable()
        try:
            found = await create(
                self.connection, request, operation, self._body, self._catalog, self.table.remove_number
            )
        except Transient:
            raise
        except ConfvmError:
            entry = self.table.find(operation.instance_id)
            if entry is not None:  # seen while it was being made; the service itself may have taken it back
                with suppress(ConfvmError):
                    await self._fresh(entry)
            raise
        return self._taken(read_instance(found, self._name, self._catalog), self.table.now()).instance

    async def start(self, instance_id: str, operation: OperationContext) -> Instance:
        """Start it; one that was suspended is resumed."""
        async with self._locked(instance_id) as entry:
            seen = await self._fresh(entry)
            if seen.status not in ("RUNNING", "PROVISIONING", "STAGING"):
                operation.step("start", 0.2)
                act = "resume" if seen.status in ("SUSPENDED", "SUSPENDING") else "start"
                await self._act(entry, act, operation)
            return await self._settled(entry)

    async def stop(self, instance_id: str, operation: OperationContext) -> Instance:
        """Ask the guest to shut down; Google switches it off where it has not ended after a while."""
        async with self._locked(instance_id) as entry:
            seen = await self._fresh(entry)
            if seen.status not in ("TERMINATED", "STOPPED"):
                operation.step("stop", 0.2)
                await self._act(entry, "stop", operation)
            return await self._settled(entry)

    async def reset(self, instance_id: str, operation: OperationContext) -> Instance:
        """The reset button; one that is off is started."""
        async with self._locked(instance_id) as entry:
            if entry.reset_by != operation.operation_id:
                seen = await self._fresh(entry)
                operation.step("reset", 0.2)
                await self._act(entry, "reset" if seen.status in ("RUNNING", "REPAIRING") else "start", operation)
                entry.reset_by = operation.operation_id
            return await self._settled(entry)

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        """Delete it with its boot disk. What an operation that broke off has made is looked for."""
        self._require_writable()
        try:
            async with self._locked(instance_id) as entry:
                operation.step("delete", 0.2)
                unique = request_id(operation.operation_id, "delete")
                await delete(self.connection, entry.instance.zone, entry.seen.number, unique)
                self.table.remove(instance_id)
        except NotFound:
            self.table.remove(instance_id)

    async def set_labels(self, instance_id: str, labels: Mapping[str, str], operation: OperationContext) -> Instance:
        """Replace its labels, but for those by which the console knows it. Raises InvalidInput("labels")."""
        check_labels(labels)
        async with self._locked(instance_id) as entry:
            found = await find_named(self.connection, entry.instance.zone, entry.seen.number)
            if found is None:
                raise NotFound(f"{entry.instance.name} does not exist any more")
            own = {key: value for key, value in found.labels.items() if key in OWN_LABELS}

            def ask(clients: Clients) -> Any:
                types = clients.types
                message = types.SetLabelsInstanceRequest(
                    project=self.connection.project,
                    zone=entry.instance.zone,
                    instance=entry.seen.number,
                    request_id=request_id(operation.operation_id, "labels"),
                    instances_set_labels_request_resource=types.InstancesSetLabelsRequest(
                        label_fingerprint=found.label_fingerprint, labels=dict(labels) | own
                    ),
                )
                return clients.instances.set_labels_unary(
                    request=message, timeout=self.connection.patience.answer, retry=None
                )

            operation.step("set labels", 0.3)
            await to_the_end(self.connection, entry.instance.zone, ask)
            return await self._settled(entry)

    def console(self, instance_id: str) -> SerialConsole:
        if self.table.find(instance_id) is None:
            raise NotFound("This instance does not exist any more")
        console = self._consoles.get(instance_id)
        if console is None:
            console = SerialConsole(self.connection, lambda: self.table.find(instance_id))
            self._consoles[instance_id] = console
        return console

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _act(self, entry: Entry, act: str, operation: OperationContext) -> None:
        """Ask for `start`, `stop`, `reset` or `resume`, and wait for its end."""

        def ask(clients: Clients) -> Any:
            message = getattr(clients.types, f"{act.capitalize()}InstanceRequest")(
                project=self.connection.project,
                zone=entry.instance.zone,
                instance=entry.seen.number,
                request_id=request_id(operation.operation_id, act),
            )
            call = getattr(clients.instances, f"{act}_unary")
            return call(request=message, timeout=self.connection.patience.answer, retry=None)

        await to_the_end(self.connection, entry.instance.zone, ask)

    @asynccontextmanager
    async def _locked(self, instance_id: str) -> AsyncIterator[Entry]:
        """The instance, to change it alone. Raises NotFound, ReadOnly."""
        self._require_writable()
        entry = self.table.find(instance_id)
        if entry is None:
            at = self.table.now()
            seen = await self.poller.find(instance_id)
            entry = self.table.take(seen, at) if seen is not None else None
        if entry is None:
            raise NotFound(f"The project {self.connection.project} has no such instance any more")
        async with entry.lock:
            if self.table.find(instance_id) is not entry:
                raise NotFound(f"{entry.instance.name} was deleted meanwhile")
            yield entry

    async def _fresh(self, entry: Entry) -> Seen:
        """As the service has it now. Raises NotFound."""
        at = self.table.now()
        found = await find_named(self.connection, entry.instance.zone, entry.seen.number)
        if found is None:
            self.table.remove(entry.instance.id)
            raise NotFound(f"{entry.instance.name} does not exist any more")
        return self._taken(read_instance(found, self._name, self._catalog), at).seen

    async def _settled(self, entry: Entry) -> Instance:
        """As it is once it is on its way to no other state."""
        seen = await self._fresh(entry)
        while seen.instance.state.is_transitional:
            await asyncio.sleep(self.connection.patience.operation)
            seen = await self._fresh(entry)
        return seen.instance

    def _taken(self, seen: Seen, at: int) -> Entry:
        entry = self.table.take(seen, at)
        if entry is None:
            raise NotFound(f"{seen.instance.name} was deleted meanwhile")
        return entry

    def _require_writable(self) -> None:
        if self._readonly:
            raise ReadOnly(f"{self._title} is opened for reading only; change that on the page Accounts")

    def _tell(self, change: Change) -> None:
        if change.kind is ChangeKind.REMOVED:
            console = self._consoles.pop(change.instance.id, None)
            if console is not None:
                console.end()
        for queue in self._watchers:
            queue.put_nowait(change)
