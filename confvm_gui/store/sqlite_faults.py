"""SQLite's and the operating system's errors, said in the console's words.

Result codes: https://www.sqlite.org/rescode.html (the primary code is the low byte of the extended one).
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from confvm_gui.domain.errors import StoreCorrupt, StoreError, StoreFull

_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})
_NO_SPACE_LEFT = 256 * 1024
"""Bytes: an I/O error with less than this free is taken for a full disk. SQLite reports ENOSPC on its shared-memory
file, and quotas, as plain I/O errors."""


def corrupt(path: Path, what: str = "is damaged") -> StoreCorrupt:
    return StoreCorrupt(
        f"The database {path} {what}; it was left as it is. Move it away to start afresh, or put back a copy of it"
    )


def full(path: Path) -> StoreFull:
    return StoreFull(f"No space is left on the disk that holds {path}; free some, then try again")


def from_sqlite(error: sqlite3.Error, path: Path) -> StoreError:
    """The StoreError that says what `error`, met on the database at `path`, means."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # The sqlite3 module's own complaints carry no code. Text that is not UTF-8 is one of them.
        if "decode" in str(error):
            return corrupt(path, "holds text that is not valid Unicode")
        return StoreError(f"The database {path} cannot be used: {error}")
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return full(path)
        case sqlite3.SQLITE_CORRUPT:
            return corrupt(path)
        case sqlite3.SQLITE_NOTADB:
            return corrupt(path, "is not a database, or is damaged")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH | sqlite3.SQLITE_CANTOPEN:
            return StoreError(
                f"The database {path} cannot be opened for this; check that it and its folder belong to you "
                f"and can be written ({error})"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(f"Another program keeps the database {path} locked; close it and try again")
        case sqlite3.SQLITE_IOERR:
            if _disk_is_full(path):
                return full(path)
            return StoreError(f"The disk failed while the database {path} was used; check the disk ({error})")
        case _:
            return StoreError(f"The database {path} refused: {error}")


def from_os(error: OSError, path: Path, doing: str) -> StoreError:
    """The StoreError for an OSError met at `path` while `doing` ("be created", "be read" …)."""
    if error.errno in _FULL_ERRNOS:
        return full(path)
    why = error.strerror or str(error)
    return StoreError(f"{path} cannot {doing}: {why}; choose another data directory or correct its permissions")


def _disk_is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NO_SPACE_LEFT
    except OSError:
        return False
