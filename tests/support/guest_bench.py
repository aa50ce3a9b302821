"""A bench for vCPU workers: a small DRAM, one controller, and guests made of a few bytes of machine code."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guest_host import protocol as p
from confvm_gui.engine.guest_host.firmware_port import GuestFirmware
from confvm_gui.engine.guest_host.host import GuestHooks, GuestHost
from confvm_gui.engine.memory_controller.controller import GuestRange, MemoryController
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.secure_processor.volume_key import VolumeKey

RAM = ALLOCATION_UNIT
ENTRY = 0x100000
VMSA_GPA = RAM - PAGE_SIZE
"""A page of the range that the guests here do not use otherwise."""
HLT = b"\xf4"
POWER_OFF = b"\x66\xba\x00\x06\xef"  # mov dx, 0x600; out dx, eax
SPIN = b"\xeb\xfe"


def out_text(text: bytes) -> bytes:
    """mov dx, 0x3f8; then mov al, c; out dx, al for each character."""
    return b"\x66\xba\xf8\x03" + b"".join(b"\xb0" + bytes([char]) + b"\xee" for char in text)


def store(address: int, value: int) -> bytes:
    """mov eax, value; mov [address], eax."""
    return b"\xb8" + struct.pack("<I", value) + b"\x89\x04\x25" + struct.pack("<I", address)


def sleep(milliseconds: int) -> bytes:
    return b"\x66\xba\x14\x05\xb8" + struct.pack("<I", milliseconds) + b"\xef" + HLT


@dataclass
class Seen:
    """What the hooks of one guest were told."""

    console: bytearray = field(default_factory=bytearray)
    exits: list[tuple[bool, str]] = field(default_factory=list)
    usage: list[p.GuestUsage] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    guest: int = 0
    """The guest host's number."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hooks(self, firmware: GuestFirmware | None = None) -> GuestHooks:
        def tell(store: Callable[[], None]) -> None:
            store()
            self.news.set()

        return GuestHooks(
            console=lambda data: tell(lambda: self.console.extend(data)),
            exited=lambda crashed, reason: tell(lambda: self.exits.append((crashed, reason))),
            usage=lambda usage: tell(lambda: self.usage.append(usage)),
            answered=lambda number: tell(lambda: self.answers.append(number)),
            firmware=firmware,
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def ended(self) -> None:
        """Until the guest runs no more."""
        await self.until(lambda: bool(self.exits))


@dataclass
class Bench:
    """A host for one test."""

    dram: Dram
    controller: MemoryController
    host: GuestHost
    next_asid: int = 1

    def load(self, code: bytes, *, sev: bool = True) -> GuestRange:
        """Memory of a guest with its code in place."""
        asid = 0
        if sev:
            asid, self.next_asid = self.next_asid, self.next_asid + 1
        memory = self.controller.add_range(RAM, asid)
        self.controller.hypervisor_write(memory, ENTRY, code)
        if sev:
            self.controller.install_key(asid, VolumeKey(os.urandom(16)))
            self.controller.encrypt_in_place(asid, memory.spa + ENTRY, -(-len(code) // 16) * 16)
        return memory

    async def add(
        self,
        memory: GuestRange,
        *,
        disk: str = "",
        es: bool = False,
        snp: bool = False,
        vmsa: bytes = b"",
        state: p.VcpuState | None = None,
        paused: bool = False,
        firmware: GuestFirmware | None = None,
    ) -> Seen:
        """Give a guest its vCPU. With `es` or `vmsa` its registers are in the page at VMSA_GPA, there with `vmsa`."""
        if vmsa:
            self.controller.write_private(memory.asid, memory.spa + VMSA_GPA, vmsa)
        config = p.GuestConfig(0, memory.spa, RAM, ENTRY, memory.asid != 0, 51, 1006, 100, disk, es=es, snp=snp)
        if es or vmsa:
            config = replace(config, vmsa_spa=memory.spa + VMSA_GPA)
        seen = Seen()
        seen.guest = await self.host.add(
            lambda number: replace(config, guest=number), memory, seen.hooks(firmware), state=state, paused=paused
        )
        return seen

    async def run(self, code: bytes, *, sev: bool = True, disk: str = "") -> tuple[int, GuestRange, Seen]:
        memory = self.load(code, sev=sev)
        seen = await self.add(memory, disk=disk)
        return seen.guest, memory, seen


@asynccontextmanager
async def bench(
    workers: int = 1, *, controller: Callable[[Dram], MemoryController] = MemoryController
) -> AsyncIterator[Bench]:
    dram = Dram(64 * ALLOCATION_UNIT)
    memory = controller(dram)
    host = GuestHost(dram, memory, workers)
    try:
        yield Bench(dram, memory, host)
    finally:
        await host.aclose()
        dram.close()
