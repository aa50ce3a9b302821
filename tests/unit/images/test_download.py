"""Downloads: verified, resumed, refused, stopped, killed; whatever happens, nothing half counts as whole."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pysequoia
import pytest

from confvm_gui.domain.errors import InvalidInput, NotFound, OperationCancelled, StoreFull, Transient, WrongState
from confvm_gui.domain.images import ImageDownload, ImageKind, ImageState, LibraryImage
from confvm_gui.images.fetch import Limits
from confvm_gui.images.library import FolderImageLibrary
from tests.unit.images.vendor_site import Site, qcow2, running

IMAGE = qcow2(tail=600_000)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(Site(), tmp_path) as site:
        yield site


def library(site: Site, tmp_path: Path) -> FolderImageLibrary:
    return FolderImageLibrary(tmp_path / "images", ca_file=site.ca_file, limits=Limits(read=5.0, largest=1 << 22))


def only(library: FolderImageLibrary) -> LibraryImage:
    (image,) = library.images()
    return image


def disk(tmp_path: Path, image_id: str = "vendor") -> Path:
    return tmp_path / "images" / image_id / "disk"


async def test_is_ready_when_verified(site: Site, tmp_path: Path) -> None:
    images = library(site, tmp_path)
    seen: list[ImageState] = []
    unsubscribe = images.subscribe(lambda image: seen.append(image.state))
    image = await images.download(site.publish(IMAGE), "vendor", "Vendor 1")
    unsubscribe()
    assert (image.state, image.kind, image.virtual_size) == (ImageState.READY, ImageKind.QCOW2, 1 << 30)
    assert image.sha256 == hashlib.sha256(IMAGE).hexdigest()
    assert image.verified == "SHA256SUMS"
    assert ImageState.READY in seen
    files = await images.files("vendor")
    assert files.disk is not None
    assert files.disk.read_bytes() == IMAGE
    assert oct(files.disk.stat().st_mode & 0o777) == "0o600"
    assert oct(files.disk.parent.stat().st_mode & 0o777) == "0o700"
    assert only(library(site, tmp_path)) == image


async def test_resumes_where_it_broke_off(site: Site, tmp_path: Path) -> None:
    images = library(site, tmp_path)
    download = site.publish(IMAGE)
    site.cut_at["/disk.qcow2"] = 300_000
    with pytest.raises(Transient):
        await images.download(download, "vendor")
    assert only(images).state is ImageState.PARTIAL
    with pytest.raises(WrongState):
        await images.files("vendor")
    again = library(site, tmp_path)
    assert (await again.download(download, "vendor")).state is ImageState.READY
    assert [asked for path, asked in site.asked if path == "/disk.qcow2"] == ["", "bytes=300000-"]
    assert disk(tmp_path).read_bytes() == IMAGE


async def test_begins_anew_when_the_file_has_changed(site: Site, tmp_path: Path) -> None:
    images = library(site, tmp_path)
    site.cut_at["/disk.qcow2"] = 300_000
    with pytest.raises(Transient):
        await images.download(site.publish(qcow2(tail=700_001)), "vendor")
    assert (await images.download(site.publish(IMAGE), "vendor")).state is ImageState.READY
    assert disk(tmp_path).read_bytes() == IMAGE


async def test_a_wrong_checksum_deletes_it(site: Site, tmp_path: Path) -> None:
    images = library(site, tmp_path)
    with pytest.raises(InvalidInput, match="not the vendor's"):
        await images.download(site.publish(IMAGE, checksum_of=b"other"), "vendor")
    assert only(images).state is ImageState.FAILED
    assert "deleted" in only(images).problem
    assert [path.name for path in disk(tmp_path).parent.iterdir()] == ["image.json"]
    assert (await images.download(site.publish(IMAGE), "vendor")).state is ImageState.READY


def signed(site: Site, *, clear: bool = False) -> tuple[ImageDownload, pysequoia.Tsk]:
    key = pysequoia.Tsk.generate("Vendor <vendor@example.org>")
    download = site.publish(IMAGE)
    mode = pysequoia.SignatureMode.CLEAR if clear else pysequoia.SignatureMode.DETACHED
    site.files["/SHA256SUMS.gpg"] = bytes(pysequoia.sign(key.signer(), site.files["/SHA256SUMS"], mode=mode))
    certificate = key.extract_certificate()
    site.files["/keys"] = bytes(certificate)
    return (
        replace(
            download,
            signature_url=site.url("/SHA256SUMS.gpg"),
            key_url=site.url("/keys"),
            signed_by=(certificate.fingerprint.upper(),),
        ),
        key,
    )


@pytest.mark.parametrize("clear", [False, True])
async def test_a_signature_is_verified(site: Site, tmp_path: Path, clear: bool) -> None:
    download, _ = signed(site, clear=clear)
    image = await library(site, tmp_path).download(download, "vendor")
    assert image.verified == f"SHA256SUMS signed by {download.signed_by[0]}"


async def test_a_wrong_signature_is_refused_before_the_image_comes(site: Site, tmp_path: Path) -> None:
    download, _ = signed(site)
    site.files["/SHA256SUMS"] += b"# more\n"
    with pytest.raises(InvalidInput, match="signature"):
        await library(site, tmp_path).download(download, "vendor")
    assert "/disk.qcow2" not in [path for path, _ in site.asked]


async def test_a_key_that_is_not_pinned_does_not_count(site: Site, tmp_path: Path) -> None:
    download, _ = signed(site)
    with pytest.raises(InvalidInput, match="pins"):
        await library(site, tmp_path).download(replace(download, signed_by=("AB" * 20,)), "vendor")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/disk", "file:///etc/passwd", "ftp://127.0.0.1/disk"])
async def test_is_not_led_away_from_https(site: Site, tmp_path: Path, address: str) -> None:
    images = library(site, tmp_path)
    download = site.publish(IMAGE)
    site.redirects["/disk.qcow2"] = address
    with pytest.raises(InvalidInput, match="https"):
        await images.download(download, "vendor")
    assert only(images).state is ImageState.FAILED
    with pytest.raises(InvalidInput, match="https"):
        await images.download(replace(download, checksums_url=address), "other")


async def test_redirects_and_mirrors_by_https_are_followed(site: Site, tmp_path: Path) -> None:
    download = site.publish(IMAGE)
    site.files["/mirror/disk.qcow2"] = site.files.pop("/disk.qcow2")
    site.redirects["/mirror"] = site.url("/mirror/disk.qcow2")
    mirrored = replace(download, mirrors=(site.url("/mirror"),))
    assert (await library(site, tmp_path).download(mirrored, "vendor")).state is ImageState.READY
    with pytest.raises(NotFound):
        await library(site, tmp_path).download(download, "other")


async def test_too_much_is_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="more than"):
        await library(site, tmp_path).download(site.publish(qcow2(tail=5 << 20)), "vendor")


async def test_a_full_disk_keeps_what_came(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = library(site, tmp_path)
    download = site.publish(IMAGE)
    real = os.write
    full = True

    def write(descriptor: int, data: bytes) -> int:
        if full and os.fstat(descriptor).st_size > 200_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StoreFull):
        await images.download(download, "vendor")
    assert only(images).state is ImageState.PARTIAL
    full = False
    assert (await images.download(download, "vendor")).state is ImageState.READY


async def test_two_at_once_and_one_stopped(site: Site, tmp_path: Path) -> None:
    images = library(site, tmp_path)
    download = site.publish(IMAGE)
    site.files["/2/disk.qcow2"] = IMAGE
    loop, half = asyncio.get_running_loop(), asyncio.Event()

    def half_sent() -> None:
        loop.call_soon_threadsafe(half.set)

    site.half_sent = half_sent
    site.held.add("/disk.qcow2")
    first = asyncio.create_task(images.download(download, "first"))
    await half.wait()
    with pytest.raises(WrongState):
        await images.download(download, "first")
    with pytest.raises(WrongState):
        await library(site, tmp_path).download(download, "first")  # as another console would
    second = await images.download(replace(download, url=site.url("/2/disk.qcow2")), "second")
    assert second.state is ImageState.READY
    stopping = asyncio.create_task(images.cancel("first"))
    await asyncio.sleep(0)
    site.hold.set()
    with pytest.raises(OperationCancelled):
        await first
    await stopping
    assert {image.id: image.state for image in images.images()} == {
        "first": ImageState.PARTIAL,
        "second": ImageState.READY,
    }
    await images.remove("first")
    assert only(images).id == "second"


def test_kill_in_the_middle_leaves_what_can_be_resumed(site: Site, tmp_path: Path) -> None:
    download = site.publish(IMAGE)
    site.held.add("/disk.qcow2")
    code = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from confvm_gui.domain.images import ImageDownload\n"
        "from confvm_gui.images.library import FolderImageLibrary\n"
        "folder, ca, url, sums = sys.argv[1:]\n"
        "library = FolderImageLibrary(Path(folder), ca_file=Path(ca))\n"
        "asyncio.run(library.download(ImageDownload(url, sums), 'vendor'))\n"
    )
    words = [str(tmp_path / "images"), str(site.ca_file), download.url, download.checksums_url]
    child = subprocess.Popen([sys.executable, "-c", code, *words])
    site.half_sent = lambda: child.send_signal(signal.SIGKILL)
    assert child.wait(20) == -signal.SIGKILL
    site.hold.set()
    site.held.clear()
    images = library(site, tmp_path)
    assert only(images).state is ImageState.PARTIAL
    assert asyncio.run(images.download(download, "vendor")).state is ImageState.READY
    assert disk(tmp_path).read_bytes() == IMAGE
