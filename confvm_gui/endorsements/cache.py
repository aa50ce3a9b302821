"""The files of the cache: one for each address, and one for each host that is left alone for a while.

Each is written beside its place and then renamed, so that it is there whole or not at all; only the user may read it.
A file that is damaged is removed with a note, as if it had never been there. A folder that cannot be written costs the
memory, not the answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import InvalidInput, StoreError
from confvm_gui.endorsements.content import Content, parse_content
from confvm_gui.endorsements.record import LARGEST_RECORD, Record, decode_record, encode_record

_log = logging.getLogger(__name__)
_MOST_NOTES: Final = 50
_ENTRY: Final = ".entry"
_HOLD: Final = ".hold"


class EndorsementFiles:
    """A folder of records. Blocking; may be used from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: deque[str] = deque(maxlen=_MOST_NOTES)
        """What was dropped, or could not be kept, in a sentence each."""
        self._seen: dict[Path, tuple[tuple[int, int, int], Record]] = {}
        """What `records` read last, by inode, size and time of change of its file."""

    def get(self, url: str) -> tuple[Record, Content | None] | None:
        """What is remembered of an address, its body read; None if nothing is."""
        path = self._entry_path(url)
        record = self._read(path)
        if record is None:
            return None
        try:
            if record.url != url:
                raise InvalidInput("endorsements", "A stored endorsement is of another address")
            body = record.body
            return record, parse_content(record.kind, url, body, record.chain) if record.present else None
        except InvalidInput as problem:
            self._drop(path, problem)
            return None

    def put(self, record: Record) -> bool:
        """Remember it; whether that was possible. What cannot be written is a note."""
        return self._write(self._entry_path(record.url), record)

    def hold(self, host: str) -> Record | None:
        """Why this host is left alone, or None."""
        return self._read(self._hold_path(host))

    def put_hold(self, host: str, record: Record) -> None:
        self._write(self._hold_path(host), record)

    def clear_hold(self, host: str) -> None:
        with contextlib.suppress(OSError):
            self._hold_path(host).unlink(missing_ok=True)

    def records(self) -> Iterator[Record]:
        """All records, holds included. A file is read again only if it has changed, so that a view can ask often."""
        seen: dict[Path, tuple[tuple[int, int, int], Record]] = {}
        for path, status in self._files():
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            known = self._seen.get(path)
            if known is None or known[0] != stamp:
                record = self._read(path)
                if record is None:
                    continue
                known = stamp, record
            seen[path] = known
        self._seen = seen
        for _, record in seen.values():
            yield record

    def remove(self, wanted: Callable[[Record], bool] | None = None) -> None:
        """Remove the records that are wanted, or every file; StoreError."""
        try:
            for path, _ in list(self._files()):
                record = self._read(path) if wanted is not None else None
                if wanted is None or (record is not None and wanted(record)):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The stored endorsements in {self.folder} cannot be removed: {error.strerror}") from error

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            entries = sorted(os.scandir(self.folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.name.endswith((_ENTRY, _HOLD)) and entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)

    def _read(self, path: Path) -> Record | None:
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_RECORD + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._note(f"The stored endorsement {path.name} cannot be read: {error.strerror}")
            return None
        try:
            return decode_record(data)
        except InvalidInput as problem:
            self._drop(path, problem)
            return None

    def _drop(self, path: Path, problem: InvalidInput) -> None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        self._note(f"The stored endorsement {path.name} was dropped: {problem.message}")

    def _write(self, path: Path, record: Record) -> bool:
        draft = self.folder / f".{path.name}.{secrets.token_hex(4)}.tmp"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(encode_record(record))
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            self._note(f"Endorsements cannot be kept in {self.folder}: {error.strerror}")
            return False
        return True

    def _note(self, text: str) -> None:
        self.notes.append(text)
        _log.info("%s", text)

    def _entry_path(self, url: str) -> Path:
        return self.folder / f"{_name(url)}{_ENTRY}"

    def _hold_path(self, host: str) -> Path:
        return self.folder / f"{_name(host)}{_HOLD}"


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
