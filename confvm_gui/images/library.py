"""The library of images in a folder: what `domain.ports.image_library.ImageLibrary` asks for."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar
from urllib.parse import urlsplit

from confvm_gui.domain.errors import InvalidInput, NameTaken, NotFound, OperationCancelled, Transient, WrongState
from confvm_gui.domain.images import ImageDownload, ImageFiles, ImageKind, ImageState, LibraryImage, SeedSpec
from confvm_gui.images.checksums import LARGEST_LIST, find_checksum
from confvm_gui.images.disk_format import HEAD, recognise_disk
from confvm_gui.images.fetch import Fetcher, Limits
from confvm_gui.images.folder import (
    DISK,
    ImageFolder,
    StoredImage,
    check_id,
    copy_sparse,
    faults,
    held,
    private_file,
    write_all,
)
from confvm_gui.images.seed import make_seed
from confvm_gui.images.signatures import LARGEST_KEYS, verify_signature

_T = TypeVar("_T")
_TELL_EVERY: Final = 0.2
"""Seconds between two tellings of a download's progress."""
_LARGEST_BOOT_FILE: Final = 2 << 30


class FolderImageLibrary:
    """Made on the event loop; its files are read when it is asked first."""

    def __init__(
        self,
        folder: Path,
        *,
        ca_file: Path | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = ImageFolder(folder)
        self._fetcher = Fetcher(ca_file, limits)
        self._clock = clock
        self._known: dict[str, StoredImage] | None = None
        self._stops: dict[str, threading.Event] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self._subscribers: list[Callable[[LibraryImage], None]] = []

    def images(self) -> Sequence[LibraryImage]:
        return tuple(stored.image for stored in self._all().values())

    def subscribe(self, changed: Callable[[LibraryImage], None]) -> Callable[[], None]:
        self._subscribers.append(changed)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._subscribers.remove(changed)

        return unsubscribe

    async def add_disk(self, path: Path, image_id: str, title: str = "") -> LibraryImage:
        return await self._add(image_id, lambda: self._copy_disk(path, image_id, title))

    async def add_kernel(
        self, kernel: Path, initrd: Path | None, image_id: str, *, command_line: str = "", title: str = ""
    ) -> LibraryImage:
        if len(command_line) > 2048 or (command_line and not command_line.isprintable()):
            raise InvalidInput("command_line", "A kernel's command line has at most 2,048 printable characters")
        return await self._add(image_id, lambda: self._copy_kernel(kernel, initrd, image_id, command_line, title))

    async def download(self, download: ImageDownload, image_id: str, title: str = "") -> LibraryImage:
        check_id(image_id)
        known = self._all().get(image_id)
        if image_id in self._stops:
            raise WrongState(f"The image {image_id} is being downloaded already")
        if known is not None and known.image.state is ImageState.READY:
            raise NameTaken("image", f"The library has an image {image_id} already; choose another name or remove it")
        stop = self._stops[image_id] = threading.Event()
        ended = self._ends[image_id] = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell(stored: StoredImage) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(self._tell, stored)

        began = self._begin(download, image_id, title, known)
        try:
            stored = await _in_thread(lambda: self._download(download, began, stop, tell), stop)
            self._tell(stored)
        finally:
            del self._stops[image_id], self._ends[image_id]
            self._reload(image_id)
            ended.set()
        if stored.image.state is ImageState.FAILED:
            raise InvalidInput("image", stored.image.problem)
        return stored.image

    async def cancel(self, image_id: str) -> None:
        ended = self._ends.get(image_id)
        if ended is not None:
            self._stops[image_id].set()
            await ended.wait()

    async def remove(self, image_id: str) -> None:
        # A folder whose record is damaged is not listed, but can be removed.
        if check_id(image_id) not in self._all() and not self._folder.path(image_id).is_dir():
            raise NotFound(f"The library has no image {image_id}")
        await self.cancel(image_id)
        await _in_thread(lambda: self._folder.remove(image_id))
        self._reload(image_id)

    async def files(self, image_id: str) -> ImageFiles:
        stored = self._all().get(image_id)
        if stored is None:
            raise NotFound(f"The library has no image {image_id[:64]!r}")
        if stored.image.state is not ImageState.READY:
            raise WrongState(f"The image {image_id} is not ready: {stored.image.problem or stored.image.state.value}")
        folder = self._folder.path(image_id)
        if stored.image.kind is not ImageKind.KERNEL:
            return ImageFiles(folder / DISK)
        initrd = folder / "initrd"
        return ImageFiles(None, folder / "kernel", initrd if initrd.exists() else None)

    async def seed(self, spec: SeedSpec) -> bytes:
        return await _in_thread(lambda: make_seed(spec))

    # On the event loop

    def _all(self) -> dict[str, StoredImage]:
        if self._known is None:
            self._known = {name: _settled(stored) for name, stored in self._folder.load().items()}
        return self._known

    def _reload(self, image_id: str) -> None:
        known = self._all()
        stored = self._folder.load().get(image_id)
        if stored is None:
            known.pop(image_id, None)
        else:
            self._tell(_settled(stored))

    def _tell(self, stored: StoredImage) -> None:
        self._all()[stored.image.id] = stored
        for subscriber in list(self._subscribers):
            subscriber(stored.image)

    async def _add(self, image_id: str, copy: Callable[[], StoredImage]) -> LibraryImage:
        check_id(image_id)
        self._all()
        stored = await _in_thread(copy)
        self._tell(stored)
        return stored.image

    def _begin(self, download: ImageDownload, image_id: str, title: str, known: StoredImage | None) -> StoredImage:
        image = LibraryImage(
            id=image_id,
            title=title or (known.image.title if known else image_id),
            kind=ImageKind.RAW,
            state=ImageState.DOWNLOADING,
            size=0,
            virtual_size=0,
            sha256="",
            added_at=self._clock(),
            source=download.url,
        )
        return StoredImage(image, known.etag if known else "", known.url if known else "")

    # On threads

    def _copy_disk(self, path: Path, image_id: str, title: str) -> StoredImage:
        try:
            with path.open("rb") as file:
                found = recognise_disk(file.read(HEAD), path.stat().st_size)
        except OSError as error:
            raise InvalidInput("image", f"{path} cannot be read: {error.strerror}") from None
        with self._folder.draft(image_id) as draft:
            digest = copy_sparse(path, draft / DISK)
            # The copy counts: the original may have changed in between.
            with (draft / DISK).open("rb") as file:
                found = recognise_disk(file.read(HEAD), (draft / DISK).stat().st_size)
            image = self._ready(image_id, title or path.name, found.kind, draft, found.virtual_size, digest, str(path))
            stored = StoredImage(image)
            self._folder.write(stored, draft)
        return stored

    def _copy_kernel(
        self, kernel: Path, initrd: Path | None, image_id: str, command_line: str, title: str
    ) -> StoredImage:
        for path in (kernel, initrd):
            try:
                size = path.stat().st_size if path is not None else 1
            except OSError as error:
                raise InvalidInput("image", f"{path} cannot be read: {error.strerror}") from None
            if not 0 < size <= _LARGEST_BOOT_FILE:
                raise InvalidInput("image", f"{path} is empty or too large for a kernel or an initrd")
        with self._folder.draft(image_id) as draft:
            digest = copy_sparse(kernel, draft / "kernel")
            if initrd is not None:
                copy_sparse(initrd, draft / "initrd")
            image = self._ready(image_id, title or kernel.name, ImageKind.KERNEL, draft, 0, digest, str(kernel))
            stored = StoredImage(replace(image, command_line=command_line))
            self._folder.write(stored, draft)
        return stored

    def _ready(
        self, image_id: str, title: str, kind: ImageKind, draft: Path, virtual_size: int, digest: str, source: str
    ) -> LibraryImage:
        size = sum(path.stat().st_size for path in draft.iterdir())
        return LibraryImage(
            image_id, title[:200], kind, ImageState.READY, size, virtual_size, digest, self._clock(), source
        )

    def _download(
        self,
        download: ImageDownload,
        stored: StoredImage,
        stop: threading.Event,
        tell: Callable[[StoredImage], None],
    ) -> StoredImage:
        """Ends READY or FAILED, or raises with what came kept as PARTIAL."""
        folder = self._folder.path(stored.image.id)
        with faults(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with held(folder):
                self._folder.write(stored)
                try:
                    return self._verified(download, stored, folder, stop, tell)
                except InvalidInput as problem:
                    (folder / DISK).unlink(missing_ok=True)
                    image = replace(stored.image, state=ImageState.FAILED, problem=problem.message)
                    failed = StoredImage(image)
                    self._folder.write(failed)
                    return failed

    def _verified(
        self,
        download: ImageDownload,
        stored: StoredImage,
        folder: Path,
        stop: threading.Event,
        tell: Callable[[StoredImage], None],
    ) -> StoredImage:
        name = PurePosixPath(urlsplit(download.url).path).name
        listed = self._fetcher.small(download.checksums_url, LARGEST_LIST, stop)
        how = PurePosixPath(urlsplit(download.checksums_url).path).name
        if download.signed_by:
            keys = self._fetcher.small(download.key_url, LARGEST_KEYS, stop)
            # A signature at the address of the list itself is a clear-text one around it.
            own = download.signature_url in ("", download.checksums_url)
            signature = None if own else self._fetcher.small(download.signature_url, LARGEST_LIST, stop)
            listed, signer = verify_signature(listed, signature, keys, download.signed_by)
            how = f"{how} signed by {signer}"
        algorithm, expected = find_checksum(listed, name)
        stored = self._receive(download, stored, folder / DISK, stop, tell)
        digest, sha256, size = _digests(folder / DISK, algorithm, stop)
        if digest != expected:
            raise InvalidInput("image", f"The {algorithm.upper()} of {name} is not the vendor's; it was deleted")
        with (folder / DISK).open("rb") as file:
            found = recognise_disk(file.read(HEAD), size)
        image = replace(
            stored.image,
            kind=found.kind,
            state=ImageState.READY,
            size=size,
            virtual_size=found.virtual_size,
            sha256=sha256,
            added_at=self._clock(),
            verified=how,
            received=size,
            total=size,
        )
        ready = StoredImage(image, stored.etag, stored.url)
        self._folder.write(ready)
        return ready

    def _receive(
        self,
        download: ImageDownload,
        stored: StoredImage,
        path: Path,
        stop: threading.Event,
        tell: Callable[[StoredImage], None],
    ) -> StoredImage:
        addresses = (download.url, *download.mirrors)
        for number, url in enumerate(addresses, 1):
            try:
                return self._receive_from(url, stored, path, stop, tell)
            except (Transient, NotFound):
                if number == len(addresses):
                    raise
        raise NotFound("The image has no address")

    def _receive_from(
        self,
        url: str,
        stored: StoredImage,
        path: Path,
        stop: threading.Event,
        tell: Callable[[StoredImage], None],
    ) -> StoredImage:
        have = path.stat().st_size if path.exists() else 0
        etag = stored.etag if stored.url == url else ""
        if have and etag and stored.image.total == have:
            return stored
        with (
            self._fetcher.body(url, have, etag, self._fetcher.limits.largest, stop) as body,
            private_file(path, os.O_WRONLY | os.O_CREAT) as descriptor,
        ):
            os.ftruncate(descriptor, body.start)
            received = os.lseek(descriptor, body.start, os.SEEK_SET)
            image = replace(stored.image, received=received, total=body.total, size=received)
            stored = StoredImage(image, body.etag, url)
            # Before the first byte: a download that is killed can then be resumed.
            self._folder.write(stored)
            told = 0.0
            for piece in body.pieces:
                write_all(descriptor, piece)
                received += len(piece)
                if time.monotonic() - told >= _TELL_EVERY:
                    told = time.monotonic()
                    tell(replace(stored, image=replace(image, received=received, size=received)))
            os.fsync(descriptor)
        return replace(stored, image=replace(image, received=received, size=received, total=received))


def _digests(path: Path, algorithm: str, stop: threading.Event) -> tuple[str, str, int]:
    """The wanted digest, SHA-256, and the size."""
    wanted, sha256 = hashlib.new(algorithm), hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            size += len(block)
            sha256.update(block)
            if algorithm != "sha256":
                wanted.update(block)
            if stop.is_set():
                raise OperationCancelled("The download was stopped; what came is kept")
    return (sha256 if algorithm == "sha256" else wanted).hexdigest(), sha256.hexdigest(), size


def _settled(stored: StoredImage) -> StoredImage:
    """What a file says DOWNLOADING of, though nobody here downloads it, can be resumed."""
    if stored.image.state is not ImageState.DOWNLOADING:
        return stored
    return replace(stored, image=replace(stored.image, state=ImageState.PARTIAL))


async def _in_thread(work: Callable[[], _T], stop: threading.Event | None = None) -> _T:
    """Run blocking work; if the caller is cancelled, tell it to stop and wait for its end."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if stop is not None:
            stop.set()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen: the caller no longer wants it
        raise
