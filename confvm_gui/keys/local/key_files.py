"""The folder `keys` of a data directory, and `signing`, which is of the same make. All calls block.

    id              32 hex digits that name this data directory in the keyring
    NAME.keyring    the key NAME is in the system keyring
    NAME.kek        the key NAME itself, where the machine has no keyring: 64 hex digits
    NAME@2.…        the same of its second version
    lock            held while a key is made, so that two consoles make one

The folder is its owner's only (0700), the files too (0600).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.keys.file_lock import holding, unusable, write_whole

_IN_KEYRING = ".keyring"
_IN_FILE = ".kek"
_VERSION = "@"
"""Before the number of a version from the second on; no name has it."""


class KeyFiles:
    """Files of `data_dir/FOLDER`. Raises KeyUnavailable if they cannot be used. Writing is for use within `making`."""

    def __init__(self, data_dir: Path, *, folder: str = "keys") -> None:
        self._folder = data_dir / folder

    def path(self, name: str) -> Path:
        """Where the key `name` would be, kept in a file."""
        return self._folder / (name + _IN_FILE)

    def is_in_keyring(self, name: str) -> bool:
        return self._exists(self._folder / (name + _IN_KEYRING))

    def is_in_file(self, name: str) -> bool:
        return self._exists(self.path(name))

    def any_in_file(self) -> bool:
        return any(path.suffix == _IN_FILE for path in self._paths())

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Within, no other console makes or erases a key here; waits until that is so."""
        with holding(self._folder / "lock"):
            yield

    def names(self) -> Sequence[str]:
        """Of all keys, without their versions."""
        return sorted({path.stem.partition(_VERSION)[0] for path in self._paths()})

    def versions(self, name: str) -> Sequence[str]:
        """Names under which the versions of the key `name` are kept, the first made first; empty if there is none."""
        found = {path.stem for path in self._paths() if path.stem.partition(_VERSION)[0] == name}
        return sorted(found, key=version_number)

    def made_at(self, name: str) -> float | None:
        """When, in seconds since the epoch; None if that cannot be told."""
        place = self.path(name) if self.is_in_file(name) else self._folder / (name + _IN_KEYRING)
        try:
            return place.stat().st_mtime
        except OSError:
            return None

    def erase(self, name: str) -> None:
        """Overwrite the key's file, if it has one, and remove it; remove the note that it is in the keyring."""
        path = self.path(name)
        try:
            if path.exists():
                with path.open("r+b") as file:
                    file.write(secrets.token_bytes(path.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
            (self._folder / (name + _IN_KEYRING)).unlink(missing_ok=True)
        except OSError as error:
            raise unusable(path, error) from error

    def note_in_keyring(self, name: str) -> None:
        """From now on the key `name` is to be looked for in the keyring."""
        write_whole(self._folder / (name + _IN_KEYRING), "in the system keyring\n")

    def directory_id(self) -> str:
        """The name of this data directory in the keyring, "" if it has none yet."""
        path = self._folder / "id"
        return self._read(path).strip() if self._exists(path) else ""

    def make_directory_id(self) -> str:
        """The same, made if there is none."""
        if not self.directory_id():
            write_whole(self._folder / "id", secrets.token_hex(16) + "\n")
        return self.directory_id()

    def read(self, name: str) -> str:
        """What the file of the key `name` holds. Refuses one that others may read."""
        path = self.path(name)
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            raise unusable(path, error) from error
        if sys.platform != "win32" and mode & 0o077:
            raise KeyUnavailable(
                f"The key file {path} can be read by others (mode {mode:03o}); make sure that nobody copied it, then "
                "take their permissions away with chmod 600"
            )
        return self._read(path)

    def write(self, name: str, text: str) -> None:
        """Keep the key `name` in a file."""
        write_whole(self.path(name), text + "\n")

    def _read(self, path: Path) -> str:
        try:
            return path.read_text("ascii", errors="replace")
        except OSError as error:
            raise unusable(path, error) from error

    def _exists(self, path: Path) -> bool:
        try:
            return path.exists()
        except OSError as error:
            raise unusable(path, error) from error

    def _paths(self) -> Sequence[Path]:
        try:
            return [path for path in self._folder.iterdir() if path.suffix in (_IN_FILE, _IN_KEYRING)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unusable(self._folder, error) from error


def versioned(name: str, number: int) -> str:
    """Under which the version `number` (from 1) of the key `name` is kept."""
    return name if number == 1 else f"{name}{_VERSION}{number}"


def version_number(kept: str) -> int:
    """The reverse: 0 for what `versioned` never made."""
    _, at, number = kept.partition(_VERSION)
    return 1 if not at else int(number) if number.isascii() and number.isdecimal() else 0
