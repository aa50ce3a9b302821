"""The hash chain of the audit log (SHA-256, FIPS 180-4): what is hashed, and the verification of all of it.

A record's hash is taken over its canonical JSON in UTF-8: one object, no spaces, non-ASCII characters as they are, `at`
as a decimal with a fraction or an exponent, the keys in alphabetical order:

    form 2   action, actor, after, at, before, detail, message, origin, outcome, previous_hash, sequence, severity,
             subject
    form 1   action, actor, at, detail, message, previous_hash, sequence, severity, subject

Form 1 is what older consoles wrote, and stands only at the beginning of a log.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from json.encoder import encode_basestring as quoted

from confvm_gui.domain.event import (
    CHECKPOINT_ACTION,
    AuditHead,
    AuditVerdict,
    Checkpoint,
    EventOutcome,
    FoundCheckpoint,
    Severity,
)

NO_HASH = "0" * 64
"""`previous_hash` of the first record."""
FORM = 2
"""Of the records that this console writes."""

Content = tuple[float, str, str, str, str, str, str, str, str, str, str]
"""at, actor, action, subject, message, severity, detail, outcome, origin, before, after. Detail and the last three are
canonical JSON."""

_Row = tuple[int, int, float, str, str, str, str, str, str, str, str, str, str, str, str]
_READ_ALL = """
SELECT sequence, form, at, actor, action, subject, message, severity, detail, outcome, origin, before, after,
    previous_hash, hash
FROM audit ORDER BY sequence
"""
_BATCH = 1000
_SEVERITIES = frozenset(each.value for each in Severity)
_OUTCOMES = frozenset(each.value for each in EventOutcome)
_FIRST_FORM_HAS = (EventOutcome.SUCCESS.value, "null", "null", "null")
"""What stands in the columns that form 1 does not hash."""


def digest(
    sequence: int,
    at: float,
    actor: str,
    action: str,
    subject: str,
    message: str,
    severity: str,
    detail: str,
    outcome: str,
    origin: str,
    before: str,
    after: str,
    previous: str,
) -> str:
    """The hash of a record in form 2."""
    # Spelt out because it runs for every record of a verification; what is JSON in the database is canonical already,
    # and if what is stored is not, the hash will not be the one of the record.
    text = (
        f'{{"action":{quoted(action)},"actor":{quoted(actor)},"after":{after},"at":{at!r},"before":{before},'
        f'"detail":{detail},"message":{quoted(message)},"origin":{origin},"outcome":{quoted(outcome)},'
        f'"previous_hash":"{previous}","sequence":{sequence},"severity":{quoted(severity)},'
        f'"subject":{quoted(subject)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def first_digest(
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
    """The hash of a record in form 1."""
    text = (
        f'{{"action":{quoted(action)},"actor":{quoted(actor)},"at":{at!r},"detail":{detail},'
        f'"message":{quoted(message)},"previous_hash":"{previous}","sequence":{sequence},'
        f'"severity":{quoted(severity)},"subject":{quoted(subject)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def verify_chain(connection: sqlite3.Connection) -> AuditVerdict:
    """Read the whole log as it is at one moment. What was altered is a verdict, not an exception."""
    # Text that is no longer UTF-8 must be found, not trip the reading: it comes as surrogates and fails to hash.
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    connection.execute("BEGIN")
    try:
        return _Chain(connection).verify()
    finally:
        connection.text_factory = str
        with contextlib.suppress(sqlite3.Error):
            connection.execute("COMMIT")


class _Chain:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._good, self._head, self._form = 0, NO_HASH, 1
        self._found: list[tuple[int, str]] = []
        """Sequence and detail of the checkpoints."""

    def verify(self) -> AuditVerdict:
        bad = self._walk() or self._compare_head()
        checkpoints = tuple(self._checkpoint(*each) for each in self._found)
        if bad is None:
            return AuditVerdict(True, self._good, None, "", self._head, checkpoints)
        (records,) = self._connection.execute("SELECT count(*) FROM audit").fetchone()
        return AuditVerdict(False, records, bad[0], bad[1], self._head, checkpoints)

    def _walk(self) -> tuple[int, str] | None:
        """The first record that does not hold, and why."""
        good, head, last_form = 0, NO_HASH, 1
        rows = self._connection.execute(_READ_ALL)
        bad: tuple[int, str] | None = None
        while bad is None and (batch := rows.fetchmany(_BATCH)):
            for row in batch:
                sequence, form, previous, found = row[0], row[1], row[13], row[14]
                if sequence != good + 1:
                    bad = (good + 1, f"Record {good + 1} is missing: record {sequence} comes in its place")
                elif previous != head:
                    bad = (sequence, f"Record {sequence} does not follow record {good}: the log was reordered or cut")
                elif form < last_form or not _holds(row, form, found):
                    bad = (sequence, f"Record {sequence} was altered: its hash is not that of its content")
                if bad is not None:
                    break
                if row[4] == CHECKPOINT_ACTION:
                    self._found.append((sequence, row[8]))
                good, head, last_form = sequence, found, form
        self._good, self._head = good, head
        return bad

    def _compare_head(self) -> tuple[int, str] | None:
        good = self._good
        last = self._connection.execute("SELECT sequence, hash FROM audit_head").fetchone()
        if last is None or last[0] < good or (last[0] == good and last[1] != self._head):
            return good + 1, f"The head of the log does not belong to its last record, {good}"
        if last[0] > good:
            return good + 1, f"Record {good + 1} is missing: the log was cut off behind record {good}"
        return None

    def _checkpoint(self, sequence: int, detail: str) -> FoundCheckpoint:
        try:
            values = json.loads(detail)
            head = AuditHead(int(values["sequence"]), str(values["hash"]))
            checkpoint = Checkpoint(head, float(values["at"]), str(values["key"]), str(values["signature"]))
        except (ValueError, TypeError, KeyError, OverflowError):
            return FoundCheckpoint(sequence, None, fits=False)
        hashes = {0: NO_HASH}
        if 0 < head.sequence < sequence:
            query = "SELECT sequence, hash FROM audit WHERE sequence = ?"
            hashes.update(self._connection.execute(query, (head.sequence,)).fetchall())
        return FoundCheckpoint(sequence, checkpoint, fits=hashes.get(head.sequence) == head.hash)


def _holds(row: _Row, form: int, found: str) -> bool:
    """Whether a row has the hash of its content, and nothing that no console wrote."""
    if row[7] not in _SEVERITIES or row[9] not in _OUTCOMES:
        return False
    # A type that is not the column's makes no hash; sqlite3 gives what is stored.
    try:
        if form == FORM:
            return digest(row[0], *row[2:14]) == found
        return form == 1 and row[9:13] == _FIRST_FORM_HAS and first_digest(row[0], *row[2:9], row[13]) == found
    except (TypeError, ValueError):
        return False
