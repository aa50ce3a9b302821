"""The machine around a guest's vCPU: serial port, clock, power button and disk, all by port I/O.

COM1 is the part of a 16550 that a polled driver uses. The others are the console's own, chosen to be small:

====== ========= ================================================================================
port   direction meaning
====== ========= ================================================================================
0x3F8  both      serial data
0x3FD  in        line status: 0x20 ready to send, 0x01 input waits
0x510  in, 32    milliseconds since the guest was started
0x514  out, 32   the next HLT sleeps so many milliseconds, or until the doorbell
0x520  out, 32   disk: first sector of 512 bytes
0x524  out, 32   disk: number of sectors, at most 256
0x528  out, 32   disk: GPA of the buffer
0x52C  out, 32   disk: 1 reads, complete when the instruction ends
0x52C  in, 32    disk: 0 done, 1 refused or failed
0x600  out, 32   power off
====== ========= ================================================================================
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Final

COM1_DATA: Final = 0x3F8
COM1_STATUS: Final = 0x3FD
CLOCK: Final = 0x510
SLEEP: Final = 0x514
DISK_SECTOR: Final = 0x520
DISK_COUNT: Final = 0x524
DISK_BUFFER: Final = 0x528
DISK_COMMAND: Final = 0x52C
POWER: Final = 0x600

SECTOR: Final = 512
MAXIMUM_SECTORS: Final = 256
_INPUT_LIMIT: Final = 4096
_READ: Final = 1
_NO_DISK: Final = -1

WriteMemory = Callable[[int, bytes], bool]
"""(GPA, data) -> whether it lay in RAM: what a device does by DMA."""


class Devices:
    """The devices of one guest."""

    def __init__(self, disk_path: str, write_memory: WriteMemory) -> None:
        self._disk = os.open(disk_path, os.O_RDONLY) if disk_path else _NO_DISK
        self._write_memory = write_memory
        self._started = time.monotonic()
        self._input: deque[int] = deque(maxlen=_INPUT_LIMIT)
        self._registers = {DISK_SECTOR: 0, DISK_COUNT: 0, DISK_BUFFER: 0}
        self._disk_status = 0
        self.output = bytearray()
        """Serial output not collected yet."""
        self.console_bytes = 0
        self.disk_read_bytes = 0
        self.sleep_milliseconds: int | None = None
        """What the next HLT waits for at most; None: the doorbell only."""
        self.powered_off = False

    def close(self) -> None:
        if self._disk != _NO_DISK:
            os.close(self._disk)
            self._disk = _NO_DISK

    def feed(self, data: bytes) -> None:
        """Serial input; what exceeds the buffer is lost, as on the wire."""
        self._input.extend(data)

    def port_in(self, port: int, size: int) -> int:
        """IN of `size` bytes. Unknown ports float high."""
        if port == COM1_STATUS:
            return 0x20 | (1 if self._input else 0)
        if port == COM1_DATA:
            return self._input.popleft() if self._input else 0
        if port == CLOCK:
            return int((time.monotonic() - self._started) * 1000) & 0xFFFF_FFFF
        if port == DISK_COMMAND:
            return self._disk_status
        return (1 << 8 * size) - 1

    def port_out(self, port: int, value: int) -> None:
        """OUT. Unknown ports swallow."""
        if port == COM1_DATA:
            self.output.append(value & 0xFF)
            self.console_bytes += 1
        elif port == SLEEP:
            self.sleep_milliseconds = value
        elif port in self._registers:
            self._registers[port] = value
        elif port == DISK_COMMAND:
            self._disk_status = 0 if value == _READ and self._read_disk() else 1
        elif port == POWER:
            self.powered_off = True

    def _read_disk(self) -> bool:
        count = self._registers[DISK_COUNT]
        if self._disk == _NO_DISK or not 0 < count <= MAXIMUM_SECTORS:
            return False
        try:
            os.lseek(self._disk, self._registers[DISK_SECTOR] * SECTOR, os.SEEK_SET)
            data = os.read(self._disk, count * SECTOR)
        except OSError:
            return False
        if len(data) != count * SECTOR or not self._write_memory(self._registers[DISK_BUFFER], data):
            return False
        self.disk_read_bytes += len(data)
        return True
