"""What the console keeps on disk, one repository per aggregate.

Writes return at once and are committed in order by one writer; `flush` waits until everything written so far is
committed. Reads run beside it. `accept` is the exception: it returns when the intent is committed.
All raise StoreError and its subclasses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from confvm_gui.domain.approval import Approval
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord, AttestationSummary, Baseline, TcbPoint
from confvm_gui.domain.event import AuditFilter, AuditHead, AuditRecord, AuditVerdict, Event
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.operation import Operation
from confvm_gui.domain.policy import Assignment, CompliancePoint, RuleException
from confvm_gui.domain.release import BoundSecret, Challenge, SecretKind


class InstanceRepository(Protocol):
    """Last observed state of every instance of every provider, so that the fleet shows before providers answer."""

    async def all(self) -> Sequence[Instance]: ...

    def put(self, instances: Sequence[Instance]) -> None:
        """Insert or replace by id."""

    def remove(self, instance_ids: Sequence[str]) -> None: ...


class OperationRepository(Protocol):
    """The job log: intent before action."""

    async def accept(self, operations: Sequence[Operation]) -> None:
        """Commit new operations, all or none, before any of them starts. An id that exists is left as it is."""

    def update(self, operation: Operation) -> None:
        """Replace status, steps, progress, attempts, ended_at and error of an accepted operation."""

    async def unfinished(self) -> Sequence[Operation]:
        """Those not final, in the order of acceptance: what a crash left behind."""

    async def recent(self, limit: int) -> Sequence[Operation]:
        """Newest first."""

    async def creation(self, instance_id: str) -> Operation | None:
        """The CREATE that made this instance; None for a copy, and where another program made it."""


class AuditLog(Protocol):
    """Append-only, hash-chained."""

    def append(self, event: Event) -> None: ...

    async def read(
        self, *, limit: int, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> Sequence[AuditRecord]:
        """Newest first; `before` is a sequence (for paging back), `subject` an instance id, `text` is searched in
        message and action."""

    async def search(
        self, wanted: AuditFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[AuditRecord]:
        """Newest first; with `after`, a sequence, oldest first from there on. `before` is a sequence as well."""

    async def head(self) -> AuditHead:
        """The end of the log, after all that was appended so far, once that is safe from a power cut."""

    async def verify(self) -> AuditVerdict:
        """The chain of hashes; signatures are not looked at."""


class ApprovalRepository(Protocol):
    """What waits for a second person, and what became of it."""

    async def recent(self, limit: int) -> Sequence[Approval]:
        """Newest first."""

    async def unfinished(self) -> Sequence[Approval]:
        """Those that are waiting or approved, oldest first."""

    async def get(self, approval_id: str) -> Approval:
        """Raises NotFound."""

    async def put(self, approval: Approval) -> None:
        """Insert or replace by id; committed when this returns."""


class SampleRepository(Protocol):
    def append(self, samples: Sequence[Sample]) -> None: ...

    async def since(self, instance_id: str, at: float, limit: int = 10_000) -> Sequence[Sample]:
        """Oldest first. Where there are more than `limit`, every second, third … of them, evenly over the time."""

    def prune(self, before: float) -> None: ...


class EvidenceRepository(Protocol):
    """Verdicts with the evidence and endorsements that they stand on."""

    def append(self, record: AttestationRecord) -> None:
        """Keeps the newest 200 of each instance, and of files."""

    async def history(self, instance_id: str, *, limit: int = 200) -> Sequence[AttestationSummary]:
        """Newest first; "" for files."""

    async def get(self, record_id: str) -> AttestationRecord:
        """Raises NotFound, StoreCorrupt."""

    async def tcb_timeline(self, chip_id: str, *, limit: int = 500) -> Sequence[TcbPoint]:
        """What the chip reported, oldest first. Points in which nothing changed from the one before are left out."""

    async def chips(self) -> Sequence[str]:
        """Ids, in hex, of the chips that reported a TCB, the one seen last first."""

    def remove(self, instance_ids: Sequence[str]) -> None:
        """What is known of instances that are gone, baselines included."""


class BaselineRepository(Protocol):
    """One baseline for each instance and evidence format."""

    async def get(self, instance_id: str, form: EvidenceFormat) -> Baseline | None: ...

    def put(self, baseline: Baseline) -> None:
        """Insert or replace."""

    def remove(self, instance_id: str, form: EvidenceFormat) -> None: ...


class PolicyRepository(Protocol):
    """Packs of rules that administrators wrote, where packs are on, and exceptions.

    Few and small: each read gives all of them.
    """

    async def packs(self) -> Sequence[str]:
        """Canonical texts, by name and version."""

    def put_pack(self, name: str, version: int, text: str) -> None:
        """Insert or replace."""

    def remove_pack(self, name: str, version: int) -> None: ...

    async def assignments(self) -> Sequence[Assignment]:
        """In the order in which they were put."""

    def put_assignments(self, assignments: Sequence[Assignment]) -> None:
        """Replace all."""

    async def exceptions(self) -> Sequence[RuleException]:
        """Those that have ended too, the one that ends last first."""

    def put_exception(self, exception: RuleException) -> None:
        """Insert or replace by id."""


class ComplianceRepository(Protocol):
    """How the fleet stood over time."""

    def append(self, points: Sequence[CompliancePoint]) -> None:
        """Keeps the newest 2,000 moments."""

    async def history(self, kind: str, key: str, *, limit: int = 500) -> Sequence[CompliancePoint]:
        """The newest `limit`, oldest first."""


class BoundSecretRepository(Protocol):
    """Secrets that go to guests, owners' keys: wrapped, never in clear. And the nonces that ask guests for evidence.

    A secret is known by its kind and name. Whatever is written is committed when the call returns.
    """

    async def all(self, kind: SecretKind | None = None) -> Sequence[BoundSecret]:
        """Of this kind, None for any, by kind and name. Those that were revoked too."""

    async def get(self, name: str, kind: SecretKind = SecretKind.BOUND) -> BoundSecret:
        """Raises NotFound."""

    async def add(self, secret: BoundSecret) -> None:
        """Raises NameTaken; what was revoked keeps its name."""

    async def revoke(self, name: str, kind: SecretKind, at: float) -> None:
        """From `at`, seconds since the epoch; a second time changes nothing. Raises NotFound."""

    async def count(self, name: str, kind: SecretKind = SecretKind.BOUND) -> None:
        """It was given once more. Raises NotFound."""

    async def ask(self, challenge: Challenge) -> None:
        """Keep a nonce that is given out, and drop those older than LONGEST_CHALLENGE before it."""

    async def waiting(self, subject: str) -> Sequence[Challenge]:
        """Nonces of the subject that are not answered, newest first."""

    async def answer(self, nonce: bytes, subject: str, made_since: float) -> None:
        """Use the nonce up: only one of all who try gets through, and only if it was made at `made_since` or later.

        Raises NotFound.
        """


class SettingRepository(Protocol):
    """Saved searches, window layout, preferences. JSON-able values, never a secret."""

    async def load(self) -> Mapping[str, object]: ...

    def put(self, key: str, value: object) -> None: ...


class Store(Protocol):
    """One open data directory."""

    @property
    def readonly(self) -> bool:
        """True when asked for, or when another console has the data directory open."""

    @property
    def readonly_reason(self) -> str: ...

    @property
    def instances(self) -> InstanceRepository: ...

    @property
    def operations(self) -> OperationRepository: ...

    @property
    def audit(self) -> AuditLog: ...

    @property
    def approvals(self) -> ApprovalRepository: ...

    @property
    def samples(self) -> SampleRepository: ...

    @property
    def evidence(self) -> EvidenceRepository: ...

    @property
    def baselines(self) -> BaselineRepository: ...

    @property
    def policies(self) -> PolicyRepository: ...

    @property
    def compliance(self) -> ComplianceRepository: ...

    @property
    def secrets(self) -> BoundSecretRepository: ...

    @property
    def settings(self) -> SettingRepository: ...

    async def flush(self) -> None:
        """Wait until all writes so far are committed; raises the first error that one of them met."""

    async def aclose(self) -> None: ...
