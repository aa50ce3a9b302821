"""The life of embedded instances: crashes, lost workers, operations begun by an earlier run, the end of the console."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    CapacityExceeded,
    GuestFault,
    InvalidInput,
    StoreCorrupt,
    StoreError,
    WrongState,
)
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.ports.memory_source import WritableMemory
from confvm_gui.domain.ports.provider import Change
from confvm_gui.providers.embedded.host_keys import HostKeys
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from confvm_gui.providers.embedded.site import Site
from tests.support.embedded_rig import (
    Hosts,
    SpyKeyStore,
    catalog,
    embedded,
    host_keys,
    launch_request,
    listed,
    ready,
    small_site,
    write_records,
)
from tests.support.operations import OperationRecord
from tests.support.patience import until


async def state_told(changes: AsyncIterator[Change], state: InstanceState) -> Instance:
    async with asyncio.timeout(20):
        async for change in changes:
            if change.instance.state is state:
                return change.instance
    raise AssertionError(f"no instance became {state.value}")


# Crashes --------------------------------------------------------------------------------------------------------------


async def test_a_guest_that_crashes_is_told_and_starts_again(data_dir: Path) -> None:
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        well = await provider.create(launch_request("well"), OperationRecord())
        ill = await provider.create(launch_request("ill", technology=Technology.NONE), OperationRecord())
        asids, free = hosts.last.asids_left, hosts.last.dram.available
        changes = provider.watch()
        memory = provider.memory(ill.id, Viewer.HYPERVISOR)
        assert isinstance(memory, WritableMemory)
        await memory.write(0x100000, b"\x0f\x0b" * (1 << 15))  # UD2 all over the guest's code
        crashed = await state_told(changes, InstanceState.CRASHED)
        assert (crashed.id, crashed.trust) == (ill.id, Trust.NOT_APPLICABLE)
        # Its data are overwritten as well as its code: which of the two it meets first is a matter of luck.
        assert any(reason in crashed.state_reason for reason in ("invalid instruction", "outside the guest's RAM"))
        with pytest.raises(WrongState):
            provider.memory(ill.id, Viewer.HYPERVISOR)
        await until(lambda: hosts.last.dram.available > free)
        with pytest.raises(WrongState):
            await memory.read(0, 4096)
        assert hosts.last.asids_left == asids
        assert (await listed(provider))[well.id].state is InstanceState.RUNNING
        assert (await provider.start(ill.id, OperationRecord(ill.id))).state is InstanceState.RUNNING
        assert (await listed(provider))[ill.id].state_reason == ""
        await provider.aclose()
        assert [change async for change in changes]


@pytest.mark.parametrize("paused", [False, True])
async def test_a_lost_worker_takes_its_guests_down_and_they_start_again(data_dir: Path, paused: bool) -> None:
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        made = [await provider.create(launch_request(f"vm-{at}"), OperationRecord()) for at in range(2)]
        if paused:
            await provider.pause(made[0].id, OperationRecord(made[0].id))
        os.kill(hosts.last.vcpus.worker_pids[0], signal.SIGKILL)
        crashed: dict[str, Instance] = {}

        async def look() -> None:
            crashed.update(await listed(provider))

        for _ in range(2000):
            await look()
            if all(each.state is InstanceState.CRASHED for each in crashed.values()):
                break
            await asyncio.sleep(0.005)
        assert [crashed[each.id].state_reason for each in made] == [
            "the vCPU worker that ran it died (exit code -9)"
        ] * 2
        assert crashed[made[0].id].trust is Trust.UNKNOWN
        await until(lambda: hosts.last.dram.available == hosts.last.dram.size)
        for each in made:
            assert (await provider.start(each.id, OperationRecord(each.id))).state is InstanceState.RUNNING
        for kind in (provider.stop, provider.delete):
            for each in made:
                await kind(each.id, OperationRecord(each.id))
        assert hosts.last.dram.available == hosts.last.dram.size
        assert hosts.last.asids_left == hosts.last.model.asid_count - hosts.last.es_asids_left


async def test_a_crashed_instance_can_be_reset_stopped_and_deleted(data_dir: Path) -> None:
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        made = await provider.create(launch_request(), OperationRecord())
        for act, after in (
            (provider.reset, InstanceState.RUNNING),
            (provider.stop, InstanceState.STOPPED),
        ):
            await provider.start(made.id, OperationRecord(made.id))
            os.kill(hosts.last.vcpus.worker_pids[0], signal.SIGKILL)
            await until(lambda: provider.console(made.id) is not None and not _runs(provider, made.id))
            assert (await act(made.id, OperationRecord(made.id))).state is after
        await provider.delete(made.id, OperationRecord(made.id))
        assert await listed(provider) == {}


def _runs(provider: EmbeddedProvider, instance_id: str) -> bool:
    try:
        provider.memory(instance_id, Viewer.HYPERVISOR)
    except WrongState:
        return False
    return True


# Power ----------------------------------------------------------------------------------------------------------------


async def test_every_power_on_has_a_key_and_a_measurement_of_its_own(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())

        async def image_in_dram() -> bytes:
            return (await provider.memory(made.id, Viewer.HYPERVISOR).read(0x100000, 4096)).data

        first = await image_in_dram()
        operation = OperationRecord(made.id)
        await provider.reset(made.id, operation)
        second = await image_in_dram()
        assert second != first
        again = await provider.reset(made.id, OperationRecord(made.id, operation_id=operation.operation_id))
        assert again.state is InstanceState.RUNNING
        assert await image_in_dram() == second, "the same operation does not reset it twice"
        await provider.reset(made.id, OperationRecord(made.id))
        assert await image_in_dram() != second


async def test_a_reset_past_the_power_off_cannot_be_cancelled(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
        done = await provider.reset(made.id, OperationRecord(made.id, cancel_at=1))
        assert done.state is InstanceState.RUNNING


async def test_a_start_that_is_cancelled_leaves_it_stopped(data_dir: Path) -> None:
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        made = await provider.create(launch_request(), OperationRecord())
        await provider.stop(made.id, OperationRecord(made.id))
        for number in range(3):
            with pytest.raises(Exception, match="undone"):
                await provider.start(made.id, OperationRecord(made.id, cancel_at=number))
            assert (await listed(provider))[made.id].state is InstanceState.STOPPED
            assert hosts.last.dram.available == hosts.last.dram.size


async def test_states_are_told_as_they_come(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        changes = provider.watch()
        made = await provider.create(launch_request(), OperationRecord())
        for act in (provider.pause, provider.resume, provider.stop):
            await act(made.id, OperationRecord(made.id))
        await provider.delete(made.id, OperationRecord(made.id))
        await provider.aclose()
        states = [change.instance.state.value async for change in changes]
        assert states == [
            "creating",
            "starting",
            "running",
            "paused",
            "running",
            "stopping",
            "stopped",
            "deleting",
            "deleting",
        ]


# Begun by an earlier run ----------------------------------------------------------------------------------------------


async def test_after_a_crash_of_the_console_instances_are_stopped_and_can_start(data_dir: Path, tmp_path: Path) -> None:
    key_store = SpyKeyStore()
    async with embedded(data_dir, key_store=key_store) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
    async with embedded(data_dir, key_store=key_store) as provider:
        (found,) = (await listed(provider)).values()
        assert (found.id, found.name, found.state) == (made.id, made.name, InstanceState.STOPPED)
        assert found.created_at == made.created_at
        assert found.trust is Trust.UNKNOWN
        assert dict(found.labels) == {"env": "test"}
        await provider.start(found.id, OperationRecord(found.id))
        await ready(provider, found.id)


async def test_a_creation_that_got_as_far_as_its_definition_is_finished(data_dir: Path, tmp_path: Path) -> None:
    key_store, records = SpyKeyStore(), write_records(tmp_path)
    async with embedded(data_dir, key_store=key_store) as provider:
        operation = OperationRecord()
        made = await provider.create(launch_request(records=records), operation)
    records.unlink()
    async with embedded(data_dir, key_store=key_store) as provider:
        again = OperationRecord(made.id, operation_id=operation.operation_id)
        done = await provider.create(launch_request(records=records), again)
        assert (done.id, done.state) == (made.id, InstanceState.RUNNING)
        assert "encrypt disk" not in again.names
        assert len(key_store.deks) == 1
        with pytest.raises(InvalidInput):
            await provider.create(launch_request(records=records), OperationRecord(made.id))
        assert list(await listed(provider)) == [made.id]


async def test_a_creation_that_got_no_further_than_its_disk_is_made_anew(data_dir: Path, tmp_path: Path) -> None:
    key_store = SpyKeyStore()
    operation = OperationRecord()
    folder = data_dir / "instances" / operation.instance_id
    folder.mkdir(parents=True)
    (folder / "disk.img").write_bytes(b"half a disk")
    (folder / "definition.partial").write_bytes(b"{")
    async with embedded(data_dir, key_store=key_store) as provider:
        assert await listed(provider) == {}
        assert not folder.exists()
        done = await provider.create(launch_request(records=write_records(tmp_path)), operation)
        assert done.state is InstanceState.RUNNING
        await ready(provider, done.id)


async def test_a_deletion_that_got_half_way_is_finished(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
    (data_dir / "instances" / made.id / "definition.json").unlink()
    async with embedded(data_dir) as provider:
        await provider.delete(made.id, OperationRecord(made.id))
        assert not (data_dir / "instances" / made.id).exists()


# What is on disk ------------------------------------------------------------------------------------------------------


async def test_what_no_console_put_there_is_left_alone(data_dir: Path) -> None:
    root = data_dir / "instances"
    (root / "my-notes").mkdir(parents=True)
    (root / "my-notes" / "text").write_text("mine")
    (root / "a-file").write_text("mine")
    (root / ("0" * 32)).write_text("a file with an instance's name")
    async with embedded(data_dir) as provider:
        assert await listed(provider) == {}
    assert (root / "my-notes" / "text").read_text() == "mine"
    assert (root / "a-file").read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"id": 5}',
        b"[" * 100_000,
        b'{"name": "x"}' + b" " * 70_000,
    ],
)
async def test_a_damaged_definition_is_told_and_left_as_it_is(data_dir: Path, content: bytes) -> None:
    path = data_dir / "instances" / ("0" * 32) / "definition.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    provider = EmbeddedProvider(data_dir, catalog(), SpyKeyStore(), make_site=small_site, make_keys=host_keys)
    with pytest.raises(StoreCorrupt, match=str(path)):
        await provider.connect()
    assert path.read_bytes() == content
    await provider.aclose()


async def test_a_definition_with_wrong_values_is_told(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
    path = data_dir / "instances" / made.id / "definition.json"
    sound = path.read_text()
    for good, bad in (
        ('"sev"', '"super"'),
        ('"memory_mib": 8192', '"memory_mib": "much"'),
        ('"memory_mib": 8192', '"memory_mib": -1'),
        ('"version": 2', '"version": 3'),
        ('"host_maintenance": "TERMINATE"', '"host_maintenance": "LATER"'),
        ('"attest": true', '"attest": 1'),
        ('"env": "test"', '"env": 5'),
        (made.id, "1" * 32),
    ):
        assert good in sound
        path.write_text(sound.replace(good, bad))
        provider = EmbeddedProvider(data_dir, catalog(), SpyKeyStore(), make_site=small_site, make_keys=host_keys)
        with pytest.raises(StoreCorrupt):
            await provider.connect()
        await provider.aclose()
    path.write_text(sound)
    async with embedded(data_dir) as provider:
        assert list(await listed(provider)) == [made.id]


async def test_a_folder_that_cannot_be_written_or_removed_is_told(data_dir: Path) -> None:
    (data_dir / "instances").write_text("a file where the folder belongs")
    async with embedded(data_dir) as provider:
        with pytest.raises(StoreError, match="cannot be written"):
            await provider.create(launch_request(), OperationRecord())
    (data_dir / "instances").unlink()
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
        definition = data_dir / "instances" / made.id / "definition.json"
        definition.unlink()
        definition.mkdir()
        with pytest.raises(StoreError, match="cannot be removed"):
            await provider.delete(made.id, OperationRecord(made.id))
        assert (await listed(provider))[made.id].state is InstanceState.STOPPED
        definition.rmdir()
        await provider.delete(made.id, OperationRecord(made.id))
        assert await listed(provider) == {}


# The end of the console -----------------------------------------------------------------------------------------------


async def test_the_end_of_the_console_is_the_end_of_its_guests(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        runs = await provider.create(launch_request("runs"), OperationRecord())
        stopped = await provider.create(launch_request("stopped"), OperationRecord())
        await provider.stop(stopped.id, OperationRecord(stopped.id))
        memory = provider.memory(runs.id, Viewer.GUEST)
        changes = provider.watch()
        await provider.aclose()
        (last,) = [change.instance async for change in changes]
        assert (last.id, last.state, last.state_reason) == (runs.id, InstanceState.STOPPED, "the console was closed")
        assert last.trust is Trust.UNKNOWN
        with pytest.raises(WrongState):
            await memory.read(0, 4096)
        with pytest.raises(GuestFault, match="switched off"):
            await provider.start(runs.id, OperationRecord(runs.id))
        assert [change async for change in provider.watch()] == []


async def test_closed_before_and_while_it_connects_it_leaves_nothing(data_dir: Path) -> None:
    for turns in (0, 1, 2, 5, 20, 60):
        provider = EmbeddedProvider(data_dir, catalog(), SpyKeyStore(), make_site=small_site, make_keys=host_keys)
        connecting = asyncio.ensure_future(provider.connect())
        for _ in range(turns):
            await asyncio.sleep(0.001)
        if turns % 2:
            connecting.cancel()
        await provider.aclose()
        await asyncio.gather(connecting, return_exceptions=True)


async def test_closed_while_it_launches_it_leaves_nothing(data_dir: Path, tmp_path: Path) -> None:
    records = write_records(tmp_path)
    for number in range(6):
        provider = EmbeddedProvider(data_dir, catalog(), SpyKeyStore(), make_site=small_site, make_keys=host_keys)
        reached: asyncio.Event = asyncio.Event()
        wanted = ("encrypt disk", "define instance", "LAUNCH_START", "LAUNCH_MEASURE", "LAUNCH_SECRET", "LAUNCH_FINISH")

        def on_step(name: str, wanted: str = wanted[number], reached: asyncio.Event = reached) -> None:
            if name == wanted:
                reached.set()

        operation = OperationRecord(on_step=on_step)
        creating = asyncio.ensure_future(provider.create(launch_request(records=records), operation))
        async with asyncio.timeout(10):
            await reached.wait()
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        await provider.aclose()
        folder = data_dir / "instances" / operation.instance_id
        assert (folder / "definition.json").exists() or not folder.exists()


async def test_a_host_without_room_for_its_memory_is_told(data_dir: Path) -> None:
    def refuse(keys: HostKeys) -> Site:
        raise CapacityExceeded("This computer refused 8 GiB of shared memory")

    provider = EmbeddedProvider(data_dir, catalog(), SpyKeyStore(), make_site=refuse, make_keys=host_keys)
    with pytest.raises(CapacityExceeded):
        await provider.connect()
    await provider.aclose()
