"""The emulated hosts of one console: two, so that a running guest can be moved from one to the other.

They share this computer's memory and vCPU workers, as the nodes of a cluster share a building. Each has a chip, ASIDs
and memory encryption of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, WrongState
from confvm_gui.domain.instance import HostMaintenance
from confvm_gui.domain.ports.provider import HostInfo
from confvm_gui.engine.guest_host.host import GuestHost
from confvm_gui.engine.machine import Machine
from confvm_gui.engine.memory_controller.controller import MemoryController
from confvm_gui.engine.memory_controller.dram import Dram
from confvm_gui.engine.secure_processor.model import GENOA, ProcessorModel
from confvm_gui.engine.vtpm.authority import VtpmAuthority
from confvm_gui.providers.embedded.evidence import EvidenceDesk, host_title

if TYPE_CHECKING:
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.engine.qemu.launch import QemuGuest
    from confvm_gui.providers.embedded.definitions import Definition
    from confvm_gui.providers.embedded.host_keys import HostKeys
    from confvm_gui.providers.embedded.launch import PoweredOn

_ES_TECHNOLOGIES: Final = (Technology.SEV_ES, Technology.SEV_SNP)


class Site:
    """All hosts, and what they have in common."""

    def __init__(
        self,
        keys: HostKeys,
        *,
        workers: int = 2,
        model: ProcessorModel = GENOA,
        dram: Dram | None = None,
        es_asids: int | None = None,
        kind: type[Machine] = Machine,
    ) -> None:
        """`workers`: vCPU processes in all. Raises CapacityExceeded."""
        self.dram = dram or Dram.largest()
        # Each guest is added with the memory controller of its host: this one stands for none of them.
        self.vcpus = GuestHost(self.dram, MemoryController(self.dram), workers)
        self.hosts = tuple(
            kind(
                model=model,
                dram=self.dram,
                vcpus=self.vcpus,
                root=keys.root,
                chip=chip,
                es_asids=es_asids,
                name=f"host-{number}",
            )
            for number, chip in enumerate(keys.chips, 1)
        )
        self.qemu_guests: set[QemuGuest] = set()
        """Those that run: their processes end before the memory does."""
        self.desk = EvidenceDesk(keys.root, VtpmAuthority(keys.chips[0]))

    def power_on(self) -> None:
        """Takes a few milliseconds."""
        for host in self.hosts:
            host.power_on()

    def infos(self) -> Sequence[HostInfo]:
        """For people to choose from."""
        return tuple(HostInfo(host.name, host_title(host), host.asids_left, host.es_asids_left) for host in self.hosts)

    def host_for(self, technology: Technology) -> Machine:
        """The first host with room for another guest of `technology`; the first of all where none has."""
        if technology is Technology.NONE:
            return self.hosts[0]
        es = technology in _ES_TECHNOLOGIES
        return next((host for host in self.hosts if (host.es_asids_left if es else host.asids_left)), self.hosts[0])

    async def migrate(self, powered: PoweredOn, name: str, operation: OperationContext) -> None:
        """Move a running guest to the host `name`; whoever holds its placement goes on there.

        Raises InvalidInput("host"), WrongState, Unsupported, FirmwareError, CapacityExceeded, WorkerLost; the guest
        then runs on where it was.
        """
        from confvm_gui.engine.migration import migrate

        target = next((host for host in self.hosts if host.name == name), None)
        if target is None:
            raise InvalidInput(
                "host", f"There is no host {name!r}; there are {' and '.join(h.name for h in self.hosts)}"
            )
        placement = powered.placement
        if target is placement.machine:
            raise WrongState(f"The instance is on {host_title(target)} already")

        def tell(progress: float, detail: str) -> None:
            operation.step("migrate", progress, detail)

        try:
            guest = await migrate(
                placement.guest, placement.machine, target, powered.hooks, tell, on_pause=placement.settled.clear
            )
            placement.machine, placement.guest = target, guest
        finally:
            placement.settled.set()

    async def aclose(self) -> None:
        """Switch everything off. All guests are gone with their keys."""
        await asyncio.gather(*(guest.release() for guest in tuple(self.qemu_guests)))
        await self.vcpus.aclose()
        for host in self.hosts:
            await host.aclose()
        self.dram.close()


def migration_unfit(definition: Definition) -> str:
    """Why a running instance of this definition cannot be moved to another host, or ""."""
    if definition.runs_image:
        return "A kernel that runs in QEMU stays on its emulated host: the state of its vCPU is QEMU's own"
    if definition.technology_kind is Technology.SEV_SNP:
        return "An SEV-SNP guest migrates only with a migration agent, and its policy names none"
    if definition.confidential and definition.maintenance is HostMaintenance.TERMINATE:
        return "It was created with host maintenance TERMINATE: its guest policy has NOSEND, and the firmware refuses"
    return ""
