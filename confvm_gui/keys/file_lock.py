"""A file that one process at a time holds: consoles that share a data directory change its keys one after another."""

from __future__ import annotations

import contextlib
import os
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


@contextlib.contextmanager
def holding(path: Path) -> Iterator[None]:
    """Within, nobody else holds `path`; waits until that is so. Makes file and folder. Raises KeyUnavailable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unusable(path, error) from error
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise unusable(path, error) from error
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str) -> None:
    """All of `text` in the place of what was there, or nothing, whenever the console is killed. Raises KeyUnavailable.

    For its user only (0600). Called while holding a lock.
    """
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, text.encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.replace(path)
    except OSError as error:
        raise unusable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def unusable(path: Path, error: OSError) -> KeyUnavailable:
    """What a file that cannot be used comes to."""
    return KeyUnavailable(
        f"The key file {path} cannot be used: {error.strerror or error}; correct its permissions, or put back a copy"
    )
