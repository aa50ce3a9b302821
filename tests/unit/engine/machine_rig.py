"""A small emulated host for tests of launches, with vCPUs that never run, and an owner for each kind of guest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from confvm_gui.engine.guest_host.host import GuestHooks, GuestHost
from confvm_gui.engine.guest_host.protocol import GuestConfig, VcpuState
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.engine.memory_controller.controller import GuestRange, MemoryController
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.engine.secure_processor.volume_key import VolumeKey
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_owner import GuestOwner

IMAGE = b"".join(bytes([number]) * 4096 for number in (0x90, 0x90, 0xF4))
RAM = 2 * ALLOCATION_UNIT
ASIDS = 6
ES_ASIDS = 3
MODES = (LaunchMode.SEV, LaunchMode.SEV_ES, LaunchMode.SEV_SNP)
POLICIES = {LaunchMode.SEV: 0b011, LaunchMode.SEV_ES: 0b111, LaunchMode.SEV_SNP: 0x30000}
ROOT = EmulatedRoot(bits=2048)


class StillVcpus(GuestHost):
    """Takes guests and never runs them."""

    def __init__(self, dram: Dram, controller: MemoryController) -> None:
        super().__init__(dram, controller, workers=1)
        self.configs: dict[int, GuestConfig] = {}
        self.given: dict[int, GuestHooks] = {}
        self.controllers: dict[int, MemoryController | None] = {}
        self.closed = False

    async def add(
        self,
        make_config: Callable[[int], GuestConfig],
        memory: GuestRange,
        hooks: GuestHooks,
        controller: MemoryController | None = None,
        *,
        state: VcpuState | None = None,
        paused: bool = False,
    ) -> int:
        number = len(self.configs) + 1
        self.configs[number] = make_config(number)
        self.given[number] = hooks
        self.controllers[number] = controller
        return number

    async def remove(self, guest: int) -> None:
        self.given.pop(guest)

    async def aclose(self) -> None:
        self.closed = True


def plan(mode: LaunchMode, owner: GuestOwner | None = None) -> LaunchPlan:
    """A launch of IMAGE."""
    return LaunchPlan(
        mode,
        IMAGE,
        RAM,
        b"boot info",
        POLICIES[mode],
        dh_cert=b"" if owner is None else owner.dh_cert,
        session=b"" if owner is None else owner.session,
    )


HOOKS = GuestHooks(lambda _: None, lambda *_: None, lambda _: None)


class Host:
    """A machine and what a test wants to know of it."""

    def __init__(self, dram: Dram, *, name: str = "host-1", chip: ChipSecret | None = None) -> None:
        self.vcpus = StillVcpus(dram, MemoryController(dram))
        self.machine = Machine(
            model=replace(GENOA, asid_count=ASIDS),
            dram=dram,
            vcpus=self.vcpus,
            root=ROOT,
            chip=chip,
            es_asids=ES_ASIDS,
            name=name,
        )
        self.keys: set[int] = set()
        self._watch_keys()

    def owner(self, mode: LaunchMode) -> GuestOwner:
        return GuestOwner.for_platform(self.machine.pdh, POLICIES[mode])

    async def launch(self, mode: LaunchMode) -> MachineGuest:
        return await self.machine.launch(plan(mode))

    @property
    def unused(self) -> bool:
        """Nothing of any guest is left: no ASID, key, memory, firmware context or RMP entry."""
        machine = self.machine
        rmp = machine.processor.rmp
        return (
            machine.asids_left == ASIDS - ES_ASIDS
            and machine.es_asids_left == ES_ASIDS
            and not self.keys
            and machine.dram.available == machine.dram.size
            and machine.status().guest_count == 0
            and machine.processor.snp_platform_status().guest_count == 0
            and not any(rmp.pages_of(asid) for asid in range(ASIDS + 1))
        )

    def _watch_keys(self) -> None:
        controller = self.machine.controller
        install, remove = controller.install_key, controller.remove_key

        def installed(asid: int, key: VolumeKey) -> None:
            install(asid, key)
            self.keys.add(asid)

        def removed(asid: int) -> None:
            remove(asid)
            self.keys.discard(asid)

        vars(controller).update(install_key=installed, remove_key=removed)


@contextmanager
def memory(guests: int = 4) -> Iterator[Dram]:
    """DRAM for as many guests."""
    dram = Dram(guests * (RAM + ALLOCATION_UNIT))
    try:
        yield dram
    finally:
        dram.close()


@asynccontextmanager
async def host(*, guests: int = 4) -> AsyncIterator[Host]:
    """A host that is on."""
    with memory(guests) as dram:
        made = Host(dram)
        await asyncio.to_thread(made.machine.power_on)
        try:
            yield made
        finally:
            await made.machine.aclose()
