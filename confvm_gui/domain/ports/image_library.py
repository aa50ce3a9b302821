"""The library of images that local and remote hypervisors boot from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from confvm_gui.domain.images import ImageDownload, ImageFiles, LibraryImage, SeedSpec


class ImageLibrary(Protocol):
    """Files of a data directory. Methods that read or write files are async and work in threads.

    Raise NotFound, InvalidInput with the field, StoreError, StoreFull.
    """

    def images(self) -> Sequence[LibraryImage]: ...

    def subscribe(self, changed: Callable[[LibraryImage], None]) -> Callable[[], None]:
        """`changed` is called on the event loop; returns what unsubscribes it."""

    async def add_disk(self, path: Path, image_id: str, title: str = "") -> LibraryImage:
        """Copy a local qcow2 or raw file. A qcow2 with a backing file or external data is refused."""

    async def add_kernel(
        self, kernel: Path, initrd: Path | None, image_id: str, *, command_line: str = "", title: str = ""
    ) -> LibraryImage: ...

    async def download(self, download: ImageDownload, image_id: str, title: str = "") -> LibraryImage:
        """Fetch, resuming what is there, and verify. A wrong checksum or signature deletes it: InvalidInput("image").

        Raises Transient when the server cannot be reached or breaks off: what came is kept.
        """

    async def cancel(self, image_id: str) -> None:
        """Stop a download; what came is kept."""

    async def remove(self, image_id: str) -> None: ...

    async def files(self, image_id: str) -> ImageFiles:
        """Raises NotFound, WrongState if it is not READY."""

    async def seed(self, spec: SeedSpec) -> bytes:
        """A cloud-init NoCloud disk, ISO 9660 with the label `cidata`."""
