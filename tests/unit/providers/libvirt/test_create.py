"""Instances made on a real libvirtd: booted, made once, and nothing left behind when it fails."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, NameTaken, OperationCancelled, StoreFull, Unsupported
from confvm_gui.domain.images import ImageFiles, ImageKind, SeedSpec
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.providers.libvirt import storage
from confvm_gui.providers.libvirt.capabilities import Capabilities
from confvm_gui.providers.libvirt.connection import LibvirtConnection, Patience
from confvm_gui.providers.libvirt.create import create
from confvm_gui.providers.libvirt.domain_read import DomainFacts, read_domain
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord
from tests.support.runners import Run
from tests.support.shelf_library import ShelfLibrary

pytest_plugins = ["tests.support.libvirtd"]

PLAIN = LaunchRequest(
    name="probe",
    provider="libvirt-probe",
    cloud="libvirt",
    region="host",
    zone="host",
    machine_type="small-1",
    image="local:tiny",
    technology=Technology.NONE,
    vtpm=False,
    integrity_monitoring=False,
)


class Host:
    """A connected private daemon, with a library that has the image `tiny`."""

    def __init__(self, connection: LibvirtConnection, folder: Path) -> None:
        self.connection = connection
        self.library = ShelfLibrary()
        self.library.put_linux(folder)
        self.catalog = load_catalog()
        self.capabilities = Capabilities(connection, allow_kvm=False)

    async def create(self, request: LaunchRequest = PLAIN, operation: OperationRecord | None = None) -> OperationRecord:
        operation = operation or OperationRecord()
        await create(self.connection, request, operation, self.library, self.catalog, capabilities=self.capabilities)
        return operation

    async def facts(self, operation: OperationRecord) -> DomainFacts:
        return read_domain(
            await self.connection.call(lambda conn: conn.lookupByUUIDString(operation.instance_id).XMLDesc(0))
        )

    async def names(self) -> list[str]:
        return await self.connection.call(lambda conn: [domain.name() for domain in conn.listAllDomains(0)])

    async def volumes(self) -> list[str]:
        def work(conn: libvirt.virConnect) -> list[str]:
            pools = [pool for pool in conn.listAllStoragePools(0) if pool.name() == storage.POOL]
            for pool in pools:
                pool.refresh(0)
            return sorted(name for pool in pools for name in pool.listVolumes())

        return await self.connection.call(work)

    async def sweep(self) -> None:
        """Without domains and volumes, as each test begins."""

        def work(conn: libvirt.virConnect) -> None:
            for domain in conn.listAllDomains(0):
                if domain.isActive():
                    domain.destroy()
                domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
            for pool in conn.listAllStoragePools(0):
                pool.refresh(0)
                for volume in pool.listAllVolumes(0):
                    volume.delete(0)

        await self.connection.call(work)


@asynccontextmanager
async def host_on(daemon: Daemon, folder: Path, patience: Patience | None = None) -> AsyncIterator[Host]:
    connection = LibvirtConnection(daemon.uri, patience=patience)
    await connection.open(at_once=True)
    host = Host(connection, folder)
    try:
        yield host
    finally:
        if connection.connected:
            await host.sweep()
        await connection.aclose()


async def until_printed(host: Host, operation: OperationRecord, wanted: bytes) -> bytes:
    """Read the serial console until it has printed `wanted`."""

    def work(conn: libvirt.virConnect) -> bytes:
        stream = conn.newStream(0)
        conn.lookupByUUIDString(operation.instance_id).openConsole("serial0", stream, 0)
        printed = b""
        try:
            while wanted not in printed:
                piece = stream.recv(4096)
                assert isinstance(piece, bytes)
                assert piece
                printed += piece
        finally:
            stream.abort()
        return printed

    return await host.connection.call(work, seconds=50)


def test_a_kernel_with_initramfs_boots(libvirtd: Daemon, tmp_path: Path, asyncio_run: Run) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            operation = await host.create(replace(PLAIN, labels={"team": "clinic"}))
            assert b"BOOTED" in await until_printed(host, operation, b"BOOTED")
            facts = await host.facts(operation)
            assert facts.instance_id == operation.instance_id
            assert facts.kind == "qemu"
            assert facts.own is not None
            assert facts.own.operation_id == operation.operation_id
            assert dict(facts.own.labels) == {"team": "clinic"}
            assert {"storage pool", "upload image", "define", "start"} <= set(operation.names)

    asyncio_run(scenario(), timeout=55)


def test_instances_share_the_image_and_a_repeated_create_confirms(
    libvirtd: Daemon, tmp_path: Path, asyncio_run: Run
) -> None:
    disk = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "64M"], check=True)

    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            host.library.put("disk", ImageKind.QCOW2, ImageFiles(disk), 64 << 20)
            request = replace(PLAIN, image="local:disk", seed=SeedSpec("probe"))
            first = await host.create(request)
            await host.create(request, OperationRecord(first.instance_id, operation_id=first.operation_id))
            second = await host.create(replace(request, name="other"))
            assert sorted(await host.names()) == ["other", "probe"]
            volumes = await host.volumes()
            assert len([name for name in volumes if name.startswith("base-")]) == 2, "an image and its mark"
            assert {f"{made.instance_id}.qcow2" for made in (first, second)} <= set(volumes)
            assert "upload image" not in second.names
            facts = await host.facts(first)
            assert [(disk.device, disk.form) for disk in facts.disks] == [("disk", "qcow2"), ("disk", "raw")]
            await host.connection.call(lambda conn: conn.lookupByUUIDString(first.instance_id).destroy())
            await host.connection.call(lambda conn: storage.remove_volumes(conn, first.instance_id))
            left = await host.volumes()
            assert not [name for name in left if name.startswith(first.instance_id)]
            assert f"{second.instance_id}.qcow2" in left

    asyncio_run(scenario(), timeout=55)


@pytest.mark.parametrize("cancel_at", [2, 3, 4, 6])
def test_a_cancelled_create_leaves_nothing(libvirtd: Daemon, tmp_path: Path, asyncio_run: Run, cancel_at: int) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            with pytest.raises(OperationCancelled):
                await host.create(operation=OperationRecord(cancel_at=cancel_at))
            assert await host.names() == []
            assert await host.volumes() == []

    asyncio_run(scenario())


def test_a_create_whose_task_is_cancelled_leaves_nothing(libvirtd: Daemon, tmp_path: Path, asyncio_run: Run) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            uploading = asyncio.Event()
            operation = OperationRecord(on_step=lambda name: uploading.set() if name == "upload image" else None)
            task = asyncio.ensure_future(host.create(operation=operation))
            await uploading.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await host.names() == []
            assert await host.volumes() == []

    asyncio_run(scenario())


def test_a_name_that_is_taken_is_refused_and_the_other_machine_kept(
    libvirtd: Daemon, tmp_path: Path, asyncio_run: Run
) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            await host.create()
            with pytest.raises(NameTaken):
                await host.create()
            assert await host.names() == ["probe"]

    asyncio_run(scenario())


def test_a_host_without_sev_says_why(libvirtd: Daemon, tmp_path: Path, asyncio_run: Run) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            with pytest.raises(Unsupported, match="KVM"):
                await host.create(replace(PLAIN, technology=Technology.SEV))
            assert await host.names() == []

    asyncio_run(scenario())


def test_a_full_pool_is_told_before_anything_is_sent(libvirtd: Daemon, tmp_path: Path, asyncio_run: Run) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            huge = tmp_path / "huge.raw"
            with huge.open("wb") as file:
                file.truncate(1 << 42)  # nothing but a hole
            pool = await host.connection.call(storage.ensure_pool)
            with pytest.raises(StoreFull, match="MiB free"):
                storage.require_room(pool, huge.stat().st_size, "the host")

    asyncio_run(scenario())


def test_a_machine_that_cannot_start_leaves_nothing(libvirtd: Daemon, tmp_path: Path, asyncio_run: Run) -> None:
    """The definition is fine, and QEMU cannot load what is to be booted."""
    broken = tmp_path / "not-a-kernel"
    broken.write_bytes(b"MZ" + bytes(4094))

    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            host.library.put("broken", ImageKind.KERNEL, ImageFiles(None, broken, broken))
            with pytest.raises(ConfvmError):
                await host.create(replace(PLAIN, image="local:broken"))
            assert await host.names() == []
            assert await host.volumes() == []

    asyncio_run(scenario())
