"""The list by one call, then events."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import Transient
from confvm_gui.domain.instance import InstanceState, Trust
from confvm_gui.domain.ports.provider import Change, ChangeKind
from confvm_gui.providers.libvirt.domain_facts import details_of
from tests.support.libvirt_rig import define, everything, fleet_file, next_change, provider_at
from tests.support.libvirtd import Daemon, tiny_domain
from tests.support.operations import OperationRecord
from tests.support.patience import until


async def test_two_hundred_domains_are_listed_by_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import libvirt

    calls: Counter[str] = Counter()

    def counted(kind: type, name: str) -> None:
        original = getattr(kind, name)

        def call(*arguments: object) -> object:
            calls[name] += 1
            return original(*arguments)

        monkeypatch.setattr(kind, name, call)

    counted(libvirt.virConnect, "getAllDomainStats")
    for name in ("lookupByUUIDString", "lookupByName", "listAllDomains"):
        counted(libvirt.virConnect, name)
    for name in ("XMLDesc", "info", "state", "isActive"):
        counted(libvirt.virDomain, name)
    began = time.monotonic()
    async with provider_at(fleet_file(tmp_path, 200)) as provider:
        listed = await everything(provider)
        assert time.monotonic() - began < 1
        assert calls == {"getAllDomainStats": 1}
        assert len(listed) == 200
        assert {instance.state for instance in listed.values()} == {InstanceState.RUNNING}
        assert {instance.trust for instance in listed.values()} <= {Trust.UNKNOWN, Trust.NOT_APPLICABLE}


async def test_an_event_on_one_of_many_shows_within_100_ms(tmp_path: Path) -> None:
    async with provider_at(fleet_file(tmp_path, 200)) as provider:
        changes = provider.watch()
        at: list[float] = []

        def suspend(conn: object) -> None:
            import libvirt

            assert isinstance(conn, libvirt.virConnect)
            domain = conn.lookupByName("vm-117")
            at.append(time.monotonic())
            domain.suspend()

        await provider.connection.call(suspend)
        seen = await next_change(changes, lambda change: change.instance.state is InstanceState.PAUSED)
        assert time.monotonic() - at[0] < 0.1
        assert seen.instance.name == "vm-117"


async def test_details_are_read_behind_the_list(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        changes = provider.watch()
        instance_id = await define(provider)
        change = await next_change(changes, lambda change: change.instance.trust is Trust.NOT_APPLICABLE)
        assert (change.instance.id, change.instance.memory_mib, change.instance.vcpus) == (instance_id, 16, 1)
        assert change.instance.technology is Technology.NONE


def in_state(state: InstanceState, change: Change) -> bool:
    return change.instance.state is state


async def test_what_others_do_is_seen(libvirtd: Daemon) -> None:
    """Another program defines, starts, pauses, stops, changes and removes."""
    import libvirt

    async with provider_at(libvirtd.uri) as provider:
        changes = provider.watch()
        instance_id = await define(provider)
        other = await asyncio.to_thread(libvirt.open, libvirtd.uri)
        try:
            domain = other.lookupByName("probe")
            for act, state in (
                (domain.create, InstanceState.RUNNING),
                (domain.suspend, InstanceState.PAUSED),
                (domain.resume, InstanceState.RUNNING),
                (domain.destroy, InstanceState.STOPPED),
            ):
                await asyncio.to_thread(act)
                change = await next_change(changes, partial(in_state, state))
                assert change.instance.id == instance_id
            larger = tiny_domain("probe", domain_id=instance_id, memory_mib=24)
            await asyncio.to_thread(other.defineXML, larger)
            await next_change(changes, lambda change: change.instance.memory_mib == 24)
            await asyncio.to_thread(domain.undefine)
            await next_change(changes, lambda change: change.kind is ChangeKind.REMOVED)
            assert await everything(provider) == {}
        finally:
            await asyncio.to_thread(other.close)


async def test_a_transient_domain_goes_with_its_machine(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        changes = provider.watch()
        await provider.connection.call(lambda conn: conn.createXML(tiny_domain("brief"), 0) is not None)
        await next_change(changes, lambda change: change.instance.state is InstanceState.RUNNING)
        await provider.connection.call(lambda conn: conn.lookupByName("brief").destroy())
        await next_change(changes, lambda change: change.kind is ChangeKind.REMOVED)
        assert await everything(provider) == {}


async def test_a_daemon_killed_and_restarted_leaves_the_list_right(own_libvirtd: Daemon) -> None:
    async with provider_at(own_libvirtd.uri) as provider:
        runs, ends = await define(provider, "runs"), await define(provider, "ends")
        for instance_id in (runs, ends):
            await provider.start(instance_id, OperationRecord(instance_id))
        changes = provider.watch()
        own_libvirtd.kill()
        with pytest.raises(Transient, match="was stopped or restarted"):
            await next_change(changes, lambda _change: False)
        with pytest.raises(Transient):
            await provider.stop(ends, OperationRecord(ends))
        own_libvirtd.start_libvirtd()
        await provider.connect()
        assert {i.name: i.state for i in (await everything(provider)).values()} == {
            "runs": InstanceState.RUNNING,
            "ends": InstanceState.RUNNING,
        }
        changes = provider.watch()
        await provider.stop(ends, OperationRecord(ends))
        await next_change(changes, lambda change: change.instance.state is InstanceState.STOPPED)


def test_hostile_definitions_are_read_as_nothing() -> None:
    bomb = "<!DOCTYPE a [<!ENTITY b 'bbbb'>]><domain>&b;</domain>"
    for text in ("", "<", bomb, "<domain>", "\x00", "<domain><vcpu>many</vcpu><memory unit='X'>-</memory></domain>"):
        details = details_of(text)
        assert (details.vcpus, details.memory_mib, details.technology) == (0, 0, Technology.NONE)


@pytest.mark.parametrize(
    ("security", "technology"),
    [
        ("<launchSecurity type='sev'><policy>0x0003</policy></launchSecurity>", Technology.SEV),
        ("<launchSecurity type='sev'><policy>0x0007</policy></launchSecurity>", Technology.SEV_ES),
        ("<launchSecurity type='sev-snp'><policy>0x30000</policy></launchSecurity>", Technology.SEV_SNP),
        ("<launchSecurity type='tdx'/>", Technology.TDX),
        ("", Technology.NONE),
    ],
)
def test_the_technology_is_what_the_launch_security_says(security: str, technology: Technology) -> None:
    details = details_of(f"<domain><memory unit='GiB'>2</memory><vcpu>3</vcpu>{security}</domain>")
    assert (details.technology, details.memory_mib, details.vcpus) == (technology, 2048, 3)


async def test_a_closed_provider_tells_no_more(tmp_path: Path) -> None:
    async with provider_at(fleet_file(tmp_path, 2)) as provider:
        changes = provider.watch()
        await provider.aclose()
        async for _ in changes:
            pass
        assert [change async for change in provider.watch()] == []
        await until(lambda: not provider.connection.connected)
