"""A migration that fails or is cancelled leaves the guest where it was, running, and nothing at the target."""

from __future__ import annotations

import asyncio
import os
import signal
import struct

import pytest

from confvm_gui.domain.errors import BugError, CapacityExceeded, FirmwareError, Unsupported, WorkerLost, WrongState
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.engine.guests.guest_status import parse_status
from confvm_gui.engine.machine import MachineGuest
from confvm_gui.engine.migration import ROUNDS, migrate
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.states import GuestState
from tests.support.migration_rig import ES, NODBG, SEV, RunningGuest, TwoHosts, two_hosts
from tests.support.patience import until

STATUS = Query(QueryVerb.STATUS)
COUNTER = 0x200000
"""GPA of the first of the pages that the busy guest writes without end."""
BUSY_PAGES = 200
MODES = {"plain": None, "SEV": LaunchMode.SEV, "SEV-ES": LaunchMode.SEV_ES}
each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def policy_of(mode: LaunchMode | None) -> int:
    return NODBG | SEV | (ES if mode is LaunchMode.SEV_ES else 0)


def busy_guest() -> bytes:
    """Code that writes a count into each of BUSY_PAGES pages in turn, one higher each time round, for ever."""
    code = b"\x31\xc0"  # xor eax, eax
    code += b"\xff\xc0"  # again: inc eax
    code += b"\xbf" + struct.pack("<I", COUNTER)  # mov edi, COUNTER
    code += b"\x89\x07"  # next: mov [rdi], eax
    code += b"\x81\xc7" + struct.pack("<I", 0x1000)  # add edi, 4096
    code += b"\x81\xff" + struct.pack("<I", COUNTER + BUSY_PAGES * 0x1000)  # cmp edi, end
    code += b"\x72\xf0"  # jb next
    code += b"\xeb\xe7"  # jmp again
    return code.ljust(4096, b"\x90")


def counts(running: RunningGuest) -> list[int]:
    """What the guest itself reads in its pages."""
    memory = running.machine.controller.guest_read(running.guest.memory, COUNTER, BUSY_PAGES * 0x1000)
    return [int(value) for value in memory.view("<u4")[:: 0x1000 // 4]]


async def has_gone_on(running: RunningGuest, count: int) -> None:
    await until(lambda: min(counts(running)) > count)


async def ticks(running: RunningGuest) -> int:
    return int(parse_status(await running.ask(STATUS)).values["ticks"])


async def runs_on_at_the_source(hosts: TwoHosts, running: RunningGuest) -> None:
    assert running.machine is hosts.first
    assert hosts.empty(hosts.second)
    if running.guest.handle:
        status = hosts.first.processor.guest_status(running.guest.handle)
        assert status.state is GuestState.RUNNING
    assert hosts.first.vcpus.guests == (running.guest.vcpu,)
    assert await ticks(running) >= 0
    assert not running.exits


@each_mode
async def test_a_guest_that_never_stops_writing_loses_nothing(mode: LaunchMode | None) -> None:
    async with two_hosts() as hosts:
        running = await hosts.start(mode, busy_guest(), policy=policy_of(mode))
        await until(lambda: min(counts(running)) > 0)
        rounds: set[str] = set()
        for target in (hosts.second, hosts.first):
            before = min(counts(running))
            await running.move(target, lambda _, what: rounds.add(what.split(":")[0]))
            await hosts.first.vcpus.pause(running.guest.vcpu)
            seen = counts(running)
            # Pages ahead in the turn are one higher than those behind, and never anything else.
            assert seen == sorted(seen, reverse=True)
            assert seen[0] - seen[-1] <= 1
            assert seen[-1] >= before
            hosts.first.vcpus.resume(running.guest.vcpu)
            await has_gone_on(running, seen[0])
        assert len([name for name in rounds if name.startswith("Round")]) <= ROUNDS
        assert not running.exits


async def cancelled_at(moment: int, running: RunningGuest, hosts: TwoHosts) -> None:
    """Migrate, and cancel it when it tells of its progress for the `moment`th time."""
    told: list[str] = []

    def cancel(_: float, what: str) -> None:
        told.append(what)
        if len(told) == moment:
            task.cancel()

    task = asyncio.ensure_future(migrate(running.guest, hosts.first, hosts.second, None, cancel))
    running.guest = await task


@each_mode
async def test_it_can_be_cancelled_at_any_moment(mode: LaunchMode | None) -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(mode, policy=policy_of(mode))
        await ticks(running)
        moments: list[str] = []
        await running.move(hosts.second, lambda _, what: moments.append(what))
        await running.move(hosts.first)
        cancelled = 0
        for moment in range(1, len(moments)):
            try:
                await cancelled_at(moment, running, hosts)
            except asyncio.CancelledError:
                cancelled += 1
                await runs_on_at_the_source(hosts, running)
            else:
                # It had less to copy than before, so this moment did not come.
                await running.move(hosts.first)
        assert cancelled  # how many moments there are depends on how much the guest writes meanwhile


@pytest.mark.parametrize(
    "command",
    ["receive_start", "activate", "receive_update_data", "receive_update_vmsa", "receive_finish", "send_finish"],
)
async def test_a_refusal_of_the_firmware_undoes_it(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(LaunchMode.SEV_ES, policy=policy_of(LaunchMode.SEV_ES))
        await ticks(running)

        def refuse(*_: object, **__: object) -> None:
            raise FirmwareError(command.upper(), 0x16, "RESOURCE_LIMIT", f"{command} is refused for a test")

        with monkeypatch.context() as patch:
            patch.setattr(SecureProcessor, command, refuse)
            with pytest.raises(FirmwareError, match="refused for a test"):
                await running.move(hosts.second)
        await runs_on_at_the_source(hosts, running)
        await running.move(hosts.second)
        assert await ticks(running) >= 0


async def test_a_target_without_room_refuses() -> None:
    async with two_hosts(asids=1) as hosts:
        running = await hosts.heartbeat(LaunchMode.SEV)
        other = hosts.second.reserve(LaunchMode.SEV, 4 << 20)
        with pytest.raises(CapacityExceeded):
            await running.move(hosts.second)
        await hosts.second.release(other)
        await runs_on_at_the_source(hosts, running)


async def test_a_guest_that_ends_meanwhile_is_told_and_leaves_nothing_there() -> None:
    async with two_hosts() as hosts:
        power_off = b"\x66\xba\x14\x05\xb8\x32\0\0\0\xef\xf4" + b"\x66\xba\x00\x06\xef"  # sleeps 50 ms before
        running = await hosts.start(LaunchMode.SEV, power_off.ljust(4096, b"\x90"))
        await until(lambda: bool(running.exits))
        with pytest.raises(WrongState, match="powered off"):
            await running.move(hosts.second)
        assert hosts.empty(hosts.second)
        await hosts.first.release(running.guest)
        assert hosts.unused == (True, True)


async def test_a_worker_that_dies_meanwhile_is_told_and_leaves_nothing_there() -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(LaunchMode.SEV)
        await ticks(running)

        def kill() -> None:
            for pid in hosts.first.vcpus.worker_pids:
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(WorkerLost):
            await migrate(running.guest, hosts.first, hosts.second, None, lambda *_: None, on_pause=kill)
        assert hosts.empty(hosts.second)
        await until(lambda: bool(running.exits))
        await hosts.first.release(running.guest)
        assert hosts.unused == (True, True)


async def test_what_cannot_be_moved_is_told() -> None:
    async with two_hosts() as hosts:
        snp = hosts.first.reserve(LaunchMode.SEV_SNP, 4 << 20)
        with pytest.raises(Unsupported, match="migration agent"):
            await migrate(snp, hosts.first, hosts.second, None, lambda *_: None)
        await hosts.first.release(snp)
        still = hosts.first.reserve(None, 4 << 20)
        with pytest.raises(WrongState, match="start it first"):
            await migrate(still, hosts.first, hosts.second, None, lambda *_: None)
        with pytest.raises(BugError):
            await migrate(still, hosts.second, hosts.first, None, lambda *_: None)
        with pytest.raises(BugError):
            await migrate(still, hosts.first, hosts.first, None, lambda *_: None)
        await hosts.first.release(still)
        async with two_hosts() as elsewhere:
            far = elsewhere.first.reserve(None, 4 << 20)
            with pytest.raises(BugError):
                await migrate(far, elsewhere.first, hosts.second, None, lambda *_: None)
            await elsewhere.first.release(far)


async def test_a_cancellation_that_comes_too_late_is_delivered_with_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(LaunchMode.SEV)
        await ticks(running)
        release = hosts.first.release
        cancelled = asyncio.Event()

        async def release_late(guest: MachineGuest) -> None:
            task.cancel()
            await release(guest)

        async def move() -> None:
            running.guest = await migrate(running.guest, hosts.first, hosts.second, None, lambda *_: None)
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                cancelled.set()
                raise

        monkeypatch.setattr(hosts.first, "release", release_late)
        task = asyncio.ensure_future(move())
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cancelled.is_set()
        assert running.machine is hosts.second
        assert hosts.empty(hosts.first)
        assert await ticks(running) >= 0
