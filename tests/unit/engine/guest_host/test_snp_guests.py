"""What an SEV-SNP guest does with its host: PVALIDATE, page state changes, requests to the firmware, and refusals."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass, field

import pytest

from confvm_gui.domain.errors import WrongState
from confvm_gui.engine.guest_host.memory_service import answer
from confvm_gui.engine.guest_host.protocol import ConvertPages
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.engine.memory_controller.controller import GuestRange, MemoryController
from confvm_gui.engine.memory_controller.dram import Dram
from tests.support.guest_bench import ENTRY, HLT, POWER_OFF, RAM, bench, out_text, store
from tests.support.logs import ExpectedLogs

VMSA = initial_vmsa(cpu_signature=0, snp=True)
PVALIDATE = b"\xf2\x0f\x01\xff"
CRASH = b"\x0f\x0b"


@dataclass
class Firmware:
    """Says what it is told to say, and remembers what it was asked."""

    code: int = 0
    changed: bool = True
    refusal: str = ""
    asked: list[tuple[object, ...]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def guest_request(self) -> int:
        return self._say("request")

    def change_state(self, page: int, count: int, private: bool) -> int:
        return self._say("state", page, count, private)

    def pvalidate(self, page: int, count: int, validate: bool) -> tuple[int, bool]:
        return self._say("pvalidate", page, count, validate), self.changed

    def _say(self, *what: object) -> int:
        self.asked.append(what)
        self.threads.add(threading.current_thread().name)
        if self.refusal:
            raise WrongState(self.refusal)
        return self.code


def pvalidate(address: int, *, large: bool = False, validate: bool = True) -> bytes:
    """mov eax, address; mov ecx, size; mov edx, validate; pvalidate."""
    return b"".join(
        (b"\xb8", struct.pack("<I", address), b"\xb9", struct.pack("<I", large), b"\xba", struct.pack("<I", validate))
    ) + (PVALIDATE)


def out32(port: int, value: int) -> bytes:
    return b"\x66\xba" + struct.pack("<H", port) + b"\xb8" + struct.pack("<I", value) + b"\xef"


def tell_in32(port: int) -> bytes:
    """Write what a port reads as, plus the character 0, on the serial port."""
    return b"\x66\xba" + struct.pack("<H", port) + b"\xed\x04\x30\x66\xba\xf8\x03\xee"


TELL_FLAG = b"\xb0\x59\x72\x02\xb0\x4e\x66\xba\xf8\x03\xee"
"""mov al, 'Y'; jc over; mov al, 'N'; out: whether the carry flag is set."""
TELL_CODE = b"\x04\x30\x66\xba\xf8\x03\xee"
"""add al, '0'; out."""


@pytest.mark.parametrize(("changed", "letter"), [(True, b"N"), (False, b"Y")])
async def test_pvalidate_reaches_the_host_and_sets_the_carry_flag(changed: bool, letter: bytes) -> None:
    firmware = Firmware(changed=changed)
    async with bench() as b:
        memory = b.load(pvalidate(0x150000) + TELL_FLAG + POWER_OFF)
        seen = await b.add(memory, snp=True, vmsa=VMSA, firmware=firmware)
        await seen.until(lambda: bool(seen.exits))
        assert seen.exits == [(False, "the guest powered off")]
        assert bytes(seen.console) == letter
        assert firmware.asked == [("pvalidate", 0x150, 1, True)]
        assert firmware.threads == {"vcpu-memory-port"}


async def test_pvalidate_gives_the_code_of_the_rmp() -> None:
    firmware = Firmware(code=6, changed=False)
    async with bench() as b:
        memory = b.load(
            pvalidate(0, large=True, validate=False) + TELL_CODE + pvalidate(0x1000, large=True) + TELL_CODE + HLT
        )
        seen = await b.add(memory, snp=True, vmsa=VMSA, firmware=firmware)
        await seen.until(lambda: len(seen.console) == 2)
        assert bytes(seen.console) == b"61"  # the second is not aligned: FAIL_INPUT, without the host
        assert firmware.asked == [("pvalidate", 0, 512, False)]


async def test_pvalidate_works_across_two_pages_and_in_a_loop() -> None:
    start = 0x1000 - 13  # the instruction begins two bytes before the page's end; registers are set before it
    setup = b"\xb8" + struct.pack("<I", 0x150000) + b"\x31\xc9\x31\xd2\xff\xc2"  # 11 bytes
    code = b"\xbb\x64\0\0\0" + b"\xe9" + struct.pack("<i", start - 10)
    again = b"\xff\xcb\x75" + struct.pack("<b", -(len(setup) + len(PVALIDATE) + 4))
    code = code.ljust(start, b"\x90") + setup + PVALIDATE + again + out_text(b".") + HLT
    firmware = Firmware()
    async with bench() as b:
        seen = await b.add(b.load(code), snp=True, vmsa=VMSA, firmware=firmware)
        await seen.until(lambda: bool(seen.console) or bool(seen.exits))
        assert not seen.exits
        assert firmware.asked == [("pvalidate", 0x150, 1, True)] * 100


async def test_pvalidate_is_an_invalid_instruction_without_snp_as_are_others_with_it() -> None:
    async with bench() as b:
        sev = await b.add(b.load(pvalidate(0x150000) + HLT), firmware=Firmware())
        snp = await b.add(b.load(CRASH), snp=True, vmsa=VMSA, firmware=Firmware())
        for seen in (sev, snp):
            await seen.ended()
            assert seen.exits[0][0]
            assert "invalid instruction" in seen.exits[0][1]


async def test_state_changes_and_requests_go_to_the_firmware_and_their_status_comes_back() -> None:
    firmware = Firmware()
    change = out32(0x534, 0x150) + out32(0x538, 2)
    code = change + out32(0x53C, 1) + tell_in32(0x53C) + out32(0x53C, 0) + out32(0x530, 1) + tell_in32(0x530)
    async with bench() as b:
        seen = await b.add(b.load(code + out32(0x544, 7) + HLT), snp=True, vmsa=VMSA, firmware=firmware)
        await seen.until(lambda: bool(seen.answers))
        assert seen.answers == [7]
        assert bytes(seen.console) == b"00"
        assert firmware.asked == [("state", 0x150, 2, True), ("state", 0x150, 2, False), ("request",)]
        firmware.code = 5
        seen = await b.add(b.load(out32(0x530, 1) + tell_in32(0x530) + HLT), snp=True, vmsa=VMSA, firmware=firmware)
        await seen.until(lambda: bool(seen.console))
        assert bytes(seen.console) == b"5"


@pytest.mark.parametrize("code", [out32(0x530, 1), out32(0x53C, 1), pvalidate(0x150000)])
async def test_a_refusal_ends_the_guest_with_its_reason_and_no_other(code: bytes) -> None:
    async with bench() as b:
        bad = await b.add(b.load(code + HLT), snp=True, vmsa=VMSA, firmware=Firmware(refusal="the host says no"))
        await bad.until(lambda: bool(bad.exits))
        assert bad.exits[0][1].startswith("the host says no (RIP ")
        none = await b.add(b.load(code + HLT), snp=True, vmsa=VMSA)
        await none.until(lambda: bool(none.exits))
        assert "no SEV-SNP firmware" in none.exits[0][1]
        well = await b.add(b.load(store(0x180000, 1) + out_text(b"well") + HLT))
        await well.until(lambda: bytes(well.console) == b"well")


async def test_the_ports_are_not_there_for_other_guests() -> None:
    firmware = Firmware()
    code = out32(0x530, 1) + out32(0x53C, 1) + b"\x66\xba\x30\x05\xed\x83\xf8\xff\x74\x02" + CRASH + POWER_OFF
    async with bench() as b:
        seen = await b.add(b.load(code), firmware=firmware)
        await seen.until(lambda: bool(seen.exits))
        assert seen.exits == [(False, "the guest powered off")]
        assert firmware.asked == []


@pytest.mark.parametrize(("es", "snp", "bits"), [(False, False, 1 << 1), (True, False, 0b1010), (True, True, 0b11010)])
async def test_cpuid_tells_the_guest_what_it_is(es: bool, snp: bool, bits: int) -> None:
    # mov eax, 0x8000001f; cpuid; cmp eax, bits; je over; crash
    cpuid = b"\xb8\x1f\0\0\x80\x0f\xa2\x83\xf8" + bytes([bits]) + b"\x74\x02" + CRASH + out_text(b".") + HLT
    async with bench() as b:
        seen = await b.add(b.load(cpuid), es=es, snp=snp, vmsa=VMSA if es else b"")
        await seen.until(lambda: bool(seen.console) or bool(seen.exits))
        assert bytes(seen.console) == b"."


class RefusingController(MemoryController):
    """Refuses to make one page private, as the RMP does with a page that is not the guest's."""

    def __init__(self, dram: Dram) -> None:
        super().__init__(dram)
        self.refused = 0x150
        self.batches: list[int] = []

    def convert(self, guest: GuestRange, page: int, count: int, private: bool) -> None:
        self.batches.append(count)
        if private and page <= self.refused < page + count:
            raise WrongState("the page is not the guest's")
        super().convert(guest, page, count, private)


async def test_an_access_that_the_controller_refuses_ends_the_guest() -> None:
    async with bench(controller=RefusingController) as b:
        bad = await b.add(b.load(store(0x150000, 1) + HLT))
        await bad.until(lambda: bool(bad.exits))
        assert bad.exits[0][1].startswith("access to GPA 0x150000: the page is not the guest's")
        # A page that is refused does no harm to its neighbour, which was to be converted together with it.
        well = await b.add(b.load(store(0x14F000, 1) + out_text(b".") + HLT))
        await well.until(lambda: bool(well.console))


async def test_a_guest_under_snp_is_given_no_page_ahead_that_it_has_not_validated() -> None:
    async with bench(controller=RefusingController) as b:
        assert isinstance(b.controller, RefusingController)
        b.controller.refused = RAM
        code = pvalidate(0x160000) + pvalidate(0x161000) + store(0x160000, 1) + store(0x170000, 1)
        seen = await b.add(b.load(code + out_text(b".") + HLT), snp=True, vmsa=VMSA, firmware=Firmware())
        await seen.until(lambda: bool(seen.console))
        assert b.controller.batches == [2, 1]


async def test_a_page_taken_back_faults_at_the_next_access() -> None:
    async with bench(controller=RefusingController) as b:
        assert isinstance(b.controller, RefusingController)
        b.controller.refused = RAM
        memory = b.load(store(0x150000, 1) + out_text(b".") + HLT + store(0x150000, 2) + HLT)
        seen = await b.add(memory, snp=True, vmsa=VMSA, firmware=Firmware())
        await seen.until(lambda: bool(seen.console))
        b.controller.convert(memory, 0x150, 1, False)
        b.controller.refused = 0x150
        b.host.ring(seen.guest)
        await seen.until(lambda: bool(seen.exits))
        assert "the page is not the guest's" in seen.exits[0][1]


def test_a_fault_of_ours_is_answered_too(expected_logs: ExpectedLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    dram = Dram(2 * RAM)
    controller = MemoryController(dram)
    memory = controller.add_range(RAM)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(controller, "convert", broken)
    expected_logs("memory port failed")
    assert answer(ConvertPages(1, ENTRY // 4096, 1, True), memory, controller, None) == (
        "the host failed: ZeroDivisionError"
    )
    dram.close()
