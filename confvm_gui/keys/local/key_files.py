"""The folder `keys` of a data directory. All calls block.

    id              32 hex digits that name this data directory in the keyring
    NAME.keyring    the key NAME is in the system keyring
    NAME.kek        the key NAME itself, where the machine has no keyring: 64 hex digits
    lock            held while a key is made, so that two consoles make one

The folder is its owner's only (0700), the files too (0600).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from confvm_gui.domain.errors import KeyUnavailable

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


_IN_KEYRING = ".keyring"
_IN_FILE = ".kek"


class KeyFiles:
    """Files of `data_dir/keys`. Raises KeyUnavailable if they cannot be used. Writing is for use within `making`."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "keys"

    def path(self, name: str) -> Path:
        """Where the key `name` would be, kept in a file."""
        return self._folder / (name + _IN_FILE)

    def is_in_keyring(self, name: str) -> bool:
        return self._exists(self._folder / (name + _IN_KEYRING))

    def is_in_file(self, name: str) -> bool:
        return self._exists(self.path(name))

    def any_in_file(self) -> bool:
        try:
            return any(path.suffix == _IN_FILE for path in self._folder.iterdir())
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self._folder, error) from error

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Within, no other console makes a key here; waits until that is so."""
        path = self._folder / "lock"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            try:
                _lock(descriptor)
            except OSError as error:
                raise _unusable(path, error) from error
            yield
        finally:
            os.close(descriptor)

    def note_in_keyring(self, name: str) -> None:
        """From now on the key `name` is to be looked for in the keyring."""
        self._write_new(self._folder / (name + _IN_KEYRING), "in the system keyring\n")

    def directory_id(self) -> str:
        """The name of this data directory in the keyring, "" if it has none yet."""
        path = self._folder / "id"
        return self._read(path).strip() if self._exists(path) else ""

    def make_directory_id(self) -> str:
        """The same, made if there is none."""
        if not self.directory_id():
            self._write_new(self._folder / "id", secrets.token_hex(16) + "\n")
        return self.directory_id()

    def read(self, name: str) -> str:
        """What the file of the key `name` holds. Refuses one that others may read."""
        path = self.path(name)
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            raise _unusable(path, error) from error
        if sys.platform != "win32" and mode & 0o077:
            raise KeyUnavailable(
                f"The key file {path} can be read by others (mode {mode:03o}); make sure that nobody copied it, then "
                "take their permissions away with chmod 600"
            )
        return self._read(path)

    def write(self, name: str, text: str) -> None:
        """Keep the key `name` in a file."""
        self._write_new(self.path(name), text + "\n")

    def _read(self, path: Path) -> str:
        try:
            return path.read_text("ascii", errors="replace")
        except OSError as error:
            raise _unusable(path, error) from error

    def _exists(self, path: Path) -> bool:
        try:
            return path.exists()
        except OSError as error:
            raise _unusable(path, error) from error

    def _write_new(self, path: Path, text: str) -> None:
        """All of `text` or no file at all, whenever the console is killed. Called within `making` only."""
        unfinished = path.with_name(path.name + ".new")
        try:
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(descriptor, text.encode("ascii"))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            unfinished.rename(path)
        except OSError as error:
            raise _unusable(path, error) from error
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)


def _unusable(path: Path, error: OSError) -> KeyUnavailable:
    return KeyUnavailable(
        f"The key file {path} cannot be used: {error.strerror or error}; correct its permissions, or put back a copy"
    )
