"""Bringing an older database up to date."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtils
from sqlite_utils import Migrations

from confvm_gui.domain.errors import StoreError, StoreTooNew
from confvm_gui.store import open_store
from confvm_gui.store.database import Database
from confvm_gui.store.schema import SCHEMA, SchemaVersion
from tests.unit.store.nouns import instance

NEXT = (*SCHEMA, SchemaVersion("m900_notes", ("ALTER TABLE instances ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",)))
BROKEN = (*NEXT, SchemaVersion("m901_broken", ("CREATE TABLE half (a)", "INSERT INTO nowhere VALUES (1)")))


async def fill(directory: Path) -> None:
    store = await open_store(directory)
    store.instances.put([instance(1)])
    await store.aclose()


def notes(path: Path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, note FROM instances").fetchall()


def schema_of(path: Path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    return [(name, " ".join(sql.split())) for name, sql in rows]


async def test_an_older_database_is_brought_up_to_date_with_a_copy_first(data_dir: Path) -> None:
    await fill(data_dir)
    Database(data_dir, versions=NEXT).close()
    assert notes(data_dir / "console.db") == [("vm-1", "none")]

    (copy,) = (data_dir / "backups").iterdir()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(SCHEMA),)
        assert connection.execute("SELECT name FROM instances").fetchall() == [("vm-1",)]

    Database(data_dir, versions=NEXT).close()
    assert len(list((data_dir / "backups").iterdir())) == 1
    with pytest.raises(StoreTooNew):
        await open_store(data_dir)


async def test_new_and_migrated_databases_are_the_same(tmp_path: Path) -> None:
    await fill(tmp_path / "old")
    Database(tmp_path / "old", versions=NEXT).close()
    Database(tmp_path / "new", versions=NEXT).close()
    assert schema_of(tmp_path / "old" / "console.db") == schema_of(tmp_path / "new" / "console.db")


async def test_sqlite_utils_sees_the_migrations_of_a_new_database(data_dir: Path) -> None:
    await fill(data_dir)
    own = Migrations("confvm-console")
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection:
        applied = [migration.name for migration in own.applied(SqliteUtils(connection))]
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        own.ensure_migrations_table(SqliteUtils(connection))
        theirs = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
        ).fetchall()
    assert applied == [version.name for version in SCHEMA]
    ours = dict(schema_of(data_dir / "console.db"))
    for name, sql in theirs:
        assert ours[name].replace(" ", "") == "".join(sql.split())


async def test_a_failed_migration_changes_nothing_of_its_version(data_dir: Path) -> None:
    await fill(data_dir)
    for _ in range(2):
        with pytest.raises(StoreError, match="nowhere"):
            Database(data_dir, versions=BROKEN)
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(NEXT),)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
    assert len(list((data_dir / "backups").iterdir())) == 2
    assert notes(data_dir / "console.db") == [("vm-1", "none")]


async def test_a_console_that_only_reads_does_not_migrate(data_dir: Path) -> None:
    await fill(data_dir)
    with pytest.raises(StoreError, match="older console"):
        Database(data_dir, readonly=True, versions=NEXT)
    assert not (data_dir / "backups").exists()


async def test_without_room_for_the_copy_nothing_is_migrated(data_dir: Path) -> None:
    await fill(data_dir)
    (data_dir / "backups").write_text("in the way")
    with pytest.raises(StoreError, match="backups"):
        Database(data_dir, versions=NEXT)
    store = await open_store(data_dir)
    assert await store.instances.all() == [instance(1)]
    await store.aclose()


async def test_a_database_of_the_first_console_gets_the_tables_of_attestation(data_dir: Path) -> None:
    Database(data_dir, versions=SCHEMA[:1]).close()
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection, connection:
        connection.execute(
            "INSERT INTO instances VALUES ('a', 'old', 'embedded', 'gce', 'r', 'z', 'm', 'i', 'sev', 'stopped', 2, 64, "
            "1.0, '', 'measured', NULL, '', '', 0.0, 1, 'records', '{}')"
        )
    store = await open_store(data_dir)
    (old,) = await store.instances.all()
    assert (old.name, old.vtpm, old.host, old.attested_at) == ("old", False, "", None)
    assert await store.evidence.history(old.id) == []
    store.instances.put([replace(old, vtpm=True, host="host-2", attested_at=5.0)])
    await store.flush()
    assert await store.instances.all() == [replace(old, vtpm=True, host="host-2", attested_at=5.0)]
    await store.aclose()


async def test_samples_of_an_older_console_get_counters_of_traffic(data_dir: Path) -> None:
    Database(data_dir, versions=SCHEMA[:2]).close()
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection, connection:
        connection.execute("INSERT INTO samples VALUES ('a', 1.0, 0.25, 4096, 512, 80, 3)")
    store = await open_store(data_dir)
    (old,) = await store.samples.since("a", 0.0)
    assert (old.disk_read_bytes, old.disk_write_bytes, old.net_rx_bytes, old.net_tx_bytes) == (512, 0, 0, 0)
    store.samples.append([replace(old, at=2.0, net_tx_bytes=7)])
    await store.flush()
    assert [one.net_tx_bytes for one in await store.samples.since("a", 0.0)] == [0, 7]
    await store.aclose()
