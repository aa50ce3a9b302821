"""What instances' evidence said when it was accepted as good."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import Baseline, BaselineOrigin
from confvm_gui.store.encoding import check_finite, check_text
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.verdict_text import claims_from_text, claims_to_text
from confvm_gui.store.writer import Writer

_Row = tuple[str, str, float, str, str]


class SqliteBaselines:
    """BaselineRepository on SQLite. `put` raises InvalidInput for text that is no valid Unicode."""

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def get(self, instance_id: str, form: EvidenceFormat) -> Baseline | None:
        check_text("instance id", instance_id)

        def query(connection: sqlite3.Connection) -> Baseline | None:
            row = connection.execute(
                "SELECT instance_id, format, at, origin, claims FROM baselines WHERE instance_id = ? AND format = ?",
                (instance_id, form.value),
            ).fetchone()
            try:
                return None if row is None else _baseline(row)
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, "holds a baseline that no console wrote") from error

        return await self._readers.read(query)

    def put(self, baseline: Baseline) -> None:
        check_finite("baseline", baseline.at)
        check_text("baseline", baseline.instance_id)
        row = (
            baseline.instance_id,
            baseline.format.value,
            baseline.at,
            baseline.origin.value,
            claims_to_text(baseline.values),
        )
        self._writer().put(_put, row)

    def remove(self, instance_id: str, form: EvidenceFormat) -> None:
        check_text("instance id", instance_id)
        self._writer().put(_remove, (instance_id, form.value))


def _put(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO baselines (instance_id, format, at, origin, claims) VALUES (?, ?, ?, ?, ?)", rows
    )


def _remove(connection: sqlite3.Connection, keys: Sequence[tuple[str, str]]) -> None:
    connection.executemany("DELETE FROM baselines WHERE instance_id = ? AND format = ?", keys)


def _baseline(row: _Row) -> Baseline:
    return Baseline(row[0], EvidenceFormat(row[1]), row[2], BaselineOrigin(row[3]), claims_from_text(row[4]))
