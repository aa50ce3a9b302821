"""Files of a machine, seen from a root folder, so that made-up machines can be examined as well as this one."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_LARGEST_TEXT: Final = 8 << 20
"""Bytes: dpkg's status file is the largest that is read."""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine and the user who asks. Nothing here raises for what is missing or may not be read."""

    root: Path = Path("/")
    uid: int = field(default_factory=os.geteuid)
    groups: frozenset[int] = field(default_factory=lambda: frozenset((os.getegid(), *os.getgroups())))

    @property
    def is_this_machine(self) -> bool:
        return self.root == Path("/")

    def path(self, name: str) -> Path:
        """Where `name`, a path from the root without a leading slash, lies."""
        return self.root / name

    def exists(self, name: str) -> bool:
        try:
            return self.path(name).exists()
        except OSError:
            return False

    def text(self, name: str) -> str | None:
        """Content of a text file without blanks around it; None if it is missing or may not be read."""
        try:
            with self.path(name).open("rb") as file:
                return file.read(_LARGEST_TEXT).decode("utf-8", "replace").strip()
        except OSError:
            return None

    def entries(self, name: str) -> list[str]:
        """Names in a folder, sorted; none if it is missing or may not be read."""
        try:
            return sorted(entry.name for entry in self.path(name).iterdir())
        except OSError:
            return []

    def bytes_at(self, name: str, offset: int, size: int) -> bytes | None:
        """`size` bytes at `offset` of a device such as /dev/cpu/0/msr; None if they cannot be had."""
        try:
            descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            data = os.pread(descriptor, size, offset)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return data if len(data) == size else None

    def may_read_and_write(self, name: str) -> bool:
        """Whether the user may open `name` for both, by its owner, group and mode."""
        try:
            about = self.path(name).stat()
        except OSError:
            return False
        if self.uid == 0:
            return True
        if about.st_uid == self.uid:
            wanted = stat.S_IRUSR | stat.S_IWUSR
        elif about.st_gid in self.groups:
            wanted = stat.S_IRGRP | stat.S_IWGRP
        else:
            wanted = stat.S_IROTH | stat.S_IWOTH
        return about.st_mode & wanted == wanted

    def mode(self, name: str) -> str:
        """Owner, group and mode as `0:107 crw-rw----`; "" if it does not exist."""
        try:
            about = self.path(name).stat()
        except OSError:
            return ""
        return f"{about.st_uid}:{about.st_gid} {stat.filemode(about.st_mode)}"
