"""The library's files: `<folder>/<id>/image.json` with `disk`, or `kernel` and `initrd`, beside it.

Only the user may read them. `image.json` is replaced as a whole and says READY only after the files are on the disk, so
that whatever ends the process, an image is there, PARTIAL or gone. What is being copied lies in `.ID.TOKEN.new`, which
is renamed when it is whole; whoever makes one holds a lock on it, and a folder that nobody holds is swept away.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import InvalidInput, NameTaken, StoreError, StoreFull, WrongState
from confvm_gui.domain.images import ImageKind, ImageState, LibraryImage

RECORD: Final = "image.json"
DISK: Final = "disk"
LARGEST_RECORD: Final = 64 << 10
_ID: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?")
_BLOCK: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class StoredImage:
    image: LibraryImage
    etag: str = ""
    """Of the download so far, and the address that it belongs to."""
    url: str = ""


def check_id(image_id: str) -> str:
    """Raises InvalidInput("image")."""
    if not _ID.fullmatch(image_id) or ".." in image_id:
        raise InvalidInput("image", "An image's name has 1 to 64 lower-case letters, digits, hyphens and dots")
    return image_id


def encode_record(stored: StoredImage) -> bytes:
    return json.dumps({"version": 1, **asdict(stored)}, indent=1).encode()


def decode_record(data: bytes, image_id: str = "") -> StoredImage:
    """Raises InvalidInput("image") for anything that this program does not write."""
    wrong = InvalidInput("image", "The record of an image in the library is damaged")
    try:
        values = json.loads(data[: LARGEST_RECORD + 1])
        fields = dict(values["image"])
        texts = ("id", "title", "sha256", "source", "verified", "command_line", "problem")
        numbers = ("size", "virtual_size", "received", "total")
        for name in texts:
            if not isinstance(fields[name], str):
                raise wrong
        for name in numbers:
            if type(fields[name]) is not int or not 0 <= fields[name] < 1 << 63:
                raise wrong
        if values["version"] != 1 or not isinstance(values["etag"], str) or not isinstance(values["url"], str):
            raise wrong
        image = LibraryImage(
            **{name: fields[name] for name in (*texts, *numbers)},
            kind=ImageKind(fields["kind"]),
            state=ImageState(fields["state"]),
            added_at=float(fields["added_at"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise wrong from None
    if not _ID.fullmatch(image.id) or (image_id and image.id != image_id):
        raise wrong
    return StoredImage(image, values["etag"], values["url"])


class ImageFolder:
    """Blocking. Raises StoreError, StoreFull."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self) -> dict[str, StoredImage]:
        """Everything that is there; what nobody finished is swept away."""
        found: dict[str, StoredImage] = {}
        try:
            entries = sorted(
                (entry for entry in os.scandir(self.folder) if entry.is_dir(follow_symlinks=False)),
                key=lambda entry: entry.name,
            )
        except FileNotFoundError:
            return found
        except OSError as error:
            raise store_error(error, self.folder) from error
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith("."):
                self._sweep(path)
                continue
            with contextlib.suppress(InvalidInput, OSError), (path / RECORD).open("rb") as file:
                found[entry.name] = decode_record(file.read(LARGEST_RECORD + 1), entry.name)
        return found

    def write(self, stored: StoredImage, folder: Path | None = None) -> None:
        """Replace the record as a whole."""
        folder = folder or self.path(stored.image.id)
        draft = folder / f".{RECORD}.{secrets.token_hex(4)}"
        with faults(folder):
            try:
                with private_file(draft) as descriptor:
                    write_all(descriptor, encode_record(stored))
                    os.fsync(descriptor)
                draft.replace(folder / RECORD)
            finally:
                draft.unlink(missing_ok=True)

    def path(self, image_id: str) -> Path:
        return self.folder / check_id(image_id)

    @contextlib.contextmanager
    def draft(self, image_id: str) -> Iterator[Path]:
        """A folder for a new image, put in its place at the end; gone if anything is raised."""
        place = self.path(image_id)
        if place.exists():
            raise NameTaken("image", f"The library has an image {image_id} already; choose another name or remove it")
        draft = self.folder / f".{image_id}.{secrets.token_hex(4)}.new"
        try:
            with faults(self.folder):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                draft.mkdir(mode=0o700)
                with held(draft):
                    yield draft
                    draft.rename(place)
        finally:
            if draft.exists():
                shutil.rmtree(draft, ignore_errors=True)

    def remove(self, image_id: str) -> None:
        path = self.path(image_id)
        with faults(path), held(path):
            gone = self.folder / f".{image_id}.{secrets.token_hex(4)}.gone"
            path.rename(gone)
            shutil.rmtree(gone)

    @staticmethod
    def _sweep(path: Path) -> None:
        with contextlib.suppress(OSError, WrongState), held(path):
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder's lock, which ends with the process. WrongState if another holds it."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WrongState(f"The image {folder.name} is in use by a download or another console") from None
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def private_file(path: Path, flags: int = os.O_WRONLY | os.O_CREAT | os.O_EXCL) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def copy_sparse(source: Path, target: Path) -> str:
    """Copy, leaving out blocks of zeros; the content's SHA-256 in hex."""
    import hashlib

    digest = hashlib.sha256()
    zeros = bytes(_BLOCK)
    with source.open("rb") as file, private_file(target) as descriptor:
        size = 0
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            if block == zeros[: len(block)]:
                os.lseek(descriptor, size, os.SEEK_SET)
            else:
                write_all(descriptor, block)
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    return digest.hexdigest()


@contextlib.contextmanager
def faults(path: Path) -> Iterator[None]:
    """The operating system's errors as StoreFull or StoreError."""
    try:
        yield
    except OSError as error:
        raise store_error(error, path) from error


def store_error(error: OSError, path: Path) -> StoreError:
    if error.errno in _FULL:
        return StoreFull(f"There is no space left for {path}; free some and try again")
    return StoreError(f"The image library at {path} cannot be used: {error.strerror or error}")
