"""Samples from the bulk call."""

from __future__ import annotations

import pytest

from confvm_gui.domain.errors import Transient
from confvm_gui.providers.libvirt.metrics import read_usages, usage_of
from tests.support.libvirt_rig import define, provider_at
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord


async def test_samples_are_of_what_lives(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        await provider.connection.call(lambda conn: len(read_usages(conn)))  # the first time a host takes seconds
        runs, off = await define(provider, "runs"), await define(provider, "off")
        await provider.start(runs, OperationRecord(runs))
        (first,) = await provider.sample([runs, off, "0" * 32])
        assert first.instance_id == runs
        assert first.memory_bytes > 1 << 20
        (second,) = await provider.sample([runs])
        assert 0 <= second.cpu <= 1
        assert second.at >= first.at
        assert await provider.sample([]) == ()


async def test_a_host_that_hangs_is_asked_no_more_for_a_while(own_libvirtd: Daemon) -> None:
    async with provider_at(own_libvirtd.uri) as provider:
        own_libvirtd.hang()
        try:
            with pytest.raises(Transient):
                await provider.sample(["0" * 32])
            with pytest.raises(Transient, match="too slow"):
                await provider.sample(["0" * 32])
        finally:
            own_libvirtd.go_on()


def test_sums_over_devices_and_zero_for_what_is_not_told() -> None:
    usage = usage_of(
        {
            "cpu.time": 2_500_000_000,
            "balloon.rss": 10,
            "vcpu.current": 2,
            "block.count": 2,
            "block.0.rd.bytes": 1,
            "block.1.rd.bytes": 2,
            "block.1.wr.bytes": 4,
            "net.count": 1,
            "net.0.rx.bytes": 8,
            "net.0.tx.bytes": 16,
        }
    )
    assert (usage.cpu_seconds, usage.memory_bytes, usage.vcpus) == (2.5, 10240, 2)
    assert (usage.disk_read_bytes, usage.disk_write_bytes, usage.net_rx_bytes, usage.net_tx_bytes) == (3, 4, 8, 16)
    assert usage_of({"net.count": 10**12}).net_rx_bytes == 0
