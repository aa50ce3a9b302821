"""Whoever runs instances.

Optional powers are Protocols of their own: ask with `isinstance(provider, HasMemory)` and, where the answer is no,
show `provider.reason_unsupported(capability)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Protocol, runtime_checkable

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance, LaunchRequest
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.console import Console
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.domain.query import Query, QueryAnswer


class Capability(Flag):
    """What a provider can do beyond create, start, stop, reset and delete."""

    NONE = 0
    PAUSE = auto()
    MEMORY_HYPERVISOR = auto()
    MEMORY_GUEST = auto()
    MEMORY_WRITE = auto()
    CONSOLE = auto()
    METRICS = auto()
    GUEST_QUERIES = auto()
    SECRET_INJECTION = auto()
    ATTESTATION = auto()
    SNAPSHOT = auto()
    MIGRATION = auto()


class ChangeKind(Enum):
    OBSERVED = "observed"
    """The instance is new or changed; `instance` is what it is now."""
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One observed change of one instance."""

    kind: ChangeKind
    instance: Instance
    """As it is now, or for REMOVED as it was last."""


class OperationContext(Protocol):
    """What an operation tells while it runs. Calls return at once; nothing blocks on the disk."""

    @property
    def operation_id(self) -> str: ...

    @property
    def instance_id(self) -> str:
        """The id under which a create must make its instance."""

    def step(self, name: str, progress: float, detail: str = "") -> None:
        """Report that the step `name` is reached, `progress` (0.0 to 1.0) of the whole done.

        Raises OperationCancelled when the user has asked to cancel: the provider lets it pass after undoing what
        it had done, or does not call `step` where it is too late to turn back.
        """

    async def approve(self, launch: GuestEvidence) -> None:
        """Have the evidence of a launch verified before any key is released to it; returns if it is trusted.

        Raises EvidenceRefused otherwise: the provider lets it pass after undoing the launch, and releases nothing.
        """


class Provider(Protocol):
    """A hypervisor or cloud. All methods are called on the event loop and never block it.

    Every mutating method is idempotent by `operation.operation_id`: called again after a crash it completes or
    confirms what the first call began, and never does it twice. Errors are those of `domain.errors`.
    """

    @property
    def name(self) -> str:
        """`embedded`, `libvirt`, `gce` …"""

    @property
    def title(self) -> str:
        """For people: `This computer (embedded SEV engine, emulated)`."""

    @property
    def emulated(self) -> bool: ...

    @property
    def capabilities(self) -> Capability: ...

    @property
    def technologies(self) -> frozenset[Technology]:
        """With what it can make instances confidential, without NONE."""

    def reason_unsupported(self, what: Capability | Technology) -> str:
        """Why it cannot, in one sentence; "" where it can."""

    async def connect(self) -> None: ...

    async def aclose(self) -> None:
        """Stop what must stop with the console and release everything. Safe to call twice."""

    def watch(self) -> AsyncIterator[Change]:
        """Changes from now on, until closed. Several watchers may run."""

    def instances(self) -> AsyncIterator[Sequence[Instance]]:
        """All instances, in pages."""

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        """Make the instance `operation.instance_id` and start it."""

    async def start(self, instance_id: str, operation: OperationContext) -> Instance: ...

    async def stop(self, instance_id: str, operation: OperationContext) -> Instance: ...

    async def reset(self, instance_id: str, operation: OperationContext) -> Instance: ...

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        """Remove it whatever its state; an instance already gone is success."""


@runtime_checkable
class CanPause(Protocol):
    async def pause(self, instance_id: str, operation: OperationContext) -> Instance: ...

    async def resume(self, instance_id: str, operation: OperationContext) -> Instance: ...


@runtime_checkable
class HasMemory(Protocol):
    def memory(self, instance_id: str, viewer: Viewer) -> MemorySource:
        """The instance's RAM. Raises WrongState if it is not live, Unsupported with the reason."""


@runtime_checkable
class HasConsole(Protocol):
    def console(self, instance_id: str) -> Console: ...


@runtime_checkable
class HasMetrics(Protocol):
    async def sample(self, instance_ids: Sequence[str]) -> Sequence[Sample]:
        """Current samples of those of `instance_ids` that are live, in one call."""


@runtime_checkable
class HasGuestQueries(Protocol):
    async def query(self, instance_id: str, query: Query) -> QueryAnswer:
        """Ask the records guest through its mailbox.

        Raises GuestFault when it does not answer within 10 seconds or the answer is not authentic, InvalidInput
        when the guest says that the question is wrong.
        """


@runtime_checkable
class HasEvidence(Protocol):
    """Who vouches for an instance can be asked for."""

    def evidence_formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        """What it can give of the instance as it runs now, the strongest first; empty where nothing. NotFound."""

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        """Fresh evidence that carries `nonce` (NONCE_SIZE bytes).

        Raises NotFound, WrongState (it does not run), Unsupported with the reason, GuestFault, FirmwareError.
        """


@dataclass(frozen=True, slots=True)
class HostInfo:
    """One host of a provider that has several."""

    name: str
    """`host-1`."""
    title: str
    """For people: `host 1 (emulated Genoa)`."""
    asids_left: int | None = None
    es_asids_left: int | None = None
    """For SEV-ES and SEV-SNP guests."""


@runtime_checkable
class CanMigrate(Protocol):
    """A running instance can be moved to another host without stopping it for long."""

    def hosts(self) -> Sequence[HostInfo]: ...

    def migration_unfit(self, instance_id: str) -> str:
        """Why this instance cannot be migrated, in one sentence; "" where it can be tried. NotFound."""

    async def migrate(self, instance_id: str, host: str, operation: OperationContext) -> Instance:
        """Move it to `host`. On failure it goes on running where it was.

        Raises NotFound, WrongState, Unsupported, FirmwareError (the guest's policy refuses), CapacityExceeded.
        """
