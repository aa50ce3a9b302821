"""Start, stop, reset, pause, resume, delete on a real libvirtd with QEMU, and what happens when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import NotFound, OperationCancelled, Transient, WrongState
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.provider import (
    CanMigrate,
    CanPause,
    Capability,
    ChangeKind,
    HasConsole,
    HasMemory,
    HasMetrics,
    OperationContext,
    Provider,
)
from confvm_gui.providers.libvirt.provider import LibvirtProvider, provider_name
from tests.support.libvirt_rig import define, everything, next_change, provider_at
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord

RUNNING, PAUSED, STOPPED = InstanceState.RUNNING, InstanceState.PAUSED, InstanceState.STOPPED
Act: TypeAlias = Callable[[LibvirtProvider, str, OperationContext], Awaitable[Instance]]

start, stop, reset = LibvirtProvider.start, LibvirtProvider.stop, LibvirtProvider.reset
pause, resume = LibvirtProvider.pause, LibvirtProvider.resume


async def test_it_says_what_it_is_and_why_it_cannot(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri, name=provider_name(libvirtd.uri)) as connected:
        provider: Provider = connected
        assert provider.name.startswith("libvirt-")
        assert libvirtd.uri in provider.title
        assert not provider.emulated
        for capability in Capability:
            assert bool(provider.reason_unsupported(capability)) is (capability not in provider.capabilities)
        for technology in Technology:
            possible = technology in provider.technologies or technology is Technology.NONE
            assert bool(provider.reason_unsupported(technology)) is not possible
        for capability, power in (
            (Capability.PAUSE, CanPause),
            (Capability.MEMORY_HYPERVISOR, HasMemory),
            (Capability.CONSOLE, HasConsole),
            (Capability.METRICS, HasMetrics),
            (Capability.MIGRATION, CanMigrate),
        ):
            assert (capability in provider.capabilities) is isinstance(provider, power)


@pytest.mark.parametrize(
    ("prepare", "act", "expected"),
    [
        ([], start, RUNNING),
        ([start], stop, STOPPED),
        ([start], reset, RUNNING),
        ([], reset, RUNNING),
        ([start], pause, PAUSED),
        ([start, pause], resume, RUNNING),
        ([start, pause], stop, STOPPED),
        ([start, pause], reset, RUNNING),
    ],
)
async def test_an_act_called_twice_ends_where_once_does(
    libvirtd: Daemon, prepare: list[Act], act: Act, expected: InstanceState
) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define(provider)
        for before in prepare:
            await before(provider, instance_id, OperationRecord(instance_id))
        operation = OperationRecord(instance_id)
        for _ in range(2):
            done = await act(provider, instance_id, OperationRecord(instance_id, operation_id=operation.operation_id))
            assert done.state is expected
            assert list(await everything(provider)) == [instance_id]


async def test_stopping_tells_how_it_came_to_it(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define(provider)
        await provider.start(instance_id, OperationRecord(instance_id))
        deaf = OperationRecord(instance_id)
        await provider.stop(instance_id, deaf)
        assert deaf.names == ["ACPI shutdown", "power off"]
        await provider.start(instance_id, OperationRecord(instance_id))
        await provider.pause(instance_id, OperationRecord(instance_id))
        paused = OperationRecord(instance_id)
        await provider.stop(instance_id, paused)
        assert paused.names == ["power off"]


async def test_deleted_whatever_its_state_and_once_more(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        for prepare in ([], [start], [start, pause]):
            instance_id = await define(provider)
            for before in prepare:
                await before(provider, instance_id, OperationRecord(instance_id))
            changes = provider.watch()
            await provider.delete(instance_id, OperationRecord(instance_id))
            await next_change(changes, lambda change: change.kind is ChangeKind.REMOVED)
            assert await everything(provider) == {}
            assert await provider.connection.call(lambda conn: len(conn.listAllDomains())) == 0
            await provider.delete(instance_id, OperationRecord(instance_id))


@pytest.mark.parametrize("act", [start, stop, reset, pause, resume])
async def test_what_is_not_there_is_not_found(libvirtd: Daemon, act: Act) -> None:
    async with provider_at(libvirtd.uri) as provider:
        with pytest.raises(NotFound):
            await act(provider, "0" * 32, OperationRecord())


@pytest.mark.parametrize("act", [pause, resume])
async def test_what_does_not_run_cannot_pause(libvirtd: Daemon, act: Act) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define(provider)
        with pytest.raises(WrongState):
            await act(provider, instance_id, OperationRecord(instance_id))


@pytest.mark.parametrize("act", [stop, reset, pause])
async def test_an_act_cancelled_at_its_first_step_changes_nothing(libvirtd: Daemon, act: Act) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define(provider)
        await provider.start(instance_id, OperationRecord(instance_id))
        with pytest.raises(OperationCancelled):
            await act(provider, instance_id, OperationRecord(instance_id, cancel_at=0))
        assert (await everything(provider))[instance_id].state is RUNNING


async def test_a_start_that_a_killed_daemon_broke_off_makes_no_second_machine(own_libvirtd: Daemon) -> None:
    async with provider_at(own_libvirtd.uri) as provider:
        instance_id = await define(provider)
        operation = OperationRecord(instance_id)
        starting = asyncio.ensure_future(provider.start(instance_id, operation))
        await asyncio.sleep(0)
        own_libvirtd.kill()
        with pytest.raises(Transient):
            await starting
        own_libvirtd.start_libvirtd()
        await provider.connect()
        again = OperationRecord(instance_id, operation_id=operation.operation_id)
        assert (await provider.start(instance_id, again)).state is RUNNING
        assert list(await everything(provider)) == [instance_id]


async def test_a_guest_that_ends_by_itself_while_it_is_stopped(libvirtd: Daemon) -> None:
    """Somebody else switches it off while the console waits for it to shut down."""
    async with provider_at(libvirtd.uri, stop_seconds=30) as provider:
        instance_id = await define(provider)
        await provider.start(instance_id, OperationRecord(instance_id))
        operation = OperationRecord(instance_id)
        changes = provider.watch()
        stopping = asyncio.ensure_future(provider.stop(instance_id, operation))
        await next_change(changes, lambda change: change.instance.state is InstanceState.STOPPING)
        await provider.connection.call(lambda conn: conn.lookupByName("probe").destroy())
        assert (await stopping).state is STOPPED
        assert operation.names in (["ACPI shutdown"], ["ACPI shutdown", "power off"])  # it may end before it is asked
