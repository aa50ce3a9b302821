"""The console's storage pool on a host: library images as shared base volumes, and each instance's own volumes.

    base-SHA256-UPLOAD.img    an image of the library as it is, in its format; read by many, written by none
    base-SHA256-UPLOAD.ready  an empty mark beside it, made when all of it has arrived
    INSTANCE.qcow2            overlay over a base; luks-INSTANCE.qcow2 an encrypted one
    INSTANCE-seed.iso         cloud-init seed

An upload that broke off has no mark, and so is never taken for the image; its name has the operation's id in it, by
which the operation that is taken up again removes it. All functions that take `conn` block and run in threads.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from confvm_gui.domain.errors import InvalidInput, OperationCancelled, StoreError, StoreFull, Unsupported
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.disk_encryption import add_cipher, add_encryption

if TYPE_CHECKING:
    import libvirt

POOL: Final = "confvm"
SYSTEM_PATH: Final = "/var/lib/libvirt/images/confvm"
SMALLEST_DISK: Final = 10 << 30
"""Bytes that a guest's disk has at least; an overlay takes only what is written to it."""
_RESERVE: Final = 64 << 20
"""Bytes that are left free beside what is uploaded: overlays begin small and grow."""
_CHUNK: Final = 256 << 10
_TRIES: Final = 12


@dataclass(frozen=True, slots=True)
class Pool:
    """The pool as it is on the host."""

    path: str
    available: int
    """Bytes."""


Pieces = Iterator[bytes]


class Upload:
    """Progress of one upload, and the way to stop it. Safe between threads."""

    def __init__(self) -> None:
        self.sent = 0
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def advance(self, count: int) -> None:
        """Raises OperationCancelled once it is to stop."""
        if self._stopped.is_set():
            raise OperationCancelled("Cancelled; what had been uploaded is removed")
        self.sent += count


def ensure_pool(conn: libvirt.virConnect, path: str = "") -> Pool:
    """The pool, defined and started if it is not; `path`: where, if it has to be defined ("" is the usual place).

    A pool of this name that is there is used wherever it is. Raises Unsupported, StoreError.
    """
    import libvirt

    try:
        pool = conn.storagePoolLookupByName(POOL)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
            raise
        pool = conn.storagePoolDefineXML(_pool_xml(path or _usual_path(conn)), 0)
        pool.setAutostart(1)
    if not pool.isActive():
        with suppress(libvirt.libvirtError):  # the folder may be there, or another console just now starts it
            pool.build(0)
        try:
            pool.create(0)
        except libvirt.libvirtError:
            if not pool.isActive():
                raise
    pool.refresh(0)
    root = parse(pool.XMLDesc(0), "pool")
    found = root.findtext("target/path") or ""
    if root.get("type") != "dir" or not PurePosixPath(found).is_absolute():
        raise Unsupported(f"The host's storage pool {POOL} is not a folder; the console needs one of type dir")
    return Pool(found, pool.info()[3])


def require_room(pool: Pool, needed: int, host: str) -> None:
    """Raise StoreFull unless `needed` bytes and some more fit."""
    if needed + _RESERVE > pool.available:
        raise StoreFull(
            f"The storage pool {POOL} of {host} has {pool.available >> 20} MiB free, and {(needed + _RESERVE) >> 20} "
            f"MiB are needed; make room in {pool.path}"
        )


def find_base(conn: libvirt.virConnect, digest: str) -> str:
    """Path of the complete base volume with this SHA-256 (hex), or ""."""
    pool = conn.storagePoolLookupByName(POOL)
    names = set(pool.listVolumes())
    for name in sorted(names):
        if name.startswith(f"base-{digest}-") and name.endswith(".img") and f"{name[:-4]}.ready" in names:
            return pool.storageVolLookupByName(name).path()
    return ""


def upload_base(conn: libvirt.virConnect, file: Path, digest: str, upload_id: str, upload: Upload) -> str:
    """Bring a file of the library to the host as a base volume and return its path; nothing remains if this raises.

    Raises OperationCancelled when `upload` is stopped, StoreError if the file cannot be read, libvirtError.
    """
    name = f"base-{digest}-{upload_id}"
    _remove_named(conn, (f"{name}.ready", f"{name}.img"))
    try:
        with file.open("rb") as opened:
            path = _upload(conn, opened, file.stat().st_size, f"{name}.img", upload)
    except OSError as error:
        raise StoreError(f"The image {file.name} cannot be read: {error.strerror}") from None
    try:
        pool = conn.storagePoolLookupByName(POOL)
        pool.createXML(_volume_xml(f"{name}.ready", 0, "raw"), 0)
    except BaseException:  # whatever ends it, no base without its mark stays
        _remove_named(conn, (f"{name}.img",))
        raise
    return path


def upload_bytes(conn: libvirt.virConnect, data: bytes, name: str) -> str:
    """A small volume with this content; an old one of the name is replaced. Returns its path."""
    return _upload(conn, io.BytesIO(data), len(data), name, Upload())


def create_overlay(
    conn: libvirt.virConnect, name: str, base: str, base_format: str, size: int, *, locked_for: str = ""
) -> str:
    """A qcow2 volume of `size` bytes over the volume at `base`; one of this name is replaced. Returns its path.

    Without `base` it is empty. `locked_for`: the instance under whose key it is encrypted (see `disk_keys`).
    """
    _remove_named(conn, (name,))
    volume = Element("volume")
    SubElement(volume, "name").text = name
    SubElement(volume, "capacity", unit="bytes").text = str(size)
    SubElement(volume, "allocation", unit="bytes").text = "0"
    target = SubElement(volume, "target")
    SubElement(target, "format", type="qcow2")
    if locked_for:
        add_encryption(target, locked_for)
        add_cipher(target)
    if base:
        backing = SubElement(volume, "backingStore")
        SubElement(backing, "path").text = base
        SubElement(backing, "format", type=base_format)
    pool = conn.storagePoolLookupByName(POOL)
    pool.refresh(0)  # libvirt looks the base's size up in what it knows
    xml = tostring(volume, encoding="unicode")
    return (_create_locked(pool, xml) if locked_for else pool.createXML(xml, 0)).path()


def _create_locked(pool: libvirt.virStoragePool, xml: str) -> libvirt.virStorageVol:
    """qemu-img measures how fast it derives keys, and gives up where the clock did not move meanwhile (fixed in QEMU
    9): then it is asked again. libvirt has removed the volume."""
    import libvirt

    for _ in range(_TRIES - 1):
        try:
            return pool.createXML(xml, 0)
        except libvirt.libvirtError as error:
            if "accurate CPU usage" not in str(error):
                raise
    return pool.createXML(xml, 0)


def overlay_name(instance_id: str) -> str:
    return f"{instance_id}.qcow2"


def encrypted_name(instance_id: str) -> str:
    """libvirt names the secret for qemu-img after the volume, and QEMU has such names begin with a letter."""
    return f"luks-{instance_id}.qcow2"


def seed_name(instance_id: str) -> str:
    return f"{instance_id}-seed.iso"


def remove_volumes(conn: libvirt.virConnect, instance_id: str) -> None:
    """Remove what belongs to one instance alone. Bases stay. None of it need be there."""
    pool = _active(conn)
    if pool is None:
        return
    pool.refresh(0)
    own = [
        name
        for name in pool.listVolumes()
        if name in (overlay_name(instance_id), encrypted_name(instance_id)) or name.startswith(f"{instance_id}-")
    ]
    _remove_named(conn, own)


def pool_path(conn: libvirt.virConnect) -> str:
    """The pool's folder, or "" where there is none."""
    pool = _active(conn)
    return (parse(pool.XMLDesc(0), "pool").findtext("target/path") or "") if pool is not None else ""


def paths(conn: libvirt.virConnect) -> frozenset[str]:
    """Paths of all volumes of all pools of the host, as they are now."""
    found: set[str] = set()
    for pool in conn.listAllStoragePools(0):
        if pool.isActive():
            pool.refresh(0)
            found.update(volume.path() for volume in pool.listAllVolumes(0))
    return frozenset(found)


def write_volume(conn: libvirt.virConnect, name: str, size: int, pieces: Pieces) -> None:
    """A volume of the pool with this content; nothing remains if this raises."""
    import libvirt

    volume = conn.storagePoolLookupByName(POOL).createXML(_volume_xml(name, size, "raw"), 0)
    stream = conn.newStream(0)
    try:
        volume.upload(stream, 0, size, 0)
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[_sent(stream.send(bytes(left))) :]
        stream.finish()
    except BaseException:  # whatever ends the upload, no half volume stays
        with suppress(libvirt.libvirtError):  # the first error is the one to tell
            stream.abort()
        with suppress(libvirt.libvirtError):
            volume.delete(0)
        raise


def remove_files(conn: libvirt.virConnect, names: Sequence[str]) -> None:
    """Remove these volumes of the pool, as far as they are there."""
    pool = _active(conn)
    if pool is not None:
        pool.refresh(0)
        _remove_named(conn, tuple(names))


def remove_uploads(conn: libvirt.virConnect, upload_id: str) -> None:
    """Remove the bases that one operation has brought and that no overlay or domain uses."""
    pool = _active(conn)
    if pool is None:
        return
    pool.refresh(0)
    names = pool.listVolumes()
    mine = [name for name in names if name.startswith("base-") and name.endswith(f"-{upload_id}.img")]
    used = "".join(pool.storageVolLookupByName(name).XMLDesc(0) for name in names if name.endswith(".qcow2"))
    if mine:
        used += "".join(domain.XMLDesc(0) for domain in conn.listAllDomains(0))
    for name in mine:
        if f"/{name}<" not in used and f"/{name}'" not in used:
            _remove_named(conn, (f"{name[:-4]}.ready", name))


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's content, hex; of one that has not changed since from memory. Raises StoreError."""
    try:
        status = file.stat()
        return _sha256(file, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise StoreError(f"The image {file.name} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=256)
def _sha256(file: Path, _size: int, _changed: int) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _active(conn: libvirt.virConnect) -> libvirt.virStoragePool | None:
    import libvirt

    try:
        pool = conn.storagePoolLookupByName(POOL)
    except libvirt.libvirtError as error:
        if error.get_error_code() in (libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_ERR_NO_SUPPORT):
            return None
        raise
    return pool if pool.isActive() else None


def _remove_named(conn: libvirt.virConnect, names: list[str] | tuple[str, ...]) -> None:
    import libvirt

    pool = conn.storagePoolLookupByName(POOL)
    for name in names:
        try:
            pool.storageVolLookupByName(name).delete(0)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise


def _upload(conn: libvirt.virConnect, file: BinaryIO, size: int, name: str, upload: Upload) -> str:
    import libvirt

    _remove_named(conn, (name,))
    volume = conn.storagePoolLookupByName(POOL).createXML(_volume_xml(name, size, "raw"), 0)
    try:
        last = _send(conn, volume, file, size, upload)
        _require_arrived(conn, volume, last, name)
    except BaseException:  # as above
        with suppress(libvirt.libvirtError):  # the first error is the one to tell
            volume.delete(0)
        raise
    return volume.path()


def _send(
    conn: libvirt.virConnect, volume: libvirt.virStorageVol, file: BinaryIO, size: int, upload: Upload
) -> tuple[int, bytes]:
    """The content, without its holes where the host can take it so; returns the last piece that is not all zeros, and
    where it lies."""
    import libvirt

    from confvm_gui.providers.libvirt.sparse_file import HoleReader

    stream = conn.newStream(0)
    sparse = True
    try:
        volume.upload(stream, 0, size, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_INVALID_ARG):
            raise
        sparse = False
        stream = conn.newStream(0)
        volume.upload(stream, 0, size, 0)
    reader = HoleReader(file, size)
    at, last = 0, (0, b"")
    try:
        while (piece := reader.next(_CHUNK)) is not None:
            data, hole = piece
            if any(data):
                last = at, data
            at += hole or len(data)
            if hole and sparse:
                stream.sendHole(hole, 0)
                upload.advance(hole)
                continue
            left = memoryview(data if not hole else bytes(hole))
            while left:
                left = left[_sent(stream.send(bytes(left))) :]
            upload.advance(hole or len(data))
        stream.finish()
    except BaseException:  # whatever ends it, the stream is not left open
        with suppress(libvirt.libvirtError):  # it may have ended with the error
            stream.abort()
        raise
    return last


def _require_arrived(
    conn: libvirt.virConnect, volume: libvirt.virStorageVol, last: tuple[int, bytes], name: str
) -> None:
    """Read the last piece back. The daemon writes in a thread behind the stream and gives up at the first error, which
    it tells with the next piece: what fails at the end it does not tell at all (libvirt up to 9.0 at least).

    Raises StoreFull.
    """
    offset, sent = last
    if not sent:
        return
    stream = conn.newStream(0)
    volume.download(stream, offset, len(sent), 0)
    found = bytearray()
    try:
        while len(found) < len(sent):
            piece = stream.recv(len(sent) - len(found))
            if isinstance(piece, int) or not piece:
                break
            found += piece
    finally:
        stream.abort()
    if found != sent:
        raise StoreFull(f"The host's disk is full, or fails: the end of {name} was not written")


def _sent(count: int) -> int:
    if count <= 0:
        raise StoreError("The host takes no more of the image; its storage may be gone")
    return count


def _usual_path(conn: libvirt.virConnect) -> str:
    uri = conn.getURI().partition("?")[0]
    if not uri.endswith("/session"):
        return SYSTEM_PATH
    if uri.partition("://")[2].partition("/")[0]:
        raise Unsupported(
            f"The console cannot know a folder of this user on the remote host; make a pool there once: "
            f"virsh pool-define-as {POOL} dir --target ~/.local/share/libvirt/images/{POOL}"
        )
    import os

    data = os.environ.get("XDG_DATA_HOME", "")
    return str((Path(data) if data else Path.home() / ".local" / "share") / "libvirt" / "images" / POOL)


def _pool_xml(path: str) -> str:
    if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise InvalidInput("pool", f"{path!r} is no folder for the image pool; give an absolute path")
    pool = Element("pool", type="dir")
    SubElement(pool, "name").text = POOL
    SubElement(SubElement(pool, "target"), "path").text = path
    return tostring(pool, encoding="unicode")


def _volume_xml(name: str, size: int, form: str) -> str:
    volume = Element("volume")
    SubElement(volume, "name").text = name
    SubElement(volume, "capacity", unit="bytes").text = str(size)
    SubElement(volume, "allocation", unit="bytes").text = "0"
    SubElement(SubElement(volume, "target"), "format", type=form)
    return tostring(volume, encoding="unicode")
