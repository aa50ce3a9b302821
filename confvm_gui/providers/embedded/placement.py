"""Where an instance's guest runs now: on which emulated host, in which part of DRAM.

A live migration changes it under whoever holds it, so memory panels, mailbox and attestation go on by themselves.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

    async def arrival(self) -> None:
        """Wait while the guest is on its way."""
        await self.settled.wait()
