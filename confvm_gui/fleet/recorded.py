"""What a session lends out that can change something: every change is an event, whoever makes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.images import ImageDownload, ImageFiles, LibraryImage, SeedSpec
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.console import Console
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.roles.access import Access


class RecordedConsole:
    """A console that tells the log when something is typed, once for each time that it is lent out; never what."""

    def __init__(self, console: Console, instance: Instance, events: EventFeed) -> None:
        self._console = console
        self._instance = instance
        self._events = events
        self._told = False

    @property
    def writable(self) -> bool:
        return self._console.writable

    def scrollback(self) -> bytes:
        return self._console.scrollback()

    def stream(self) -> AsyncIterator[bytes]:
        return self._console.stream()

    async def write(self, data: bytes) -> None:
        if not self._told:
            self._told = True
            said = f"Something was typed into the console of {self._instance.name}"
            self._events.record("guest.typed", said, subject=self._instance.id)
        await self._console.write(data)


class RecordedLibrary:
    """The library of images, for people: who may run instances may change it."""

    def __init__(self, library: ImageLibrary, access: Access, events: EventFeed) -> None:
        self._library = library
        self._access = access
        self._events = events

    def images(self) -> Sequence[LibraryImage]:
        return self._library.images()

    def subscribe(self, changed: Callable[[LibraryImage], None]) -> Callable[[], None]:
        return self._library.subscribe(changed)

    async def add_disk(self, path: Path, image_id: str, title: str = "") -> LibraryImage:
        self._require()
        made = await self._library.add_disk(path, image_id, title)
        return self._tell_made("added", made, str(path))

    async def add_kernel(
        self, kernel: Path, initrd: Path | None, image_id: str, *, command_line: str = "", title: str = ""
    ) -> LibraryImage:
        self._require()
        made = await self._library.add_kernel(kernel, initrd, image_id, command_line=command_line, title=title)
        return self._tell_made("added", made, str(kernel))

    async def download(self, download: ImageDownload, image_id: str, title: str = "") -> LibraryImage:
        self._require()
        try:
            made = await self._library.download(download, image_id, title)
        except ConfvmError as error:
            self._events.record(
                "image.download",
                f"The image {image_id} could not be downloaded: {error.message}",
                severity=Severity.WARNING,
                detail={"image": image_id, "from": download.url},
                outcome=EventOutcome.FAILURE,
            )
            raise
        return self._tell_made("download", made, download.url)

    async def cancel(self, image_id: str) -> None:
        await self._library.cancel(image_id)

    async def remove(self, image_id: str) -> None:
        self._require()
        before = next((image for image in self._library.images() if image.id == image_id), None)
        await self._library.remove(image_id)
        told = None if before is None else {"kind": before.kind.value, "size": before.size, "title": before.title}
        said = f"The image {image_id} was removed from the library"
        self._events.record("image.removed", said, detail={"image": image_id}, before=told)

    async def files(self, image_id: str) -> ImageFiles:
        return await self._library.files(image_id)

    async def seed(self, spec: SeedSpec) -> bytes:
        return await self._library.seed(spec)

    def _require(self) -> None:
        self._access.require(Permission.OPERATE)

    def _tell_made(self, what: str, image: LibraryImage, source: str) -> LibraryImage:
        self._events.record(
            f"image.{what}",
            f"The image {image.id} was put into the library",
            detail={"image": image.id, "from": source},
            after={"kind": image.kind.value, "size": image.size, "title": image.title},
        )
        return image
