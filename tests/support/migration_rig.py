"""Two emulated hosts in one building, guests on them, and questions to those guests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from confvm_gui.domain.query import Query
from confvm_gui.engine.guest_host.host import GuestHooks, GuestHost
from confvm_gui.engine.guest_host.protocol import GuestUsage
from confvm_gui.engine.guests.boot_info import BootInfo
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.mailbox import (
    HEADER_BYTES,
    REQUEST_GPA,
    RESPONSE_GPA,
    MailboxAnswer,
    MailboxKey,
    pack_header,
    unpack_header,
)
from confvm_gui.engine.guests.secret_table import guest_secret
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.migration import Progress, migrate
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_owner import GuestOwner
from tests.support.patience import until

NODBG, NOKS, ES, NOSEND, DOMAIN, SEV = (1 << bit for bit in range(6))
SMALL = 4 << 20
"""Bytes of RAM."""


def _sectors(disk: Path | None) -> int:
    return disk.stat().st_size // 512 if disk else 0


@cache
def emulated_root() -> EmulatedRoot:
    """One for all: its keys take a second."""
    return EmulatedRoot(bits=2048)


@dataclass
class RunningGuest:
    """A guest, what its hooks were told, and the key to its mailbox."""

    guest: MachineGuest
    key: MailboxKey
    console: bytearray = field(default_factory=bytearray)
    exits: list[tuple[bool, str]] = field(default_factory=list)
    usage: list[GuestUsage] = field(default_factory=list)
    asked: int = 0

    def hooks(self) -> GuestHooks:
        return GuestHooks(
            console=self.console.extend,
            exited=lambda crashed, reason: self.exits.append((crashed, reason)),
            usage=self.usage.append,
        )

    @property
    def machine(self) -> Machine:
        return self.guest.machine

    async def ask(self, query: Query) -> MailboxAnswer:
        """Post a question where the guest is now, and wait for its answer."""
        self.asked += 1
        sequence, memory, controller = self.asked, self.guest.memory, self.machine.controller
        payload = self.key.seal_request(sequence, query)
        controller.hypervisor_write(memory, REQUEST_GPA + HEADER_BYTES, payload)
        controller.hypervisor_write(memory, REQUEST_GPA, pack_header(sequence, len(payload)))
        self.machine.vcpus.ring(self.guest.vcpu)

        def header() -> tuple[int, int]:
            return unpack_header(controller.hypervisor_read(memory, RESPONSE_GPA, HEADER_BYTES).tobytes())

        await until(lambda: header()[0] == sequence)
        answer = controller.hypervisor_read(memory, RESPONSE_GPA + HEADER_BYTES, header()[1]).tobytes()
        return self.key.open_answer(sequence, answer)

    async def move(self, target: Machine, progress: Progress = lambda *_: None) -> None:
        self.guest = await migrate(self.guest, self.machine, target, None, progress)


@dataclass
class TwoHosts:
    """host-1 and host-2, on one DRAM and one worker."""

    first: Machine
    second: Machine

    @property
    def unused(self) -> tuple[bool, bool]:
        """Whether either host has no guest, all its ASIDs, and the building all its memory."""
        memory = self.first.dram.available == self.first.dram.size
        one, two = (self.empty(host) for host in (self.first, self.second))
        return one and memory, two and memory

    @staticmethod
    def empty(host: Machine) -> bool:
        asids = host.asids_left + host.es_asids_left
        return asids == host.model.asid_count and host.status().guest_count == 0

    async def start(
        self,
        mode: LaunchMode | None,
        image: bytes,
        *,
        policy: int = NODBG | SEV,
        ram_bytes: int = SMALL,
        disk: Path | None = None,
        disk_key: bytes | None = None,
    ) -> RunningGuest:
        """A guest that runs on the first host, with fresh mailbox key."""
        host = self.first
        mailbox_key = os.urandom(32)
        secret = guest_secret(disk_key=disk_key, mailbox_key=mailbox_key)
        sectors = _sectors(disk)
        boot_info = BootInfo(ram_bytes, sectors, "rehearsal").encode()
        if mode is None:
            guest = await host.load_plain(image, ram_bytes, boot_info, secret)
        else:
            owner = GuestOwner.for_platform(host.pdh, policy)
            plan = LaunchPlan(mode, image, ram_bytes, boot_info, policy, owner.dh_cert, owner.session)
            guest = await host.launch(plan)
            version = host.model.version
            api = {"api_major": version.api_major, "api_minor": version.api_minor, "build": version.build}
            owner.accept_unseen(guest.measurement, **api)
            await host.inject_secret(guest, *owner.secret_packet(secret, guest.measurement))
            owner.forget()
        running = RunningGuest(guest, MailboxKey(mailbox_key))
        await host.run(guest, running.hooks(), str(disk) if disk else "")
        return running

    async def heartbeat(self, mode: LaunchMode | None, *, policy: int = NODBG | SEV) -> RunningGuest:
        return await self.start(mode, GuestImage.load("heartbeat").data, policy=policy)


@asynccontextmanager
async def two_hosts(*, asids: int = 4) -> AsyncIterator[TwoHosts]:
    """Both powered on; all is gone at the end."""
    dram = Dram(64 * ALLOCATION_UNIT)
    vcpus = GuestHost(dram, workers=1)
    model = replace(GENOA, asid_count=2 * asids)
    first, second = (
        Machine(model=model, dram=dram, vcpus=vcpus, root=emulated_root(), es_asids=asids, name=name)
        for name in ("host-1", "host-2")
    )
    try:
        for host in (first, second):
            await asyncio.to_thread(host.power_on)
        yield TwoHosts(first, second)
    finally:
        for host in (first, second):
            await host.aclose()
        await vcpus.aclose()
        dram.close()
