"""What a guest uses of its host: CPU time from its worker, memory from the memory controller."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.domain.metrics import Sample
from confvm_gui.engine.finish import finish

if TYPE_CHECKING:
    from confvm_gui.providers.embedded.entry import Entry
    from confvm_gui.providers.embedded.launch import PoweredOn
    from confvm_gui.providers.embedded.placement import Placement


async def used_memory(placements: Sequence[Placement]) -> Sequence[int]:
    """Bytes of RAM that each guest has touched."""
    places = [(placement, placement.machine, placement.guest) for placement in placements]

    def count() -> list[int]:
        for placement, _, _ in places:
            placement.refresh()
        return [int(machine.controller.used_pages(guest.memory).size) * PAGE_SIZE for _, machine, guest in places]

    return await finish(count)


def sample_of(entry: Entry, powered: PoweredOn, touched: int) -> Sample:
    """The reading of now, with the load since the one before."""
    now = time.monotonic()
    usage = powered.placement.usage() or entry.usage
    cpu = usage.cpu_seconds if usage is not None else 0.0
    load = min(max(cpu - entry.sampled_cpu, 0.0) / max(now - entry.sampled_at, 1e-3), 1.0)
    entry.sampled_at, entry.sampled_cpu = now, cpu
    return Sample(
        instance_id=entry.definition.id,
        at=time.time(),
        cpu=load,
        memory_bytes=touched,
        disk_read_bytes=usage.disk_read_bytes if usage is not None else 0,
        console_bytes=usage.console_bytes if usage is not None else 0,
        queries=powered.mailbox.answered if powered.mailbox is not None else 0,
    )
