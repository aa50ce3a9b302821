"""Bringing a database of an older console up to date, by sqlite-utils' migrations.

A copy of the database is made in `backups/` first. Each version is applied in a transaction of its own, together with
the record of it: whatever fails leaves the versions before it whole.

sqlite-utils is imported here and nowhere else, because importing it takes longer than opening a store; a database that
is new or up to date does without it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from confvm_gui.store.schema import MIGRATION_SET, MIGRATIONS_TABLE, SchemaVersion
from confvm_gui.store.sqlite_faults import from_os

if TYPE_CHECKING:
    from sqlite_utils.db import Database


def create_schema(connection: sqlite3.Connection, application_id: int, versions: Sequence[SchemaVersion]) -> None:
    """Make all tables in the empty database of `connection`, as if every version had been applied to it in turn."""
    connection.execute("BEGIN")
    for statement in MIGRATIONS_TABLE:
        connection.execute(statement)
    applied_at = time.strftime("%Y-%m-%d %H:%M:%S.000000+00:00", time.gmtime())
    for version in versions:
        for statement in version.statements:
            connection.execute(statement)
        connection.execute(
            'INSERT INTO "_sqlite_migrations" (migration_set, name, applied_at) VALUES (?, ?, ?)',
            (MIGRATION_SET, version.name, applied_at),
        )
    connection.execute(f"PRAGMA application_id = {application_id}")
    connection.execute(f"PRAGMA user_version = {len(versions)}")
    connection.execute("COMMIT")


def upgrade(connection: sqlite3.Connection, path: Path, versions: Sequence[SchemaVersion]) -> Path:
    """Apply the versions that the database of `connection` at `path` lacks; return the copy made before.

    Raises sqlite3.Error, or StoreError if the copy cannot be made; nothing is changed then.
    """
    from sqlite_utils import Database, Migrations

    (have,) = connection.execute("PRAGMA user_version").fetchone()
    copy = _back_up(connection, path, have)
    migrations = Migrations(MIGRATION_SET)
    for number, version in enumerate(versions, start=1):
        migrations(name=version.name)(_step(number, version))
    migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))
    return copy


def _step(number: int, version: SchemaVersion) -> Callable[[Database], None]:
    def apply(db: Database) -> None:
        for statement in version.statements:
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA user_version = {number}")

    return apply


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    directory = path.parent / "backups"
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        number = 0
        while True:
            copy = directory / f"{path.stem}-v{version}-{stamp}{f'-{number}' if number else ''}.db"
            try:
                os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
                break
            except FileExistsError:
                number += 1
        try:
            with contextlib.closing(sqlite3.connect(copy)) as target:
                connection.backup(target)
        except sqlite3.Error:
            copy.unlink()
            raise
    except OSError as error:
        raise from_os(error, directory, "take the copy that is made before a migration") from error
    return copy
