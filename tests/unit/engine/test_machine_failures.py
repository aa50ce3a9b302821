"""Launches that the firmware refuses at any step, or that nobody waits for any more: nothing of them stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.domain.errors import BugError, FirmwareError
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.engine.guests.memory_map import IMAGE_GPA, SECRET_GPA, SNP_CPUID_GPA, SNP_SECRETS_GPA
from confvm_gui.engine.machine import MachineGuest
from confvm_gui.engine.memory_controller.controller import GuestRange
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.engine.secure_processor.rmp_entry import RmpResult
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.id_block import IdAuth, IdBlock
from confvm_gui.sev.snp_launch_digest import SnpLaunchDigest
from confvm_gui.sev.snp_policy import SnpPolicy
from tests.unit.engine.machine_rig import ES_ASIDS, HOOKS, IMAGE, MODES, Host, host, memory, plan

SEV_STEPS = ("launch_start", "activate", "launch_update_data", "launch_measure")
SNP_STEPS = ("snp_gctx_create", "snp_launch_start", "snp_activate", "snp_launch_finish")
STEPS = [
    *((LaunchMode.SEV, step, 0) for step in SEV_STEPS),
    *((LaunchMode.SEV_ES, step, 0) for step in (*SEV_STEPS, "launch_update_vmsa")),
    *((LaunchMode.SEV_SNP, step, 0) for step in SNP_STEPS),
    # Image, secret page, secrets, CPUID, VMSA.
    *((LaunchMode.SEV_SNP, "snp_launch_update", after) for after in range(5)),
]


def fail(host: Host, step: str, after: int) -> None:
    """Let the firmware's command `step` fail, once it has succeeded `after` times."""
    processor = host.machine.processor
    real = getattr(processor, step)
    left = after

    def refuse(*args: object, **kwargs: object) -> object:
        nonlocal left
        if left:
            left -= 1
            return real(*args, **kwargs)
        raise FirmwareError(step.upper(), 1, "HWERROR_PLATFORM", "made to fail")

    vars(processor)[step] = refuse


@pytest.mark.parametrize(("mode", "step", "after"), STEPS)
async def test_a_step_that_fails_leaves_nothing(mode: LaunchMode, step: str, after: int) -> None:
    async with host() as made:
        fail(made, step, after)
        for _ in range(ES_ASIDS + 1):
            with pytest.raises(FirmwareError, match="made to fail"):
                await made.launch(mode)
            assert made.unused
        del vars(made.machine.processor)[step]
        guest = await made.launch(mode)
        await made.machine.release(guest)
        assert made.unused


@pytest.mark.parametrize("after", range(6))
async def test_an_rmpupdate_that_fails_leaves_nothing(after: int) -> None:
    async with host() as made:
        controller = made.machine.controller
        real = controller.rmpupdate
        left = after

        def refuse(guest: GuestRange, offset: int, **kwargs: bool | int) -> RmpResult:
            nonlocal left
            if left == 0:
                return RmpResult.FAIL_INPUT
            left -= 1
            return real(
                guest,
                offset,
                assigned=bool(kwargs["assigned"]),
                asid=kwargs.get("asid"),
                gpa=kwargs.get("gpa", 0),
                immutable=bool(kwargs.get("immutable")),
                count=kwargs.get("count", 1),
            )

        vars(controller)["rmpupdate"] = refuse
        with pytest.raises(BugError, match="FAIL_INPUT"):
            await made.launch(LaunchMode.SEV_SNP)
        assert made.unused


@pytest.mark.parametrize("mode", MODES)
async def test_cancelled_at_any_moment_it_leaves_nothing(mode: LaunchMode) -> None:
    async with host() as made:
        for turns in range(8):
            launching = asyncio.ensure_future(made.launch(mode))
            for _ in range(turns):
                await asyncio.sleep(0)
            launching.cancel()
            (outcome,) = await asyncio.gather(launching, return_exceptions=True)
            if isinstance(outcome, MachineGuest):
                await made.machine.release(outcome)
            assert made.unused


@pytest.mark.parametrize("mode", MODES)
async def test_released_in_any_state_and_twice(mode: LaunchMode) -> None:
    async with host() as made:
        machine = made.machine
        for run in (False, True):
            guest = await made.launch(mode)
            if run:
                await machine.run(guest, HOOKS)
            await machine.release(guest)
            assert made.unused
            await machine.release(guest)
            assert made.unused
        reserved = machine.reserve(mode, plan(mode).ram_bytes)
        assert not made.unused
        await machine.release(reserved)
        assert made.unused


async def test_a_received_guest_is_reserved_first_and_released_like_any_other() -> None:
    """What a migration does at its target, up to the moment at which it fails."""
    async with host() as made:
        machine = made.machine
        guest = machine.reserve(LaunchMode.SEV_ES, plan(LaunchMode.SEV_ES).ram_bytes, policy=0b101)
        guest.handle = machine.processor.launch_start(0b101)
        await machine.release(guest)
        assert made.unused


async def test_two_releases_at_once() -> None:
    async with host() as made:
        guest = await made.launch(LaunchMode.SEV_SNP)
        await asyncio.gather(*(made.machine.release(guest) for _ in range(3)))
        assert made.unused


@pytest.mark.parametrize("mode", MODES)
async def test_switched_off_with_guests_it_leaves_the_shared_memory_empty(mode: LaunchMode) -> None:
    with memory() as dram:
        made = Host(dram)
        made.machine.power_on()
        running, ready = await made.launch(mode), await made.launch(mode)
        await made.machine.run(running, HOOKS)
        await made.machine.aclose()
        assert dram.available == dram.size
        assert not made.vcpus.given
        assert running.vcpu == 0
        assert not made.keys
        await made.machine.release(ready)


@pytest.mark.parametrize("right", [True, False])
async def test_an_id_block_lets_its_own_launch_through_and_no_other(right: bool) -> None:
    async with host() as made:
        processor = made.machine.processor
        guest = await made.launch(LaunchMode.SEV_SNP)
        await made.machine.run(guest, HOOKS)
        digest = expected_snp_digest() if right else bytes(48)
        key = ec.generate_private_key(ec.SECP384R1())
        block = IdBlock(digest, SnpPolicy(0x30000), bytes(16), bytes(16), guest_svn=1)
        auth = IdAuth.sign(block, key)
        wanted = replace(plan(LaunchMode.SEV_SNP), id_block=block.to_bytes(), id_auth=auth.to_bytes())
        if right:
            await made.machine.release(await made.machine.launch(wanted))
        else:
            with pytest.raises(FirmwareError) as caught:
                await made.machine.launch(wanted)
            assert caught.value.status_name == "BAD_MEASUREMENT"
        assert processor.snp_platform_status().guest_count == 1
        await made.machine.release(guest)
        assert made.unused


def expected_snp_digest() -> bytes:
    digest = SnpLaunchDigest()
    digest.add_normal(IMAGE_GPA, IMAGE)
    digest.add_zero(SECRET_GPA, 4096)
    digest.add_secrets(SNP_SECRETS_GPA)
    digest.add_cpuid(SNP_CPUID_GPA)
    assert GENOA.snp is not None
    digest.add_vmsa(initial_vmsa(cpu_signature=GENOA.snp.cpu.signature, snp=True))
    return digest.digest
