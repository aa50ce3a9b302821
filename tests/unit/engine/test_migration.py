"""Live migration between two emulated hosts: the guest goes on as if nothing had been, or stays where it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from confvm_gui.domain.errors import FirmwareError
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.records import parse_records
from confvm_gui.engine.guests.guest_status import parse_status
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.mailbox import MailboxAnswer
from confvm_gui.engine.guests.records_disk import DiskHeader, build_disk, ram_needed
from confvm_gui.sev.expected_digest import LaunchMode
from tests.support.migration_rig import ES, NODBG, NOKS, NOSEND, SEV, RunningGuest, TwoHosts, two_hosts

STATUS = Query(QueryVerb.STATUS)
PATTERN = b"heartbeat: private to this guest"
SECRET_FIELD = "call the lighthouse at Port Isolde"
RECORDS = "id,name,age,readmitted,note\n" + "".join(
    f"V-{at},patient {at},{30 + at % 40},{'yes' if at % 3 else 'no'},{SECRET_FIELD} {at}\n" for at in range(12)
)
MODES = {"plain": None, "SEV": LaunchMode.SEV, "SEV-ES": LaunchMode.SEV_ES}
each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def told(answers: list[MailboxAnswer]) -> list[tuple[bool, int, tuple[tuple[str, ...], ...]]]:
    """Without the notes, which tell how long it took."""
    return [(answer.ok, answer.count, answer.rows) for answer in answers]


def policy_of(mode: LaunchMode | None) -> int:
    return NODBG | SEV | (ES if mode is LaunchMode.SEV_ES else 0)


async def ticks(running: RunningGuest) -> int:
    return int(parse_status(await running.ask(STATUS)).values["ticks"])


async def records_guest(hosts: TwoHosts, mode: LaunchMode | None, folder: Path) -> RunningGuest:
    table = parse_records(RECORDS.encode())
    key = os.urandom(64)
    disk = folder / "records.img"
    disk.write_bytes(build_disk(table, key, DiskHeader("local:rehearsal", b"wrapped")))
    ram_bytes = ram_needed(table, disk.stat().st_size)
    image = GuestImage.load("records").data
    running = await hosts.start(mode, image, policy=policy_of(mode), ram_bytes=ram_bytes, disk=disk, disk_key=key)
    while not parse_status(await running.ask(STATUS)).ready:
        assert not running.exits
    return running


@each_mode
async def test_a_records_guest_answers_the_same_before_and_after(mode: LaunchMode | None, tmp_path: Path) -> None:
    questions = [
        Query(QueryVerb.FIND, "id", "V-7"),
        Query(QueryVerb.COUNT, "readmitted", "yes"),
        Query(QueryVerb.RANGE, "age", "33", "37"),
    ]
    async with two_hosts() as hosts:
        running = await records_guest(hosts, mode, tmp_path)
        before = [await running.ask(question) for question in questions]
        assert before[0].rows[0][0] == "V-7"
        started, spoken = running.guest, len(running.console)
        progress: list[tuple[float, str]] = []
        await running.move(hosts.second, lambda share, what: progress.append((share, what)))
        assert running.machine is hosts.second
        assert running.guest is not started
        assert told([await running.ask(question) for question in questions]) == told(before)
        assert hosts.empty(hosts.first)
        assert not running.exits
        assert len(running.console) >= spoken
        shares = [share for share, _ in progress]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert progress[-1][1].startswith("Runs on host-2: ")
        assert " rounds, " in progress[-1][1]
        assert "stood still for " in progress[-1][1]
        await hosts.second.release(running.guest)
        assert hosts.unused == (True, True)


@each_mode
async def test_a_guest_goes_there_and_back_and_counts_on(mode: LaunchMode | None) -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(mode, policy=policy_of(mode))
        seen = [await ticks(running)]
        for target in (hosts.second, hosts.first, hosts.second):
            await running.move(target)
            seen.append(await ticks(running))
        assert seen == sorted(seen)
        assert hosts.empty(hosts.first)


@pytest.mark.parametrize("mode", [LaunchMode.SEV, LaunchMode.SEV_ES])
async def test_the_other_host_sees_other_ciphertext(mode: LaunchMode) -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(mode, policy=policy_of(mode))
        await ticks(running)
        at = 0x100000
        before = hosts.first.controller.hypervisor_read(running.guest.memory, at, 4096).tobytes()
        image = hosts.first.controller.guest_read(running.guest.memory, at, 4096).tobytes()
        await running.move(hosts.second)
        after = hosts.second.controller.hypervisor_read(running.guest.memory, at, 4096).tobytes()
        assert hosts.second.controller.guest_read(running.guest.memory, at, 4096).tobytes() == image
        assert len({before, after, image}) == 3


@pytest.mark.parametrize("mode", [LaunchMode.SEV, LaunchMode.SEV_ES])
async def test_nosend_is_refused_before_anything_changed(mode: LaunchMode) -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(mode, policy=policy_of(mode) | NOSEND)
        vcpu, seen = running.guest.vcpu, await ticks(running)
        with pytest.raises(FirmwareError, match="NOSEND") as caught:
            await running.move(hosts.second)
        assert (caught.value.command, caught.value.status_name) == ("SEND_START", "POLICY_FAILURE")
        assert hosts.empty(hosts.second)
        assert running.guest.vcpu == vcpu
        assert await ticks(running) >= seen


async def test_a_guest_with_noks_shares_its_key_with_nobody_after_it_was_moved() -> None:
    async with two_hosts() as hosts:
        running = await hosts.heartbeat(LaunchMode.SEV, policy=NODBG | NOKS | SEV)
        await running.move(hosts.second)
        with pytest.raises(FirmwareError) as caught:
            hosts.second.processor.launch_start(NODBG | NOKS, share_key_with=running.guest.handle)
        assert caught.value.status_name == "POLICY_FAILURE"
