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
0x530  out, 32   1: SNP_GUEST_REQUEST, message at GPA 0x9000, response at GPA 0xA000 when the instruction ends
0x530  in, 32    0 done, else the firmware's status
0x534  out, 32   page state change: first page, GPA // 4096
0x538  out, 32   page state change: number of pages
0x53C  out, 32   page state change: 1 makes them private, 0 shared, complete when the instruction ends
0x53C  in, 32    0 done, else refused
0x544  out, 32   the attestation page holds the answer of this number
0x600  out, 32   power off
====== ========= ================================================================================

0x530 to 0x53C are there for SEV-SNP guests only. Private pages are accepted by the real instruction: PVALIDATE
(F2 0F 01 FF) is not known to Unicorn, and `core` emulates it from the hook for invalid instructions.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from confvm_gui.engine.guest_host.protocol import DeviceState

COM1_DATA: Final = 0x3F8
COM1_STATUS: Final = 0x3FD
CLOCK: Final = 0x510
SLEEP: Final = 0x514
DISK_SECTOR: Final = 0x520
DISK_COUNT: Final = 0x524
DISK_BUFFER: Final = 0x528
DISK_COMMAND: Final = 0x52C
GUEST_REQUEST: Final = 0x530
STATE_PAGE: Final = 0x534
STATE_COUNT: Final = 0x538
STATE_CHANGE: Final = 0x53C
ANSWERED: Final = 0x544
POWER: Final = 0x600

SECTOR: Final = 512
MAXIMUM_SECTORS: Final = 256
_INPUT_LIMIT: Final = 4096
_READ: Final = 1
_NO_DISK: Final = -1

WriteMemory = Callable[[int, bytes], bool]
"""(GPA, data) -> whether it lay in RAM and was allowed: what a device does by DMA."""


class HostPort(Protocol):
    """What the guest reaches of its host by port I/O."""

    def guest_request(self) -> int: ...

    def change_state(self, page: int, count: int, private: bool) -> int: ...

    def answered(self, sequence: int) -> None: ...


class Devices:
    """The devices of one guest."""

    def __init__(
        self, disk_path: str, write_memory: WriteMemory, host: HostPort | None = None, *, snp: bool = False
    ) -> None:
        self._disk = os.open(disk_path, os.O_RDONLY) if disk_path else _NO_DISK
        self._write_memory = write_memory
        self._host = host
        self._snp = snp
        self._started = time.monotonic()
        self._input: deque[int] = deque(maxlen=_INPUT_LIMIT)
        self._registers = {DISK_SECTOR: 0, DISK_COUNT: 0, DISK_BUFFER: 0, STATE_PAGE: 0, STATE_COUNT: 0}
        self._statuses = {DISK_COMMAND: 0, GUEST_REQUEST: 0, STATE_CHANGE: 0}
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
        if port == DISK_COMMAND or (self._snp and port in self._statuses):
            return self._statuses[port]
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
            self._statuses[port] = 0 if value == _READ and self._read_disk() else 1
        elif port == POWER:
            self.powered_off = True
        elif self._host is not None:
            self._ask_host(self._host, port, value)

    def state(self) -> DeviceState:
        """What a guest that goes on elsewhere must find there as it is here."""
        return DeviceState(
            elapsed=time.monotonic() - self._started,
            pending_input=bytes(self._input),
            registers=(*self._registers.items(), *self._statuses.items()),
            console_bytes=self.console_bytes,
            disk_read_bytes=self.disk_read_bytes,
        )

    def restore(self, state: DeviceState) -> None:
        self._started = time.monotonic() - state.elapsed
        self._input.extend(state.pending_input)
        for port, value in state.registers:
            (self._statuses if port in self._statuses else self._registers)[port] = value
        self.console_bytes = state.console_bytes
        self.disk_read_bytes = state.disk_read_bytes

    def _ask_host(self, host: HostPort, port: int, value: int) -> None:
        if port == ANSWERED:
            host.answered(value)
        elif self._snp and port == GUEST_REQUEST:
            self._statuses[port] = host.guest_request() & 0xFFFF_FFFF if value == 1 else 1
        elif self._snp and port == STATE_CHANGE:
            first, count = self._registers[STATE_PAGE], self._registers[STATE_COUNT]
            self._statuses[port] = host.change_state(first, count, value == 1) & 0xFFFF_FFFF

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
