"""One guest on one Unicorn vCPU in this process: the machine of `resources/guests/README.md`, small enough to read.

Time is the guest's own: a sleep costs nothing and moves the clock on. Memory encryption is not modelled, only what it
rests on: each page table walk notes whether a page was mapped private or shared, RAM that nobody has written is noise
under SEV, and what a device or the host touches must be shared.
"""

from __future__ import annotations

import mmap
import os
import random
import re
import struct
import time
from collections.abc import Callable
from ctypes import addressof, c_char
from dataclasses import dataclass
from typing import Any

from unicorn import Uc
from unicorn.unicorn_const import (
    UC_ARCH_X86,
    UC_CTL_IO_WRITE,
    UC_CTL_TLB_FLUSH,
    UC_HOOK_INSN,
    UC_HOOK_TLB_FILL,
    UC_MODE_64,
    UC_PROT_ALL,
    UC_TLB_VIRTUAL,
)
from unicorn.x86_const import (
    UC_X86_INS_CPUID,
    UC_X86_INS_IN,
    UC_X86_INS_OUT,
    UC_X86_REG_CR3,
    UC_X86_REG_EAX,
    UC_X86_REG_RAX,
    UC_X86_REG_RBX,
    UC_X86_REG_RCX,
    UC_X86_REG_RDX,
    UC_X86_REG_RIP,
)

from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.records import RecordsTable
from confvm_gui.engine.guests.boot_info import BootInfo
from confvm_gui.engine.guests.guest_status import GuestStatus, parse_status
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.mailbox import (
    HEADER_BYTES,
    REQUEST_GPA,
    RESPONSE_GPA,
    MailboxAnswer,
    MailboxKey,
    pack_header,
    unpack_header,
)
from confvm_gui.engine.guests.memory_map import BOOT_INFO_GPA, IMAGE_GPA, SECRET_GPA
from confvm_gui.engine.guests.records_disk import DiskHeader, build_disk, ram_needed
from confvm_gui.engine.guests.secret_table import guest_secret

PAGE = 4096
C_BIT = 51
_C = 1 << C_BIT
_ADDRESS = (1 << 48) - 1 & ~(PAGE - 1)
_SHARED = frozenset({BOOT_INFO_GPA, *range(0x10000, 0x40000, PAGE)})
_AES = 1 << 25


class GuestCrash(Exception):
    """The guest did what the machine does not allow."""


class GuestMachine:
    """A guest, launched but not run yet; `run` and `ask` make it go."""

    def __init__(
        self,
        image: GuestImage,
        *,
        ram_bytes: int = 4 << 20,
        sev: bool = True,
        secret: bytes = b"",
        disk: bytes = b"",
        aes_instructions: bool = True,
        slice_us: int = 0,
    ) -> None:
        """`slice_us`: take the processor away after so many microseconds, wherever the guest is; 0: never."""
        self.ram = mmap.mmap(-1, ram_bytes)
        self.sev = sev
        self.disk = disk
        self.aes_instructions = aes_instructions
        self.slice_us = slice_us
        self.preempted = 0
        self.serial = bytearray()
        self.powered_off: int | None = None
        self.private: set[int] = set()
        """Page addresses that the guest reached through a private mapping; `shared` likewise."""
        self.shared: set[int] = set()
        self._registers: dict[int, int] = {}
        self._disk_status = 1
        self._clock_offset = 0.0
        self._doorbell = False
        self._started = time.monotonic()
        self._sequence = 0
        if sev:
            self.ram[:] = random.Random(ram_bytes).randbytes(ram_bytes)
        self.write(IMAGE_GPA, image.data)
        self.write(BOOT_INFO_GPA, BootInfo(ram_bytes, len(disk) // 512, "rehearsal").encode())
        self.write(REQUEST_GPA, bytes(0x10000))
        if secret or not sev:
            self.write(SECRET_GPA, secret.ljust(PAGE, b"\0"))
        self._uc = Uc(UC_ARCH_X86, UC_MODE_64)
        self._uc.ctl_exits_enabled(True)
        self._anchor = c_char.from_buffer(self.ram)
        self._uc.mem_map_ptr(0, ram_bytes, UC_PROT_ALL, addressof(self._anchor))
        self._uc.ctl_set_tlb_mode(UC_TLB_VIRTUAL)
        self._uc.hook_add(UC_HOOK_TLB_FILL, self._fill)
        # CPUID first: with a stop pending Unicorn asks the first hook only, and answers a CPUID itself.
        self._uc.hook_add(UC_HOOK_INSN, self._cpuid, None, 1, 0, UC_X86_INS_CPUID)
        self._uc.hook_add(UC_HOOK_INSN, self._in, None, 1, 0, UC_X86_INS_IN)
        self._uc.hook_add(UC_HOOK_INSN, self._out, None, 1, 0, UC_X86_INS_OUT)
        self._uc.reg_write(UC_X86_REG_RIP, IMAGE_GPA)

    # The host's side

    def write(self, gpa: int, data: bytes) -> None:
        self.ram[gpa : gpa + len(data)] = data

    def read(self, gpa: int, length: int) -> bytes:
        return self.ram[gpa : gpa + length]

    def console(self) -> str:
        return self.serial.decode("ascii")

    def shared_memory(self) -> bytes:
        """All that the guest has mapped without the C-bit."""
        return b"".join(self.read(page, PAGE) for page in sorted(self.shared))

    def touched(self) -> int:
        """Bytes of RAM that the guest has used."""
        return PAGE * len(self.private | self.shared)

    # The processor

    def turn(self) -> None:
        """From one HLT to the next; a sleep passes at once, or not at all where the doorbell ends it."""
        pause = self._registers.pop(0x514, 0)
        if not self._doorbell:
            self._clock_offset += pause / 1000
        self._doorbell = False
        while True:
            self._uc.ctl(UC_CTL_TLB_FLUSH, UC_CTL_IO_WRITE)
            self._uc.emu_start(self._uc.reg_read(UC_X86_REG_RIP), 0, timeout=self.slice_us)
            if self._halted():
                return
            self.preempted += 1

    def _halted(self) -> bool:
        """Whether the instruction before the next one is HLT."""
        at: int = self._uc.reg_read(UC_X86_REG_RIP) - 1
        return self.ram[at] == 0xF4

    def run(self, until: Callable[[GuestMachine], bool], seconds: float = 50.0) -> None:
        """Turn after turn until the condition holds. It fails on power-off, and after so many real seconds."""
        limit = time.monotonic() + seconds
        while not until(self):
            assert self.powered_off is None, f"the guest powered off:\n{self.console()}"
            assert time.monotonic() < limit, f"the guest did not get there in time:\n{self.console()}"
            self.turn()

    def run_to_power_off(self) -> None:
        self.run(lambda machine: machine.powered_off is not None)

    def run_until_printed(self, pattern: str) -> re.Match[str]:
        self.run(lambda machine: re.search(pattern, machine.console()) is not None)
        found = re.search(pattern, self.console())
        assert found is not None
        return found

    def ask(self, key: MailboxKey, query: Query) -> MailboxAnswer:
        """Post a question and run until it is answered."""
        self._sequence += 1
        sequence = self._sequence
        self.post(sequence, key.seal_request(sequence, query))
        self.run(lambda machine: unpack_header(machine.read(RESPONSE_GPA, HEADER_BYTES))[0] == sequence)
        _, length = unpack_header(self.read(RESPONSE_GPA, HEADER_BYTES))
        return key.open_answer(sequence, self.read(RESPONSE_GPA + HEADER_BYTES, length))

    def post(self, sequence: int, payload: bytes) -> None:
        self.write(REQUEST_GPA + HEADER_BYTES, payload)
        self.write(REQUEST_GPA, pack_header(sequence, len(payload)))
        self._sequence = max(self._sequence, sequence)
        self._doorbell = True

    def status(self, key: MailboxKey) -> GuestStatus:
        return parse_status(self.ask(key, Query(QueryVerb.STATUS)))

    # What the guest reaches

    def _fill(self, uc: Any, address: int, access: int, entry: Any, data: Any) -> bool:
        walked = self._walk(address)
        if walked is None:
            return False
        gpa, private = walked
        page = gpa & ~(PAGE - 1)
        (self.private if private else self.shared).add(page)
        if page in self.private and page in self.shared and self.sev:
            raise GuestCrash(f"page {page:#x} was mapped both private and shared")
        entry.paddr, entry.perms = page, UC_PROT_ALL
        return True

    def _walk(self, address: int) -> tuple[int, bool] | None:
        """GPA and whether the mapping is private; None: not mapped. APM volume 2, 5.3 and 15.34.5."""
        table = self._uc.reg_read(UC_X86_REG_CR3)
        if not table & _ADDRESS:
            return (address, True) if address < len(self.ram) else None
        for shift in (39, 30, 21, 12):
            if self.sev and not table & _C:
                raise GuestCrash(f"a page table at {table:#x} is not private")
            at = (table & _ADDRESS) + (address >> shift & 511) * 8
            (table,) = struct.unpack_from("<Q", self.ram, at)
            if not table & 1:
                return None
            if shift == 12 or (shift == 21 and table & 0x80):
                gpa = (table & _ADDRESS & ~((1 << shift) - 1)) | (address & ((1 << shift) - 1))
                private = bool(table & _C) if self.sev else gpa & ~(PAGE - 1) not in _SHARED
                return (gpa, private) if gpa < len(self.ram) else None
        return None

    def _in(self, uc: Any, port: int, size: int, data: Any) -> int:
        if port == 0x510:
            return int((time.monotonic() - self._started + self._clock_offset) * 1000)
        if port == 0x52C:
            return self._disk_status
        return 0x20 if port == 0x3FD else 0

    def _out(self, uc: Any, port: int, size: int, value: int, data: Any) -> None:
        if port == 0x3F8:
            self.serial.append(value)
        elif port == 0x600:
            self.powered_off = value
        elif port == 0x52C:
            self._read_disk()
        else:
            self._registers[port] = value

    def _read_disk(self) -> None:
        sector, count, gpa = (self._registers.get(port, 0) for port in (0x520, 0x524, 0x528))
        data = self.disk[sector * 512 : (sector + count) * 512]
        if not {gpa + at for at in range(0, len(data), PAGE)} <= _SHARED:
            raise GuestCrash("the disk was told to write to private memory")
        self._disk_status = 0 if len(data) == count * 512 and 0 < count <= 256 else 1
        if self._disk_status == 0:
            self.write(gpa, data)

    def _cpuid(self, uc: Any, data: Any) -> int:
        leaf = uc.reg_read(UC_X86_REG_EAX)
        if leaf == 0x8000001F:
            values = (2, C_BIT | 5 << 6, 509, 1) if self.sev else (0, 0, 0, 0)
        elif leaf == 1:
            values = (0, 0, _AES if self.aes_instructions else 0, 0)
        else:
            return 0
        for register, value in zip(
            (UC_X86_REG_RAX, UC_X86_REG_RBX, UC_X86_REG_RCX, UC_X86_REG_RDX), values, strict=True
        ):
            uc.reg_write(register, value)
        return 1


@dataclass
class RecordsRun:
    """A records guest with its disk and its secrets, and the host's ends of both."""

    machine: GuestMachine
    table: RecordsTable
    mailbox: MailboxKey

    def ask(self, query: Query) -> MailboxAnswer:
        return self.machine.ask(self.mailbox, query)

    def status(self) -> GuestStatus:
        return self.machine.status(self.mailbox)


def start_records(
    table: RecordsTable,
    *,
    sev: bool = True,
    aes_instructions: bool = True,
    ram_bytes: int | None = None,
    slice_us: int = 0,
) -> RecordsRun:
    """Launch the records guest on the table, with fresh keys."""
    disk_key, mailbox_key = os.urandom(64), os.urandom(32)
    disk = build_disk(table, disk_key, DiskHeader("local:rehearsal", b"wrapped"))
    machine = GuestMachine(
        GuestImage.load("records"),
        ram_bytes=ram_bytes or ram_needed(table, len(disk)),
        sev=sev,
        secret=guest_secret(disk_key=disk_key, mailbox_key=mailbox_key),
        disk=disk,
        aes_instructions=aes_instructions,
        slice_us=slice_us,
    )
    return RecordsRun(machine, table, MailboxKey(mailbox_key))
