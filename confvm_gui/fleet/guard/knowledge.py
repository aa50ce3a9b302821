"""What rules can know of an instance beside what its provider says: its launch, its evidence, its last scan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.exposure import ExposureResult
from confvm_gui.domain.ports.repositories import EvidenceRepository, OperationRepository
from confvm_gui.fleet.launch.request_file import request_from_mapping
from confvm_gui.policy.facts import NOTHING_KNOWN, Known

_TCB: Final = "reported_tcb."
_LOOKED_AT: Final = 8
"""Newest records of an instance among which the latest of each format is looked for."""


class Knowledge:
    """Known by instance id: read from the store once, kept up to date by what is told."""

    def __init__(self, operations: OperationRepository, evidence: EvidenceRepository) -> None:
        self._operations = operations
        self._evidence = evidence
        self._known: dict[str, Known] = {}
        self._read: set[str] = set()
        self._attested: set[str] = set()
        """Of these, what is known stands on a verdict of this session, newer than all that is kept."""

    def get(self, instance_id: str) -> Known:
        return self._known.get(instance_id, NOTHING_KNOWN)

    async def learn(self, instance_ids: Iterable[str]) -> None:
        """Read what is kept of those that were not read yet. Raises StoreError."""
        for instance_id in instance_ids:
            if instance_id in self._read:
                continue
            creation = await self._operations.creation(instance_id)
            records = await latest_records(self._evidence, instance_id)
            if creation is not None:
                told = self.get(instance_id)  # meanwhile
                self._known[instance_id] = replace(told, request=request_from_mapping(creation.intent))
            if instance_id not in self._attested:
                for record in reversed(records):
                    self._take(record)
            self._read.add(instance_id)

    def note_record(self, record: AttestationRecord) -> None:
        """A verdict came."""
        self._attested.add(record.instance_id)
        self._take(record)

    def _take(self, record: AttestationRecord) -> None:
        known = self.get(record.instance_id)
        claims = record.verdict.claim_values()
        tcb = {
            name.removeprefix(_TCB): value
            for name, value in claims.items()
            if name.startswith(_TCB) and isinstance(value, int)
        }
        debug = claims.get("policy.debug")
        self._known[record.instance_id] = replace(
            known,
            tcb=tcb or known.tcb,
            debug=debug if isinstance(debug, bool) else known.debug,
        )

    def note_exposure(self, result: ExposureResult) -> None:
        """A scan ended. One that is not complete proves nothing clean."""
        known = self.get(result.instance_id)
        if result.readable_by_host:
            self._known[result.instance_id] = replace(known, exposure="found")
        elif result.complete:
            self._known[result.instance_id] = replace(known, exposure="clean")

    def forget(self, instance_ids: Iterable[str]) -> None:
        """They are gone."""
        for instance_id in instance_ids:
            self._known.pop(instance_id, None)
            self._read.discard(instance_id)
            self._attested.discard(instance_id)


async def latest_records(evidence: EvidenceRepository, instance_id: str) -> Sequence[AttestationRecord]:
    """The newest record of each format, newest first. Raises StoreError."""
    formats: set[EvidenceFormat] = set()
    records = []
    for summary in await evidence.history(instance_id, limit=_LOOKED_AT):
        if summary.format not in formats:
            formats.add(summary.format)
            records.append(await evidence.get(summary.id))
    return records
