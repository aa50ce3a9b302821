"""Where an instance's guest runs now: on which emulated host, in which part of DRAM.

A live migration changes it under whoever holds it, so memory panels, mailbox and attestation go on by themselves.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confvm_gui.engine.guest_host.protocol import GuestUsage
    from confvm_gui.engine.machine import Machine, MachineGuest


def _settled() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class Placement:
    """One power-on of an instance. For the event loop only."""

    machine: Machine
    guest: MachineGuest
    settled: asyncio.Event = field(default_factory=_settled)
    """Not set while the guest is on its way from one host to another."""

    @property
    def live(self) -> bool:
        """Whether there is RAM to look at. The vCPU goes first, then the key, then the memory."""
        return bool(self.guest.vcpu and self.guest.memory.length)

    async def pause(self) -> None:
        """Hold the vCPU."""
        await self.machine.vcpus.pause(self.guest.vcpu)

    async def resume(self) -> None:
        self.machine.vcpus.resume(self.guest.vcpu)

    def type_into_console(self, data: bytes) -> bool:
        """Whether there is somebody to read it."""
        self.machine.vcpus.type_into_console(self.guest.vcpu, data)
        return True

    def refresh(self) -> None:
        """Let the page states tell what the guest uses; in a thread, before they are looked at."""

    def write(self, gpa: int, data: bytes) -> None:
        """Write as the hypervisor; in a thread. Raises WrongState where the RMP refuses."""
        self.machine.controller.hypervisor_write(self.guest.memory, gpa, data)

    def code_changed(self) -> None:
        """The vCPU must translate anew what it runs."""
        self.machine.vcpus.code_changed(self.guest.vcpu)

    def usage(self) -> GuestUsage | None:
        """What the vCPU has used, where it is asked and does not tell by itself."""
        return None

    async def release(self) -> None:
        """Power the guest off. Safe to call twice in a row."""
        await self.machine.release(self.guest)

    async def arrival(self) -> None:
        """Wait while the guest is on its way."""
        await self.settled.wait()
