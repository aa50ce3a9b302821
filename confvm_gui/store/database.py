"""The files of one data directory: opening them, checking what is there, making what is not.

    console.db (-wal, -shm)   the database
    console.lock              held by the console that writes
    backups/                  copies made before migrations

A database that is damaged or written by a newer console is found out through a read-only connection, before anything
could change it. A new one is made under another name and renamed when it is whole, so that a console killed while
making it leaves none. File format: https://www.sqlite.org/fileformat2.html, section 1.3.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from confvm_gui.domain.errors import StoreError, StoreTooNew
from confvm_gui.store.directory_lock import DirectoryLock, HeldElsewhere
from confvm_gui.store.migrations import create_schema, upgrade
from confvm_gui.store.schema import APPLICATION_ID, SCHEMA, TABLES, SchemaVersion
from confvm_gui.store.sqlite_faults import corrupt, from_os, from_sqlite

DATABASE_NAME = "console.db"
_MAGIC = b"SQLite format 3\0"
_HEADER_LENGTH = 100
_CHECK_LIMIT = 4 * 1024 * 1024
"""Bytes: up to this size a database is checked whole when it is opened, a matter of milliseconds. Damage in a larger
one is found when the page is read."""
_FIRST_START_SECONDS = 5.0
"""How long a second console waits for the first one to make the database."""
_BUSY_SECONDS = 5.0


class Database:
    """An open data directory: its lock, and connections to its database.

    Construction does all checks and raises StoreError and its subclasses; it blocks for some milliseconds.
    `readonly_reason` is "" for the console that may write. `versions` and `max_pages` (SQLite's max_page_count, pages
    of 4096 bytes) are for tests and for those who want a bound on the size.
    """

    def __init__(
        self,
        directory: Path,
        *,
        readonly: bool = False,
        versions: Sequence[SchemaVersion] = SCHEMA,
        max_pages: int | None = None,
    ) -> None:
        self.directory = directory
        self.path = directory / DATABASE_NAME
        self.readonly_reason = "The console was opened for reading only" if readonly else ""
        self._versions = versions
        self._lock: DirectoryLock | None = None
        self._missing = False
        """Read-only, and nothing was ever written: readers see empty tables."""
        if readonly:
            _require_directory(directory)
            self._missing = not _exists(self.path)
        else:
            self._take_lock()
        try:
            if not self._missing:
                self._settle_file()
            self._connection = None if self.readonly_reason else self._connect_writer(max_pages)
        except BaseException:  # whatever it was, the lock and the files are let go
            self._release()
            raise

    @property
    def writer(self) -> sqlite3.Connection:
        """The one connection that writes, in autocommit mode; for one thread."""
        if self._connection is None:
            raise StoreError(f"The database {self.path} is not open for writing")
        return self._connection

    def connect_reader(self) -> sqlite3.Connection:
        """A new connection that only reads, in autocommit mode; raises StoreError.

        Whoever queries it fetches all rows at once: a statement left half read would hold on to the past.
        Its SQL has `has_text(needle, message, action)`: whether `needle`, casefolded, is in one of the others.
        """
        with self.faults():
            if self._missing:
                connection = _connect(":memory:")
                create_schema(connection, APPLICATION_ID, self._versions)
            else:
                connection = _connect_readonly(self.path)
            connection.create_function("has_text", 3, _has_text, deterministic=True)
            return connection

    @contextlib.contextmanager
    def faults(self) -> Iterator[None]:
        """Turns sqlite3's errors within into StoreErrors."""
        try:
            yield
        except sqlite3.Error as error:
            raise from_sqlite(error, self.path) from error
        except UnicodeDecodeError as error:
            # Damage in the text of the schema, which SQLite quotes in its error message.
            raise corrupt(self.path) from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise StoreError(f"A value cannot be stored in the database {self.path}: {error}") from error

    def close(self) -> None:
        """Fold the write-ahead log into the database, close the writer and release the lock. Raises nothing."""
        if self._connection is not None:
            # What is committed is safe without this; the next console does it if this one cannot.
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA optimize")
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _take_lock(self) -> None:
        _make_directory(self.directory)
        try:
            self._lock = DirectoryLock(self.directory / "console.lock")
        except HeldElsewhere as held:
            who = "Another console" if held.pid is None else f"Another console (process {held.pid})"
            self.readonly_reason = f"{who} has the data directory {self.directory} open, so this one only reads"
            deadline = time.monotonic() + _FIRST_START_SECONDS
            while not _exists(self.path):
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"{who} has the data directory {self.directory} open and has put no database there; "
                        "close it and try again"
                    ) from None
                time.sleep(0.02)

    def _settle_file(self) -> None:
        """Make the database if there is none, else check it and bring it up to date."""
        if not _exists(self.path):
            self._create()
            return
        self._check_header()
        with self.faults():
            version = self._check_contents()
        if version == len(self._versions):
            return
        if self.readonly_reason:
            raise StoreError(
                f"The database {self.path} was written by an older console; open it once for writing, "
                "which brings it up to date"
            )
        with self.faults(), contextlib.closing(_connect(_uri(self.path, "rw"))) as connection:
            upgrade(connection, self.path, self._versions)

    def _create(self) -> None:
        log = self.path.with_name(self.path.name + "-wal")
        if _exists(log):
            raise corrupt(self.path, f"is missing, but its write-ahead log {log.name} is there")
        unfinished = self.path.with_name(self.path.name + ".new")
        try:
            for leftover in (unfinished, unfinished.with_name(unfinished.name + "-wal")):
                leftover.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise from_os(error, self.path, "be created") from error
        try:
            self._build(unfinished, descriptor)
            unfinished.rename(self.path)
            _synchronise_directory(self.directory)
        except OSError as error:
            raise from_os(error, self.path, "be created") from error
        finally:
            # Gone already if all went well.
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _build(self, path: Path, descriptor: int) -> None:
        """A whole database in the empty file at `path`, on disk when this returns; closes `descriptor` of that file."""
        try:
            with self.faults(), contextlib.closing(_connect(_uri(path, "rw"))) as connection:
                # Nobody sees this file before it is whole and synchronised, so it needs no journal.
                connection.execute("PRAGMA journal_mode = OFF")
                connection.execute("PRAGMA synchronous = OFF")
                create_schema(connection, APPLICATION_ID, self._versions)
                connection.execute("PRAGMA journal_mode = WAL")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _check_header(self) -> None:
        try:
            if not self.readonly_reason and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
                self.path.chmod(0o600)
            with self.path.open("rb") as file:
                header = file.read(_HEADER_LENGTH)
        except OSError as error:
            raise from_os(error, self.path, "be read") from error
        if len(header) < _HEADER_LENGTH or not header.startswith(_MAGIC):
            raise corrupt(self.path, "is not a database, or is damaged" if header else "is empty")
        if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
            raise corrupt(self.path, "is not one of this console, or is damaged")
        self._check_version(int.from_bytes(header[60:64], "big", signed=True))

    def _check_contents(self) -> int:
        """The schema version, of a database that is sound as far as a look at opening can tell."""
        with contextlib.closing(_connect_readonly(self.path)) as connection:
            # Again, now with what the write-ahead log adds to the file.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            self._check_version(version)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if version == len(self._versions) and not tables >= TABLES:
                raise corrupt(self.path, "lacks tables that it must have")
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (page_size,) = connection.execute("PRAGMA page_size").fetchone()
            if pages * page_size <= _CHECK_LIMIT or version != len(self._versions):
                (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if finding != "ok":
                    raise corrupt(self.path)
        return int(version)

    def _check_version(self, version: int) -> None:
        if version > len(self._versions):
            raise StoreTooNew(
                f"The database {self.path} was written by a newer console (its schema is {version}, this console "
                f"knows up to {len(self._versions)}); it was left as it is. Update this console, or choose another "
                "data directory"
            )
        if version < 1:
            raise corrupt(self.path)

    def _connect_writer(self, max_pages: int | None) -> sqlite3.Connection:
        with self.faults():
            connection = _connect(_uri(self.path, "rw"))
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA recursive_triggers = ON")
                connection.execute("PRAGMA journal_size_limit = 33554432")
                if max_pages is not None:
                    connection.execute(f"PRAGMA max_page_count = {max_pages}")
            except sqlite3.Error:
                connection.close()
                raise
        return connection


def _connect(uri: str) -> sqlite3.Connection:
    # Transactions are begun and ended here in so many words (isolation_level None). Connections move between threads,
    # but are used by one at a time.
    return sqlite3.connect(
        uri, uri=uri.startswith("file:"), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _connect_readonly(path: Path) -> sqlite3.Connection:
    connection = _connect(_uri(path, "ro"))
    try:
        connection.execute("PRAGMA user_version")
    except sqlite3.OperationalError as error:
        connection.close()
        unwritable = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if not unwritable or _exists(path.with_name(path.name + "-wal")):
            raise
        # A folder that cannot be written has no place for the shared-memory file: take the database as it stands.
        connection = _connect(_uri(path, "ro") + "&immutable=1")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _has_text(needle: str, message: str, action: str) -> bool:
    # SQLite's own comparisons know the case of ASCII only.
    return needle in message.casefold() or needle in action.casefold()


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(path.absolute().as_posix())}?mode={mode}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise from_os(error, path, "be read") from error


def _require_directory(directory: Path) -> None:
    if _exists(directory) and not directory.is_dir():
        raise StoreError(f"{directory} is a file, not a folder; choose another data directory")


def _make_directory(directory: Path) -> None:
    """Make `directory`, for its owner only. One that holds other things keeps its mode: it is not ours to close."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        try:
            directory.mkdir(mode=0o700)
        except FileExistsError:
            _require_directory(directory)
            mode = directory.stat().st_mode
            if mode & 0o077 and not mode & stat.S_ISVTX and not any(directory.iterdir()):
                directory.chmod(0o700)
    except OSError as error:
        raise from_os(error, directory, "be used as the data directory") from error


def _synchronise_directory(directory: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
