"""A file read in pieces that are data or holes, so that holes need not be sent."""

from __future__ import annotations

import os
from typing import BinaryIO


class HoleReader:
    """Reads from the start. Where the file system does not tell holes, all is data."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self._data_until = 0

    def next(self, most: int) -> tuple[bytes, int] | None:
        """(data, 0) with at most `most` bytes, or (b"", length of a hole); None at the end."""
        if self._at >= self._size:
            return None
        if self._at >= self._data_until:
            start = self._data_at(self._at)
            if start > self._at:
                hole = start - self._at
                self._at = start
                return b"", hole
            self._data_until = self._hole_at(self._at)
        self._file.seek(self._at)
        data = self._file.read(min(most, self._data_until - self._at))
        if not data:  # it was cut meanwhile
            raise OSError(5, "it has become shorter while it was read")
        self._at += len(data)
        return data, 0

    def _data_at(self, offset: int) -> int:
        if not hasattr(os, "SEEK_DATA"):
            return offset
        try:
            return min(os.lseek(self._file.fileno(), offset, os.SEEK_DATA), self._size)
        except OSError as error:
            return self._size if error.errno == 6 else offset  # ENXIO: a hole up to the end

    def _hole_at(self, offset: int) -> int:
        if not hasattr(os, "SEEK_HOLE"):
            return self._size
        try:
            return min(os.lseek(self._file.fileno(), offset, os.SEEK_HOLE), self._size)
        except OSError:
            return self._size
