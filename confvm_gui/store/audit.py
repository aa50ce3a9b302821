"""The audit log: append-only, each record carrying the hash of the one before (see `audit_chain`).

The head of the chain is also kept in a table of its own, so that records cut off the end are missed. Whoever can
rewrite the whole file and all hashes is found out by signatures and by what is kept elsewhere: see `fleet.audit`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from confvm_gui.domain.event import (
    AuditFilter,
    AuditHead,
    AuditRecord,
    AuditVerdict,
    Event,
    EventOutcome,
    Origin,
    Severity,
)
from confvm_gui.store.audit_chain import FORM, Content, digest, verify_chain
from confvm_gui.store.encoding import canonical_json, check_finite, check_text, json_object
from confvm_gui.store.multi_row import MultiRowInsert
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt, from_os
from confvm_gui.store.writer import Writer

_COLUMNS = (
    "sequence", "form", "at", "actor", "action", "subject", "message", "severity", "detail", "outcome", "origin",
    "before", "after", "previous_hash", "hash",
)  # fmt: skip
_APPEND = MultiRowInsert("audit", _COLUMNS)
_HEAD = "SELECT sequence, hash FROM audit_head"
_SEARCH = """
SELECT sequence, form, at, actor, action, subject, message, severity, detail, outcome, origin, before, after,
    previous_hash, hash
FROM audit
WHERE sequence > :after AND sequence < :before
"""
# Only the clauses that are asked for, so that SQLite uses their indexes.
_CLAUSES = {
    "since": " AND at >= :since",
    "until": " AND at < :until",
    "actor": " AND actor = :actor",
    "action": " AND action >= :action AND substr(action, 1, length(:action)) = :action",
    "subject": " AND subject = :subject",
    "severities": " AND instr(:severities, severity) > 0",
    "outcomes": " AND instr(:outcomes, outcome) > 0",
    "needle": " AND has_text(:needle, message, action)",
}
_NEWEST_FIRST = " ORDER BY sequence DESC LIMIT :limit"
_OLDEST_FIRST = " ORDER BY sequence LIMIT :limit"
_LARGEST = 2**63 - 1

_Row = tuple[int, int, float, str, str, str, str, str, str, str, str, str, str, str, str]


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
        values: Content = (
            float(event.at) + 0.0,  # SQLite keeps no negative zero
            event.actor,
            event.action,
            event.subject,
            event.message,
            event.severity.value,
            canonical_json(event.detail, "detail") if event.detail else "{}",
            event.outcome.value,
            _origin_text(event.origin),
            "null" if event.before is None else canonical_json(event.before, "before"),
            "null" if event.after is None else canonical_json(event.after, "after"),
        )
        self._writer().put(self._append, values)

    def _append(self, connection: sqlite3.Connection, events: Sequence[Content]) -> None:
        if self._head is None:
            self._head = connection.execute(_HEAD).fetchone()
            if self._head is None:
                raise corrupt(self._path, "has lost the head of its audit log")
        sequence, previous = self._head
        rows: list[_Row] = []
        for values in events:
            sequence += 1
            found = digest(sequence, *values, previous)
            rows.append((sequence, FORM, *values, previous, found))
            previous = found
        _APPEND.run(connection, rows)
        self._head = (sequence, previous)

    async def head(self) -> AuditHead:
        """As the port says."""
        await self._writer().settled()

        def query(connection: sqlite3.Connection) -> AuditHead:
            found = connection.execute(_HEAD).fetchone()
            if found is None:
                raise corrupt(self._path, "has lost the head of its audit log")
            # With synchronous=NORMAL a commit is in the write-ahead log, which is on disk only when it is synchronised:
            # without this, a power cut could take back what an anchor elsewhere says was there.
            _synchronise(self._path.with_name(self._path.name + "-wal"))
            return AuditHead(*found)

        return await self._readers.read(query)

    async def read(
        self, *, limit: int, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> Sequence[AuditRecord]:
        """As the port says. Upper and lower case are the same to `text`, in any script."""
        return await self.search(AuditFilter(subject=subject, text=text), limit=limit, before=before)

    async def search(
        self, wanted: AuditFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[AuditRecord]:
        """As the port says."""
        check_text("search", wanted.text, wanted.actor, wanted.action, wanted.subject or "")
        given: dict[str, object] = {
            "since": wanted.since,
            "until": wanted.until,
            "actor": wanted.actor or None,
            "action": wanted.action or None,
            "subject": wanted.subject,
            "severities": " ".join(sorted(each.value for each in wanted.severities)) or None,
            "outcomes": " ".join(sorted(each.value for each in wanted.outcomes)) or None,
            "needle": wanted.text.casefold() or None,
        }
        parameters: dict[str, object] = {key: value for key, value in given.items() if value is not None}
        order = _NEWEST_FIRST if after is None else _OLDEST_FIRST
        statement = _SEARCH + "".join(_CLAUSES[key] for key in parameters) + order
        parameters["after"] = 0 if after is None else max(0, min(after, _LARGEST))
        parameters["before"] = _LARGEST if before is None else max(0, min(before, _LARGEST))
        parameters["limit"] = max(0, min(limit, _LARGEST))

        def query(connection: sqlite3.Connection) -> list[AuditRecord]:
            rows = connection.execute(statement, parameters).fetchall()
            try:
                return [_record(row) for row in rows]
            except (ValueError, TypeError, KeyError) as error:
                raise corrupt(self._path, "holds an audit record that no console wrote") from error

        return await self._readers.read(query)

    async def verify(self) -> AuditVerdict:
        """Reads the whole log as it is at one moment. An altered log is a verdict, not an exception."""
        return await self._readers.read(verify_chain)


def _origin_text(origin: Origin | None) -> str:
    if origin is None:
        return "null"
    return canonical_json({name: getattr(origin, name) for name in Origin.__slots__}, "origin")


def _origin(values: Mapping[str, object]) -> Origin:
    uid, process = values["uid"], values["process"]
    if not isinstance(uid, int | None) or not isinstance(process, int):
        raise TypeError("not an origin")
    user, host, terminal, via = (str(values[name]) for name in ("user", "host", "terminal", "via"))
    return Origin(user, uid, host, process, terminal, via)


def _record(row: _Row) -> AuditRecord:
    sequence, form, at, actor, action, subject, message, severity, detail, outcome, origin, before, after = row[:13]
    event = Event(
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        message=message,
        severity=Severity(severity),
        detail=json_object(detail),
        outcome=EventOutcome(outcome),
        origin=None if origin == "null" else _origin(json_object(origin)),
        before=json.loads(before),
        after=json.loads(after),
    )
    return AuditRecord(sequence=sequence, event=event, previous_hash=row[13], hash=row[14], form=form)


def _synchronise(path: Path) -> None:
    if sys.platform == "win32":
        return  # the log is held open by SQLite, and Windows synchronises by a handle that may write
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return  # folded into the database, and synchronised by that
    except OSError as error:
        raise from_os(error, path, "be synchronised") from error
