"""The built-in guests' images: flat x86-64 programs, loaded at GPA 0x100000 and measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.resource_files import resources_dir

RECORDS: Final = "records"
HEARTBEAT: Final = "heartbeat"
GUESTS: Final = (RECORDS, HEARTBEAT)

_MINIMUM_RAM: Final = {RECORDS: 4 << 20, HEARTBEAT: 2 << 20}


@dataclass(frozen=True, slots=True)
class GuestImage:
    """A guest program, ready to be put into RAM at `memory_map.IMAGE_GPA`."""

    name: str
    data: bytes = field(repr=False)
    """Padded with zeros to whole pages."""
    sha256: str
    """Of `data`, hex: what a launch digest over it is made of."""
    minimum_ram: int
    """Bytes of RAM below which the guest cannot run; `records_disk.ram_needed` tells it for given records."""

    @classmethod
    def load(cls, name: str, directory: Path | None = None) -> GuestImage:
        """The image `name` (`records`, `heartbeat`) of `directory`, by default the shipped ones.

        Raises NotFound. Read once for each folder, then kept.
        """
        return _load(name, directory if directory is not None else resources_dir() / "guests")


@cache
def _load(name: str, directory: Path) -> GuestImage:
    if name not in GUESTS:
        raise NotFound(f"There is no built-in guest {name!r}; there are {' and '.join(GUESTS)}")
    try:
        data = (directory / f"{name}.bin").read_bytes()
    except OSError:
        raise NotFound(f"The image of the built-in guest {name!r} is missing; install the program again") from None
    data += bytes(-len(data) % PAGE_SIZE)
    return GuestImage(name, data, hashlib.sha256(data).hexdigest(), _MINIMUM_RAM[name])
