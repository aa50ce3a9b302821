"""The shipped heartbeat guest on an emulated host, in each of the modes: real firmware, RMP, VMSA and vCPU worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guest_host.host import GuestHooks
from confvm_gui.engine.guests.attestation_page import PageWrite, empty_page, parse_answer, request_writes, sealed_writes
from confvm_gui.engine.guests.boot_info import BootInfo
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.memory_map import ATTESTATION_GPA
from confvm_gui.engine.guests.sealing import report_data, seal_secret
from confvm_gui.engine.guests.secret_table import guest_secret
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.snp_report import SnpReport

RAM = 4 << 20
POLICIES = {LaunchMode.SEV: 0b011, LaunchMode.SEV_ES: 0b111, LaunchMode.SEV_SNP: 0x30000}
NONCE = bytes(range(32))
MAILBOX_KEY = bytes(range(50, 82))
PATIENCE = 30.0


class Running:
    """A guest that runs, and what is heard of it."""

    def __init__(self, machine: Machine, guest: MachineGuest) -> None:
        self._machine = machine
        self._guest = guest
        self._news = asyncio.Event()
        self.console = ""
        self.answered = 0
        self.exited = ""
        self.hooks = GuestHooks(
            lambda data: self._hear(console=self.console + data.decode("ascii")),
            lambda _, reason: self._hear(exited=reason),
            lambda _: None,
            lambda number: self._hear(answered=number),
        )

    def write(self, writes: tuple[PageWrite, ...]) -> None:
        for gpa, data in writes:
            self._machine.controller.hypervisor_write(self._guest.memory, gpa, data)
        if self._guest.vcpu:
            self._machine.vcpus.ring(self._guest.vcpu)

    def page(self) -> bytes:
        return self._machine.controller.hypervisor_read(self._guest.memory, ATTESTATION_GPA, PAGE_SIZE).tobytes()

    async def until(self, condition: Callable[[Running], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition(self):
                assert not self.exited, f"{self.exited}\n{self.console}"
                self._news.clear()
                await self._news.wait()

    def _hear(self, **news: object) -> None:
        for name, value in news.items():
            setattr(self, name, value)
        self._news.set()


def plan(mode: LaunchMode) -> LaunchPlan:
    return LaunchPlan(mode, GuestImage.load("heartbeat").data, RAM, BootInfo(RAM).encode(), POLICIES[mode])


@pytest.mark.parametrize("mode", [LaunchMode.SEV, LaunchMode.SEV_ES])
async def test_it_starts_as_the_mode_says(mode: LaunchMode) -> None:
    machine = Machine(workers=1, root=EmulatedRoot(bits=2048))
    await asyncio.to_thread(machine.power_on)
    try:
        guest = await machine.launch(plan(mode))
        running = Running(machine, guest)
        await machine.run(guest, running.hooks)
        name = {LaunchMode.SEV: "(SEV)", LaunchMode.SEV_ES: "(SEV-ES)"}[mode]
        await running.until(lambda r: f"memory encryption active {name}" in r.console)
    finally:
        await machine.aclose()


async def test_an_snp_guest_is_attested_and_given_its_keys() -> None:
    machine = Machine(workers=1, root=EmulatedRoot(bits=2048))
    await asyncio.to_thread(machine.power_on)
    try:
        guest = await machine.launch(plan(LaunchMode.SEV_SNP))
        running = Running(machine, guest)
        running.write((PageWrite(ATTESTATION_GPA, empty_page()), *request_writes(1, NONCE)))
        await machine.run(guest, running.hooks)
        await running.until(lambda r: r.answered == 1)
        answer = parse_answer(running.page())
        assert (answer.sequence, answer.status) == (1, 0)
        report = SnpReport.parse(answer.report)
        assert report.report_data == report_data(answer.public_key, NONCE)
        assert any(report.measurement)
        running.write(
            sealed_writes(seal_secret(guest_secret(mailbox_key=MAILBOX_KEY), public_key=answer.public_key, nonce=NONCE))
        )
        await running.until(lambda r: "sev-snp: keys received" in r.console)
        running.write(request_writes(2, bytes(32)))
        await running.until(lambda r: r.answered == 2)
        again = SnpReport.parse(parse_answer(running.page()).report)
        assert again.report_data == report_data(answer.public_key, bytes(32))
        assert again.measurement == report.measurement
    finally:
        await machine.aclose()
