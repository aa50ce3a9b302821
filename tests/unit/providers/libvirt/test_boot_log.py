"""The log of a boot is found in whatever RAM holds; hostile memory leads to nothing but the declared errors."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.attestation.eventlog.log import parse_event_log
from confvm_gui.domain.errors import GuestFault, Transient, Unsupported
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion
from confvm_gui.providers.libvirt.boot_log import MOST_PLACES, MOST_SEARCHED, boot_log_at, find_boot_log

MIB = 1 << 20
PIECE = 256 << 10
SHA256 = 0x000B
ACTION, SEPARATOR = 0x80000007, 4
LEAVING = b"Exit Boot Services Invocation"
SPECIFICATION = b"Spec ID Event03\0" + struct.pack("<IBBBBIHHB", 0, 0, 2, 0, 2, 1, SHA256, 32, 0)
HEAD = struct.pack("<II20sI", 0, 3, bytes(20), len(SPECIFICATION)) + SPECIFICATION


def event(pcr: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<IIIH", pcr, kind, 1, SHA256) + bytes([kind & 0xFF]) * 32 + struct.pack("<I", len(data)) + data


def log_of(*data: bytes) -> bytes:
    return HEAD + b"".join(event(5, ACTION, each) for each in data)


BOOTED = log_of(b"Calling EFI Application from Boot Option", LEAVING)


class Ram:
    """Memory from address 0 with a hole for the graphics card."""

    def __init__(self, contents: dict[int, bytes], size: int = MIB) -> None:
        self._data = bytearray(size)
        for at, content in contents.items():
            self._data[at : at + len(content)] = content
        self.regions = [MemoryRegion(0, 0xA0000), MemoryRegion(0xC0000, size - 0xC0000)]

    async def read(self, gpa: int, length: int) -> bytes:
        assert not gpa % PAGE_SIZE
        assert any(region.gpa <= gpa and gpa + length <= region.gpa + region.length for region in self.regions)
        return bytes(self._data[gpa : gpa + length])

    async def found(self) -> bytes:
        return await find_boot_log(self.read, self.regions, PIECE)


@pytest.mark.parametrize(
    "at",
    [0, 4099, PIECE - 40, PIECE - 10, PIECE - len(BOOTED) + 1, 0xA0000 - len(BOOTED), 0xC0000, MIB - len(BOOTED)],
)
async def test_a_log_is_found_wherever_it_lies(at: int) -> None:
    assert await Ram({at: BOOTED}).found() == BOOTED


async def test_a_log_that_is_longer_than_what_is_read_at_once_is_read_whole() -> None:
    long = log_of(*(b"loaded".ljust(8000, b".") for _ in range(40)), LEAVING)
    assert len(long) > PIECE
    assert await Ram({PIECE - 1000: long}).found() == long


async def test_what_follows_the_last_event_is_not_part_of_it() -> None:
    ram = Ram({0x3000: b"\x07" * 0x2000, 0x4000: BOOTED})
    assert await ram.found() == BOOTED
    assert len(parse_event_log(BOOTED).events) == 2


async def test_the_firmwares_own_copy_is_shorter_and_of_the_same_boot() -> None:
    ram = Ram({0x4000: BOOTED[: -len(event(5, ACTION, LEAVING))], 0x90000: BOOTED})
    assert await ram.found() == BOOTED


async def test_while_the_firmware_is_at_work_nothing_can_be_told() -> None:
    with pytest.raises(Transient, match="has not handed over"):
        await Ram({0x4000: log_of(b"Calling EFI Application from Boot Option")}).found()
    with pytest.raises(Transient, match="No log"):
        await Ram({}).found()


async def test_firmware_without_uefi_measures_no_moment_of_leaving() -> None:
    log = HEAD + event(0, SEPARATOR, bytes(4))
    assert await Ram({0x4000: log}).found() == log


async def test_logs_of_two_boots_are_told_and_not_chosen_from() -> None:
    with pytest.raises(GuestFault, match="several boots"):
        await Ram({0x4000: BOOTED, 0x90000: log_of(b"another", LEAVING)}).found()


async def test_too_many_beginnings_and_too_large_machines_are_refused() -> None:
    with pytest.raises(GuestFault, match="too often"):
        await Ram({0x1000 + 64 * index: HEAD for index in range(MOST_PLACES + 1)}).found()
    ram = Ram({})
    with pytest.raises(Unsupported, match="qemu-guest-agent"):
        await find_boot_log(ram.read, [MemoryRegion(0, MOST_SEARCHED + PAGE_SIZE)], PIECE)


@given(st.binary(max_size=300), st.integers(0, 20), st.integers(0, len(BOOTED)), st.binary(max_size=40))
def test_hostile_memory_leads_to_declared_errors(noise: bytes, gap: int, at: int, other: bytes) -> None:
    torn = BOOTED[:at] + other + BOOTED[at + len(other) :]
    ram = Ram({0x1000: noise + bytes(gap) + torn, 0x5000: HEAD + noise}, 0xC0000 + PAGE_SIZE)
    try:
        found = asyncio.run(ram.found())
    except (Transient, GuestFault):
        return
    assert boot_log_at(found, 0) == found
