"""One session of the console: the use cases over one data directory and its providers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from confvm_gui.catalog import Catalog
from confvm_gui.domain.approval import Approval
from confvm_gui.domain.errors import BugError, Forbidden, Unsupported, WrongState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.ports.console import Console
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.domain.ports.provider import (
    CanSlowDown,
    Capability,
    HasConsole,
    HasGuestQueries,
    HasMemory,
    Provider,
)
from confvm_gui.domain.ports.repositories import Store
from confvm_gui.domain.query import Query, QueryAnswer, QueryVerb
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.accounts import Accounts
from confvm_gui.fleet.approvals.service import Approvals
from confvm_gui.fleet.attest.monitor import IntegrityMonitor
from confvm_gui.fleet.attest.service import Attestations
from confvm_gui.fleet.audit.forwarding import Forwarding
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.guard.service import Guardrails
from confvm_gui.fleet.hosts import Hosts
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.jobs import Jobs
from confvm_gui.fleet.metrics import MetricsFeed
from confvm_gui.fleet.recorded import RecordedConsole
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.settings import Settings

if TYPE_CHECKING:
    from confvm_gui.fleet.audit.checkpoints import Checkpointer
    from confvm_gui.fleet.exposure.service import Exposures
    from confvm_gui.fleet.keys import Keys
    from confvm_gui.fleet.release.broker import SecretBroker
    from confvm_gui.fleet.release.sharing import DataSharing


@dataclass(slots=True)
class FleetSession:
    """What a window or a command line works with."""

    catalog: Catalog
    providers: Mapping[str, Provider]
    inventory: Inventory
    jobs: Jobs
    events: EventFeed
    metrics: MetricsFeed
    attestations: Attestations
    integrity: IntegrityMonitor
    guard: Guardrails
    settings: Settings
    access: Access
    """What the present user may do here."""
    approvals: Approvals
    forwarding: Forwarding
    """Where the audit log is sent to."""
    store: Store
    readonly: bool
    readonly_reason: str
    data_dir: Path
    find_key_protection: Callable[[], Awaitable[str]] | None = None
    """Asks how the local wrapping key is kept."""
    key_protection: str = ""
    """The answer, in words for people; "" until `connect` has it."""
    open_endorsements: Callable[[], EndorsementCache] | None = None
    """Makes the cache of endorsements, when it is first asked for."""
    images: ImageLibrary | None = None
    """What libvirt hosts boot from; None where there is no library."""
    hosts: Hosts | None = None
    """The libvirt hosts that are connected; None where there can be none."""
    accounts: Accounts | None = None
    """The accounts in clouds; None where there can be none."""
    keys: Keys | None = None
    """The keys that wrap others; None where there are no stores of them."""
    broker: SecretBroker | None = None
    """Secrets for guests that prove what they are; None where there are no keys to keep them under."""
    sharing: DataSharing | None = None
    """Data of several owners; None as for `broker`."""
    checkpoints: Checkpointer | None = None
    """Signs the audit log; None where there is no key, or nothing is written."""
    _endorsements: EndorsementCache | None = None
    _exposures: Exposures | None = None
    _providers: dict[str, Provider] = field(default_factory=dict)
    _connected: bool = False
    _seen: bool = True
    _plaintext_refused: set[str] = field(default_factory=set)

    @classmethod
    async def begin(
        cls, catalog: Catalog, providers: Mapping[str, Provider], store: Store, data_dir: Path, *, via: str = "cli"
    ) -> FleetSession:
        """Load what is on disk. Nothing is connected yet: see `connect`. `via` is `window` or `cli`.

        Raises InvalidInput("roles") where the roles of the data directory cannot be read, StoreError.
        """
        known = dict(providers)  # one for all parts: a provider that is added or removed is so everywhere
        providers = known
        readonly = store.readonly
        events = EventFeed(store.audit, readonly=readonly, via=via)
        access = await asyncio.to_thread(Access.of_directory, data_dir, events)
        events.require_readable = lambda: access.require(Permission.READ_AUDIT)
        approvals = Approvals(store.approvals, access, events, data_dir, readonly_reason=store.readonly_reason)
        settings = Settings(
            store.settings, await store.settings.load(), readonly=readonly, access=access, events=events
        )
        inventory = Inventory(providers, store.instances, events, readonly=readonly)
        await inventory.load()
        attestations = Attestations(
            providers,
            inventory,
            store.evidence,
            store.baselines,
            events,
            settings,
            readonly_reason=store.readonly_reason,
        )
        guard = Guardrails(
            catalog,
            providers,
            inventory,
            store,
            events,
            settings,
            access,
            approvals,
            readonly_reason=store.readonly_reason,
        )
        await guard.load()
        attestations.changes.subscribe(guard.note_attestation)
        jobs = Jobs(
            catalog,
            providers,
            inventory,
            store.operations,
            events,
            readonly_reason=store.readonly_reason,
            approve=attestations.approve,
            allow=guard.require_allowed,
        )
        jobs.approvals = approvals
        await jobs.load()
        session = cls(
            catalog=catalog,
            providers=providers,
            inventory=inventory,
            jobs=jobs,
            events=events,
            metrics=MetricsFeed(providers, inventory, store.samples, readonly=readonly),
            attestations=attestations,
            integrity=IntegrityMonitor(attestations, inventory, events),
            guard=guard,
            settings=settings,
            access=access,
            approvals=approvals,
            forwarding=Forwarding(
                store.audit, settings, access, events, data_dir, readonly_reason=store.readonly_reason
            ),
            store=store,
            readonly=readonly,
            readonly_reason=store.readonly_reason,
            data_dir=data_dir,
            _providers=known,
        )
        attestations.find_endorsements = lambda: session.endorsements
        attestations.access = access
        approvals.on_approved("instance.delete", session._delete_approved)
        return session

    @property
    def endorsements(self) -> EndorsementCache | None:
        """Where endorsements are kept and fetched; None where there is no such place."""
        if self._endorsements is None and self.open_endorsements is not None:
            self._endorsements = self.open_endorsements()
        return self._endorsements

    @property
    def exposures(self) -> Exposures:
        """Exposure scans and their last results, one service for the whole session."""
        if self._exposures is None:
            # Brings numpy: only for who scans, not for every start.
            from confvm_gui.fleet.exposure.service import Exposures

            self._exposures = Exposures(self)
            self._exposures.changes.subscribe(self.guard.note_exposure)
        return self._exposures

    async def connect(self) -> None:
        """Follow the providers, sample, and take up what an earlier run left unfinished.

        A read-only session follows the store instead: another console runs the instances and writes what it sees.
        """
        if self.readonly:
            self.inventory.follow_store()
            return
        self._connected = True
        if self.checkpoints is not None:
            self.checkpoints.start()
        self.inventory.connect()
        self.metrics.start()
        self.guard.start()
        await self.jobs.take_up_unfinished()
        if self.keys is not None:
            self.keys.start()
        self.approvals.start()
        await self.forwarding.start()
        if self.find_key_protection is not None:
            self.key_protection = await self.find_key_protection()

    def attend(self, seen: bool) -> None:
        """Whether anybody looks at the window: providers that are asked over and over are asked less often if not."""
        self._seen = seen
        for provider in self._providers.values():
            if isinstance(provider, CanSlowDown):
                provider.attend(seen)

    async def add_provider(self, provider: Provider) -> None:
        """Work with one more provider from now on; what an earlier run left unfinished with it is taken up.

        A session that is not connected yet, or only reads, shows what is known of it and asks it nothing.
        """
        if provider.name in self._providers:
            raise BugError(f"There are two providers named {provider.name}")
        self._providers[provider.name] = provider
        if isinstance(provider, CanSlowDown):
            provider.attend(self._seen)
        await self.inventory.add(provider.name, follow=self._connected)
        if self._connected:
            await self.jobs.take_up_unfinished(provider.name)

    async def remove_provider(self, name: str) -> None:
        """Work with it no longer; its instances stay where they are, and are not shown any more.

        Raises WrongState while operations are under way there.
        """
        self.jobs.require_idle(name)
        provider = self._providers[name]
        await self.inventory.drop(name)
        del self._providers[name]
        await provider.aclose()

    def memory(self, instance_id: str, viewer: Viewer) -> MemorySource:
        """The instance's RAM. Raises NotFound, WrongState, Unsupported with the provider's reason, Forbidden."""
        provider = self._provider_of(instance_id)
        if viewer is Viewer.GUEST and self.inventory.get(instance_id).confidential:
            self._require_plaintext(instance_id)
        if not isinstance(provider, HasMemory):
            wanted = Capability.MEMORY_GUEST if viewer is Viewer.GUEST else Capability.MEMORY_HYPERVISOR
            raise Unsupported(provider.reason_unsupported(wanted))
        return provider.memory(instance_id, viewer)

    def console(self, instance_id: str) -> Console:
        """The instance's serial console. Raises NotFound, Unsupported, Forbidden."""
        provider = self._provider_of(instance_id)
        self.access.require(Permission.ASK_GUEST, subject=instance_id)
        if not isinstance(provider, HasConsole):
            raise Unsupported(provider.reason_unsupported(Capability.CONSOLE))
        return RecordedConsole(provider.console(instance_id), self.inventory.get(instance_id), self.events)

    async def query(self, instance_id: str, query: Query) -> QueryAnswer:
        """Ask the guest. Raises NotFound, WrongState, Unsupported, GuestFault, InvalidInput, Forbidden."""
        provider = self._provider_of(instance_id)
        self.access.require(Permission.ASK_GUEST, subject=instance_id)
        if not isinstance(provider, HasGuestQueries):
            raise Unsupported(provider.reason_unsupported(Capability.GUEST_QUERIES))
        answer = await provider.query(instance_id, query)
        if query.verb is not QueryVerb.STATUS:  # which is asked by the window itself, every second
            name = self.inventory.get(instance_id).name
            # Not what was asked for, and not the answer: both are of the guest's secrets.
            detail = {"verb": query.verb.value, "column": query.column}
            self.events.record("guest.query", f"{name} was asked a question", subject=instance_id, detail=detail)
        return answer

    async def aclose(self) -> None:
        """End the session: jobs first, then who asks the providers, the providers, who watches them, the store last.

        All are ended, whatever one of them raises. Safe to call twice.
        """
        self._connected = False
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.store.aclose)
            if self.checkpoints is not None:
                stack.push_async_callback(self.checkpoints.aclose)
            stack.push_async_callback(self.inventory.aclose)
            for provider in tuple(self.providers.values()):
                stack.push_async_callback(provider.aclose)
            stack.push_async_callback(self.metrics.aclose)
            if self.keys is not None:
                stack.push_async_callback(self.keys.aclose)
            stack.push_async_callback(self.integrity.aclose)
            stack.push_async_callback(self.guard.aclose)
            stack.push_async_callback(self.jobs.aclose)
            stack.push_async_callback(self.approvals.aclose)
            stack.push_async_callback(self.forwarding.aclose)

    async def _delete_approved(self, approval: Approval) -> None:
        """Delete the instance that two people want to be deleted, to the end. Raises what the jobs raise."""
        (deletion,) = await self.jobs.act(OperationKind.DELETE, [approval.subject], approved=True)
        ended = await self.jobs.wait(deletion.id)
        if ended.status is not OperationStatus.SUCCEEDED:
            raise WrongState(ended.error or f"The deletion of {ended.instance_name} ended: {ended.status.value}")

    def _require_plaintext(self, instance_id: str) -> None:
        """The first refusal for an instance is an event; panels ask for both views each time that they open."""
        reason = self.access.reason_denied(Permission.VIEW_PLAINTEXT)
        if reason and instance_id in self._plaintext_refused:
            raise Forbidden(reason)
        if reason:
            self._plaintext_refused.add(instance_id)
        self.access.require(Permission.VIEW_PLAINTEXT, subject=instance_id)

    def _provider_of(self, instance_id: str) -> Provider:
        instance = self.inventory.get(instance_id)
        if self.readonly:
            raise Unsupported(f"{self.readonly_reason}: what runs in {instance.name} is not seen from here")
        return self.providers[instance.provider]
