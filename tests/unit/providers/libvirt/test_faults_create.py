"""Creates that a host cannot finish: full, out of memory, killed on the way. Clear words, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from confvm_gui.domain.errors import CapacityExceeded, StoreFull, Transient
from confvm_gui.domain.images import ImageFiles, ImageKind, SeedSpec
from confvm_gui.providers.libvirt.storage import SYSTEM_PATH
from tests.support.libvirt_rig import HURRY
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord
from tests.support.patience import until
from tests.support.runners import Run
from tests.unit.providers.libvirt.test_create import PLAIN, Host, host_on

MIB = 1 << 20


def small_disk(daemon: Daemon, mib: int) -> Path:
    """Give the image pool a file system of its own of so many MiB; returns the way to it from outside."""
    process = int((daemon.root / "log.pid").read_text())
    enter = ["nsenter", "--target", str(process), "--mount", *([] if os.geteuid() == 0 else ["--user"])]
    mount = f"mkdir -p {SYSTEM_PATH} && mount -t tmpfs -o size={mib}m none {SYSTEM_PATH}"
    subprocess.run([*enter, "sh", "-c", mount], check=True, capture_output=True)
    return Path(f"/proc/{process}/root{SYSTEM_PATH}")


def fill(folder: Path, *, but: int) -> None:
    """Another program takes what is free, but for so many bytes."""
    status = os.statvfs(folder)
    left = status.f_bavail * status.f_frsize - but
    with (folder / "others").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, left)


def random_disk(folder: Path, mib: int) -> Path:
    """A raw image without holes."""
    disk = folder / "disk.raw"
    disk.write_bytes(os.urandom(mib * MIB))
    return disk


def test_a_disk_that_fills_up_during_the_upload(own_libvirtd: Daemon, tmp_path: Path, asyncio_run: Run) -> None:
    async def scenario() -> None:
        pool = small_disk(own_libvirtd, 160)
        async with host_on(own_libvirtd, tmp_path) as host:
            host.library.put("big", ImageKind.RAW, ImageFiles(random_disk(tmp_path, 40)), 40 * MIB)

            def others_write(step: str) -> None:
                if step == "upload image" and not (pool / "others").exists():
                    fill(pool, but=4 * MIB)

            operation = OperationRecord(on_step=others_write)
            with pytest.raises(StoreFull, match=r"no space left on its disk \(libvirt: .*No space left on device"):
                await host.create(replace(PLAIN, image="local:big"), operation)
            assert operation.names[-1] == "upload image"
            await nothing_remains(host, own_libvirtd, but=["others"])
            (pool / "others").unlink()
            again = await host.create(
                replace(PLAIN, image="local:big"),
                OperationRecord(operation.instance_id, operation_id=operation.operation_id),
            )
            assert await host.names() == ["probe"]
            assert await host.connection.call(orphans) == []
            assert again.names[-1] == "start"

    asyncio_run(scenario(), timeout=55)


def test_a_disk_that_fills_up_between_the_image_and_the_seed(
    own_libvirtd: Daemon, tmp_path: Path, asyncio_run: Run
) -> None:
    async def scenario() -> None:
        pool = small_disk(own_libvirtd, 96)
        async with host_on(own_libvirtd, tmp_path) as host:

            def others_write(step: str) -> None:
                if step == "cloud-init seed":
                    fill(pool, but=0)

            # libvirt says nothing of it: an error at the very end of an upload is lost.
            with pytest.raises(StoreFull, match=r"disk is full, or fails: the end of .*-seed.iso was not written"):
                await host.create(replace(PLAIN, seed=SeedSpec("probe")), OperationRecord(on_step=others_write))
            await nothing_remains(host, own_libvirtd, but=["others"])

    asyncio_run(scenario(), timeout=55)


def test_a_host_whose_memory_does_not_suffice_for_qemu(own_libvirtd: Daemon, tmp_path: Path, asyncio_run: Run) -> None:
    """The kernel says no only when QEMU asks for the guest's RAM: its address space is limited as by a full host."""

    async def scenario() -> None:
        async with host_on(own_libvirtd, tmp_path) as host:
            await host.capabilities.refresh()
            limit = 1900 * MIB
            resource.prlimit(own_libvirtd.pid, resource.RLIMIT_AS, (limit, limit))
            with pytest.raises(CapacityExceeded, match=r"not enough free memory \(libvirt: .*allocate"):
                await host.create(replace(PLAIN, machine_type="small-2"))
            await nothing_remains(host, own_libvirtd)

    asyncio_run(scenario(), timeout=55)


@pytest.mark.parametrize("step", ["upload image", "define", "start"])
def test_a_daemon_that_is_killed_during_a_create_and_comes_back(
    own_libvirtd: Daemon, tmp_path: Path, asyncio_run: Run, step: str
) -> None:
    """It says what it could not remove; taken up again, the same create makes one machine of what is there."""

    async def scenario() -> None:
        async with host_on(own_libvirtd, tmp_path) as host:

            def crash(name: str) -> None:
                if name == step:
                    own_libvirtd.kill()

            operation = OperationRecord(on_step=crash)
            with pytest.raises(Transient, match="what had been begun is still on the host"):
                await host.create(operation=operation)
            await until(lambda: not host.connection.connected)
            own_libvirtd.start_libvirtd()
            await host.connection.open(at_once=True)
            assert len(await host.names()) <= 1
            again = OperationRecord(operation.instance_id, operation_id=operation.operation_id)
            await host.create(operation=again)
            assert await host.names() == ["probe"]
            assert (await host.facts(again)).instance_id == operation.instance_id
            assert await host.connection.call(orphans) == []

    asyncio_run(scenario(), timeout=55)


def test_a_daemon_that_hangs_during_a_create_is_given_up_and_the_create_taken_up_later(
    own_libvirtd: Daemon, tmp_path: Path, asyncio_run: Run
) -> None:
    async def scenario() -> None:
        async with host_on(own_libvirtd, tmp_path, HURRY) as host:

            def hang(name: str) -> None:
                if name == "define":
                    own_libvirtd.hang()

            operation = OperationRecord(on_step=hang)
            creating = asyncio.ensure_future(host.create(operation=operation))
            try:
                with pytest.raises(Transient, match="what had been begun is still on the host"):
                    await creating
            finally:
                own_libvirtd.go_on()
            await host.connection.open(at_once=True)
            again = OperationRecord(operation.instance_id, operation_id=operation.operation_id)
            await host.create(operation=again)
            assert await host.names() == ["probe"]

    asyncio_run(scenario(), timeout=55)


def orphans(conn: libvirt.virConnect) -> list[str]:
    """Volumes of the pool that no domain uses, and that do not mark one that is used."""
    used = "".join(domain.XMLDesc(0) for domain in conn.listAllDomains())
    found: list[str] = []
    for pool in conn.listAllStoragePools():
        pool.refresh(0)
        found += [name for name in pool.listVolumes() if f"/{name.removesuffix('.ready')}" not in used]
    return found


async def nothing_remains(host: Host, daemon: Daemon, but: list[str] | None = None) -> None:
    """No domain, no volume, no firmware variables, no seed, no TPM state."""
    assert await host.names() == []
    assert await host.volumes() == (but or [])
    assert [path.name for path in (daemon.root / "lib" / "qemu" / "nvram").glob("*")] == []
    assert [path.name for path in (daemon.root / "lib" / "swtpm").glob("*")] == []
