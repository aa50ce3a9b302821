"""Evidence for a compliance report: the latest of each instance and format, as bundles that can be verified again."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from confvm_gui.attestation.bundle import Bundle, pack
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.repositories import EvidenceRepository
from confvm_gui.fleet.guard.knowledge import latest_records
from confvm_gui.policy.report import Attachment

MOST_BYTES: Final = 64 << 20
"""Of all bundles of a report together."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What a report attaches."""

    of: Mapping[str, tuple[Attachment, ...]]
    """By instance id."""
    left_out: int
    """Attachments without a bundle."""


async def attachments(
    evidence: EvidenceRepository, instances: Sequence[Instance], *, most_bytes: int = MOST_BYTES
) -> Attached:
    """The evidence of these instances. Raises StoreError."""
    found: dict[str, tuple[Attachment, ...]] = {}
    left, left_out = most_bytes, 0
    for instance in instances:
        mine: list[Attachment] = []
        for record in await latest_records(evidence, instance.id):
            bundle = await asyncio.to_thread(_packed, record) if left > 0 else b""
            if len(bundle) > left:
                bundle = b""
            left_out += not bundle
            left -= len(bundle)
            mine.append(_attachment(instance, record, bundle))
        if mine:
            found[instance.id] = tuple(mine)
    return Attached(found, left_out)


def _packed(record: AttestationRecord) -> bytes:
    return pack(Bundle(record.evidence, record.endorsements, record.verdict.at))


def _attachment(instance: Instance, record: AttestationRecord, bundle: bytes) -> Attachment:
    verdict = record.verdict
    # Names of other programs' instances can hold anything; the id tells apart those that look alike then.
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", instance.name)[:40]
    said = "trusted" if verdict.trusted else "not trusted"
    return Attachment(
        file=f"{name}-{instance.id[:8]}-{verdict.format.value}.zip",
        format=verdict.format.value,
        at=record.at,
        verdict=f"{said}, to an emulated root" if verdict.trusted and verdict.emulated else said,
        digest=hashlib.sha256(record.evidence.data).hexdigest(),
        bundle=bundle,
    )
