"""A FleetSession over a FakeProvider and a store in memory: the real fleet layer, with nothing on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.approval import Approval
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord, AttestationSummary, Baseline, TcbPoint
from confvm_gui.domain.errors import NameTaken, NotFound
from confvm_gui.domain.event import AuditFilter, AuditHead, AuditRecord, AuditVerdict, Event
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.operation import Operation, OperationKind
from confvm_gui.domain.policy import Assignment, CompliancePoint, RuleException
from confvm_gui.domain.release import BoundSecret, Challenge, SecretKind
from confvm_gui.fleet.attest.service import summary_of
from confvm_gui.fleet.session import FleetSession
from tests.support.fake_provider import FakeProvider


class MemoryInstances:
    def __init__(self, instances: Sequence[Instance]) -> None:
        self.kept = {instance.id: instance for instance in instances}

    async def all(self) -> Sequence[Instance]:
        return tuple(self.kept.values())

    def put(self, instances: Sequence[Instance]) -> None:
        self.kept.update({instance.id: instance for instance in instances})

    def remove(self, instance_ids: Sequence[str]) -> None:
        for instance_id in instance_ids:
            self.kept.pop(instance_id, None)


class MemoryOperations:
    def __init__(self) -> None:
        self.kept: dict[str, Operation] = {}

    async def accept(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            self.kept.setdefault(operation.id, operation)

    def update(self, operation: Operation) -> None:
        self.kept[operation.id] = operation

    async def unfinished(self) -> Sequence[Operation]:
        return [operation for operation in self.kept.values() if not operation.status.is_final]

    async def recent(self, limit: int) -> Sequence[Operation]:
        return list(reversed(self.kept.values()))[:limit]

    async def creation(self, instance_id: str) -> Operation | None:
        creations = (one for one in self.kept.values() if one.kind is OperationKind.CREATE)
        return next((one for one in creations if one.instance_id == instance_id), None)


class MemoryAudit:
    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.broken_at: int | None = None
        """Set by a test that wants a chain that does not hold."""

    def append(self, event: Event) -> None:
        before = self.records[-1].hash if self.records else "0" * 64
        digest = hashlib.sha256(f"{before}{event.action}{event.message}".encode()).hexdigest()
        self.records.append(AuditRecord(len(self.records) + 1, event, before, digest))

    async def read(
        self, *, limit: int, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> Sequence[AuditRecord]:
        return await self.search(AuditFilter(subject=subject, text=text), limit=limit, before=before)

    async def search(
        self, wanted: AuditFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[AuditRecord]:
        found = [
            record
            for record in (reversed(self.records) if after is None else self.records[max(0, after) :])
            if (before is None or record.sequence < before)
            and (wanted.subject is None or record.event.subject == wanted.subject)
            and (wanted.since is None or record.event.at >= wanted.since)
            and (wanted.until is None or record.event.at < wanted.until)
            and wanted.actor in ("", record.event.actor)
            and (not wanted.severities or record.event.severity in wanted.severities)
            and (not wanted.outcomes or record.event.outcome in wanted.outcomes)
            and record.event.action.startswith(wanted.action)
            and (wanted.text.lower() in f"{record.event.message} {record.event.action}".lower())
        ]
        return found[:limit]

    async def head(self) -> AuditHead:
        return AuditHead(len(self.records), self.records[-1].hash if self.records else "0" * 64)

    async def verify(self) -> AuditVerdict:
        head = self.records[-1].hash if self.records else ""
        if self.broken_at is not None:
            return AuditVerdict(False, len(self.records), self.broken_at, "the hash does not fit", "")
        return AuditVerdict(True, len(self.records), None, "", head)


class MemorySamples:
    def __init__(self) -> None:
        self.kept: list[Sample] = []

    def append(self, samples: Sequence[Sample]) -> None:
        self.kept.extend(samples)

    async def since(self, instance_id: str, at: float, limit: int = 10_000) -> Sequence[Sample]:
        return [sample for sample in self.kept if sample.instance_id == instance_id and sample.at >= at][-limit:]

    def prune(self, before: float) -> None:
        self.kept = [sample for sample in self.kept if sample.at >= before]


class MemoryEvidence:
    def __init__(self) -> None:
        self.kept: list[AttestationRecord] = []

    def append(self, record: AttestationRecord) -> None:
        self.kept.append(record)

    async def history(self, instance_id: str, *, limit: int = 200) -> Sequence[AttestationSummary]:
        found = [summary_of(record) for record in reversed(self.kept) if record.instance_id == instance_id]
        return found[:limit]

    async def get(self, record_id: str) -> AttestationRecord:
        for record in self.kept:
            if record.id == record_id:
                return record
        raise NotFound("This verdict is not kept any more")

    async def tcb_timeline(self, chip_id: str, *, limit: int = 500) -> Sequence[TcbPoint]:
        points: list[TcbPoint] = []
        for record in self.kept:
            claims = record.verdict.claim_values()
            if claims.get("chip_id") == chip_id:
                point = {
                    name.removeprefix("reported_tcb."): value
                    for name, value in claims.items()
                    if name.startswith("reported_tcb.") and isinstance(value, int)
                }
                if not points or points[-1].reported != point:
                    points.append(TcbPoint(chip_id, record.at, point, point, point, record.instance_id))
        return points[-limit:]

    async def chips(self) -> Sequence[str]:
        found = [str(record.verdict.claim("chip_id")) for record in reversed(self.kept)]
        return [chip for chip in dict.fromkeys(found) if chip != "None"]

    def remove(self, instance_ids: Sequence[str]) -> None:
        self.kept = [record for record in self.kept if record.instance_id not in instance_ids]


class MemoryBaselines:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, EvidenceFormat], Baseline] = {}

    async def get(self, instance_id: str, form: EvidenceFormat) -> Baseline | None:
        return self.kept.get((instance_id, form))

    def put(self, baseline: Baseline) -> None:
        self.kept[baseline.instance_id, baseline.format] = baseline

    def remove(self, instance_id: str, form: EvidenceFormat) -> None:
        self.kept.pop((instance_id, form), None)


class MemoryPolicies:
    def __init__(self) -> None:
        self.texts: dict[tuple[str, int], str] = {}
        self.switched: Sequence[Assignment] = ()
        self.granted: dict[str, RuleException] = {}

    async def packs(self) -> Sequence[str]:
        return [self.texts[key] for key in sorted(self.texts)]

    def put_pack(self, name: str, version: int, text: str) -> None:
        self.texts[name, version] = text

    def remove_pack(self, name: str, version: int) -> None:
        self.texts.pop((name, version), None)

    async def assignments(self) -> Sequence[Assignment]:
        return self.switched

    def put_assignments(self, assignments: Sequence[Assignment]) -> None:
        self.switched = tuple(assignments)

    async def exceptions(self) -> Sequence[RuleException]:
        return sorted(self.granted.values(), key=lambda one: -one.until)

    def put_exception(self, exception: RuleException) -> None:
        self.granted[exception.id] = exception


class MemoryCompliance:
    def __init__(self) -> None:
        self.kept: list[CompliancePoint] = []

    def append(self, points: Sequence[CompliancePoint]) -> None:
        self.kept.extend(points)

    async def history(self, kind: str, key: str, *, limit: int = 500) -> Sequence[CompliancePoint]:
        return [point for point in self.kept if (point.kind, point.key) == (kind, key)][-limit:]


class MemoryApprovals:
    def __init__(self) -> None:
        self.kept: dict[str, Approval] = {}

    async def recent(self, limit: int) -> Sequence[Approval]:
        return sorted(self.kept.values(), key=lambda one: -one.asked_at)[:limit]

    async def unfinished(self) -> Sequence[Approval]:
        return [one for one in self.kept.values() if not one.status.is_final]

    async def get(self, approval_id: str) -> Approval:
        if approval_id not in self.kept:
            raise NotFound(f"There is no request {approval_id!r}")
        return self.kept[approval_id]

    async def put(self, approval: Approval) -> None:
        self.kept[approval.id] = approval


class MemorySecrets:
    def __init__(self) -> None:
        self.kept: dict[tuple[SecretKind, str], BoundSecret] = {}
        self.asked: dict[bytes, Challenge] = {}

    async def all(self, kind: SecretKind | None = None) -> Sequence[BoundSecret]:
        found = sorted(self.kept.values(), key=lambda one: (one.kind.value, one.name))
        return [one for one in found if kind in (None, one.kind)]

    async def get(self, name: str, kind: SecretKind = SecretKind.BOUND) -> BoundSecret:
        if (kind, name) not in self.kept:
            raise NotFound(f"There is no secret {name!r}")
        return self.kept[kind, name]

    async def add(self, secret: BoundSecret) -> None:
        if (secret.kind, secret.name) in self.kept:
            raise NameTaken("name", f"There is a secret {secret.name!r} already; choose another name")
        self.kept[secret.kind, secret.name] = secret

    async def revoke(self, name: str, kind: SecretKind, at: float) -> None:
        secret = await self.get(name, kind)
        self.kept[kind, name] = replace(secret, revoked_at=secret.revoked_at or at)

    async def count(self, name: str, kind: SecretKind = SecretKind.BOUND) -> None:
        secret = await self.get(name, kind)
        self.kept[kind, name] = replace(secret, given=secret.given + 1)

    async def ask(self, challenge: Challenge) -> None:
        self.asked[challenge.nonce] = challenge

    async def waiting(self, subject: str) -> Sequence[Challenge]:
        return sorted((one for one in self.asked.values() if one.subject == subject), key=lambda one: -one.made_at)

    async def answer(self, nonce: bytes, subject: str, made_since: float) -> None:
        found = self.asked.get(nonce)
        if found is None or found.subject != subject or found.made_at < made_since:
            raise NotFound("This nonce was not given out for this, is too old, or was answered before")
        del self.asked[nonce]


class MemorySettings:
    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = dict(values)

    async def load(self) -> Mapping[str, object]:
        return dict(self.values)

    def put(self, key: str, value: object) -> None:
        self.values[key] = value


class MemoryStore:
    """domain.ports.repositories.Store in memory."""

    def __init__(
        self,
        instances: Sequence[Instance] = (),
        settings: Mapping[str, object] | None = None,
        readonly_reason: str = "",
    ) -> None:
        self.readonly_reason = readonly_reason
        self.readonly = bool(readonly_reason)
        self.instances = MemoryInstances(instances)
        self.operations = MemoryOperations()
        self.audit = MemoryAudit()
        self.approvals = MemoryApprovals()
        self.secrets = MemorySecrets()
        self.samples = MemorySamples()
        self.evidence = MemoryEvidence()
        self.baselines = MemoryBaselines()
        self.policies = MemoryPolicies()
        self.compliance = MemoryCompliance()
        self.settings = MemorySettings(settings or {})

    async def flush(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


async def fake_session(
    instances: Sequence[Instance] = (),
    *,
    settings: Mapping[str, object] | None = None,
    readonly_reason: str = "",
    provider: FakeProvider | None = None,
    connect: bool = True,
) -> FleetSession:
    """A session that has seen `instances`; `connect` False leaves the provider alone."""
    provider = provider or FakeProvider(instances)
    store = MemoryStore(instances, settings, readonly_reason)
    session = await FleetSession.begin(load_catalog(), {provider.name: provider}, store, Path("/data/confvm"))
    session.key_protection = "The wrapping key is kept in the system's keyring."
    if connect:
        await session.connect()
        if not session.readonly:
            await session.inventory.connected(provider.name)
    return session
