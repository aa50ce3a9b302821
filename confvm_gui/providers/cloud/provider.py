"""The life of every cloud's provider: connected, kept up to date, told to whoever watches, changed one at a time.

A cloud's own provider says what it is and fills in what its service is asked: the methods that raise here
NotImplementedError. Errors come as those of `domain.errors` with the service's own wording in them. While the service
does not answer, `watch` ends with the reason and whoever follows connects again.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, NotFound, ReadOnly, Transient
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, check_labels
from confvm_gui.domain.ports.provider import Capability, Change, ChangeKind, OperationContext
from confvm_gui.providers.cloud.connection import CloudConnection
from confvm_gui.providers.cloud.console import TextConsole
from confvm_gui.providers.cloud.table import Entry, InstanceTable, Seen

_log: Final = logging.getLogger(__name__)
_PAGE: Final = 500
"""Instances that are handed over at once."""
_ON_ITS_WAY: Final = frozenset({InstanceState.RUNNING, InstanceState.CREATING, InstanceState.STARTING})
_UP: Final = frozenset({InstanceState.RUNNING, InstanceState.CRASHED})


class CloudProvider(ABC):
    """See the module. On the event loop."""

    technologies_offered: ClassVar[frozenset[Technology]]
    reasons: ClassVar[Mapping[Capability | Technology, str]]
    """Why what is not offered is not."""
    abilities: ClassVar[Capability]

    def __init__(
        self, name: str, title: str, catalog: Catalog, connection: CloudConnection[Any], *, readonly: bool
    ) -> None:
        self.table = InstanceTable(self._tell)
        self._name = name
        self._title = title
        self._catalog = catalog
        self._service = connection
        self._readonly = readonly
        self._watchers: set[asyncio.Queue[Change | ConfvmError | None]] = set()
        self._consoles: dict[str, TextConsole] = {}
        self._listed = False
        self._closed = False
        self._polling: asyncio.Task[None] | None = None
        self._known = False
        self._seen = True
        self._attended = asyncio.Event()

    # What a cloud fills in ------------------------------------------------------------------------------------------

    @abstractmethod
    async def look(self) -> None:
        """Bring the table up to date. Raises what the connection raises."""

    @abstractmethod
    async def _find(self, instance_id: str) -> Seen | None:
        """An instance of ours that the table has not, as after a crash: asked for by its label."""

    @abstractmethod
    async def _fetch(self, seen: Seen) -> Seen | None:
        """As the service has it now; None once it is gone."""

    @abstractmethod
    async def _make(self, request: LaunchRequest, operation: OperationContext) -> Seen:
        """Make the instance and start it. Nothing of it remains if this raises, but for Transient and cancellation of
        the task: then the same operation is to be called again, or its instance deleted.
        """

    @abstractmethod
    async def _do(self, seen: Seen, act: str, operation: OperationContext) -> None:
        """`start`, `stop` or `reset`, until the service has done it."""

    @abstractmethod
    async def _destroy(self, seen: Seen, operation: OperationContext) -> None:
        """Delete it with its boot disk. One that is gone is success."""

    @abstractmethod
    async def _label(self, seen: Seen, labels: Mapping[str, str], operation: OperationContext) -> None:
        """Replace its labels, but for those by which the console knows it."""

    @abstractmethod
    async def _learn(self) -> None:
        """Take what the account can choose from into the catalogue. Raises what the connection raises."""

    def _is_off(self, seen: Seen) -> bool:
        """Whether stopping it has nothing left to do."""
        return seen.instance.state is InstanceState.STOPPED

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
        """Whether the account's own catalogue has been read, or could not be: then the shipped one holds."""
        return self._known

    @property
    def trouble(self) -> str:
        return ""

    async def learnt(self) -> None:
        """Read what the account can choose from, unless that is done. What fails leaves the shipped catalogue."""
        if self._known:
            return
        try:
            await self._learn()
        except ConfvmError as error:
            _log.info("The catalogue of %s could not be read: %s", self._name, error.message)
        self._known = True

    @property
    def capabilities(self) -> Capability:
        return self.abilities

    @property
    def technologies(self) -> frozenset[Technology]:
        return self.technologies_offered

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Capability):
            return "" if what in self.abilities else self.reasons.get(what, f"{self._service.service} cannot do this")
        if what is Technology.NONE or what in self.technologies_offered:
            return ""
        return self.reasons[what]

    # Life of the provider -------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Ask the service for the account's instances once. Raises Transient, Forbidden, Unsupported, NotFound."""
        if self._listed or self._closed:
            return
        await self.look()
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
        await self._service.aclose()
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
        for start in range(0, len(everything), _PAGE):
            yield everything[start : start + _PAGE]

    def _follow(self) -> None:
        if self._polling is None or self._polling.done():
            self._polling = asyncio.get_running_loop().create_task(self._poll(), name=f"inventory of {self._name}")

    async def _poll(self) -> None:
        while True:
            await self._until_the_next_look()
            try:
                await self.look()
            except ConfvmError as error:  # of any kind: credentials may be withdrawn, a project deleted
                self._listed = False
                for queue in self._watchers:
                    queue.put_nowait(error)
                return

    def attend(self, seen: bool) -> None:
        """While nobody looks the account is asked as often as alerts need; once somebody does, at once."""
        self._seen = seen
        self._attended.set()

    async def _until_the_next_look(self) -> None:
        """One that begins while nobody looks is cut short by whoever comes."""
        while True:
            self._attended.clear()
            patience = self._service.patience
            slow = not self._seen
            with suppress(TimeoutError):
                async with asyncio.timeout(patience.unseen if slow else patience.inventory):
                    await self._attended.wait()
            if not self._attended.is_set() or (slow and self._seen):
                return

    # Operations -----------------------------------------------------------------------------------------------------

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        """Make the instance and start it; see `_make`."""
        self._require_writable()
        try:
            seen = await self._make(request, operation)
        except Transient:
            raise
        except ConfvmError:
            entry = self.table.find(operation.instance_id)
            if entry is not None:  # seen while it was being made; the service itself may have taken it back
                with suppress(ConfvmError):
                    await self._fresh(entry)
            raise
        return self._taken(seen, self.table.now()).instance

    async def start(self, instance_id: str, operation: OperationContext) -> Instance:
        """Start it; one that was suspended is resumed."""
        async with self._locked(instance_id) as entry:
            seen = await self._fresh(entry)
            if seen.instance.state not in _ON_ITS_WAY:
                operation.step("start", 0.2)
                await self._do(seen, "start", operation)
            return await self._settled(entry)

    async def stop(self, instance_id: str, operation: OperationContext) -> Instance:
        """Ask the guest to shut down; the service switches it off where it has not ended after a while."""
        async with self._locked(instance_id) as entry:
            seen = await self._fresh(entry)
            if not self._is_off(seen):
                operation.step("stop", 0.2)
                await self._do(seen, "stop", operation)
            return await self._settled(entry)

    async def reset(self, instance_id: str, operation: OperationContext) -> Instance:
        """The reset button; one that is off is started."""
        async with self._locked(instance_id) as entry:
            if entry.reset_by != operation.operation_id:
                seen = await self._fresh(entry)
                operation.step("reset", 0.2)
                await self._do(seen, "reset" if seen.instance.state in _UP else "start", operation)
                entry.reset_by = operation.operation_id
            return await self._settled(entry)

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        """Delete it with its boot disk. What an operation that broke off has made is looked for."""
        self._require_writable()
        try:
            async with self._locked(instance_id) as entry:
                operation.step("delete", 0.2)
                await self._destroy(entry.seen, operation)
                self.table.remove(instance_id)
        except NotFound:
            self.table.remove(instance_id)

    async def set_labels(self, instance_id: str, labels: Mapping[str, str], operation: OperationContext) -> Instance:
        """Replace its labels, but for those by which the console knows it. Raises InvalidInput("labels")."""
        check_labels(labels)
        async with self._locked(instance_id) as entry:
            operation.step("set labels", 0.3)
            await self._label(entry.seen, labels, operation)
            return await self._settled(entry)

    # Inside ---------------------------------------------------------------------------------------------------------

    def _console(self, instance_id: str, make: type[TextConsole]) -> TextConsole:
        """The one console of an instance. Raises NotFound."""
        if self.table.find(instance_id) is None:
            raise NotFound("This instance does not exist any more")
        console = self._consoles.get(instance_id)
        if console is None:
            console = make(self._service, lambda: self.table.find(instance_id))
            self._consoles[instance_id] = console
        return console

    @asynccontextmanager
    async def _locked(self, instance_id: str) -> AsyncIterator[Entry]:
        """The instance, to change it alone. Raises NotFound, ReadOnly."""
        self._require_writable()
        entry = self.table.find(instance_id)
        if entry is None:
            at = self.table.now()
            seen = await self._find(instance_id)
            entry = self.table.take(seen, at) if seen is not None else None
        if entry is None:
            raise NotFound(f"{self._title} has no such instance any more")
        async with entry.lock:
            if self.table.find(instance_id) is not entry:
                raise NotFound(f"{entry.instance.name} was deleted meanwhile")
            yield entry

    async def _fresh(self, entry: Entry) -> Seen:
        """As the service has it now. Raises NotFound."""
        at = self.table.now()
        seen = await self._fetch(entry.seen)
        if seen is None:
            self.table.remove(entry.instance.id)
            raise NotFound(f"{entry.instance.name} does not exist any more")
        return self._taken(seen, at).seen

    async def _settled(self, entry: Entry) -> Instance:
        """As it is once it is on its way to no other state."""
        seen = await self._fresh(entry)
        while seen.instance.state.is_transitional:
            await asyncio.sleep(self._service.patience.operation)
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
