"""One writing console at a time on a data directory.

The lock is the operating system's, on an open file: it ends with the process, however that ends, so a lock file left
by `kill -9` is no obstacle. The file's text is only the holder's process id, for the other console to name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import weakref
from pathlib import Path

from confvm_gui.store.sqlite_faults import from_os

if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 20
    """Beyond the text, because Windows keeps others from reading a locked byte."""

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD_ELSEWHERE = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})


class HeldElsewhere(Exception):
    """Another console holds the lock. `pid` is its process id, None if it could not be read."""

    def __init__(self, pid: int | None) -> None:
        super().__init__("the data directory is locked")
        self.pid = pid


class DirectoryLock:
    """The lock of one data directory, held from construction until `release`.

    Raises HeldElsewhere, or StoreError if the lock file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise from_os(error, path, "be opened") from error
        try:
            _try_lock(self._descriptor)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())
        except OSError as error:
            held = error.errno in _HELD_ELSEWHERE
            pid = _read_pid(self._descriptor) if held else None
            self.release()
            if held:
                raise HeldElsewhere(pid) from None
            raise from_os(error, path, "be locked") from error
        _held.add(self)

    def release(self) -> None:
        """Let another console in. Does nothing the second time."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def forget(self) -> None:
        """In a forked child: give up the copy of the descriptor, or the lock would outlive the console."""
        with contextlib.suppress(OSError):
            self.release()


_held: weakref.WeakSet[DirectoryLock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _read_pid(descriptor: int) -> int | None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return int(os.read(descriptor, 32))
    except (OSError, ValueError):
        return None
