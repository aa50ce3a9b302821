"""Evidence, endorsements and reference values from files, and bundles into files.

Files are read (`evidence_files`) and unpacked on threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.errors import Unsupported
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.fleet.attest.evidence_files import read_endorsements, read_evidence, read_reference
from confvm_gui.fleet.attest.judgement import Judgement, completed, judge, with_cached
from confvm_gui.fleet.whole_file import write_whole


async def judge_file(
    path: Path,
    *,
    endorsements: Sequence[Path],
    reference: Path | None,
    report_data: str,
    at: datetime | None,
    fetch: bool,
    allow_debug: bool,
    source: EndorsementCache | None,
) -> Judgement:
    """Verify a file of evidence, or a bundle.

    Raises InvalidInput with the field (`evidence`, `endorsements`, `reference`, `report_data`), Transient when
    `fetch` cannot reach a publisher, Unsupported when there is nowhere to fetch from.
    """
    evidence, given, values = await asyncio.to_thread(
        _read_all, path, tuple(endorsements), reference, report_data, allow_debug
    )
    if fetch:
        if source is None:
            raise Unsupported("Nothing can be fetched in this session; give the endorsements as files")
        given = await completed(evidence, given, source)
    elif source is not None:
        given = await with_cached(evidence, given, source)
    moment = datetime.now(UTC) if at is None else at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return await judge(evidence, given, values, moment)


async def write_bundle(record: AttestationRecord, path: Path) -> None:
    """The record's evidence and endorsements as a zip, whole or not at all. Raises InvalidInput("path")."""
    await asyncio.to_thread(_write_bundle, record, path)


def _read_all(
    path: Path, endorsements: Sequence[Path], reference: Path | None, report_data: str, allow_debug: bool
) -> tuple[Evidence, Endorsements, ReferenceValues]:
    evidence, held, _ = read_evidence(path)
    return evidence, held + read_endorsements(endorsements), read_reference(reference, report_data or None, allow_debug)


def _write_bundle(record: AttestationRecord, path: Path) -> None:
    from confvm_gui.attestation.bundle import Bundle, pack

    write_whole(path, [pack(Bundle(record.evidence, record.endorsements, record.verdict.at))])
