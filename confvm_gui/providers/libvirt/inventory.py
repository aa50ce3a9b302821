"""What is known of the domains of one host: from one bulk call, then from events.

The list costs one call (`list_domains`), however many domains there are; state changes come as events and cost none.
What the bulk call does not tell (technology, machine type, image, labels: they are in the domain's XML) is read lazily
by the provider, once per domain and again when an event says that the definition changed. Until then an instance has
the technology NONE with trust UNKNOWN, and no image and machine type: "not read yet" is never taken for "plain".
Everything here but `list_domains` runs on the event loop and touches no object of libvirt's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, NotFound
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.ports.provider import Change, ChangeKind
from confvm_gui.providers.libvirt.events import DomainEvent, EventKind

if TYPE_CHECKING:
    import libvirt

    from confvm_gui.catalog import Catalog

CLOUD: Final = "libvirt"
REGION: Final = "host"
ZONE: Final = "host"


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain of the bulk call."""

    id: str
    name: str
    state: int
    """virDomainState."""
    reason: int
    vcpus: int
    """0 where the host does not tell."""
    memory_mib: int


@dataclass(frozen=True, slots=True)
class DomainDetails:
    """What a domain's XML tells."""

    technology: Technology = Technology.NONE
    machine_type: str = ""
    image: str = ""
    vcpus: int = 0
    memory_mib: int = 0
    created_at: float = 0.0
    """0.0 where the console did not make it."""
    operation_id: str = ""
    """Of the create that made it; "" where another did."""
    secure_boot: bool = False
    vtpm: bool = False
    integrity_monitoring: bool = False
    agent: bool = False
    """Whether an agent is connected in the guest."""
    console: bool = True
    """Whether it has a serial port that can be opened."""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    xml: str = ""
    """The definition itself, for what is asked rarely (why a snapshot cannot be taken)."""


class FollowUp(Enum):
    """What the provider does after an event."""

    NOTHING = "nothing"
    READ_DETAILS = "read details"
    VERIFY = "verify"
    """Ask whether the domain still exists: a transient one ends with its machine, and no event says so."""


@dataclass(eq=False, slots=True)
class Entry:
    """One domain."""

    instance: Instance
    state: InstanceState
    """As libvirt says; `busy` is shown above it."""
    reason: str = ""
    busy: InstanceState | None = None
    details: DomainDetails | None = None
    defined: bool = True
    """False for a create that has not come to its definition yet."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    reset_by: str = ""
    power_ons: int = 0


class DomainTable:
    """The domains, and who is told of their changes."""

    def __init__(self, provider: str, publish: Callable[[Change], None]) -> None:
        self._provider = provider
        self._publish = publish
        self._entries: dict[str, Entry] = {}
        self._waiters: set[asyncio.Future[None]] = set()
        self._listing: list[DomainEvent] | None = None
        self._events: dict[str, int] = {}

    def all(self) -> Sequence[Entry]:
        return tuple(self._entries.values())

    def get(self, instance_id: str) -> Entry:
        """Raises NotFound."""
        try:
            return self._entries[instance_id]
        except KeyError:
            raise NotFound("This instance does not exist any more") from None

    def find(self, instance_id: str) -> Entry | None:
        return self._entries.get(instance_id)

    def events_of(self, instance_id: str) -> int:
        """How many events of it have come."""
        return self._events.get(instance_id, 0)

    # What libvirt says ----------------------------------------------------------------------------------------------

    def listing_begins(self) -> None:
        """A list is asked for; events that come before it has come are newer than it."""
        self._listing = []

    def take_list(self, rows: Sequence[DomainRow]) -> Sequence[str]:
        """Take the list in, then the events that came meanwhile; returns the ids whose details are to be read."""
        events, self._listing = self._listing or [], None
        there = {row.id for row in rows}
        for instance_id, entry in tuple(self._entries.items()):
            if instance_id not in there and entry.busy is not InstanceState.CREATING:
                self.remove(instance_id)
        for row in rows:
            self.take_row(row)
        for event in events:
            self.apply(event)
        return tuple(self._entries)

    def take_row(self, row: DomainRow) -> Entry:
        """Take in what a call says of one domain."""
        state, reason = state_of(row.state, row.reason)
        entry = self._entry(row.id, row.name, state)
        entry.state, entry.reason, entry.defined = state, reason, True
        before = entry.instance
        vcpus, memory_mib = row.vcpus or before.vcpus, row.memory_mib or before.memory_mib
        self._show(entry, replace(before, name=row.name, vcpus=vcpus, memory_mib=memory_mib))
        return entry

    def apply(self, event: DomainEvent) -> FollowUp:
        """Take an event in."""
        self._events[event.instance_id] = self._events.get(event.instance_id, 0) + 1
        if self._listing is not None:
            self._listing.append(event)
        if event.kind is not EventKind.LIFECYCLE:
            return FollowUp.NOTHING if event.kind is EventKind.REBOOT else FollowUp.READ_DETAILS
        import libvirt

        if event.event == libvirt.VIR_DOMAIN_EVENT_DEFINED:
            entry = self._entry(event.instance_id, event.name, InstanceState.STOPPED)
            entry.defined = True
            self._show(entry, replace(entry.instance, name=event.name))
            return FollowUp.READ_DETAILS
        if event.event == libvirt.VIR_DOMAIN_EVENT_UNDEFINED:
            found = self._entries.get(event.instance_id)
            if event.detail == libvirt.VIR_DOMAIN_EVENT_UNDEFINED_RENAMED or found is None:
                return FollowUp.NOTHING
            if found.state.is_live or found.state is InstanceState.STOPPING:
                return FollowUp.NOTHING  # it runs on without a definition; its end is an event of its own
            self.remove(event.instance_id)
            return FollowUp.NOTHING
        state = _state_after(event)
        if state is None:
            return FollowUp.NOTHING
        known = event.instance_id in self._entries
        entry = self._entry(event.instance_id, event.name, state[0])
        if event.event == libvirt.VIR_DOMAIN_EVENT_STARTED:
            entry.power_ons += 1
        entry.state, entry.reason, entry.defined = state[0], state[1], True
        self._show(entry)
        if event.event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            return FollowUp.VERIFY
        return FollowUp.NOTHING if known else FollowUp.READ_DETAILS

    def take_details(self, instance_id: str, details: DomainDetails) -> None:
        entry = self._entries.get(instance_id)
        if entry is None:
            return
        entry.details = details
        confidential = details.technology is not Technology.NONE
        trust = entry.instance.trust
        if not confidential:
            trust = Trust.NOT_APPLICABLE
        elif trust is Trust.NOT_APPLICABLE:
            trust = Trust.UNKNOWN
        known = replace(
            entry.instance,
            technology=details.technology,
            machine_type=details.machine_type,
            image=details.image,
            vcpus=details.vcpus or entry.instance.vcpus,
            memory_mib=details.memory_mib or entry.instance.memory_mib,
            created_at=details.created_at or entry.instance.created_at,
            secure_boot=details.secure_boot,
            vtpm=details.vtpm,
            integrity_monitoring=details.integrity_monitoring,
            labels=details.labels,
            trust=trust,
        )
        self._show(entry, known)

    def remove(self, instance_id: str) -> None:
        entry = self._entries.pop(instance_id, None)
        if entry is not None:
            self._publish(Change(ChangeKind.REMOVED, entry.instance))
            self._wake()

    # What the console does ------------------------------------------------------------------------------------------

    def begin(self, instance: Instance) -> Entry:
        """A create is about to make this instance."""
        entry = Entry(instance, InstanceState.STOPPED, busy=InstanceState.CREATING, defined=False)
        self._entries[instance.id] = entry
        self._publish(Change(ChangeKind.OBSERVED, instance))
        return entry

    def set_busy(self, entry: Entry, busy: InstanceState | None) -> Instance:
        """Show that the console is at it, or what libvirt says again."""
        entry.busy = busy
        self._show(entry)
        return entry.instance

    def set_load(self, instance_id: str, load: float) -> None:
        entry = self._entries.get(instance_id)
        if entry is not None and abs(load - entry.instance.load) > 0.01:
            self._show(entry, replace(entry.instance, load=round(load, 3)))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition, looked at after every change, holds. Raises why the connection broke off."""
        while not condition():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def lost(self, reason: ConfvmError) -> None:
        """No more events will come: nobody waits in vain."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(reason)

    # Inside ---------------------------------------------------------------------------------------------------------

    def _entry(self, instance_id: str, name: str, state: InstanceState) -> Entry:
        entry = self._entries.get(instance_id)
        if entry is None:
            instance = Instance(
                id=instance_id,
                name=name,
                provider=self._provider,
                cloud=CLOUD,
                region=REGION,
                zone=ZONE,
                machine_type="",
                image="",
                technology=Technology.NONE,
                state=InstanceState.CREATING,  # so that the first `_show` differs and is told
                vcpus=0,
                memory_mib=0,
                created_at=time.time(),
            )
            entry = self._entries[instance_id] = Entry(instance, state)
        return entry

    def _show(self, entry: Entry, known: Instance | None = None) -> None:
        """Show the entry, of which `known` (by default what is shown already) tells all but its state."""
        known = known or entry.instance
        state = entry.busy or entry.state
        shown = replace(
            known,
            state=state,
            state_reason=entry.reason if entry.busy is None else "",
            host=self._provider if entry.state.is_live else "",
            load=known.load if state is InstanceState.RUNNING else 0.0,
        )
        self._wake()  # also where what is shown hides the change, as while the console is at it
        if shown == entry.instance:
            return
        entry.instance = shown
        if self._entries.get(shown.id) is not entry:
            return  # gone meanwhile
        self._publish(Change(ChangeKind.OBSERVED, shown))

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


def planned(provider: str, request: LaunchRequest, instance_id: str, catalog: Catalog) -> Instance:
    """The instance that a create is about to make."""
    machine = catalog.machine_type(CLOUD, request.machine_type)
    return Instance(
        id=instance_id,
        name=request.name,
        provider=provider,
        cloud=request.cloud,
        region=request.region,
        zone=request.zone,
        machine_type=request.machine_type,
        image=request.image,
        technology=request.technology,
        state=InstanceState.CREATING,
        vcpus=machine.vcpus,
        memory_mib=machine.memory_mib,
        created_at=time.time(),
        secure_boot=request.secure_boot,
        vtpm=request.vtpm,
        integrity_monitoring=request.vtpm and request.integrity_monitoring,
        labels=request.labels,
    )


def list_domains(conn: libvirt.virConnect) -> Sequence[DomainRow]:
    """All domains, running or not, by one call. Blocks.

    NOWAIT has libvirt leave out what a domain that is busy would have to be waited for.
    """
    import libvirt

    wanted = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_BALLOON | libvirt.VIR_DOMAIN_STATS_VCPU
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    return [row_of(domain, figures) for domain, figures in conn.getAllDomainStats(wanted, flags)]


def row_of(domain: libvirt.virDomain, figures: Mapping[str, object]) -> DomainRow:
    """One pair of the bulk call; asks the host nothing."""

    def number(key: str) -> int:
        value = figures.get(key, 0)
        return value if isinstance(value, int) else 0

    return DomainRow(
        id=domain.UUIDString().replace("-", ""),
        name=domain.name(),
        state=number("state.state"),
        reason=number("state.reason"),
        vcpus=number("vcpu.current"),
        memory_mib=number("balloon.maximum") >> 10,
    )


def state_of(state: int, reason: int) -> tuple[InstanceState, str]:
    """virDomainState and its reason in the console's words."""
    import libvirt

    if state in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_BLOCKED):
        return InstanceState.RUNNING, ""
    if state == libvirt.VIR_DOMAIN_PAUSED:
        return InstanceState.PAUSED, _PAUSED.get(reason, "")
    if state == libvirt.VIR_DOMAIN_PMSUSPENDED:
        return InstanceState.PAUSED, "the guest has suspended itself"
    if state == libvirt.VIR_DOMAIN_SHUTDOWN:
        return InstanceState.STOPPING, ""
    if state == libvirt.VIR_DOMAIN_CRASHED:
        return InstanceState.CRASHED, "the guest crashed"
    if state == libvirt.VIR_DOMAIN_SHUTOFF and reason == libvirt.VIR_DOMAIN_SHUTOFF_CRASHED:
        return InstanceState.CRASHED, "the guest crashed"
    if state == libvirt.VIR_DOMAIN_SHUTOFF and reason == libvirt.VIR_DOMAIN_SHUTOFF_FAILED:
        return InstanceState.CRASHED, "QEMU ended or could not be started"
    return InstanceState.STOPPED, ""


_PAUSED: Final[Mapping[int, str]] = {
    2: "being migrated",
    3: "being saved",
    4: "being dumped",
    5: "a disk of the host failed or is full",
    6: "the guest's watchdog fired",
    8: "shutting down",
    9: "a snapshot is being taken",
    10: "the guest crashed and is held",
    11: "being started",
    12: "being migrated",
    13: "its migration failed",
    14: "its migration failed",
}
"""virDomainPausedReason; being paused by an administrator needs no words."""


def _state_after(event: DomainEvent) -> tuple[InstanceState, str] | None:
    import libvirt

    kind, detail = event.event, event.detail
    if kind in (libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_RESUMED):
        return InstanceState.RUNNING, ""
    if kind == libvirt.VIR_DOMAIN_EVENT_SUSPENDED:
        failed = detail == libvirt.VIR_DOMAIN_EVENT_SUSPENDED_IOERROR
        return InstanceState.PAUSED, "a disk of the host failed or is full" if failed else ""
    if kind == libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED:
        return InstanceState.PAUSED, "the guest has suspended itself"
    if kind == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN:
        return InstanceState.STOPPING, ""
    if kind == libvirt.VIR_DOMAIN_EVENT_CRASHED:
        return InstanceState.CRASHED, "the guest crashed"
    if kind == libvirt.VIR_DOMAIN_EVENT_STOPPED:
        if detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED:
            return InstanceState.CRASHED, "the guest crashed"
        if detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED:
            return InstanceState.CRASHED, "QEMU ended or could not be started"
        return InstanceState.STOPPED, ""
    return None
