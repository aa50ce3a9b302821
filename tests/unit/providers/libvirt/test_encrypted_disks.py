"""Encrypted disks of instances on a real libvirtd, written to by a guest that boots from them."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.errors import KeyUnavailable, NotFound, OperationCancelled
from confvm_gui.domain.images import ImageFiles, ImageKind
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest
from confvm_gui.domain.keys import KeyUse
from confvm_gui.domain.ports.provider import HoldsWrappedKeys
from confvm_gui.keys.local.keystore import LocalKeyStore
from confvm_gui.providers.libvirt import migration, storage
from confvm_gui.providers.libvirt.capabilities import Capabilities, HostCapabilities
from confvm_gui.providers.libvirt.create import create
from confvm_gui.providers.libvirt.disk_keys import wrapped_key
from confvm_gui.providers.libvirt.provider import LibvirtProvider
from tests.support.libvirt_rig import kernel_request, provider_at
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord
from tests.support.shelf_library import ShelfLibrary

KEY, OTHER_KEY = "local:disks", "local:others"
CANARY = b"CANARY-of-the-guest-0123456789-x"
_VEIL = 0x5A
"""So that the image itself does not have the canary."""
_WRITER = bytes.fromhex(
    "31c08ed88ec0"  # registers
    "be407cbf007eb92000ac345aaae2fa"  # unveil the 32 bytes at 0x7c40 to 0x7e00
    "b80103bb007eb90200b600cd13"  # BIOS: write one sector, the second of the disk booted from
    "b0577302b045"  # 'W', or 'E' where that failed
    "baf803eefbf4ebfb"  # to the serial port, at each tick of the clock
)
KEYED = replace(kernel_request("keyed"), image="local:writer", disk_key=KEY)


class _Bios(Capabilities):
    """A host without UEFI: the writer boots by BIOS."""

    async def refresh(self) -> HostCapabilities:
        return replace(await super().refresh(), uefi=False)


class _Rig:
    def __init__(self, daemon: Daemon, provider: LibvirtProvider, store: LocalKeyStore, library: ShelfLibrary) -> None:
        self.daemon = daemon
        self.provider = provider
        self.store = store
        self.library = library

    async def create(self, request: LaunchRequest = KEYED, operation: OperationRecord | None = None) -> str:
        """Make an instance, and wait until its guest has written the canary."""
        operation = operation or OperationRecord()
        connection = self.provider.connection
        host = _Bios(connection, allow_kvm=False)
        catalog = self.provider._catalog
        store = self.store if request.disk_key else None
        await create(connection, request, operation, self.library, catalog, capabilities=host, key_store=store)
        await self.provider.arrived(operation.instance_id)
        await self.written(operation.instance_id)
        return operation.instance_id

    async def written(self, instance_id: str) -> None:
        """The guest has told on its serial port whether it could write."""
        async with asyncio.timeout(40), aclosing(self.output(instance_id)) as output:
            assert (await anext(output))[:1] == b"W"

    async def output(self, instance_id: str) -> AsyncGenerator[bytes, None]:
        async for piece in self.provider.console(instance_id).stream():
            yield piece

    async def secrets(self) -> list[str]:
        return await self.provider.connection.call(lambda conn: [one.UUIDString() for one in conn.listAllSecrets(0)])

    async def pool(self) -> Path:
        """The daemon's pool, seen from outside of its mount namespace."""
        inside = Path(await self.provider.connection.call(storage.pool_path))
        return self.daemon.root / "lib" / inside.relative_to("/var/lib/libvirt")

    async def disk(self, instance_id: str) -> Path:
        folder = await self.pool()
        encrypted = folder / storage.encrypted_name(instance_id)
        return encrypted if encrypted.exists() else folder / storage.overlay_name(instance_id)

    async def start(self, instance_id: str) -> Instance:
        return await self.provider.start(instance_id, OperationRecord(instance_id))

    async def stop(self, instance_id: str) -> None:
        await self.provider.stop(instance_id, OperationRecord(instance_id))


@asynccontextmanager
async def _rig(daemon: Daemon, folder: Path) -> AsyncIterator[_Rig]:
    image = folder / "writer.img"
    if not image.exists():
        code = _WRITER.ljust(0x40, b"\0") + bytes(byte ^ _VEIL for byte in CANARY)
        image.write_bytes((code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    library = ShelfLibrary()
    library.put("writer", ImageKind.RAW, ImageFiles(image), 1 << 20)
    store = LocalKeyStore(folder / "data")
    async with provider_at(daemon.uri, library=library, key_store=store) as provider:
        yield _Rig(daemon, provider, store, library)


def _opens(disk: Path, *secret: str) -> bool:
    """Whether QEMU's own tool reads the disk's first sector with this secret."""
    options = f"driver=qcow2,file.filename={disk},backing=" + (",encrypt.key-secret=s" if secret else "")
    objects = ["--object", f"secret,id=s,{secret[0]}"] if secret else []
    command = ["qemu-io", *objects, "--image-opts", options, "-r", "-c", "read 0 512"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def test_what_a_guest_writes_is_in_a_plain_volume_and_not_in_an_encrypted_one(
    libvirtd: Daemon, tmp_path: Path
) -> None:
    async with _rig(libvirtd, tmp_path) as rig:
        plain = await rig.create(replace(KEYED, name="plain", disk_key=""))
        keyed = await rig.create()
        assert await rig.provider.key_uses() == [KeyUse(keyed, "keyed", KEY, "disk")]
        with pytest.raises(NotFound, match="no encrypted disk"):
            await rig.provider.rewrap(plain, KEY, OperationRecord(plain))
        for instance_id in (plain, keyed):
            await rig.stop(instance_id)
        assert CANARY in (await rig.disk(plain)).read_bytes()
        encrypted = (await rig.disk(keyed)).read_bytes()
        assert CANARY not in encrypted
        assert b"LUKS" in encrypted
        assert b"xts-plain64" in encrypted
        assert await rig.secrets() == [], "libvirtd has no key once QEMU has it"


async def test_it_starts_again_after_the_daemon_and_the_console_were_restarted(
    own_libvirtd: Daemon, tmp_path: Path
) -> None:
    async with _rig(own_libvirtd, tmp_path) as rig:
        keyed = await rig.create()
        await rig.stop(keyed)
    own_libvirtd.kill()
    own_libvirtd.start_libvirtd()
    async with _rig(own_libvirtd, tmp_path) as rig:
        await rig.start(keyed)
        await rig.written(keyed)
        assert await rig.secrets() == []


async def test_a_disabled_key_keeps_it_off_and_wrapping_anew_changes_the_wrapping_alone(
    libvirtd: Daemon, tmp_path: Path
) -> None:
    async with _rig(libvirtd, tmp_path) as rig:
        assert isinstance(rig.provider, HoldsWrappedKeys)
        keyed = await rig.create()
        assert await rig.provider.key_uses() == [KeyUse(keyed, "keyed", KEY, "disk")]
        await rig.store.create(OTHER_KEY)
        await rig.provider.rewrap(keyed, OTHER_KEY, OperationRecord(keyed))  # while it runs
        await rig.stop(keyed)
        assert await rig.provider.key_uses() == [KeyUse(keyed, "keyed", OTHER_KEY, "disk")]
        volume = (await rig.disk(keyed)).read_bytes()
        await rig.provider.rewrap(keyed, KEY, OperationRecord(keyed))
        assert (await rig.disk(keyed)).read_bytes() == volume
        await rig.store.disable(KEY)
        with pytest.raises(KeyUnavailable, match="disabled"):
            await rig.start(keyed)
        with pytest.raises(KeyUnavailable):
            await rig.provider.rewrap(keyed, OTHER_KEY, OperationRecord(keyed))
        await rig.store.enable(KEY)
        assert (await rig.start(keyed)).state is InstanceState.RUNNING


async def test_without_its_key_nothing_that_is_left_opens_the_disk(libvirtd: Daemon, tmp_path: Path) -> None:
    async with _rig(libvirtd, tmp_path) as rig:
        keyed = await rig.create()
        await rig.stop(keyed)
        disk = await rig.disk(keyed)
        key = await rig.provider.connection.call(lambda conn: wrapped_key(conn, keyed))
        assert key is not None
        dek = await rig.store.unwrap(key.key_ref, key.wrapped)
        assert _opens(disk, f"data={base64.b64encode(dek).decode()}"), "so what does not open it is another key"
        wrapped = base64.b64encode(key.wrapped).decode()
        await rig.store.destroy(KEY, after_seconds=0)
        with pytest.raises(KeyUnavailable):
            await rig.start(keyed)
        folders = (tmp_path, libvirtd.root)
        files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
        assert disk in files
        for file in files:
            content = file.read_bytes() if file.stat().st_size < 16 << 20 else b""
            assert not [form for form in (dek, base64.b64encode(dek), dek.hex().encode()) if form in content], file
        kept = [file for file in (tmp_path / "data").rglob("*") if file.is_file() and file.stat().st_size]
        tried = [f"data={wrapped}", *(f"file={file}" for file in kept)]
        assert not _opens(disk)
        assert [secret for secret in tried if _opens(disk, secret)] == []


async def test_snapshot_clone_and_move_are_refused_with_the_reason(libvirtd: Daemon, tmp_path: Path) -> None:
    async with _rig(libvirtd, tmp_path) as rig:
        keyed = await rig.create()
        assert "encrypted" in await rig.provider.snapshot_unfit(keyed)
        await rig.stop(keyed)
        assert "encrypted" in await rig.provider.snapshot_unfit(keyed)
        assert "encrypted" in await rig.provider.clone_unfit(keyed)
        assert "encrypted" in migration.unfit(rig.provider.table.get(keyed), 1, "host")


async def test_a_create_that_is_cancelled_leaves_no_disk_and_no_key(libvirtd: Daemon, tmp_path: Path) -> None:
    async with _rig(libvirtd, tmp_path) as rig:

        def cancelled_at_start(step: str) -> None:
            if step == "start":
                raise OperationCancelled("Cancelled")

        again = OperationRecord(on_step=cancelled_at_start)
        with pytest.raises(OperationCancelled):
            await rig.create(replace(KEYED, name="third"), again)
        assert not list((await rig.pool()).glob(f"*{again.instance_id}*"))
        assert await rig.secrets() == []
