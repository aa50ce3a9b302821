"""Live migration between two real libvirt daemons, each with storage of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from confvm_gui.domain.errors import NotFound, OperationCancelled, Unsupported, WrongState
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.domain.ports.provider import CanMigrate
from confvm_gui.providers.libvirt.provider import LibvirtProvider
from tests.support.libvirt_disks import define_with_disk, volumes
from tests.support.libvirt_rig import everything, kernel_request, provider_at
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord
from tests.support.patience import until
from tests.support.shelf_library import ShelfLibrary

RUNNING = InstanceState.RUNNING


@asynccontextmanager
async def two(
    here: Daemon, there: Daemon, library: ImageLibrary | None = None
) -> AsyncIterator[tuple[LibvirtProvider, LibvirtProvider]]:
    both: list[LibvirtProvider] = []
    async with (
        provider_at(here.uri, name="libvirt-here", peers=lambda: both, library=library) as source,
        provider_at(there.uri, name="libvirt-there", peers=lambda: both) as target,
    ):
        both += [source, target]
        yield source, target


async def test_a_running_machine_moves_with_its_disk_and_goes_on(libvirtd: Daemon, own_libvirtd: Daemon) -> None:
    async with two(libvirtd, own_libvirtd) as (source, target):
        assert isinstance(source, CanMigrate)
        assert [host.name for host in source.hosts()] == ["libvirt-here", "libvirt-there"]
        instance_id = await define_with_disk(source)
        with pytest.raises(WrongState):
            await source.migrate(instance_id, "libvirt-there", OperationRecord(instance_id))
        await source.start(instance_id, OperationRecord(instance_id))
        with pytest.raises(NotFound):
            await source.migrate(instance_id, "nowhere", OperationRecord(instance_id))
        operation = OperationRecord(instance_id)
        for _ in range(2):  # taken up again after a crash, it confirms
            moved = await source.migrate(instance_id, "libvirt-there", operation)
            assert (moved.id, moved.state, moved.provider, moved.host) == (
                instance_id,
                RUNNING,
                "libvirt-there",
                "libvirt-there",
            )
        assert "migrate" in operation.names
        await until(lambda: source.table.find(instance_id) is None)
        assert await everything(source) == {}
        assert await volumes(source) == []
        assert await volumes(target) == [f"{instance_id}.qcow2"]
        await target.pause(instance_id, OperationRecord(instance_id))
        await target.resume(instance_id, OperationRecord(instance_id))
        back = await target.migrate(instance_id, "libvirt-here", OperationRecord(instance_id))
        assert (back.state, back.provider) == (RUNNING, "libvirt-here")
        await source.delete(instance_id, OperationRecord(instance_id))
        assert await volumes(source) == []


async def test_a_linux_moves_with_its_kernel_its_memory_and_its_console(
    libvirtd: Daemon, own_libvirtd: Daemon, tmp_path: Path
) -> None:
    library = ShelfLibrary()
    library.put_linux(tmp_path, script="echo BOOTED\nwhile read line; do echo heard $line; done\n")
    async with two(libvirtd, own_libvirtd, library) as (source, target):
        made = await source.create(kernel_request(), OperationRecord())
        console = source.console(made.id)
        await until(lambda: b"BOOTED" in console.scrollback())
        await source.take_snapshot(made.id, "booted", OperationRecord(made.id))
        await console.write(b"one\n")
        await until(lambda: b"heard one" in console.scrollback())
        assert (await source.revert_to_snapshot(made.id, "booted", OperationRecord(made.id))).state is RUNNING
        await source.delete_snapshot(made.id, "booted", OperationRecord(made.id))
        moved = await source.migrate(made.id, "libvirt-there", OperationRecord(made.id))
        assert (moved.state, moved.image, moved.machine_type) == (RUNNING, "local:tiny", "small-1")
        there = target.console(made.id)
        await until(lambda: there.attached)
        await there.write(b"two\n")
        await until(lambda: b"heard two" in there.scrollback())
        assert b"BOOTED" not in there.scrollback(), "it goes on, and does not boot again"
        await target.stop(made.id, OperationRecord(made.id))
        assert (await target.start(made.id, OperationRecord(made.id))).state is RUNNING, "its kernel is there too"
        await target.delete(made.id, OperationRecord(made.id))


async def test_one_that_is_cancelled_runs_on_where_it_was(libvirtd: Daemon, own_libvirtd: Daemon) -> None:
    async with two(libvirtd, own_libvirtd) as (source, target):
        instance_id = await define_with_disk(source)
        await source.start(instance_id, OperationRecord(instance_id))
        for cancel_at in (0, 1):
            with pytest.raises(OperationCancelled):
                await source.migrate(instance_id, "libvirt-there", OperationRecord(instance_id, cancel_at=cancel_at))
            assert (await everything(source))[instance_id].state is RUNNING
            assert await everything(target) == {}
            assert await volumes(target) == []
        await source.take_snapshot(instance_id, "kept", OperationRecord(instance_id))
        with pytest.raises(WrongState, match="snapshot"):
            await source.migrate(instance_id, "libvirt-there", OperationRecord(instance_id))
        assert (await everything(source))[instance_id].state is RUNNING
        assert await volumes(target) == []
        await source.delete(instance_id, OperationRecord(instance_id))


async def test_without_another_host_there_is_a_reason(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define_with_disk(provider)
        await provider.start(instance_id, OperationRecord(instance_id))
        assert "no other connected host" in provider.migration_unfit(instance_id)
        with pytest.raises(NotFound):
            await provider.migrate(instance_id, "libvirt-there", OperationRecord(instance_id))
        alone = OperationRecord(instance_id)
        with pytest.raises((Unsupported, NotFound)):
            await provider.migrate(instance_id, provider.name, alone)
        await provider.delete(instance_id, OperationRecord(instance_id))
