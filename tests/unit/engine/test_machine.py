"""The emulated host as a hypervisor uses it: launches, failures that leave nothing, cancelling at any moment."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import pytest

from confvm_gui.domain.errors import BugError, CapacityExceeded, FirmwareError, MeasurementMismatch
from confvm_gui.engine.guest_host.host import GuestHooks
from confvm_gui.engine.guests.memory_map import BOOT_INFO_GPA, IMAGE_GPA, SECRET_GPA
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.engine.memory_controller.dram import Dram
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_owner import GuestOwner
from tests.support.patience import until

IMAGE = (b"\x66\xba\xf8\x03\xb0!\xee" + b"\xf4\xeb\xfd").ljust(8192, b"\x90")  # prints !, then halts for ever
POLICY = 0b011
SMALL = 8 << 20
"""Bytes of RAM."""
RAM = 32 << 20
"""Bytes of DRAM for one guest as the tests count them."""


@asynccontextmanager
async def powered(*, asids: int = 2, guests: int = 1) -> AsyncIterator[Machine]:
    with memory(guests * (RAM // SMALL)) as dram:
        machine = Machine(model=replace(GENOA, asid_count=asids), dram=dram, workers=1, es_asids=0)
        await asyncio.to_thread(machine.power_on)
        try:
            yield machine
        finally:
            await machine.aclose()


@contextmanager
def memory(guests: int) -> Iterator[Dram]:
    dram = Dram(guests * SMALL)
    try:
        yield dram
    finally:
        dram.close()


def sev_plan(owner: GuestOwner, image: bytes = IMAGE, ram_bytes: int = SMALL) -> LaunchPlan:
    return LaunchPlan(LaunchMode.SEV, image, ram_bytes, b"boot info", POLICY, owner.dh_cert, owner.session)


async def launch(machine: Machine, owner: GuestOwner, *, ram_bytes: int = SMALL) -> MachineGuest:
    return await machine.launch(sev_plan(owner, ram_bytes=ram_bytes))


def owner_of(machine: Machine) -> GuestOwner:
    return GuestOwner.for_platform(machine.pdh, POLICY)


def unused(machine: Machine) -> bool:
    return (
        machine.asids_left == machine.model.asid_count
        and machine.dram.available == machine.dram.size
        and machine.status().guest_count == 0
    )


def check(machine: Machine, owner: GuestOwner, guest: MachineGuest, image: bytes = IMAGE) -> None:
    version = machine.model.version
    owner.check_measurement(
        guest.measurement,
        api_major=version.api_major,
        api_minor=version.api_minor,
        build=version.build,
        launch_digest=hashlib.sha256(image).digest(),
    )


async def test_a_confidential_launch_from_start_to_power_off() -> None:
    async with powered() as machine:
        assert unused(machine)
        owner = owner_of(machine)
        guest = await launch(machine, owner)
        assert guest.confidential
        assert machine.asids_left == 1
        assert machine.status().guest_count == 1
        secret = b"a secret of the owner".ljust(32, b"\0")
        with pytest.raises(MeasurementMismatch):
            check(machine, owner, guest, IMAGE[::-1])
        with pytest.raises(MeasurementMismatch):
            owner.secret_packet(secret, guest.measurement)
        check(machine, owner, guest)
        await machine.inject_secret(guest, *owner.secret_packet(secret, guest.measurement))
        memory = machine.controller
        assert memory.guest_read(guest.memory, SECRET_GPA, 32).tobytes() == secret
        assert memory.hypervisor_read(guest.memory, SECRET_GPA, 32).tobytes() != secret
        assert memory.hypervisor_read(guest.memory, BOOT_INFO_GPA, 9).tobytes() == b"boot info"
        assert memory.guest_read(guest.memory, IMAGE_GPA, 8192).tobytes() == IMAGE
        assert memory.hypervisor_read(guest.memory, IMAGE_GPA, 8192).tobytes() != IMAGE
        console = bytearray()
        await machine.run(guest, GuestHooks(console.extend, lambda *_: None, lambda _: None))
        await until(lambda: bytes(console) == b"!")
        await machine.release(guest)
        assert unused(machine)
        await machine.release(guest)
        assert unused(machine)


async def test_a_plain_guest_needs_no_firmware() -> None:
    async with powered() as machine:
        guest = await machine.load_plain(IMAGE, SMALL, b"boot info", b"secret")
        assert not guest.confidential
        assert machine.asids_left == machine.model.asid_count
        assert machine.controller.hypervisor_read(guest.memory, SECRET_GPA, 6).tobytes() == b"secret"
        console = bytearray()
        await machine.run(guest, GuestHooks(console.extend, lambda *_: None, lambda _: None))
        await until(lambda: bytes(console) == b"!")
        await machine.release(guest)
        assert unused(machine)


async def test_a_session_for_another_platform_is_refused_and_leaves_nothing() -> None:
    async with powered() as machine, powered() as other:
        for _ in range(5):
            with pytest.raises(FirmwareError):
                await launch(machine, owner_of(other))
            assert unused(machine)
        owner = owner_of(machine)
        await machine.release(await launch(machine, owner))


async def test_an_image_that_does_not_fit_leaves_nothing() -> None:
    async with powered() as machine:
        owner = owner_of(machine)
        for image in (b"half a page", bytes(SMALL)):
            with pytest.raises(BugError):
                await machine.launch(sev_plan(owner, image))
            with pytest.raises(BugError):
                await machine.load_plain(image, SMALL, b"", b"")
            assert unused(machine)
        with pytest.raises(BugError):
            await machine.load_plain(IMAGE, SMALL, b"", bytes(5000))
        assert unused(machine)


async def test_asids_and_memory_run_out_without_leaving_anything() -> None:
    async with powered(asids=2, guests=1) as machine:
        owner = owner_of(machine)
        for _ in range(4):
            with pytest.raises(CapacityExceeded):
                await launch(machine, owner, ram_bytes=2 * RAM)
            assert unused(machine)
        guests = [await launch(machine, owner_of(machine)) for _ in range(2)]
        with pytest.raises(CapacityExceeded, match="ASID"):
            await launch(machine, owner)
        assert len({guest.memory.asid for guest in guests}) == 2
        for guest in guests:
            await machine.release(guest)
        for _ in range(5):
            await machine.release(await launch(machine, owner_of(machine)))
        assert unused(machine)


async def test_a_launch_that_nobody_waits_for_any_more_leaves_nothing() -> None:
    async with powered() as machine:
        for turns in range(12):
            owner = owner_of(machine)
            confidential = asyncio.ensure_future(launch(machine, owner))
            plain = asyncio.ensure_future(machine.load_plain(IMAGE, SMALL, b"", b""))
            for _ in range(turns):
                await asyncio.sleep(0)
            confidential.cancel()
            plain.cancel()
            for outcome in await asyncio.gather(confidential, plain, return_exceptions=True):
                if isinstance(outcome, MachineGuest):
                    await machine.release(outcome)
            assert unused(machine)


async def test_workers_that_nobody_waits_for_any_more_are_ended_with_the_machine() -> None:
    for turns in (0, 1, 3, 30):
        async with powered() as machine:
            starting = asyncio.ensure_future(machine.vcpus.start())
            for _ in range(turns):
                await asyncio.sleep(0.001)
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)


async def test_switched_off_it_gives_everything_back_and_does_so_once() -> None:
    machine = Machine(model=replace(GENOA, asid_count=2), workers=1, es_asids=0)
    await asyncio.to_thread(machine.power_on)
    guest = await launch(machine, owner_of(machine))
    await machine.run(guest, GuestHooks(lambda _: None, lambda *_: None, lambda _: None))
    await machine.aclose()
    assert guest.vcpu == 0
    await machine.aclose()
    await machine.release(guest)
