"""Integrity of SEV-SNP memory: what a host can still do to a guest's pages, and how the guest finds out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confvm_gui.domain.errors import GuestFault, WrongState
from confvm_gui.engine.guests.memory_map import IMAGE_GPA, SECRET_GPA
from confvm_gui.engine.machine import MachineGuest
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.secure_processor.rmp_entry import RmpFault, RmpResult
from confvm_gui.engine.snp_guest import SnpGuest
from confvm_gui.sev.expected_digest import LaunchMode
from tests.unit.engine.machine_rig import IMAGE, Host, host, plan

PAGE = 4096
HEAP = 0x200000 // PAGE
"""Number of a page behind the image."""


def firmware(made: Host, guest: MachineGuest) -> SnpGuest:
    return SnpGuest(made.machine.controller, made.machine.processor, guest.memory, guest.gctx)


def touch(made: Host, guest: MachineGuest, page: int, count: int = 1, *, private: bool = True) -> None:
    """What the guest's page walk asks for before an access."""
    made.machine.controller.convert(guest.memory, page, count, private)


def own(made: Host, guest: MachineGuest, page: int, count: int) -> None:
    asks = firmware(made, guest)
    assert asks.change_state(page, count, True) == 0
    assert asks.pvalidate(page, count, True) == (0, True)


async def test_a_write_of_the_host_garbles_a_sev_guest_and_is_refused_under_snp() -> None:
    async with host() as made:
        controller = made.machine.controller
        sev, snp = await made.launch(LaunchMode.SEV), await made.launch(LaunchMode.SEV_SNP)
        controller.hypervisor_write(sev.memory, IMAGE_GPA + 16, b"injected")
        seen = controller.guest_read(sev.memory, IMAGE_GPA, 48).tobytes()
        assert seen[:16] + seen[32:] == IMAGE[:16] + IMAGE[32:48]
        assert seen[16:32] != IMAGE[16:32]
        assert b"injected" not in seen
        for gpa in (IMAGE_GPA + 16, SECRET_GPA, IMAGE_GPA - 4):
            with pytest.raises(WrongState, match="RMP refuses"):
                controller.hypervisor_write(snp.memory, gpa, b"injected")
        assert controller.guest_read(snp.memory, IMAGE_GPA, len(IMAGE)).tobytes() == IMAGE


async def test_a_refused_write_over_two_pages_changes_neither() -> None:
    async with host() as made:
        controller = made.machine.controller
        guest = await made.launch(LaunchMode.SEV_SNP)
        controller.hypervisor_write(guest.memory, IMAGE_GPA - 8, b"clear...")
        with pytest.raises(WrongState):
            controller.hypervisor_write(guest.memory, IMAGE_GPA - 8, b"overwritten!")
        assert controller.hypervisor_read(guest.memory, IMAGE_GPA - 8, 8).tobytes() == b"clear..."


async def test_a_stolen_page_harms_nobody_until_the_guest_touches_it() -> None:
    async with host() as made:
        controller = made.machine.controller
        guest = await made.launch(LaunchMode.SEV_SNP)
        page = IMAGE_GPA // PAGE
        before = controller.hypervisor_read(guest.memory, IMAGE_GPA, PAGE).tobytes()
        assert controller.rmpupdate(guest.memory, IMAGE_GPA, assigned=False) is RmpResult.SUCCESS
        assert controller.hypervisor_read(guest.memory, IMAGE_GPA, PAGE).tobytes() == before
        controller.hypervisor_write(guest.memory, IMAGE_GPA, b"mine now")
        touch(made, guest, page + 1)
        with pytest.raises(GuestFault) as caught:
            touch(made, guest, page)
        assert RmpFault.NOT_ASSIGNED.value in str(caught.value)
        await made.machine.release(guest)
        assert made.unused


@pytest.mark.parametrize(
    ("asid", "gpa", "fault"),
    [(None, IMAGE_GPA, RmpFault.NOT_VALIDATED), (None, 0x300000, RmpFault.MOVED), (3, IMAGE_GPA, RmpFault.OWNER)],
)
async def test_a_page_that_came_back_another_is_found_out(asid: int | None, gpa: int, fault: RmpFault) -> None:
    async with host() as made:
        controller = made.machine.controller
        guest = await made.launch(LaunchMode.SEV_SNP)
        assert controller.rmpupdate(guest.memory, IMAGE_GPA, assigned=True, asid=asid, gpa=gpa) is RmpResult.SUCCESS
        with pytest.raises(GuestFault) as caught:
            touch(made, guest, IMAGE_GPA // PAGE)
        assert fault.value in str(caught.value)
        # A guest that validates it again is told that something changed, where nothing should have.
        if fault is RmpFault.NOT_VALIDATED:
            assert firmware(made, guest).pvalidate(IMAGE_GPA // PAGE, 1, True) == (0, True)
            touch(made, guest, IMAGE_GPA // PAGE)
            assert controller.guest_read(guest.memory, IMAGE_GPA, PAGE).tobytes() == IMAGE[:PAGE]
        else:
            assert firmware(made, guest).pvalidate(IMAGE_GPA // PAGE, 1, True) == (1, False)


async def test_memory_becomes_the_guests_by_change_of_state_and_pvalidate() -> None:
    async with host() as made:
        controller = made.machine.controller
        guest = await made.launch(LaunchMode.SEV_SNP)
        asks = firmware(made, guest)
        with pytest.raises(GuestFault, match="hypervisor's"):
            touch(made, guest, HEAP)
        assert asks.pvalidate(HEAP, 1, True) == (1, False)
        assert asks.change_state(HEAP, 4, True) == 0
        with pytest.raises(GuestFault, match="validated"):
            touch(made, guest, HEAP)
        assert asks.pvalidate(HEAP, 4, True) == (0, True)
        assert asks.pvalidate(HEAP, 4, True) == (0, False)
        # 64 pages at once, as the page walk asks ahead: those that are not the guest's stay as they are.
        touch(made, guest, HEAP, 64)
        touch(made, guest, HEAP + 3)
        with pytest.raises(GuestFault):
            touch(made, guest, HEAP + 4)
        controller.write_private(guest.memory.asid, guest.memory.spa + HEAP * PAGE, b"secret of the guest")
        assert asks.change_state(HEAP, 1, False) == 0
        assert b"secret" not in controller.hypervisor_read(guest.memory, HEAP * PAGE, PAGE).tobytes()
        controller.hypervisor_write(guest.memory, HEAP * PAGE, b"shared again")
        touch(made, guest, HEAP, private=False)
        with pytest.raises(GuestFault):
            touch(made, guest, HEAP)


async def test_a_guest_that_gives_up_its_validation_must_validate_again() -> None:
    async with host() as made:
        guest = await made.launch(LaunchMode.SEV_SNP)
        own(made, guest, HEAP, 1)
        touch(made, guest, HEAP)
        assert firmware(made, guest).pvalidate(HEAP, 1, False) == (0, True)
        with pytest.raises(GuestFault, match="validated"):
            touch(made, guest, HEAP)


async def test_a_private_page_is_not_used_as_a_shared_one() -> None:
    async with host() as made:
        guest = await made.launch(LaunchMode.SEV_SNP)
        with pytest.raises(GuestFault, match="assigned"):
            touch(made, guest, IMAGE_GPA // PAGE, private=False)


@pytest.mark.parametrize(("page", "count"), [(-1, 1), (0, 0), (1 << 40, 1), (0, 1 << 40)])
async def test_pages_that_the_guest_has_not_are_refused(page: int, count: int) -> None:
    async with host() as made:
        guest = await made.launch(LaunchMode.SEV_SNP)
        asks = firmware(made, guest)
        assert asks.change_state(page, count, True) == RmpResult.FAIL_INPUT
        assert asks.pvalidate(page, count, True) == (RmpResult.FAIL_INPUT, False)


async def test_a_gibibyte_in_2_mib_steps_is_a_handful_of_entries() -> None:
    dram = Dram((1 << 30) + ALLOCATION_UNIT)
    made = Host(dram)
    made.machine.power_on()
    guest = await made.machine.launch(replace(plan(LaunchMode.SEV_SNP), ram_bytes=1 << 30))
    step = 512
    for page in range(HEAP, (1 << 30) // PAGE, step):
        own(made, guest, page, step)
    rmp = made.machine.processor.rmp
    assert rmp.pages_of(guest.memory.asid) > (1 << 30) // PAGE - HEAP
    assert rmp.run_count < 20
    touch(made, guest, HEAP)
    touch(made, guest, (1 << 30) // PAGE - 1)
    await made.machine.release(guest)
    assert made.unused
    await made.machine.aclose()
    dram.close()


async def test_aes_256_xts_where_the_policy_asks_for_it() -> None:
    async with host() as made:
        machine = made.machine
        wanted = replace(plan(LaunchMode.SEV_SNP), policy=0x30000 | 1 << 22)
        guest = await machine.launch(wanted)
        controller = machine.controller
        assert controller.guest_read(guest.memory, IMAGE_GPA, len(IMAGE)).tobytes() == IMAGE
        first = controller.hypervisor_read(guest.memory, IMAGE_GPA, PAGE).tobytes()
        second = controller.hypervisor_read(guest.memory, IMAGE_GPA + PAGE, PAGE).tobytes()
        assert IMAGE[:PAGE] == IMAGE[PAGE : 2 * PAGE]
        assert len({first[at : at + 16] for at in range(0, PAGE, 16)} | {second[:16]}) == PAGE // 16 + 1
        assert controller.hypervisor_read(guest.memory, IMAGE_GPA + 7, 100).tobytes() == first[7:107]
        await machine.release(guest)
        assert made.unused
