"""Who vouches for an instance: asked for with a fresh nonce, verified, kept, and compared with what was good.

The last records are held in memory as well: the store writes behind, and whoever has just been told of a record may
ask for it at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import (
    AttestationRecord,
    AttestationSummary,
    Baseline,
    BaselineOrigin,
    Drift,
    Occasion,
    TcbPoint,
)
from confvm_gui.domain.errors import (
    ConfvmError,
    EvidenceRefused,
    GuestFault,
    InvalidInput,
    ReadOnly,
    Unsupported,
)
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.guest_evidence import NONCE_SIZE, GuestEvidence
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.domain.ports.provider import Capability, HasEvidence, Provider
from confvm_gui.domain.ports.repositories import BaselineRepository, EvidenceRepository
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.attest.baseline import comparable, compare, learn, unsigned
from confvm_gui.fleet.attest.freshness import Freshness, freshness_of, max_age
from confvm_gui.fleet.attest.gate import first_problem, refusal
from confvm_gui.fleet.attest.judgement import Judgement, judge_guest
from confvm_gui.fleet.attest.offline import judge_file, write_bundle
from confvm_gui.fleet.attest.trust import TITLES
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import Inventory, InventoryChange
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.settings import Settings

_HELD: Final = 32
"""Records in memory."""


class Attestations:
    """Attestation of the fleet, and of files."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        inventory: Inventory,
        evidence: EvidenceRepository,
        baselines: BaselineRepository,
        events: EventFeed,
        settings: Settings,
        *,
        readonly_reason: str = "",
    ) -> None:
        self.changes: Observable[AttestationRecord] = Observable()
        self.find_endorsements: Callable[[], EndorsementCache | None] = lambda: None
        """Where endorsements come from, asked when some are needed."""
        self.access: Access | None = None
        """Who may set baselines; None for no such limits."""
        self._providers = providers
        self._inventory = inventory
        self._evidence = evidence
        self._baselines = baselines
        self._events = events
        self._settings = settings
        self._readonly_reason = readonly_reason
        self._held: dict[str, AttestationRecord] = {}
        self._known_baselines: dict[tuple[str, EvidenceFormat], Baseline | None] = {}
        self._refused: set[str] = set()
        """Creations that came to nothing: their records are what is left of them."""
        self._made: set[str] = set()
        """Instances that have been more than on their way into being."""
        self._note_made(inventory.all())
        inventory.changes.subscribe(self._forget_gone)

    # Asking ---------------------------------------------------------------------------------------------------------

    def formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        """What can be asked for now, the strongest first; () where nothing can: see `reason`."""
        try:
            provider, _ = self._asked(instance_id)
            return tuple(provider.evidence_formats(instance_id))
        except ConfvmError:
            return ()

    def reason(self, instance_id: str) -> str:
        """Why nothing can be asked for, in one sentence; "" where something can."""
        try:
            provider, instance = self._asked(instance_id)
            if provider.evidence_formats(instance_id):
                return ""
        except ConfvmError as error:
            return error.message
        if not instance.state.is_live:
            return f"{instance.name} is {instance.state.value}: only a running instance can be asked for evidence"
        if instance.confidential:
            return f"{instance.name} is asked as it is launched; while it runs only a vTPM could be, and it has none"
        return f"Nothing vouches for {instance.name}: it is not confidential, and has no vTPM"

    async def refresh(self, instance_id: str, form: EvidenceFormat | None = None) -> AttestationRecord:
        """Ask with a fresh nonce, verify, keep. Untrusted is a record, not an error.

        `form` None: the strongest that there is. Raises NotFound, WrongState, Unsupported with the reason, GuestFault
        (also where the answer is malformed), FirmwareError.
        """
        return await self.take(instance_id, form, Occasion.REFRESH)

    async def take(self, instance_id: str, form: EvidenceFormat | None, occasion: Occasion) -> AttestationRecord:
        """`refresh` on another occasion."""
        provider, instance = self._asked(instance_id)
        formats = self.formats(instance_id)
        if not formats or (form is not None and form not in formats):
            wanted = f"{instance.name} cannot give a {TITLES[form]}" if form is not None else instance.name
            raise Unsupported(self.reason(instance_id) or f"{wanted}; it can give: {_listed(formats)}")
        nonce = secrets.token_bytes(NONCE_SIZE)
        power_on = self._inventory.power_on(instance_id)
        guest = await provider.evidence(instance_id, form or formats[0], nonce)
        try:
            judgement = await judge_guest(guest, self.find_endorsements())
        except InvalidInput as error:
            raise GuestFault(f"What {instance.name} gave is no evidence: {error.message}") from error
        record = self._keep(judgement, instance_id, occasion, by=guest.chip, nonce=nonce)
        self._inventory.note_verdict(record, power_on)
        self._tell(record, instance.name)
        return record

    async def approve(self, instance_id: str, name: str, launch: GuestEvidence) -> None:
        """The gate before a key is released: returns if the launch is trusted, and keeps the record either way.

        Raises EvidenceRefused otherwise, also for evidence that is malformed.
        """
        try:
            judgement = await judge_guest(launch, self.find_endorsements())
        except InvalidInput as error:
            message = f"What {name} says of its launch cannot be read, and no key was released to it: {error.message}"
            refused = EvidenceRefused(message)
            self._tell_refused(instance_id, refused)
            raise refused from error
        record = self._keep(
            judgement, instance_id, Occasion.LAUNCH, by=launch.chip, nonce=launch.reference.report_data or b""
        )
        if not record.verdict.trusted:
            if instance_id not in self._made:
                self._refused.add(instance_id)
            refused = refusal(name, judgement, record.id)
            self._tell_refused(instance_id, refused)
            self.changes.emit(record)
            raise refused
        self._refused.discard(instance_id)
        self._inventory.note_verdict(record)
        self._tell(record, name)

    def freshness(self, instance: Instance, now: float | None = None) -> Freshness:
        """How old the last verdict of this power-on is; `now` in seconds since the epoch."""
        return freshness_of(instance, max_age(self._settings), now)

    # What is known --------------------------------------------------------------------------------------------------

    async def history(self, instance_id: str, limit: int = 200) -> Sequence[AttestationSummary]:
        """Newest first; "" for files. Raises StoreError."""
        stored = await self._evidence.history(instance_id, limit=limit)
        known = {line.id for line in stored}
        held = [record for record in self._held.values() if record.instance_id == instance_id]
        newer = [summary_of(record) for record in reversed(held) if record.id not in known]
        if stored:  # what is older than the newest stored one was pruned, or is beyond the limit
            newer = [line for line in newer if line.at >= stored[0].at]
        return [*newer, *stored][: max(0, limit)]

    async def record(self, record_id: str) -> AttestationRecord:
        """Raises NotFound, StoreError."""
        held = self._held.get(record_id)
        return held if held is not None else await self._evidence.get(record_id)

    async def tcb_timeline(self, chip_id: str) -> Sequence[TcbPoint]:
        """What the chip (hex) reported, oldest first. Raises StoreError."""
        return await self._evidence.tcb_timeline(chip_id)

    async def chips(self) -> Sequence[str]:
        """Chips (hex) that reported a TCB, the one seen last first. Raises StoreError."""
        return await self._evidence.chips()

    # Baselines ------------------------------------------------------------------------------------------------------

    async def baseline(self, instance_id: str, form: EvidenceFormat) -> Baseline | None:
        """What was accepted as good, or None. Raises StoreError."""
        key = (instance_id, form)
        if key not in self._known_baselines:
            self._known_baselines[key] = await self._baselines.get(instance_id, form)
        return self._known_baselines[key]

    async def accept_baseline(self, record_id: str) -> Baseline:
        """This record is the good one from now on.

        Raises NotFound, StoreError, ReadOnly, InvalidInput for a record that is not trusted or not of an instance.
        """
        record = await self.record(record_id)
        if not record.instance_id:
            raise InvalidInput("record", "Evidence from a file belongs to no instance, so it is nobody's baseline")
        if not comparable(record.verdict):
            raise InvalidInput("record", "This evidence is not trusted; only trusted evidence can be the baseline")
        self._require_permitted(record.instance_id)
        before = await self.baseline(record.instance_id, record.verdict.format)
        baseline = await self._put_baseline(record, BaselineOrigin.GIVEN)
        self._events.record(
            "attestation.baseline-accepted",
            f"The {TITLES[baseline.format]} is the baseline from now on",
            subject=record.instance_id,
            detail={"record": record.id},
            before=_told(before),
            after=_told(baseline),
        )
        return baseline

    async def learn_baseline(self, record: AttestationRecord) -> Baseline:
        """Take the record of a first boot for the good one. Raises InvalidInput, ReadOnly, StoreError."""
        return await self._put_baseline(record, BaselineOrigin.LEARNED)

    async def forget_baseline(self, instance_id: str, form: EvidenceFormat) -> None:
        """The next boot is the good one. Raises StoreError, ReadOnly."""
        self._require_writable()
        self._require_permitted(instance_id)
        before = await self.baseline(instance_id, form)
        self._baselines.remove(instance_id, form)
        self._known_baselines[instance_id, form] = None
        self._events.record(
            "attestation.baseline-forgotten",
            f"The baseline of the {TITLES[form]} was forgotten; the next one is learned",
            subject=instance_id,
            before=_told(before),
        )

    async def drift(self, record_id: str) -> Sequence[Drift]:
        """What is not as in the baseline of its format; () without one. Raises NotFound, StoreError."""
        record = await self.record(record_id)
        baseline = await self.baseline(record.instance_id, record.verdict.format) if record.instance_id else None
        return () if baseline is None else await asyncio.to_thread(compare, baseline, record.verdict)

    # Files ----------------------------------------------------------------------------------------------------------

    async def verify_file(
        self,
        path: Path,
        *,
        endorsements: Sequence[Path] = (),
        reference: Path | None = None,
        report_data: str = "",
        at: datetime | None = None,
        fetch: bool = False,
        allow_debug: bool = False,
    ) -> AttestationRecord:
        """Verify a file of evidence or a bundle, as of `at` (default: now), and keep the record.

        `report_data` in hex. Raises InvalidInput with the field; with `fetch` also Transient and Unsupported.
        """
        judgement = await judge_file(
            path,
            endorsements=endorsements,
            reference=reference,
            report_data=report_data,
            at=at,
            fetch=fetch,
            allow_debug=allow_debug,
            source=self.find_endorsements(),
        )
        nonce = bytes.fromhex(report_data)
        record = self._keep(judgement, "", Occasion.FILE, by=path.name, nonce=nonce)
        self._tell(record, path.name)
        return record

    async def export(self, record_id: str, path: Path) -> None:
        """Write the record's bundle as a zip, whole or not at all.

        Raises NotFound, StoreError, InvalidInput("path").
        """
        await write_bundle(await self.record(record_id), path)

    # Inside ---------------------------------------------------------------------------------------------------------

    def _asked(self, instance_id: str) -> tuple[HasEvidence, Instance]:
        """Who can be asked. Raises NotFound, Unsupported."""
        instance = self._inventory.get(instance_id)
        if self._readonly_reason:
            raise Unsupported(f"{self._readonly_reason}: {instance.name} cannot be asked from here")
        provider = self._providers[instance.provider]
        if not isinstance(provider, HasEvidence):
            reason = provider.reason_unsupported(Capability.ATTESTATION)
            raise Unsupported(reason or f"{provider.title} gives no evidence of its instances")
        return provider, instance

    def _keep(
        self, judgement: Judgement, instance_id: str, occasion: Occasion, *, by: str, nonce: bytes
    ) -> AttestationRecord:
        record = AttestationRecord(
            id=uuid.uuid4().hex,
            instance_id=instance_id,
            occasion=occasion,
            at=time.time(),
            verdict=judgement.verdict,
            evidence=judgement.evidence,
            endorsements=judgement.endorsements,
            nonce=nonce,
            by=by,
            differs=judgement.differs,
        )
        self._held[record.id] = record
        while len(self._held) > _HELD:
            del self._held[next(iter(self._held))]
        if not self._readonly_reason:
            self._evidence.append(record)
        return record

    def _require_permitted(self, instance_id: str) -> None:
        if self.access is not None:
            self.access.require(Permission.OPERATE, subject=instance_id)

    async def _put_baseline(self, record: AttestationRecord, origin: BaselineOrigin) -> Baseline:
        self._require_writable()
        baseline = await asyncio.to_thread(learn, record, origin)  # a large event log has thousands of claims
        self._baselines.put(baseline)
        self._known_baselines[baseline.instance_id, baseline.format] = baseline
        return baseline

    def _tell(self, record: AttestationRecord, name: str) -> None:
        verdict = record.verdict
        emulated = " (its root is emulated: this proves nothing about hardware)" if verdict.emulated else ""
        action, severity, said = "attestation.trusted", Severity.INFO, "is trusted"
        if unsigned(verdict) and record.instance_id:
            action, said = "attestation.read", "was read; nobody signs it, so it shows only what nobody wants to hide"
        elif not verdict.trusted:
            action, severity = "attestation.untrusted", Severity.WARNING
            said = f"is not trusted: {first_problem(verdict)}"
        self._events.record(
            action,
            f"The {TITLES[verdict.format]} of {name} {said}{emulated}",
            subject=record.instance_id,
            severity=severity,
            actor=None if record.occasion in (Occasion.REFRESH, Occasion.FILE) else "console",
            detail={"record": record.id, "occasion": record.occasion.value},
        )
        self.changes.emit(record)

    def _tell_refused(self, instance_id: str, refused: EvidenceRefused) -> None:
        self._events.record(
            "attestation.launch-refused",
            refused.message,
            subject=instance_id,
            severity=Severity.ERROR,
            actor="console",
            detail={"record": refused.record_id, "expected": refused.expected, "actual": refused.actual},
            outcome=EventOutcome.FAILURE,
        )

    def _note_made(self, instances: Sequence[Instance]) -> None:
        # A launch that is being verified is STARTING, in a creation as in a later start: what it was before tells.
        coming = (InstanceState.CREATING, InstanceState.STARTING)
        self._made.update(one.id for one in instances if one.state not in (*coming, InstanceState.DELETING))

    def _forget_gone(self, change: InventoryChange) -> None:
        self._note_made(change.upserted)
        self._made.difference_update(change.removed)
        # For good: the inventory tells twice of what an undone creation leaves, as the job ends and as it looks again.
        gone = [one for one in change.removed if one not in self._refused]
        if not gone:
            return
        for key in [key for key in self._known_baselines if key[0] in gone]:
            del self._known_baselines[key]
        for record_id in [one.id for one in self._held.values() if one.instance_id in gone]:
            del self._held[record_id]
        if not self._readonly_reason:
            self._evidence.remove(gone)

    def _require_writable(self) -> None:
        if self._readonly_reason:
            raise ReadOnly(self._readonly_reason)


def summary_of(record: AttestationRecord) -> AttestationSummary:
    """The record's line in a history."""
    verdict = record.verdict
    severities = [finding.severity for finding in verdict.findings]
    measurement = verdict.claim("measurement")
    return AttestationSummary(
        id=record.id,
        instance_id=record.instance_id,
        occasion=record.occasion,
        at=record.at,
        format=verdict.format,
        trusted=verdict.trusted,
        emulated=verdict.emulated,
        errors=severities.count(Severity.ERROR),
        warnings=severities.count(Severity.WARNING),
        measurement=measurement if isinstance(measurement, str) else "",
        by=record.by,
    )


def _listed(formats: Sequence[EvidenceFormat]) -> str:
    return ", ".join(TITLES[form] for form in formats)


def _told(baseline: Baseline | None) -> dict[str, object] | None:
    """Of a baseline what the audit log needs to tell it from another; its claims may be thousands."""
    if baseline is None:
        return None
    text = "\n".join(f"{name}={value!r}" for name, value in sorted(baseline.values.items()))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {
        "origin": baseline.origin.value,
        "at": baseline.at,
        "claims": len(baseline.values),
        "sha256": digest,
    }
