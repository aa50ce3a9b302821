"""Samples of what instances use, kept for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from confvm_gui.domain.metrics import Sample
from confvm_gui.store.encoding import check_finite, check_text
from confvm_gui.store.multi_row import MultiRowInsert
from confvm_gui.store.readers import Readers
from confvm_gui.store.writer import Writer

_COLUMNS = (
    *("instance_id", "at", "cpu", "memory_bytes", "disk_read_bytes", "console_bytes", "queries"),
    *("disk_write_bytes", "net_rx_bytes", "net_tx_bytes"),
)
"""In the order of Sample's fields."""
_APPEND = MultiRowInsert("samples", _COLUMNS)
_COUNT = "SELECT count(*) FROM samples WHERE instance_id = ? AND at >= ?"
_SINCE = """
SELECT instance_id, at, cpu, memory_bytes, disk_read_bytes, console_bytes, queries,
    disk_write_bytes, net_rx_bytes, net_tx_bytes
FROM (SELECT *, row_number() OVER (ORDER BY at DESC, rowid DESC) AS age FROM samples WHERE instance_id = ? AND at >= ?)
WHERE age % ? = 1 % ? ORDER BY age DESC
"""
_Row = tuple[str, float, float, int, int, int, int, int, int, int]

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
            (
                *(s.instance_id, s.at, s.cpu, s.memory_bytes, s.disk_read_bytes, s.console_bytes, s.queries),
                *(s.disk_write_bytes, s.net_rx_bytes, s.net_tx_bytes),
            )
            for s in samples
        ]
        if not rows:
            return
        check_text("sample", *(row[0] for row in rows))
        check_finite("sample", *(value for row in rows for value in row[1:3]))

        self._writer().put(_append, rows)

    async def since(self, instance_id: str, at: float, limit: int = 10_000) -> Sequence[Sample]:
        """As the port says: the newest is always among them."""
        check_text("instance id", instance_id)

        def query(connection: sqlite3.Connection) -> list[Sample]:
            (count,) = connection.execute(_COUNT, (instance_id, at)).fetchone()
            every = -(-count // max(1, limit)) or 1
            rows = connection.execute(_SINCE, (instance_id, at, every, every)).fetchall()
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
