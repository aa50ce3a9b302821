"""Registers between the emulated CPU and a VMSA page, and a guest that goes on from what was saved."""

from __future__ import annotations

import mmap
import os
import random
import struct

import pytest

from confvm_gui.domain.errors import WrongState
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guest_host import protocol as p
from confvm_gui.engine.guest_host.core import Core, Turn, Vcpu
from confvm_gui.engine.guest_host.devices import Devices
from confvm_gui.engine.guest_host.page_walk import PageWalk
from confvm_gui.engine.guest_host.vcpu_state import IllegalState
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.sev.vmsa import Segment, Vmsa
from tests.support.guest_bench import ENTRY, HLT, POWER_OFF, RAM, VMSA_GPA, bench, out_text, store

GENERAL = ("rax", "rbx", "rcx", "rdx", "rbp", "rsi", "rdi", "rsp", *(f"r{number}" for number in range(8, 16)))


def core_and_vcpu() -> tuple[Core, Vcpu, mmap.mmap]:
    memory, states = mmap.mmap(-1, RAM), mmap.mmap(-1, RAM // PAGE_SIZE)
    core = Core(memory, RAM)
    config = p.GuestConfig(1, 0, RAM, ENTRY, sev=False, c_bit=51, asids=1, minimum_asid=1, disk_path="")
    walk = PageWalk(memory, states, spa=0, ram_bytes=RAM, sev=False, c_bit=51, convert=lambda *_: None)
    return core, Vcpu(config, walk, Devices("", lambda *_: True), core.new_context(), ENTRY), memory


def test_every_register_survives() -> None:
    draw = random.Random(1)
    page = bytearray(
        Vmsa(initial_vmsa(cpu_signature=7, snp=True))
        .replaced(
            {
                "fs": Segment(0x10, 0xC93, 0xFFFFFFFF, draw.getrandbits(46)),
                "gs": Segment(0, 0, 0, draw.getrandbits(46)),
            },
            {name: draw.getrandbits(64) for name in GENERAL}
            | {"cr2": draw.getrandbits(47), "cr3": 0x5000, "rflags": 0x247, "rip": 0x123456, "mxcsr": 0x9FC0}
            | {"x87_fcw": 0x27F, "x87_fsw": 0x3800, "x87_ftw": 0xFFFF},
        )
        .page
    )
    page[0x420:0x570] = draw.randbytes(0x150)  # the x87 unit's data and XMM
    core, vcpu, _ = core_and_vcpu()
    core.load(vcpu, bytes(page))
    assert vcpu.next_instruction == 0x123456
    saved = core.save(vcpu, initial_vmsa(cpu_signature=0, snp=True))
    assert [entry for entry in Vmsa(saved).differences(Vmsa(bytes(page))) if entry[0] not in ("fs", "gs", "efer")] == []
    assert Vmsa(saved).segment("gs").base == Vmsa(bytes(page)).segment("gs").base
    assert saved[0x420:0x570] == page[0x420:0x570]


def test_what_runs_sees_the_registers_of_the_page() -> None:
    core, vcpu, memory = core_and_vcpu()
    memory[0x2000:0x2004] = b"\x01\xd8" + HLT + b"\x90"  # add eax, ebx; hlt
    page = Vmsa(initial_vmsa(cpu_signature=0, snp=False)).replaced(registers={"rip": 0x2000, "rax": 2, "rbx": 40})
    core.load(vcpu, page.page)
    assert core.run(vcpu) is Turn.HALTED
    after = Vmsa(core.save(vcpu, page.page))
    assert (after.register("rax"), after.register("rip")) == (42, 0x2003)


@pytest.mark.parametrize(
    "wrong",
    [{"efer": 0x1000}, {"efer": 1 << 40 | 0x1500}, {"cr0": 0x10}, {"cr0": 1 << 40 | 1}, {"cr4": 1 << 60}],
)
def test_vmrun_refuses_an_illegal_state(wrong: dict[str, int]) -> None:
    core, vcpu, _ = core_and_vcpu()
    page = Vmsa(initial_vmsa(cpu_signature=0, snp=False))
    for bad in (page.replaced(registers=wrong).page, page.replaced({"cs": Segment(8, 0x9B, 0, 0)}).page):
        with pytest.raises(IllegalState, match="VMEXIT_INVALID"):
            core.load(vcpu, bad)


async def test_a_sev_es_guest_starts_from_its_vmsa_and_saves_itself_there() -> None:
    code = b"\x01\xd8" + out_text(b".") + HLT + POWER_OFF  # add eax, ebx
    initial = Vmsa(initial_vmsa(cpu_signature=0, snp=False)).replaced(registers={"rax": 2, "rbx": 40}).page
    async with bench() as b:
        memory = b.load(code)
        seen = await b.add(memory, es=True, vmsa=initial)
        await seen.until(lambda: bytes(seen.console) == b".")
        await b.host.pause(seen.guest)
        page = b.controller.guest_read(memory, VMSA_GPA, PAGE_SIZE).tobytes()
        assert Vmsa(page).register("rip") == ENTRY + 2 + len(out_text(b".") + HLT)
        assert Vmsa(page).register("rbx") == 40
        assert b.controller.hypervisor_read(memory, VMSA_GPA, PAGE_SIZE).tobytes() != page
        state = await b.host.save(seen.guest)
        assert state.registers == b""
        b.host.resume(seen.guest)
        b.host.ring(seen.guest)
        await seen.until(lambda: bool(seen.exits))
        assert seen.exits == [(False, "the guest powered off")]


async def test_a_vmsa_that_the_host_altered_ends_the_guest() -> None:
    """SEV-ES has no integrity either: the altered ciphertext is noise, and VMRUN refuses noise."""
    async with bench() as b:
        memory = b.load(out_text(b".") + HLT)
        seen = await b.add(memory, es=True, vmsa=initial_vmsa(cpu_signature=0, snp=False))
        await seen.until(lambda: bool(seen.console))
        await b.host.pause(seen.guest)
        b.controller.hypervisor_write(memory, VMSA_GPA, os.urandom(PAGE_SIZE))
        b.host.resume(seen.guest)
        await seen.until(lambda: bool(seen.exits))
        assert seen.exits[0][0]
        assert "VMEXIT_INVALID" in seen.exits[0][1]


async def test_a_vmsa_that_is_not_private_starts_nobody() -> None:
    async with bench() as b:
        memory = b.load(HLT)
        seen = await b.add(memory, es=True)
        await seen.until(lambda: bool(seen.exits))
        assert seen.exits == [(True, "its VMSA page is not the guest's any more")]


@pytest.mark.parametrize("sev", [True, False])
async def test_a_guest_goes_on_from_what_was_saved(sev: bool) -> None:
    # ebx = 42, waits, and tells what ebx is after that by the character it writes.
    code = b"\xbb\x2a\0\0\0" + out_text(b">") + HLT + b"\x88\xd8\x66\xba\xf8\x03\xee" + POWER_OFF
    async with bench() as b:
        memory = b.load(code, sev=sev)
        first = await b.add(memory)
        await first.until(lambda: bool(first.console))
        # Woken only once it may not run: before, it could power itself off.
        await b.host.pause(first.guest)
        b.host.type_into_console(first.guest, b"")
        state = await b.host.save(first.guest)
        assert len(state.registers) == PAGE_SIZE
        assert state.devices.console_bytes == 1
        assert "registers" not in repr(state).split("DeviceState")[0]
        await b.host.remove(first.guest)
        second = await b.add(memory, state=state, paused=True)
        b.host.resume(second.guest)
        await second.until(lambda: bool(second.exits))
        assert bytes(second.console) == b"*"
        assert second.exits == [(False, "the guest powered off")]


async def test_only_a_guest_that_stands_still_is_saved() -> None:
    async with bench() as b:
        runs = await b.add(b.load(out_text(b".") + HLT))
        ended = await b.add(b.load(POWER_OFF))
        await ended.until(lambda: bool(ended.exits))
        with pytest.raises(WrongState, match="paused first"):
            await b.host.save(runs.guest)
        with pytest.raises(WrongState, match="powered off"):
            await b.host.save(ended.guest)


async def test_a_store_before_the_pause_is_in_the_saved_memory() -> None:
    async with bench() as b:
        memory = b.load(store(0x180000, struct.unpack("<I", b"kept")[0]) + out_text(b".") + HLT)
        seen = await b.add(memory)
        await seen.until(lambda: bool(seen.console))
        assert b.controller.guest_read(memory, 0x180000, 4).tobytes() == b"kept"
