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
from confvm_gui.domain.keys import KeyUse
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
    CLONE = auto()


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

    async def launched(self) -> LaunchRequest | None:
        """What the console was asked to make the instance of, as it has kept it: what its host says need not be that.

        None for an instance that another has made. Raises StoreError.
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
        """Why it cannot, in one sentence; "" where it can. NONE is a plain VM: a cloud's owner may forbid them."""

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

        Raises NotFound, WrongState (it does not run), Transient (its system is still starting), Unsupported with the
        reason, GuestFault, FirmwareError.
        """


@runtime_checkable
class HasSecretChannel(Protocol):
    """Secrets that others sealed to a guest's own key can be carried to it while it runs.

    The key is the first 32 bytes of the REPORT_DATA of its evidence.
    """

    def secret_channel_unfit(self, instance_id: str) -> str:
        """Why nothing can be handed to this instance, in one sentence; "" where it can be tried. NotFound."""

    async def hand_over(self, instance_id: str, sealed: Sequence[bytes], mailbox_key: bytes) -> None:
        """Carry what the owners released to the guest. `mailbox_key`: this console's own, if it is the one who may ask
        the guest from then on, else b"".

        Raises NotFound, WrongState, Unsupported with the reason, GuestFault, and EvidenceRefused where the guest opens
        nothing with them.
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
class LearnsAbilities(Protocol):
    """What it can do is read from its host, some time after it was connected."""

    @property
    def known(self) -> bool:
        """Whether it has been read."""

    @property
    def trouble(self) -> str:
        """Why it cannot be read now, in one sentence, or ""."""

    async def learnt(self) -> None:
        """Return once `technologies` and their reasons are those of the host. Waits while there is no connection."""


@runtime_checkable
class CanSlowDown(Protocol):
    """It is asked over and over for what has changed, and every question costs."""

    def attend(self, seen: bool) -> None:
        """Whether anybody looks. Nobody: ask as often as alerts need, once a minute or so. Again: ask at once."""


@runtime_checkable
class WritesDefinitions(Protocol):
    """Its host takes instances as text that a person can read and give to the host's own tools."""

    def definition(self, request: LaunchRequest) -> str:
        """What `request` becomes on the host; files are named as they would be there.

        Raises Transient as long as nothing is known of the host, and what a create of it would raise: Unsupported,
        InvalidInput, NotFound, CapacityExceeded.
        """


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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot of an instance."""

    name: str
    """Unique for its instance."""
    created_at: float
    """Seconds since the epoch, UTC."""
    with_memory: bool
    """Taken of the running machine, RAM included: reverting to it resumes there."""
    current: bool
    """What the instance was reverted to or taken from last."""
    parent: str = ""
    """Name of the snapshot that it follows; "" for a first one."""


@runtime_checkable
class HasSnapshots(Protocol):
    """Disks, and the RAM of what runs, can be kept and returned to."""

    async def snapshots(self, instance_id: str) -> Sequence[Snapshot]:
        """The oldest first. NotFound, Transient."""

    async def snapshot_unfit(self, instance_id: str) -> str:
        """Why no snapshot can be taken of it as it is, in one sentence; "" where it can be tried. NotFound."""

    async def take_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        """Keep it under `name`. Nothing of it remains when this raises.

        Raises NotFound, Unsupported, InvalidInput("snapshot") where there is one of this name or it is no name.
        """

    async def revert_to_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        """What the instance is and has written since is lost. NotFound."""

    async def delete_snapshot(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        """A snapshot already gone is success. NotFound for the instance."""


@runtime_checkable
class CanClone(Protocol):
    """An instance that is off can be copied with its disks."""

    async def clone_unfit(self, instance_id: str) -> str:
        """Why it cannot be cloned as it is, in one sentence; "" where it can be tried. NotFound."""

    async def clone(self, instance_id: str, name: str, operation: OperationContext) -> Instance:
        """Make the instance `operation.instance_id`, a copy of `instance_id` named `name`, and leave it off.

        Nothing of it remains when this raises: NotFound, Unsupported, NameTaken, StoreFull.
        """


@runtime_checkable
class HoldsWrappedKeys(Protocol):
    """Its instances' disks are encrypted under keys that a KeyStore wraps."""

    async def key_uses(self) -> Sequence[KeyUse]:
        """Of all instances, running or not."""

    async def rewrap(self, instance_id: str, key_ref: str, operation: OperationContext) -> None:
        """Unwrap the disk's key and wrap it under `key_ref` (the same ref: its primary version), replacing the old
        wrapping on disk in one step: a crash leaves the one or the other. NotFound, KeyUnavailable."""
