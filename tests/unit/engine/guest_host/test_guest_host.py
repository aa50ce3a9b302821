"""vCPU workers: real processes, real machine code, the page walk's C-bit and what happens when something dies."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from pathlib import Path

import pytest

from confvm_gui.engine.guest_host.scheduler import Scheduler
from tests.support.guest_bench import ENTRY, HLT, POWER_OFF, SPIN, Seen, bench, out_text, sleep, store


async def test_code_runs_and_speaks_on_the_serial_port() -> None:
    async with bench() as b:
        _, _, seen = await b.run(out_text(b"hello") + POWER_OFF)
        await seen.until(lambda: bool(seen.exits))
        assert bytes(seen.console) == b"hello"
        assert seen.exits == [(False, "the guest powered off")]


@pytest.mark.parametrize("sev", [True, False])
async def test_what_a_guest_stores_is_ciphertext_in_dram_only_under_sev(sev: bool) -> None:
    async with bench() as b:
        _, memory, seen = await b.run(store(0x180000, 0x41424344) + out_text(b".") + HLT, sev=sev)
        await seen.until(lambda: bool(seen.console))
        assert b.controller.guest_read(memory, 0x180000, 4).tobytes() == b"DCBA"
        in_dram = b.controller.hypervisor_read(memory, 0x180000, 4).tobytes()
        assert (in_dram == b"DCBA") is not sev


async def test_the_c_bit_of_the_guests_page_tables_decides() -> None:
    """Page tables that map one page twice: GPA 0x150000 private at its own address, shared at 0x40000000."""
    c_bit = 1 << 51
    tables = bytearray(0x5000)

    def entry(table: int, index: int, value: int) -> None:
        struct.pack_into("<Q", tables, table + 8 * index, value)

    base = 0x110000
    entry(0x0000, 0, base + 0x1000 | c_bit | 3)
    entry(0x1000, 0, base + 0x2000 | c_bit | 3)
    entry(0x1000, 1, base + 0x4000 | c_bit | 3)
    entry(0x2000, 0, base + 0x3000 | c_bit | 3)
    for page in range(512):
        entry(0x3000, page, page << 12 | c_bit | 3)
    entry(0x4000, 0, base + 0x5000 | c_bit | 3)
    shared_table = bytearray(0x1000)
    struct.pack_into("<Q", shared_table, 0, 0x150000 | 3)
    set_cr3 = b"\x48\xb8" + struct.pack("<Q", base | c_bit) + b"\x0f\x22\xd8"
    code = set_cr3 + store(0x40000000, 0x44434241) + out_text(b".") + HLT
    image = (code.ljust(0x10000, b"\0") + bytes(tables) + bytes(shared_table)).ljust(0x20000, b"\0")
    async with bench() as b:
        _, memory, seen = await b.run(image)
        await seen.until(lambda: bool(seen.console) or bool(seen.exits))
        assert not seen.exits
        assert b.controller.hypervisor_read(memory, 0x150000, 4).tobytes() == b"ABCD"


async def test_a_crash_is_contained_and_says_where() -> None:
    async with bench() as b:
        _, _, well = await b.run(sleep(20) + out_text(b"alive") + HLT)
        _, _, bad = await b.run(out_text(b"x") + b"\x0f\x0b")
        _, _, wild = await b.run(store(0x7F000000, 1))
        await bad.until(lambda: bool(bad.exits))
        await wild.until(lambda: bool(wild.exits))
        await well.until(lambda: bytes(well.console) == b"alive")
        assert bad.exits[0][0]
        assert "invalid instruction (RIP 0x100" in bad.exits[0][1]
        assert "outside the guest's RAM" in wild.exits[0][1]
        assert not well.exits


async def test_garbage_from_a_hijacked_hypervisor_reaches_the_guest() -> None:
    """Plain SEV has no integrity: overwritten code decrypts to garbage and the guest crashes or spins, unprotected."""
    async with bench() as b:
        guest, memory, seen = await b.run(out_text(b"a") + HLT + out_text(b"b") + HLT)
        await seen.until(lambda: bytes(seen.console) == b"a")
        b.controller.hypervisor_write(memory, ENTRY, bytes(4096))
        b.host.code_changed(guest)
        b.host.ring(guest)
        code = b.controller.guest_read(memory, ENTRY, 64).tobytes()
        assert code != bytes(64)
        assert out_text(b"b") not in code


async def test_a_dead_worker_is_reported_and_replaced() -> None:
    async with bench() as b:
        _, _, seen = await b.run(out_text(b".") + SPIN)
        await seen.until(lambda: bool(seen.console))
        os.kill(b.host.worker_pids[0], signal.SIGKILL)
        await seen.until(lambda: bool(seen.exits))
        assert seen.exits[0] == (True, "the vCPU worker that ran it died (exit code -9)")
        _, _, again = await b.run(out_text(b"again") + HLT)
        await again.until(lambda: bytes(again.console) == b"again")


async def test_busy_guests_share_a_core_fairly() -> None:
    async with bench() as b:
        loop_forever = out_text(b".") + SPIN
        made = [await b.run(loop_forever) for _ in range(3)]
        for _, _, seen in made:

            def sampled_twice(seen: Seen = seen) -> bool:
                return len(seen.usage) >= 2

            await seen.until(sampled_twice)
        spent = [seen.usage[-1].cpu_seconds for _, _, seen in made]
        assert min(spent) > 0
        assert max(spent) < 3 * min(spent) + 0.1


async def test_a_paused_guest_stands_still_and_goes_on() -> None:
    count = b"\xff\x04\x25" + struct.pack("<I", 0x180000)  # inc dword [0x180000]
    async with bench() as b:
        guest, memory, seen = await b.run(
            store(0x180000, 0) + out_text(b".") + count + b"\xeb" + struct.pack("b", -len(count) - 2)
        )
        await seen.until(lambda: bool(seen.console))
        await b.host.pause(guest)
        first = b.controller.guest_read(memory, 0x180000, 4).tobytes()
        await b.host.pause(guest)
        assert b.controller.guest_read(memory, 0x180000, 4).tobytes() == first
        b.host.resume(guest)
        for _ in range(2000):
            if b.controller.guest_read(memory, 0x180000, 4).tobytes() != first:
                break
            await asyncio.sleep(0.005)
        else:
            pytest.fail("the guest did not go on")


async def test_serial_input_and_disk_reach_the_guest(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(512) + b"S" * 512)
    out32 = b"\xef"

    def port(number: int, value: int) -> bytes:
        return b"\x66\xba" + struct.pack("<H", number) + b"\xb8" + struct.pack("<I", value) + out32

    read_disk = port(0x520, 1) + port(0x524, 1) + port(0x528, 0x170000) + port(0x52C, 1)
    wait = b"\x66\xba\xfd\x03\xec\xa8\x01\x74\xfb"  # in al, 0x3fd; test al, 1; jz back
    echo = b"\x66\xba\xf8\x03\xec\xee"
    async with bench() as b:
        guest, memory, seen = await b.run(read_disk + out_text(b">") + wait + echo + HLT, disk=str(disk))
        await seen.until(lambda: bool(seen.console))
        # DMA lands in DRAM in clear: the page was never used privately by the guest.
        assert b.controller.hypervisor_read(memory, 0x170000, 512).tobytes() == b"S" * 512
        b.host.type_into_console(guest, b"k")
        await seen.until(lambda: bytes(seen.console) == b">k")


async def test_removal_returns_when_the_memory_is_free() -> None:
    async with bench() as b:
        guest, memory, seen = await b.run(out_text(b".") + SPIN)
        await seen.until(lambda: bool(seen.console))
        await b.host.remove(guest)
        b.controller.remove_key(memory.asid)
        b.controller.remove_range(memory)
        assert b.dram.available == b.dram.size


def test_scheduler_round_robin_sleep_and_pause() -> None:
    scheduler = Scheduler()
    for guest in (1, 2, 3):
        scheduler.add(guest)
    scheduler.pause(2)
    assert [scheduler.next(0.0), scheduler.next(0.0), scheduler.next(0.0)] == [1, 3, None]
    scheduler.sleep(1, 5.0)
    scheduler.sleep(3, None)
    assert scheduler.next_timer() == 5.0
    assert scheduler.next(4.9) is None
    assert scheduler.next(5.0) == 1
    scheduler.wake(1)
    assert scheduler.next(6.0) is None
    scheduler.wake(3)
    assert scheduler.next(6.0) == 3
    scheduler.resume(2)
    assert scheduler.next(6.0) == 2
