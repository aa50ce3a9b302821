"""The host's side of a guest in QEMU: RAM is filled, measured and encrypted before the vCPU is released.

SEV, SEV-ES: LAUNCH_START, ACTIVATE, LAUNCH_UPDATE_DATA over each part in `linux_boot`'s order, under SEV-ES
LAUNCH_UPDATE_VMSA over the registers at reset, LAUNCH_MEASURE; after the owner's approval LAUNCH_FINISH and `cont` over
QMP.
A plain guest is filled and released.

The reset ROM is measured where the guest sees it below 1 MiB; the copy that QEMU has at the reset vector is made of
the same bytes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confvm_gui.domain.errors import InvalidInput, Unsupported
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.finish import finish
from confvm_gui.engine.qemu.process import QemuProcess
from confvm_gui.engine.qemu.ram import QemuRam, sealed_memory
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.vmsa import Vmsa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confvm_gui.engine.guest_host.host import GuestHooks
    from confvm_gui.engine.machine import Machine, MachineGuest
    from confvm_gui.engine.qemu.linux_boot import BootPart


@dataclass(frozen=True, slots=True)
class QemuPlan:
    """One launch."""

    mode: LaunchMode | None
    """None: a plain guest. SEV_SNP is not supported."""
    parts: Sequence[BootPart]
    """In the order in which they are measured, the reset ROM first."""
    ram_bytes: int
    policy: int = 0
    dh_cert: bytes = b""
    session: bytes = b""


@dataclass(slots=True, eq=False)
class QemuGuest:
    """A guest whose RAM is ready, and its QEMU once there is one."""

    guest: MachineGuest
    ram: QemuRam
    rom: bytes = field(repr=False)
    process: QemuProcess | None = None

    async def start(self, hooks: GuestHooks) -> None:
        """Start QEMU with the vCPU held. Raises Unsupported, WorkerLost, GuestFault."""
        rom = sealed_memory("confvm-reset-rom", len(self.rom))
        try:
            os.pwrite(rom, self.rom, 0)
            self.process = await QemuProcess.start(
                ram=self.ram.descriptor,
                ram_bytes=self.ram.length,
                rom=rom,
                signature=cpu_signature(self.guest.machine),
                hooks=hooks,
            )
        finally:
            os.close(rom)

    def finish_launch(self) -> None:
        """LAUNCH_FINISH. Raises FirmwareError."""
        if self.guest.handle:
            self.guest.machine.processor.launch_finish(self.guest.handle)

    async def release(self) -> None:
        """Power off: QEMU, RAM, VEK and ASID, in this order. Safe to call twice, whatever has been done so far."""
        if self.process is not None:
            await self.process.aclose()
        await finish(self.ram.close)
        await self.guest.machine.release(self.guest)


def cpu_signature(machine: Machine) -> int:
    """CPUID Fn0000_0001_EAX of the host's part."""
    return machine.model.snp.cpu.signature if machine.model.snp is not None else 0


def reset_vmsa(signature: int) -> bytes:
    """The registers at reset that LAUNCH_UPDATE_VMSA measures, 4096 bytes: QEMU's vCPU begins with them."""
    return Vmsa.at_reset(cpu_signature=signature, sev_features=0).page


async def launch(machine: Machine, plan: QemuPlan) -> QemuGuest:
    """To LAUNCH_MEASURE, or a plain guest's RAM filled. Nothing is left when this raises.

    Raises FirmwareError, CapacityExceeded, Unsupported, InvalidInput("policy").
    """
    es = plan.mode is LaunchMode.SEV_ES
    if plan.mode is LaunchMode.SEV_SNP:
        raise Unsupported("An SEV-SNP launch is vouched for by a report that the guest itself asks for")
    if plan.mode is not None and GuestPolicy.from_int(plan.policy).es is not es:
        raise InvalidInput("policy", f"The policy {plan.policy:#x} {'does not ask' if es else 'asks'} for SEV-ES (ES)")
    guest = machine.reserve(plan.mode, plan.ram_bytes, policy=plan.policy)
    try:
        found = QemuGuest(guest, QemuRam(machine.dram, machine.controller, guest.memory), plan.parts[0].data)
    except BaseException:  # whatever it was, ASID and memory are given back
        await machine.release(guest)
        raise
    try:
        await finish(lambda: _fill_and_measure(machine, found, plan))
    except BaseException:  # as above
        await found.release()
        raise
    return found


def _fill_and_measure(machine: Machine, found: QemuGuest, plan: QemuPlan) -> None:
    guest, memory = found.guest, found.guest.memory
    for part in plan.parts:
        machine.controller.hypervisor_write(memory, part.gpa, part.data)
    if plan.mode is None:
        return
    processor = machine.processor
    if guest.vmsa_spa:
        vmsa = reset_vmsa(cpu_signature(machine))
        machine.controller.hypervisor_write(memory, guest.vmsa_spa - memory.spa, vmsa)
    guest.handle = processor.launch_start(plan.policy, plan.dh_cert or None, plan.session or None)
    processor.activate(guest.handle, memory.asid)
    for part in plan.parts:
        processor.launch_update_data(guest.handle, memory.spa + part.gpa, len(part.data))
    if guest.vmsa_spa:
        processor.launch_update_vmsa(guest.handle, guest.vmsa_spa, PAGE_SIZE)
    guest.measurement = processor.launch_measure(guest.handle)
