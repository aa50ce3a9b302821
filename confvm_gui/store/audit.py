"""The audit log: append-only, each record carrying the SHA-256 of the one before (FIPS 180-4).

A record's hash is taken over its canonical JSON in UTF-8: one object with the keys action, actor, at, detail, message,
previous_hash, sequence, severity and subject in that order, no spaces, non-ASCII characters as they are, `at` as a
decimal with a fraction or an exponent. The head of the chain is also kept in a table of its own, so that records cut
off the end are missed. Whoever can rewrite the whole file and all hashes is found out only by a hash noted elsewhere:
`AuditVerdict.head` is there to be noted.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring as quoted
from pathlib import Path

from confvm_gui.domain.event import AuditRecord, AuditVerdict, Event, Severity
from confvm_gui.store.encoding import canonical_json, check_finite, check_text, json_object
from confvm_gui.store.multi_row import MultiRowInsert
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.writer import Writer

NO_HASH = "0" * 64
"""`previous_hash` of the first record."""

_APPEND = MultiRowInsert(
    "audit",
    ("sequence", "at", "actor", "action", "subject", "message", "severity", "detail", "previous_hash", "hash"),
)
_READ = """
SELECT sequence, at, actor, action, subject, message, severity, detail, previous_hash, hash FROM audit
WHERE sequence < :before AND (:needle = '' OR has_text(:needle, message, action))
ORDER BY sequence DESC LIMIT :limit
"""
_READ_SUBJECT = """
SELECT sequence, at, actor, action, subject, message, severity, detail, previous_hash, hash FROM audit
WHERE subject = :subject AND sequence < :before AND (:needle = '' OR has_text(:needle, message, action))
ORDER BY sequence DESC LIMIT :limit
"""
_READ_ALL = """
SELECT sequence, at, actor, action, subject, message, severity, detail, previous_hash, hash FROM audit
ORDER BY sequence
"""
_LARGEST = 2**63 - 1
_BATCH = 1000

_Values = tuple[float, str, str, str, str, str, str]
_Row = tuple[int, float, str, str, str, str, str, str, str, str]


class SqliteAuditLog:
    """AuditLog on SQLite. `append` raises InvalidInput for text that is not Unicode or a detail that is not JSON."""

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer
        self._head: tuple[int, str] | None = None
        """Of the chain as the writer's transaction has it; None: to be read. Used on the writer's thread only."""

    def rolled_back(self) -> None:
        """The writer's transaction was undone: what it appended is no longer the head."""
        self._head = None

    def append(self, event: Event) -> None:
        check_text("event", event.actor, event.action, event.subject, event.message)
        check_finite("event", event.at)
        at = float(event.at) + 0.0  # SQLite keeps no negative zero
        detail = canonical_json(event.detail, "detail") if event.detail else "{}"

        values = (at, event.actor, event.action, event.subject, event.message, event.severity.value, detail)
        self._writer().put(self._append, values)

    def _append(self, connection: sqlite3.Connection, events: Sequence[_Values]) -> None:
        if self._head is None:
            self._head = connection.execute("SELECT sequence, hash FROM audit_head").fetchone()
            if self._head is None:
                raise corrupt(self._path, "has lost the head of its audit log")
        sequence, previous = self._head
        rows: list[_Row] = []
        for values in events:
            sequence += 1
            digest = _digest(sequence, *values, previous)
            rows.append((sequence, *values, previous, digest))
            previous = digest
        _APPEND.run(connection, rows)
        self._head = (sequence, previous)

    async def read(
        self, *, limit: int, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> Sequence[AuditRecord]:
        """As the port says. Upper and lower case are the same to `text`, in any script."""
        check_text("search", text, subject or "")
        needle = text.casefold()
        parameters = {
            "before": _LARGEST if before is None else max(0, min(before, _LARGEST)),
            "limit": max(0, min(limit, _LARGEST)),
            "needle": needle,
            "subject": subject,
        }

        def query(connection: sqlite3.Connection) -> list[AuditRecord]:
            rows = connection.execute(_READ if subject is None else _READ_SUBJECT, parameters).fetchall()
            try:
                return [_record(row) for row in rows]
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, "holds an audit record that no console wrote") from error

        return await self._readers.read(query)

    async def verify(self) -> AuditVerdict:
        """Reads the whole log as it is at one moment. An altered log is a verdict, not an exception."""
        return await self._readers.read(_verify)


def _digest(
    sequence: int,
    at: float,
    actor: str,
    action: str,
    subject: str,
    message: str,
    severity: str,
    detail: str,
    previous: str,
) -> str:
    # Spelt out because it runs for every record of a verification; `detail` is canonical JSON already, and if what is
    # stored is not, the hash will not be the one of the record.
    text = (
        f'{{"action":{quoted(action)},"actor":{quoted(actor)},"at":{at!r},"detail":{detail},'
        f'"message":{quoted(message)},"previous_hash":"{previous}","sequence":{sequence},'
        f'"severity":{quoted(severity)},"subject":{quoted(subject)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _record(row: _Row) -> AuditRecord:
    sequence, at, actor, action, subject, message, severity, detail, previous, digest = row
    event = Event(
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        message=message,
        severity=Severity(severity),
        detail=json_object(detail),
    )
    return AuditRecord(sequence=sequence, event=event, previous_hash=previous, hash=digest)


def _verify(connection: sqlite3.Connection) -> AuditVerdict:
    good, head = 0, NO_HASH

    def bad(sequence: int, reason: str) -> AuditVerdict:
        (records,) = connection.execute("SELECT count(*) FROM audit").fetchone()
        return AuditVerdict(intact=False, records=records, first_bad=sequence, reason=reason, head=head)

    # Text that is no longer UTF-8 must be found, not trip the reading: it comes as surrogates and fails to hash.
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    connection.execute("BEGIN")
    try:
        rows = connection.execute(_READ_ALL)
        while batch := rows.fetchmany(_BATCH):
            for row in batch:
                sequence, previous, digest = row[0], row[8], row[9]
                if sequence != good + 1:
                    return bad(good + 1, f"Record {good + 1} is missing: record {sequence} comes in its place")
                if previous != head:
                    return bad(
                        sequence, f"Record {sequence} does not follow record {good}: the log was reordered or cut"
                    )
                try:
                    expected = _digest(*row[:9])
                except (TypeError, ValueError):
                    expected = ""
                if digest != expected:
                    return bad(sequence, f"Record {sequence} was altered: its hash is not that of its content")
                good, head = sequence, digest
        last = connection.execute("SELECT sequence, hash FROM audit_head").fetchone()
        if last is None or last[0] < good or (last[0] == good and last[1] != head):
            return bad(good + 1, f"The head of the log does not belong to its last record, {good}")
        if last[0] > good:
            return bad(good + 1, f"Record {good + 1} is missing: the log was cut off behind record {good}")
        return AuditVerdict(intact=True, records=good, first_bad=None, reason="", head=head)
    finally:
        connection.text_factory = str
        with contextlib.suppress(sqlite3.Error):
            connection.execute("COMMIT")
