"""One instance of the embedded provider: what it is, what runs of it, and how its operations end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import OperationCancelled
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.providers.embedded.console import SerialConsole
from confvm_gui.providers.embedded.definitions import Definition

if TYPE_CHECKING:
    from confvm_gui.engine.guest_host.protocol import GuestUsage
    from confvm_gui.providers.embedded.launch import PoweredOn

PROVIDER: Final = "embedded"


@dataclass(slots=True)
class Entry:
    """One instance and what runs of it."""

    definition: Definition
    instance: Instance
    """As it was told last."""
    console: SerialConsole
    lock: asyncio.Lock
    """Held by the operation that changes it."""
    defined: bool = False
    """Whether its definition is on disk."""
    reset_by: str = ""
    """Id of the operation that reset it last."""
    powered: PoweredOn | None = None
    power_ons: int = 0
    """Since the console was started."""
    releasing: asyncio.Task[None] | None = None
    """Of a guest that ended by itself."""
    usage: GuestUsage | None = None
    sampled_at: float = 0.0
    sampled_cpu: float = 0.0


class PastReturn:
    """An operation that it is too late to cancel: what has been begun is done to its end."""

    def __init__(self, operation: OperationContext) -> None:
        self._operation = operation

    @property
    def operation_id(self) -> str:
        return self._operation.operation_id

    @property
    def instance_id(self) -> str:
        return self._operation.instance_id

    def step(self, name: str, progress: float, detail: str = "") -> None:
        with suppress(OperationCancelled):
            self._operation.step(name, progress, detail)

    async def launched(self) -> LaunchRequest | None:
        return await self._operation.launched()

    async def approve(self, launch: GuestEvidence) -> None:
        await self._operation.approve(launch)


def observed(definition: Definition, state: InstanceState) -> Instance:
    """An instance of this definition that nothing runs of."""
    return Instance(
        id=definition.id,
        name=definition.name,
        provider=PROVIDER,
        cloud=definition.cloud,
        region=definition.region,
        zone=definition.zone,
        machine_type=definition.machine_type,
        image=definition.image,
        technology=Technology(definition.technology),
        state=state,
        vcpus=definition.vcpus,
        memory_mib=definition.memory_mib,
        created_at=definition.created_at,
        trust=Trust.UNKNOWN if definition.confidential else Trust.NOT_APPLICABLE,
        emulated=True,
        runs=definition.guest,
        labels=MappingProxyType(dict(definition.labels)),
        secure_boot=definition.secure_boot,
        vtpm=definition.vtpm,
        integrity_monitoring=definition.integrity_monitoring,
    )
