"""An image library of files that a test made, for providers that create instances of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from confvm_gui.domain.errors import NotFound, Unsupported
from confvm_gui.domain.images import ImageDownload, ImageFiles, ImageKind, ImageState, LibraryImage, SeedSpec
from tests.support.linux_kernel import COMMAND_LINE, initramfs, kernel_path


class ShelfLibrary:
    """domain.ports.image_library.ImageLibrary without a network and without a folder of its own."""

    def __init__(self) -> None:
        self._images: dict[str, tuple[LibraryImage, ImageFiles]] = {}

    def put(self, image_id: str, kind: ImageKind, files: ImageFiles, virtual_size: int = 0) -> None:
        file = files.disk or files.kernel
        assert file is not None
        image = LibraryImage(
            id=image_id,
            title=image_id,
            kind=kind,
            state=ImageState.READY,
            size=file.stat().st_size,
            virtual_size=virtual_size,
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            added_at=0.0,
            source=str(file),
            command_line=COMMAND_LINE if kind is ImageKind.KERNEL else "",
        )
        self._images[image_id] = (image, files)

    def put_linux(self, folder: Path, image_id: str = "tiny", script: str = "echo BOOTED\nexec sh\n") -> None:
        """A kernel that is installed here, with an initramfs that runs `script`."""
        initrd = folder / f"{image_id}.initrd"
        initrd.write_bytes(initramfs(script))
        self.put(image_id, ImageKind.KERNEL, ImageFiles(None, kernel_path(), initrd))

    def images(self) -> Sequence[LibraryImage]:
        return [image for image, _ in self._images.values()]

    def subscribe(self, changed: Callable[[LibraryImage], None]) -> Callable[[], None]:
        return lambda: None

    async def files(self, image_id: str) -> ImageFiles:
        if image_id not in self._images:
            raise NotFound(f"No image {image_id}")
        return self._images[image_id][1]

    async def seed(self, spec: SeedSpec) -> bytes:
        return f"cidata {spec.hostname}".encode().ljust(2048, b"\0")

    async def add_disk(self, path: Path, image_id: str, title: str = "") -> LibraryImage:
        raise Unsupported("not in this test")

    async def add_kernel(
        self, kernel: Path, initrd: Path | None, image_id: str, *, command_line: str = "", title: str = ""
    ) -> LibraryImage:
        raise Unsupported("not in this test")

    async def download(self, download: ImageDownload, image_id: str, title: str = "") -> LibraryImage:
        raise Unsupported("not in this test")

    async def cancel(self, image_id: str) -> None:
        raise Unsupported("not in this test")

    async def remove(self, image_id: str) -> None:
        raise Unsupported("not in this test")
