"""Preferences, saved searches and the window's layout."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from confvm_gui.store.encoding import canonical_json, check_text
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.writer import Writer


class SqliteSettings:
    """SettingRepository on SQLite."""

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def load(self) -> Mapping[str, object]:
        def query(connection: sqlite3.Connection) -> dict[str, object]:
            rows = connection.execute("SELECT key, value FROM settings ORDER BY key").fetchall()
            try:
                return {key: json.loads(value) for key, value in rows}
            except ValueError as error:
                raise corrupt(self._path, "holds a setting that no console wrote") from error

        return await self._readers.read(query)

    def put(self, key: str, value: object) -> None:
        """As the port says; raises InvalidInput for what JSON cannot hold."""
        check_text("setting", key)
        self._writer().put(_put, (key, canonical_json(value, "setting")))


def _put(connection: sqlite3.Connection, settings: Sequence[tuple[str, str]]) -> None:
    connection.executemany("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", settings)
