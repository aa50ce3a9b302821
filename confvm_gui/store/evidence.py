"""Verdicts with the evidence and endorsements that they stand on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord, AttestationSummary, Occasion, TcbPoint
from confvm_gui.domain.errors import InvalidInput, NotFound, StoreError
from confvm_gui.domain.event import Severity
from confvm_gui.store.chip_history import let_go_of_instances, list_chips, note_tcb, read_timeline
from confvm_gui.store.encoding import check_finite, check_text
from confvm_gui.store.evidence_content import decode_content, encode_content
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.verdict_text import verdict_from_text, verdict_to_text
from confvm_gui.store.writer import Writer

KEPT: Final = 200
"""Records of each instance, and of files."""
KEPT_REFUSALS: Final = 1000
"""Records of launches that were refused. Their instances never came to be, so nothing else would end them."""
_NO_RECORD: Final = "holds a verdict that no console wrote"

_APPEND = """
INSERT INTO evidence (id, instance_id, occasion, at, format, trusted, emulated, errors, warnings, measurement, given_by,
    differs, nonce, verdict, content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""
_PRUNE = """
DELETE FROM evidence WHERE instance_id = ?1 AND sequence <= coalesce(
    (SELECT sequence FROM evidence WHERE instance_id = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2), -1)
"""
_PRUNE_REFUSALS = """
DELETE FROM evidence WHERE occasion = 'launch' AND trusted = 0 AND sequence <= coalesce(
    (SELECT sequence FROM evidence WHERE occasion = 'launch' AND trusted = 0 ORDER BY sequence DESC LIMIT 1 OFFSET ?),
    -1)
"""
_HISTORY = """
SELECT id, instance_id, occasion, at, format, trusted, emulated, errors, warnings, measurement, given_by
FROM evidence WHERE instance_id = ? ORDER BY sequence DESC LIMIT ?
"""
_GET = """
SELECT id, instance_id, occasion, at, given_by, differs, nonce, verdict, content FROM evidence WHERE id = ?
"""

_SummaryRow = tuple[str, str, str, float, str, int, int, int, int, str, str]
_Row = tuple[str, str, str, float, str, str, bytes, str, bytes]


class SqliteEvidence:
    """EvidenceRepository on SQLite.

    A record may have megabytes, so it is encoded on the writer's thread: what cannot be stored is told as the
    StoreError of a failed write.
    """

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    def append(self, record: AttestationRecord) -> None:
        self._writer().put(_append, record)

    async def history(self, instance_id: str, *, limit: int = KEPT) -> Sequence[AttestationSummary]:
        check_text("instance id", instance_id)

        def query(connection: sqlite3.Connection) -> list[AttestationSummary]:
            rows = connection.execute(_HISTORY, (instance_id, max(0, limit))).fetchall()
            try:
                return [_summary(row) for row in rows]
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, _NO_RECORD) from error

        return await self._readers.read(query)

    async def get(self, record_id: str) -> AttestationRecord:
        check_text("record id", record_id)

        def query(connection: sqlite3.Connection) -> AttestationRecord:
            row = connection.execute(_GET, (record_id,)).fetchone()
            if row is None:
                raise NotFound("This verdict is not kept any more")
            try:
                return _record(row)
            except (ValueError, TypeError, KeyError) as error:
                raise corrupt(self._path, _NO_RECORD) from error

        return await self._readers.read(query)

    async def tcb_timeline(self, chip_id: str, *, limit: int = 500) -> Sequence[TcbPoint]:
        check_text("chip id", chip_id)

        def query(connection: sqlite3.Connection) -> list[TcbPoint]:
            try:
                return read_timeline(connection, chip_id, limit)
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, "holds a TCB version that no console wrote") from error

        return await self._readers.read(query)

    async def chips(self) -> Sequence[str]:
        return await self._readers.read(list_chips)

    def remove(self, instance_ids: Sequence[str]) -> None:
        """As the port says. "" stands for files, which no instance takes along: it is passed over."""
        check_text("instance id", *instance_ids)
        self._writer().put(_remove, tuple(one for one in instance_ids if one))


def _append(connection: sqlite3.Connection, records: Sequence[AttestationRecord]) -> None:
    try:
        rows = [_row(record) for record in records]
        for record, row in zip(records, rows, strict=True):
            connection.execute(_APPEND, row)
            note_tcb(connection, record)
    except InvalidInput as error:
        raise StoreError(f"A verdict was not saved: {error.message}") from error
    for instance_id in {record.instance_id for record in records}:
        connection.execute(_PRUNE, (instance_id, KEPT))
    if any(record.occasion is Occasion.LAUNCH and not record.verdict.trusted for record in records):
        connection.execute(_PRUNE_REFUSALS, (KEPT_REFUSALS,))


def _remove(connection: sqlite3.Connection, batches: Sequence[tuple[str, ...]]) -> None:
    gone = [instance_id for batch in batches for instance_id in batch]
    rows = [(instance_id,) for instance_id in gone]
    connection.executemany("DELETE FROM evidence WHERE instance_id = ?", rows)
    connection.executemany("DELETE FROM baselines WHERE instance_id = ?", rows)
    let_go_of_instances(connection, gone)


def _row(record: AttestationRecord) -> tuple[object, ...]:
    verdict = record.verdict
    severities = [finding.severity for finding in verdict.findings]
    measurement = verdict.claim("measurement")
    check_finite("record", record.at)
    check_text("record", record.id, record.instance_id, record.by, record.differs)
    return (
        record.id,
        record.instance_id,
        record.occasion.value,
        record.at,
        verdict.format.value,
        int(verdict.trusted),
        int(verdict.emulated),
        severities.count(Severity.ERROR),
        severities.count(Severity.WARNING),
        measurement if isinstance(measurement, str) else "",
        record.by,
        record.differs,
        record.nonce,
        verdict_to_text(verdict),
        encode_content(record.evidence, record.endorsements),
    )


def _summary(row: _SummaryRow) -> AttestationSummary:
    return AttestationSummary(
        id=row[0],
        instance_id=row[1],
        occasion=Occasion(row[2]),
        at=row[3],
        format=EvidenceFormat(row[4]),
        trusted=bool(row[5]),
        emulated=bool(row[6]),
        errors=row[7],
        warnings=row[8],
        measurement=row[9],
        by=row[10],
    )


def _record(row: _Row) -> AttestationRecord:
    evidence, endorsements = decode_content(row[8])
    return AttestationRecord(
        id=row[0],
        instance_id=row[1],
        occasion=Occasion(row[2]),
        at=row[3],
        verdict=verdict_from_text(row[7]),
        evidence=evidence,
        endorsements=endorsements,
        nonce=row[6],
        by=row[4],
        differs=row[5],
    )
