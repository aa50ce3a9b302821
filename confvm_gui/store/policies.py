"""Packs of rules, where they are on, exceptions, and how the fleet stood over time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

from confvm_gui.domain.policy import Assignment, CompliancePoint, Mode, RuleException
from confvm_gui.store.encoding import check_finite, check_text
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.writer import Writer

MOMENTS_KEPT = 2000
"""Moments of which points are kept."""

_AssignmentRow = tuple[int, str, int, str, str, str]
_ExceptionRow = tuple[str, str, str, str, str, str, float]
_PointRow = tuple[float, str, str, int, int, int, int]


class SqlitePolicies:
    """PolicyRepository on SQLite. Writes raise InvalidInput for text that is no valid Unicode."""

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def packs(self) -> Sequence[str]:
        def query(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute("SELECT content FROM policy_packs ORDER BY name, version").fetchall()
            return [text for (text,) in rows]

        return await self._readers.read(query)

    def put_pack(self, name: str, version: int, text: str) -> None:
        check_text("pack", name, text)
        self._writer().put(_put_packs, (name, version, text))

    def remove_pack(self, name: str, version: int) -> None:
        check_text("pack", name)
        self._writer().put(_remove_packs, (name, version))

    async def assignments(self) -> Sequence[Assignment]:
        def query(connection: sqlite3.Connection) -> list[Assignment]:
            rows = connection.execute(
                "SELECT position, pack, version, mode, labels, provider FROM policy_assignments ORDER BY position"
            ).fetchall()
            try:
                return [_assignment(row) for row in rows]
            except (ValueError, TypeError, AttributeError) as error:
                raise corrupt(self._path, "holds an assignment of rules that no console wrote") from error

        return await self._readers.read(query)

    def put_assignments(self, assignments: Sequence[Assignment]) -> None:
        rows: list[_AssignmentRow] = []
        for position, one in enumerate(assignments):
            labels = json.dumps(dict(one.labels), ensure_ascii=False)
            check_text("assignment", one.pack, labels, one.provider)
            rows.append((position, one.pack, one.version, one.mode.value, labels, one.provider))
        self._writer().put(_put_assignments, rows)

    async def exceptions(self) -> Sequence[RuleException]:
        def query(connection: sqlite3.Connection) -> list[RuleException]:
            rows = connection.execute(
                "SELECT id, pack, rule, subject, reason, granted_by, until FROM policy_exceptions "
                "ORDER BY until DESC, id"
            ).fetchall()
            return [RuleException(*row) for row in rows]

        return await self._readers.read(query)

    def put_exception(self, exception: RuleException) -> None:
        one = exception
        check_text("exception", one.id, one.pack, one.rule, one.subject, one.reason, one.granted_by)
        check_finite("exception", one.until)
        row: _ExceptionRow = (one.id, one.pack, one.rule, one.subject, one.reason, one.granted_by, one.until)
        self._writer().put(_put_exceptions, row)


class SqliteCompliance:
    """ComplianceRepository on SQLite."""

    def __init__(self, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._readers = readers
        self._writer = writer

    def append(self, points: Sequence[CompliancePoint]) -> None:
        rows: list[_PointRow] = [
            (one.at, one.kind, one.key, one.compliant, one.warning, one.violating, one.unguarded) for one in points
        ]
        if not rows:
            return
        check_text("compliance", *(text for row in rows for text in row[1:3]))
        check_finite("compliance", *(row[0] for row in rows))
        self._writer().put(_append_points, rows)

    async def history(self, kind: str, key: str, *, limit: int = 500) -> Sequence[CompliancePoint]:
        check_text("compliance", kind, key)

        def query(connection: sqlite3.Connection) -> list[CompliancePoint]:
            rows = connection.execute(
                "SELECT at, kind, key, compliant, warning, violating, unguarded FROM compliance_points "
                "WHERE kind = ? AND key = ? ORDER BY at DESC LIMIT ?",
                (kind, key, limit),
            ).fetchall()
            return [CompliancePoint(*row) for row in reversed(rows)]

        return await self._readers.read(query)


def _put_packs(connection: sqlite3.Connection, rows: Sequence[tuple[str, int, str]]) -> None:
    connection.executemany("INSERT OR REPLACE INTO policy_packs (name, version, content) VALUES (?, ?, ?)", rows)


def _remove_packs(connection: sqlite3.Connection, keys: Sequence[tuple[str, int]]) -> None:
    connection.executemany("DELETE FROM policy_packs WHERE name = ? AND version = ?", keys)


def _put_assignments(connection: sqlite3.Connection, batches: Sequence[list[_AssignmentRow]]) -> None:
    connection.execute("DELETE FROM policy_assignments")
    connection.executemany(
        "INSERT INTO policy_assignments (position, pack, version, mode, labels, provider) VALUES (?, ?, ?, ?, ?, ?)",
        batches[-1],
    )


def _put_exceptions(connection: sqlite3.Connection, rows: Sequence[_ExceptionRow]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO policy_exceptions (id, pack, rule, subject, reason, granted_by, until) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _append_points(connection: sqlite3.Connection, batches: Sequence[list[_PointRow]]) -> None:
    connection.executemany(
        "INSERT INTO compliance_points (at, kind, key, compliant, warning, violating, unguarded) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [row for batch in batches for row in batch],
    )
    connection.execute(
        "DELETE FROM compliance_points WHERE at < (SELECT min(at) FROM "
        "(SELECT DISTINCT at FROM compliance_points ORDER BY at DESC LIMIT ?))",
        (MOMENTS_KEPT,),
    )


def _assignment(row: _AssignmentRow) -> Assignment:
    _, pack, version, mode, text, provider = row
    labels = json.loads(text)
    if not all(isinstance(value, str) for value in labels.values()):
        raise TypeError("a label is no text")
    return Assignment(pack, version, Mode(mode), MappingProxyType(labels), provider)
