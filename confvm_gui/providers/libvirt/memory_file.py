"""RAM of a domain on this computer, read from the shared file that backs it: no call of libvirt, at memory speed.

The file is that of the QEMU process that holds the domain (a memfd, or a file that may have been unlinked), opened
through /proc, so the kernel decides who may read it.
"""

from __future__ import annotations

import os
import select
import stat
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import WrongState
from confvm_gui.domain.memory import MemoryRegion
from confvm_gui.providers.libvirt.memory_facts import MemoryFacts

_PROC: Final = Path("/proc")
_MOST_EXTENTS: Final = 2048
"""Written ranges that are told apart: asking for each takes a system call."""


class SharedMemoryFile:
    """The open file, and whether the process that it belongs to still lives."""

    def __init__(self, descriptor: int, process: int, facts: MemoryFacts) -> None:
        """Takes over both descriptors: of the file, and a pidfd."""
        self._file = descriptor
        self._process = process
        self._facts = facts

    def __del__(self) -> None:
        # The last reader has gone: nothing else knows when nobody looks any more.
        os.close(self._file)
        os.close(self._process)

    def read(self, gpa: int, length: int) -> bytes:
        """Blocks. Within one region. Raises WrongState when the machine has ended."""
        at = self._offset(gpa)
        data = os.pread(self._file, length, at)
        while len(data) < length and (more := os.pread(self._file, length - len(data), at + len(data))):
            data += more
        ended, _, _ = select.select([self._process], [], [], 0)
        if ended or len(data) < length:
            raise WrongState("The instance has been stopped: its RAM is gone")
        return data

    def populated(self) -> tuple[MemoryRegion, ...]:
        """Ranges that were ever written; what lies outside reads as zeros."""
        found: list[MemoryRegion] = []
        for region, offset in zip(self._facts.regions, self._facts.file_offsets, strict=True):
            position, end = offset, offset + region.length
            while position < end:
                if len(found) >= _MOST_EXTENTS:
                    found.append(MemoryRegion(region.gpa + position - offset, end - position))
                    break
                try:
                    start = os.lseek(self._file, position, os.SEEK_DATA)
                    position = min(os.lseek(self._file, start, os.SEEK_HOLE), end)
                except OSError:
                    break  # no data behind here
                if start < end:
                    found.append(MemoryRegion(region.gpa + start - offset, position - start))
        return tuple(found)

    def _offset(self, gpa: int) -> int:
        for region, offset in zip(self._facts.regions, self._facts.file_offsets, strict=True):
            if region.gpa <= gpa < region.gpa + region.length:
                return offset + gpa - region.gpa
        raise ValueError("not RAM")


def open_shared(uuid: str, facts: MemoryFacts) -> SharedMemoryFile | None:
    """The file that backs all RAM of the domain `uuid` (with hyphens), or None where there is none that this user may
    read. Blocks for some milliseconds."""
    if not facts.shared_file or not facts.file_size or not hasattr(os, "pidfd_open"):
        return None
    with suppress(OSError):
        for process in _PROC.iterdir():
            if process.name.isdigit() and _runs(process, uuid):
                return _open_of(process, facts)
    return None


def _runs(process: Path, uuid: str) -> bool:
    with suppress(OSError):
        words = (process / "cmdline").read_bytes().split(b"\0")
        for name, value in pairwise(words):
            if name == b"-uuid" and value == uuid.encode():
                return True
    return False


def _mapped_shared(process: Path) -> set[tuple[int, int]]:
    """Device and inode of the files that the process has mapped shared: RAM is, disks are not (proc_pid_maps(5))."""
    found: set[tuple[int, int]] = set()
    for line in (process / "maps").read_text().splitlines():
        _, access, _, device, inode, *_ = line.split()
        if access.endswith("s"):
            major, _, minor = device.partition(":")
            found.add((os.makedev(int(major, 16), int(minor, 16)), int(inode)))
    return found


def _open_of(process: Path, facts: MemoryFacts) -> SharedMemoryFile | None:
    watch = os.pidfd_open(int(process.name))
    found: dict[tuple[int, int], int] = {}
    try:
        mapped = _mapped_shared(process)
        for entry in (process / "fd").iterdir():
            with suppress(OSError):
                known = entry.stat()
                if not stat.S_ISREG(known.st_mode) or known.st_size != facts.file_size:
                    continue
                if (known.st_dev, known.st_ino) in mapped:
                    found.setdefault((known.st_dev, known.st_ino), int(entry.name))
        # Two of the same size: which is the RAM cannot be told, and the wrong one must not be shown.
        if len(found) == 1:
            descriptor = os.open(process / "fd" / str(*found.values()), os.O_RDONLY | os.O_CLOEXEC)
            return SharedMemoryFile(descriptor, watch, facts)
    except OSError:
        pass
    os.close(watch)
    return None
