"""The image pool: what is taken for an image, what is removed with an upload, and where a pool may lie."""

from __future__ import annotations

import os
from pathlib import Path

import libvirt
import pytest

from confvm_gui.domain.errors import InvalidInput, OperationCancelled, StoreError
from confvm_gui.providers.libvirt import storage
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from tests.support.libvirtd import Daemon

DIGEST = "ab" * 32
MIB = 1 << 20


def image(folder: Path, data: bytes) -> Path:
    file = folder / "image.raw"
    file.write_bytes(data)
    return file


async def volumes(connection: LibvirtConnection) -> list[str]:
    def work(conn: libvirt.virConnect) -> list[str]:
        pool = conn.storagePoolLookupByName(storage.POOL)
        pool.refresh(0)
        return sorted(pool.listVolumes())

    return await connection.call(work)


@pytest.mark.parametrize("hole", [0, 3 * MIB])
async def test_an_image_arrives_as_it_is_and_is_found_again(libvirtd: Daemon, tmp_path: Path, hole: int) -> None:
    content = os.urandom(700_001) + bytes(hole) + b"the end"
    file = image(tmp_path, b"")
    with file.open("r+b") as opened:
        opened.write(content[:700_001])
        opened.seek(700_001 + hole)  # what is not written is a hole
        opened.write(b"the end")
    connection = LibvirtConnection(libvirtd.uri)
    await connection.open(at_once=True)
    try:
        await connection.call(storage.ensure_pool)
        upload = storage.Upload()
        path = await connection.call(lambda conn: storage.upload_base(conn, file, DIGEST, "one", upload))
        assert upload.sent == len(content)
        assert (libvirtd.root / "lib" / Path(path).relative_to("/var/lib/libvirt")).read_bytes() == content
        assert await connection.call(lambda conn: storage.find_base(conn, DIGEST)) == path
        # An upload that broke off has no mark, and is never taken for the image.
        await connection.call(lambda conn: storage.upload_bytes(conn, b"half", f"base-{'cd' * 32}-two.img"))
        assert await connection.call(lambda conn: storage.find_base(conn, "cd" * 32)) == ""
        await connection.call(lambda conn: storage.remove_uploads(conn, "one"))
        assert await volumes(connection) == [f"base-{'cd' * 32}-two.img"]
    finally:
        await connection.aclose()


async def test_an_upload_that_is_stopped_or_cannot_be_read_leaves_nothing(libvirtd: Daemon, tmp_path: Path) -> None:
    connection = LibvirtConnection(libvirtd.uri)
    await connection.open(at_once=True)
    try:
        await connection.call(storage.ensure_pool)
        upload = storage.Upload()
        upload.stop()
        file = image(tmp_path, os.urandom(MIB))
        with pytest.raises(OperationCancelled):
            await connection.call(lambda conn: storage.upload_base(conn, file, DIGEST, "one", upload))
        gone = tmp_path / "gone.raw"
        with pytest.raises(StoreError, match=r"gone\.raw cannot be read"):
            await connection.call(lambda conn: storage.upload_base(conn, gone, DIGEST, "one", storage.Upload()))
        assert await volumes(connection) == []
    finally:
        await connection.aclose()


async def test_a_base_that_another_disk_lies_over_stays(libvirtd: Daemon, tmp_path: Path) -> None:
    connection = LibvirtConnection(libvirtd.uri)
    await connection.open(at_once=True)
    try:
        await connection.call(storage.ensure_pool)
        file = image(tmp_path, os.urandom(MIB))
        base = await connection.call(lambda conn: storage.upload_base(conn, file, DIGEST, "one", storage.Upload()))
        name = storage.overlay_name("0" * 32)
        await connection.call(lambda conn: storage.create_overlay(conn, name, base, "raw", 2 * MIB))
        await connection.call(lambda conn: storage.remove_uploads(conn, "one"))
        assert len(await volumes(connection)) == 3
        await connection.call(lambda conn: storage.remove_volumes(conn, "0" * 32))
        await connection.call(lambda conn: storage.remove_uploads(conn, "one"))
        assert await volumes(connection) == []
    finally:
        await connection.aclose()


@pytest.mark.parametrize("path", ["images", "../images", "/var/lib/libvirt/../../../etc", "/srv/.."])
async def test_a_pool_lies_in_no_folder_that_is_not_plainly_named(path: str) -> None:
    connection = LibvirtConnection("test:///default")
    await connection.open(at_once=True)
    try:
        with pytest.raises(InvalidInput) as caught:
            await connection.call(lambda conn: storage.ensure_pool(conn, path))
        assert caught.value.field == "pool"
    finally:
        await connection.aclose()
