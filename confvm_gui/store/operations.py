"""The job log: every operation is committed here before it begins."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from confvm_gui.domain.errors import StoreError
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus, OperationStep
from confvm_gui.store.encoding import canonical_json, check_finite, check_text, json_object
from confvm_gui.store.multi_row import MultiRowInsert
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.writer import Writer

_ACCEPT = MultiRowInsert(
    "operations",
    (
        "id", "kind", "provider", "instance_id", "instance_name", "status", "accepted_at", "intent", "steps",
        "progress", "attempts", "ended_at", "error",
    ),
    suffix="ON CONFLICT (id) DO NOTHING",
)  # fmt: skip
_UPDATE = """
UPDATE operations SET status = ?, steps = ?, progress = ?, attempts = ?, ended_at = ?, error = ? WHERE id = ?
"""
_UNFINISHED = """
SELECT id, kind, provider, instance_id, instance_name, status, accepted_at, intent, steps, progress, attempts, ended_at,
    error
FROM operations WHERE status IN ('pending', 'running') ORDER BY sequence
"""
_RECENT = """
SELECT id, kind, provider, instance_id, instance_name, status, accepted_at, intent, steps, progress, attempts, ended_at,
    error
FROM operations ORDER BY sequence DESC LIMIT ?
"""
_CREATION = """
SELECT id, kind, provider, instance_id, instance_name, status, accepted_at, intent, steps, progress, attempts, ended_at,
    error
FROM operations WHERE instance_id = ? AND kind = 'create' ORDER BY sequence LIMIT 1
"""

_Row = tuple[str, str, str, str, str, str, float, str, str, float, int, float | None, str]
_Changes = tuple[str, str, float, int, float | None, str, str]


class SqliteOperations:
    """OperationRepository on SQLite.

    `accept` raises InvalidInput for an operation that cannot be stored: text that is not Unicode, an intent that is not
    JSON. If it is cancelled, the operations may be on disk nevertheless.
    """

    def __init__(
        self,
        path: Path,
        readers: Readers,
        writer: Callable[[], Writer],
    ) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def accept(self, operations: Sequence[Operation]) -> None:
        await self._writer().put_and_wait(_accept, tuple(operations))

    def update(self, operation: Operation) -> None:
        """As the port says; raises InvalidInput for text that is not Unicode. An operation that was never accepted is
        told as a failed write."""
        *_, status, _, _, steps, progress, attempts, ended_at, error = _row(operation)
        self._writer().put(_update, (status, steps, progress, attempts, ended_at, error, operation.id))

    async def unfinished(self) -> Sequence[Operation]:
        return await self._select(_UNFINISHED)

    async def recent(self, limit: int) -> Sequence[Operation]:
        return await self._select(_RECENT, max(0, limit))

    async def creation(self, instance_id: str) -> Operation | None:
        return next(iter(await self._select(_CREATION, instance_id)), None)

    async def _select(self, statement: str, *parameters: int | str) -> Sequence[Operation]:
        def query(connection: sqlite3.Connection) -> list[Operation]:
            rows = connection.execute(statement, parameters).fetchall()
            try:
                return [_operation(row) for row in rows]
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, "holds an operation that no console wrote") from error

        return await self._readers.read(query)


def _accept(connection: sqlite3.Connection, batches: Sequence[tuple[Operation, ...]]) -> None:
    # Made into rows here, on the writer's thread: a bulk action can be thousands.
    _ACCEPT.run(connection, [_row(operation) for batch in batches for operation in batch])


def _update(connection: sqlite3.Connection, changes: Sequence[_Changes]) -> None:
    # Each change replaces all that can change, so of several to one operation the last is what counts.
    for change in {change[-1]: change for change in changes}.values():
        if connection.execute(_UPDATE, change).rowcount == 0:
            raise StoreError(f"The operation {change[-1]} cannot be updated: it was never accepted")


def _row(operation: Operation) -> _Row:
    check_finite("operation", operation.accepted_at, operation.progress, operation.ended_at or 0.0)
    check_text(
        "operation",
        operation.id,
        operation.provider,
        operation.instance_id,
        operation.instance_name,
        operation.error,
    )
    return (
        operation.id,
        operation.kind.value,
        operation.provider,
        operation.instance_id,
        operation.instance_name,
        operation.status.value,
        operation.accepted_at,
        canonical_json(operation.intent, "intent") if operation.intent else "{}",
        canonical_json([(step.name, step.at, step.detail) for step in operation.steps], "steps")
        if operation.steps
        else "[]",
        operation.progress,
        operation.attempts,
        operation.ended_at,
        operation.error,
    )


def _operation(row: _Row) -> Operation:
    return Operation(
        id=row[0],
        kind=OperationKind(row[1]),
        provider=row[2],
        instance_id=row[3],
        instance_name=row[4],
        status=OperationStatus(row[5]),
        accepted_at=row[6],
        intent=json_object(row[7]),
        steps=tuple(OperationStep(name, float(at), detail) for name, at, detail in json.loads(row[8])),
        progress=row[9],
        attempts=row[10],
        ended_at=row[11],
        error=row[12],
    )
