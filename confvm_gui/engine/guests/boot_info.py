"""What the hypervisor tells a guest at start, in one shared page.

    magic u32 "CVBI" | version u32 1 | ram_bytes u64 | disk_sectors u64 | reserved u64 | command_line 256, NUL-ended

All little-endian. The guest trusts none of it with secrets: the page is shared.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE

_LAYOUT: Final = struct.Struct("<IIQQQ256s")
_MAGIC: Final = 0x49425643
_VERSION: Final = 1
_COMMAND_LINE: Final = 256


@dataclass(frozen=True, slots=True)
class BootInfo:
    """The page's content."""

    ram_bytes: int
    """RAM of the guest from GPA 0; it uses whole 2 MiB of it."""
    disk_sectors: int = 0
    """Of 512 bytes, the clear header included; 0: no disk."""
    command_line: str = ""

    def encode(self) -> bytes:
        """One page, to be written at `memory_map.BOOT_INFO_GPA`. Raises InvalidInput("command_line")."""
        line = self.command_line.encode()
        if len(line) >= _COMMAND_LINE or b"\0" in line:
            raise InvalidInput("command_line", f"The guest's command line takes at most {_COMMAND_LINE - 1} bytes")
        return _LAYOUT.pack(_MAGIC, _VERSION, self.ram_bytes, self.disk_sectors, 0, line).ljust(PAGE_SIZE, b"\0")
