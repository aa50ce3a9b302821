"""ApprovalRepository on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from confvm_gui.domain.approval import Approval, ApprovalStatus
from confvm_gui.domain.errors import NotFound
from confvm_gui.store.encoding import canonical_json, check_text, json_object
from confvm_gui.store.multi_row import MultiRowInsert
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.writer import Writer

_PUT = MultiRowInsert(
    "approvals",
    (
        "id", "kind", "subject", "title", "intent", "asked_by", "asked_at", "expires_at", "status", "decided_by",
        "decided_at", "note",
    ),
    conflict="OR REPLACE",
)  # fmt: skip
_SELECT = """
SELECT id, kind, subject, title, intent, asked_by, asked_at, expires_at, status, decided_by, decided_at, note
FROM approvals
"""
_RECENT = _SELECT + "ORDER BY asked_at DESC, id LIMIT ?"
_UNFINISHED = _SELECT + "WHERE status IN ('waiting', 'approved') ORDER BY asked_at, id"
_ONE = _SELECT + "WHERE id = ?"

_Row = tuple[str, str, str, str, str, str, float, float, str, str, float | None, str]


class SqliteApprovals:
    """`put` raises InvalidInput for text that is not Unicode and an intent that is not JSON."""

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def recent(self, limit: int) -> Sequence[Approval]:
        return await self._select(_RECENT, max(0, limit))

    async def unfinished(self) -> Sequence[Approval]:
        return await self._select(_UNFINISHED)

    async def get(self, approval_id: str) -> Approval:
        check_text("request", approval_id)
        for found in await self._select(_ONE, approval_id):
            return found
        raise NotFound(f"There is no request {approval_id!r}")

    async def put(self, approval: Approval) -> None:
        check_text("request", approval.subject, approval.title, approval.asked_by, approval.decided_by, approval.note)
        row: _Row = (
            approval.id,
            approval.kind,
            approval.subject,
            approval.title,
            canonical_json(approval.intent, "request"),
            approval.asked_by,
            approval.asked_at,
            approval.expires_at,
            approval.status.value,
            approval.decided_by,
            approval.decided_at,
            approval.note,
        )
        await self._writer().put_and_wait(_PUT.run, row)

    async def _select(self, statement: str, *parameters: int | str) -> Sequence[Approval]:
        def query(connection: sqlite3.Connection) -> list[Approval]:
            rows = connection.execute(statement, parameters).fetchall()
            try:
                return [_approval(row) for row in rows]
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, "holds a request for approval that no console wrote") from error

        return await self._readers.read(query)


def _approval(row: _Row) -> Approval:
    (identifier, kind, subject, title, intent, asked_by, asked_at, expires_at, status, by, at, note) = row
    return Approval(
        id=identifier,
        kind=kind,
        subject=subject,
        title=title,
        intent=json_object(intent),
        asked_by=asked_by,
        asked_at=asked_at,
        expires_at=expires_at,
        status=ApprovalStatus(status),
        decided_by=by,
        decided_at=at,
        note=note,
    )
