"""What live domains use, from the same bulk call as the list.

libvirt counts since the machine was started: CPU time in nanoseconds, bytes of disks and network. The CPU share is
taken between two samples.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import Transient
from confvm_gui.domain.metrics import Sample
from confvm_gui.providers.libvirt.connection import LibvirtConnection

if TYPE_CHECKING:
    import libvirt

SAMPLE_SECONDS: Final = 3.0
"""For the call: a host that is slower gives no sample this time, and delays those of others no longer."""

_QUIET_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Counters of one live domain."""

    cpu_seconds: float
    vcpus: int
    memory_bytes: int
    """Of the host's RAM in use for it."""
    disk_read_bytes: int
    disk_write_bytes: int
    net_rx_bytes: int
    net_tx_bytes: int


class Meter:
    """Samples of one host."""

    def __init__(self, connection: LibvirtConnection) -> None:
        self._connection = connection
        self._before: dict[str, tuple[float, float]] = {}
        """Per instance: monotonic time and CPU seconds at the last sample."""
        self._quiet_until = 0.0

    async def sample(self, console_bytes: Mapping[str, int], wanted: Sequence[str]) -> Sequence[Sample]:
        """Of those wanted that are live.

        Raises Transient: no connection, or no answer in time; then the host is left alone for a while, as the question
        may still be with it.
        """
        if not wanted:
            return ()
        if time.monotonic() < self._quiet_until:
            raise Transient(f"{self._connection.host} was too slow to answer the last question for samples")
        try:
            usages = await self._connection.call(read_usages, seconds=SAMPLE_SECONDS)
        except Transient:
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            raise
        now, at = time.monotonic(), time.time()
        samples = [
            self._sample(instance_id, usages[instance_id], now, at, console_bytes.get(instance_id, 0))
            for instance_id in wanted
            if instance_id in usages
        ]
        for instance_id in self._before.keys() - usages.keys():
            del self._before[instance_id]
        return samples

    def _sample(self, instance_id: str, usage: Usage, now: float, at: float, console_bytes: int) -> Sample:
        then, cpu_then = self._before.get(instance_id, (now, usage.cpu_seconds))
        self._before[instance_id] = now, usage.cpu_seconds
        share = max(usage.cpu_seconds - cpu_then, 0.0) / (now - then) if now > then else 0.0
        return Sample(
            instance_id=instance_id,
            at=at,
            cpu=min(share, float(max(usage.vcpus, 1))),
            memory_bytes=usage.memory_bytes,
            disk_read_bytes=usage.disk_read_bytes,
            console_bytes=console_bytes,
            queries=0,
            disk_write_bytes=usage.disk_write_bytes,
            net_rx_bytes=usage.net_rx_bytes,
            net_tx_bytes=usage.net_tx_bytes,
        )


def read_usages(conn: libvirt.virConnect) -> Mapping[str, Usage]:
    """Of all live domains by instance id, by one call. Blocks."""
    import libvirt

    groups = (
        libvirt.VIR_DOMAIN_STATS_STATE
        | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
        | libvirt.VIR_DOMAIN_STATS_BALLOON
        | libvirt.VIR_DOMAIN_STATS_VCPU
        | libvirt.VIR_DOMAIN_STATS_BLOCK
        | libvirt.VIR_DOMAIN_STATS_INTERFACE
    )
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    return {
        domain.UUIDString().replace("-", ""): usage_of(figures)
        for domain, figures in conn.getAllDomainStats(groups, flags)
    }


def usage_of(figures: Mapping[str, object]) -> Usage:
    """Counters from one row of the bulk call; 0 for what it does not tell."""

    def number(key: str) -> int:
        value = figures.get(key, 0)
        return value if isinstance(value, int) else 0

    def total(group: str, what: str) -> int:
        return sum(number(f"{group}.{index}.{what}") for index in range(min(number(f"{group}.count"), 256)))

    return Usage(
        cpu_seconds=number("cpu.time") / 1e9,
        vcpus=number("vcpu.current"),
        memory_bytes=(number("balloon.rss") or number("balloon.current")) << 10,
        disk_read_bytes=total("block", "rd.bytes"),
        disk_write_bytes=total("block", "wr.bytes"),
        net_rx_bytes=total("net", "rx.bytes"),
        net_tx_bytes=total("net", "tx.bytes"),
    )
