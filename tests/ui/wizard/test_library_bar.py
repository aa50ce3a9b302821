"""What the page Image does with the library: a kernel or a disk is added, a download begun, resumed, refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytestqt.qtbot import QtBot

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.images import ImageDownload, ImageKind, ImageState, LibraryImage
from confvm_gui.images.library import FolderImageLibrary
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.wizard.library_bar import LibraryBar
from tests.support.patience import until

OFFERED = load_catalog().image("libvirt", "debian-12")
KNOWN = LibraryImage("debian-12", "Debian 12", ImageKind.RAW, ImageState.PARTIAL, 0, 0, "", 0.0, "", total=100)


class VendorSaysNo(FolderImageLibrary):
    """A library whose downloads are refused once they are let go on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[ImageDownload] = []
        self.go = asyncio.Event()

    async def download(self, download: ImageDownload, image_id: str, title: str = "") -> LibraryImage:
        self.asked.append(download)
        await self.go.wait()
        raise InvalidInput("image", "The checksum is another than the vendor publishes")


@asynccontextmanager
async def bar_on(library: FolderImageLibrary) -> AsyncIterator[tuple[LibraryBar, list[str]]]:
    tasks = TaskKeeper("test", lambda _: None)
    bar = LibraryBar(library, tasks)
    added: list[str] = []
    bar.added.connect(added.append)
    bar.show()
    try:
        yield bar, added
    finally:
        await tasks.aclose()
        bar.deleteLater()


async def test_a_kernel_and_a_disk_are_added_and_told(qtbot: QtBot, tmp_path: Path) -> None:
    kernel, initrd, disk = tmp_path / "vmlinuz-6.1", tmp_path / "initrd.img-6.1", tmp_path / "My Disk.raw"
    kernel.write_bytes(b"MZ" + bytes(0x200) + b"HdrS" + bytes(4096))
    initrd.write_bytes(b"070701" + bytes(512))
    disk.write_bytes(bytes(1 << 20))
    async with bar_on(FolderImageLibrary(tmp_path / "library")) as (bar, added):
        bar.take_kernel([str(initrd), str(kernel)])
        await until(lambda: added == ["local:vmlinuz-6.1"])
        bar.take_disk([str(disk)])
        await until(lambda: added[1:] == ["local:my-disk.raw"])
        bar.take_kernel([str(initrd)])
        assert "kernel" in bar.state.text()


async def test_the_same_file_name_comes_in_beside_the_first(qtbot: QtBot, tmp_path: Path) -> None:
    disk = tmp_path / "disk.raw"
    disk.write_bytes(bytes(1 << 20))
    async with bar_on(FolderImageLibrary(tmp_path / "library")) as (bar, added):
        names = ["local:disk.raw", "local:disk.raw-2", "local:disk.raw-3"]
        for wanted in (names[:1], names[:2], names):
            bar.take_disk([str(disk)])
            await until(partial(added.__eq__, wanted))


async def test_a_refused_download_is_told_until_another_image_is_chosen(qtbot: QtBot, tmp_path: Path) -> None:
    library = VendorSaysNo(tmp_path / "library")
    async with bar_on(library) as (bar, added):
        bar.show_image(OFFERED, None)
        assert "download" in bar.state.text()
        assert bar.download.isVisible()
        bar.download.click()
        await until(lambda: bool(library.asked))
        assert library.asked == [OFFERED.download]
        bar.show_image(OFFERED, replace(KNOWN, state=ImageState.DOWNLOADING, received=25))
        assert (bar.progress.isVisible(), bar.progress.value()) == (True, 250)
        assert bar.stop.isVisible()
        assert not bar.download.isVisible()
        library.go.set()
        await until(lambda: "checksum" in bar.state.text())
        bar.show_image(OFFERED, KNOWN)
        assert "checksum" in bar.state.text()
        assert bar.download.text().replace("&", "") == "Resume"
        bar.show_image(load_catalog().image("libvirt", "ubuntu-24.04"), None)
        assert "checksum" not in bar.state.text()
        assert added == []


async def test_where_only_kernels_boot_nothing_else_is_offered(qtbot: QtBot, tmp_path: Path) -> None:
    async with bar_on(FolderImageLibrary(tmp_path / "library")) as (bar, _):
        bar.show_kernels_only(None)
        assert bar.add_kernel.isVisible()
        assert not any(each.isVisible() for each in (bar.add_disk, bar.download, bar.stop, bar.progress))
        bar.show_kernels_only(replace(KNOWN, id="mine", kind=ImageKind.KERNEL, state=ImageState.READY))
        assert "In the library" in bar.state.text()
        assert not bar.add_disk.isVisible()
