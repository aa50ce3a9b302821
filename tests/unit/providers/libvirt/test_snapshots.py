"""Snapshots and copies of machines on a real libvirtd."""

from __future__ import annotations

import re
import time

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NameTaken, NotFound, OperationCancelled, Unsupported
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.ports.provider import CanClone, HasSnapshots
from confvm_gui.providers.libvirt import clone, snapshots
from confvm_gui.providers.libvirt.domain_facts import details_of
from confvm_gui.providers.libvirt.domain_read import read_domain
from tests.support.libvirt_disks import define_with_disk, definition, volumes
from tests.support.libvirt_rig import define, everything, provider_at
from tests.support.libvirtd import Daemon, tiny_domain
from tests.support.operations import OperationRecord

RUNNING, PAUSED, STOPPED = InstanceState.RUNNING, InstanceState.PAUSED, InstanceState.STOPPED
DISK = "<disk type='file' device='disk'><driver name='qemu' type='{}'/><target dev='vda'/></disk>"


async def test_taken_of_a_running_machine_with_its_ram_and_returned_to(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        assert isinstance(provider, HasSnapshots)
        instance_id = await define_with_disk(provider)
        await provider.start(instance_id, OperationRecord(instance_id))
        assert await provider.snapshot_unfit(instance_id) == ""
        assert list(await provider.snapshots(instance_id)) == []
        began = time.time()
        operation = OperationRecord(instance_id)
        for _ in range(2):  # taken up again, it confirms
            assert (await provider.take_snapshot(instance_id, "first", operation)).state is RUNNING
        (first,) = await provider.snapshots(instance_id)
        assert (first.name, first.with_memory, first.current, first.parent) == ("first", True, True, "")
        assert began - 1 <= first.created_at <= time.time()
        await provider.stop(instance_id, OperationRecord(instance_id))
        await provider.take_snapshot(instance_id, "second", OperationRecord(instance_id))
        assert [(one.name, one.with_memory, one.parent) for one in await provider.snapshots(instance_id)] == [
            ("first", True, ""),
            ("second", False, "first"),
        ]
        back = OperationRecord(instance_id)
        assert (await provider.revert_to_snapshot(instance_id, "first", back)).state is RUNNING
        await provider.pause(instance_id, OperationRecord(instance_id))
        assert (await provider.revert_to_snapshot(instance_id, "first", back)).state is PAUSED, "done once only"
        for _ in range(2):
            await provider.delete_snapshot(instance_id, "second", OperationRecord(instance_id))
        assert [one.name for one in await provider.snapshots(instance_id)] == ["first"]
        await provider.delete(instance_id, OperationRecord(instance_id))
        assert await volumes(provider) == []


async def test_names_of_snapshots(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define_with_disk(provider)
        await provider.take_snapshot(instance_id, "first", OperationRecord(instance_id))
        for name in ("first", "", "-x", "a b", "a/b", "<x>", "a" * 64):
            with pytest.raises(InvalidInput) as refused:
                await provider.take_snapshot(instance_id, name, OperationRecord(instance_id))
            assert refused.value.field == "snapshot"
        assert [one.name for one in await provider.snapshots(instance_id)] == ["first"], "another's is left alone"
        with pytest.raises(NotFound):
            await provider.revert_to_snapshot(instance_id, "second", OperationRecord(instance_id))
        with pytest.raises(OperationCancelled):
            await provider.take_snapshot(instance_id, "second", OperationRecord(instance_id, cancel_at=0))
        assert [one.name for one in await provider.snapshots(instance_id)] == ["first"]


async def test_a_machine_whose_disks_hold_none_is_refused(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        raw = await define_with_disk(provider, "raw", "raw")
        with pytest.raises(Unsupported, match="vda has the format raw"):
            await provider.take_snapshot(raw, "first", OperationRecord(raw))
        diskless = await define(provider, "diskless")
        with pytest.raises(Unsupported, match="no disk"):
            await provider.take_snapshot(diskless, "first", OperationRecord(diskless))
        assert list(await provider.snapshots(raw)) == []
        await provider.delete(raw, OperationRecord(raw))


@pytest.mark.parametrize(
    ("extra", "live", "said"),
    [
        (DISK.format("qcow2"), True, ""),
        (DISK.format("qcow2") + "<tpm><backend type='emulator'/></tpm>", True, "vTPM"),
        (DISK.format("qcow2") + "</devices><os firmware='efi'/><devices>", True, "UEFI"),
        (DISK.format("qcow2") + "</devices><launchSecurity type='sev'><policy>3</policy></launchSecurity><devices>",
         True, "power-on"),
        (DISK.format("qcow2") + "</devices><launchSecurity type='sev-snp'/><devices>", False, ""),
    ],
)  # fmt: skip
def test_reasons(extra: str, live: bool, said: str) -> None:
    details = details_of(tiny_domain("probe", devices=extra))
    reason = snapshots.unfit(details, live=live)
    assert said in reason
    assert bool(reason) is bool(said)
    assert "\n" not in reason
    if details.technology is not Technology.NONE:
        assert "owner" in clone.unfit(details, live=False)


async def test_a_copy_shares_nothing_with_its_model(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        assert isinstance(provider, CanClone)
        model = await define_with_disk(provider)
        operation = OperationRecord()
        for _ in range(2):
            made = await provider.clone(model, "copy", operation)
            assert (made.id, made.name, made.state) == (operation.instance_id, "copy", STOPPED)
            assert (made.image, made.machine_type, dict(made.labels)) == ("local:i", "small-1", {"team": "clinic"})
            assert made.created_at > 1.0
        assert set(await everything(provider)) == {model, made.id}
        first, second = [read_domain(await definition(provider, one)) for one in (model, made.id)]
        assert first.disks[0].source.endswith(f"/{model}.qcow2")
        assert second.disks[0].source.endswith(f"/{made.id}.qcow2")
        assert first.interfaces[0].mac != second.interfaces[0].mac
        assert second.own is not None
        assert second.own.operation_id == operation.operation_id
        assert (await provider.start(made.id, OperationRecord(made.id))).state is RUNNING
        assert (await provider.start(model, OperationRecord(model))).state is RUNNING
        assert "stop it first" in await provider.clone_unfit(model)
        with pytest.raises(Unsupported, match="stop it first"):
            await provider.clone(model, "third", OperationRecord())
        await provider.delete(model, OperationRecord(model))
        assert await volumes(provider) == [f"{made.id}.qcow2"]
        await provider.delete(made.id, OperationRecord(made.id))


async def test_a_copy_that_fails_leaves_nothing(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        model = await define_with_disk(provider)
        await define(provider, "taken")
        before = await volumes(provider)
        with pytest.raises(NameTaken):
            await provider.clone(model, "taken", OperationRecord())
        with pytest.raises(InvalidInput, match=re.compile("name", re.IGNORECASE)):
            await provider.clone(model, "Not a name", OperationRecord())
        with pytest.raises(OperationCancelled):
            await provider.clone(model, "copy", OperationRecord(cancel_at=0))
        assert len(await everything(provider)) == 2
        assert await volumes(provider) == before
        await provider.delete(model, OperationRecord(model))
