"""Samples of what instances use, kept for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from confvm_gui.domain.metrics import Sample
from confvm_gui.store.encoding import check_finite, check_text
from confvm_gui.store.multi_row import MultiRowInsert
from confvm_gui.store.readers import Readers
from confvm_gui.store.writer import Writer

_APPEND = MultiRowInsert(
    "samples", ("instance_id", "at", "cpu", "memory_bytes", "disk_read_bytes", "console_bytes", "queries")
)
_SINCE = """
SELECT instance_id, at, cpu, memory_bytes, disk_read_bytes, console_bytes, queries FROM samples
WHERE instance_id = ? AND at >= ? ORDER BY at, rowid LIMIT ?
"""
_Row = tuple[str, float, float, int, int, int, int]

_PRUNED_AT_ONCE = 5000
"""Rows: some tens of milliseconds, after which other writes have their turn."""


class SqliteSamples:
    """SampleRepository on SQLite."""

    def __init__(self, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._readers = readers
        self._writer = writer

    def append(self, samples: Sequence[Sample]) -> None:
        """As the port says; raises InvalidInput for what cannot be stored."""
        rows = [
            (s.instance_id, s.at, s.cpu, s.memory_bytes, s.disk_read_bytes, s.console_bytes, s.queries) for s in samples
        ]
        if not rows:
            return
        check_text("sample", *(row[0] for row in rows))
        check_finite("sample", *(value for row in rows for value in row[1:3]))

        self._writer().put(_append, rows)

    async def since(self, instance_id: str, at: float, limit: int = 10_000) -> Sequence[Sample]:
        check_text("instance id", instance_id)

        def query(connection: sqlite3.Connection) -> list[Sample]:
            rows = connection.execute(_SINCE, (instance_id, at, max(0, limit))).fetchall()
            return [Sample(*row) for row in rows]

        return await self._readers.read(query)

    def prune(self, before: float) -> None:
        check_finite("time", before)

        self._writer().put(_prune, before)


def _append(connection: sqlite3.Connection, batches: Sequence[list[_Row]]) -> None:
    _APPEND.run(connection, [row for batch in batches for row in batch])


def _prune(connection: sqlite3.Connection, before: Sequence[float]) -> bool:
    deleted = connection.execute(
        "DELETE FROM samples WHERE rowid IN (SELECT rowid FROM samples WHERE at < ? LIMIT ?)",
        (max(before), _PRUNED_AT_ONCE),
    ).rowcount
    return deleted == _PRUNED_AT_ONCE
