"""What a disk image is, told by its content; never by its name.

qcow2: QEMU, docs/interop/qcow2.txt (header, header extensions, incompatible features). Only its beginning is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.images import ImageKind

HEAD: Final = 64 << 10
"""Bytes of the beginning that are enough to tell."""
LARGEST_DISK: Final = 64 << 40
"""Bytes of the largest disk that is taken."""
_MOST_L1: Final = 32 << 20 >> 3
"""Entries; QEMU's own limit."""
_QCOW: Final = b"QFI\xfb"
_EXTERNAL_DATA: Final = 1 << 2
_CORRUPT: Final = 1 << 1
_KNOWN_INCOMPATIBLE: Final = 0x1F
_DATA_FILE: Final = 0x44415441
_ENCRYPTION: Final = 0x0537BE77
_OTHERS: Final = (
    (0, b"KDMV", "a VMDK"),
    (0, b"# Disk DescriptorFile", "a VMDK"),
    (0, b"vhdxfile", "a VHDX"),
    (0, b"conectix", "a VHD"),
    (0, b"QED\0", "a QED image"),
    (0x40, b"\x7f\x10\xda\xbe", "a VDI"),
    (0, b"LUKS\xba\xbe", "a LUKS volume"),
    (0, b"\xfd7zXZ\0", "compressed by xz; unpack it first"),
    (0, b"\x1f\x8b", "compressed by gzip; unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"),
    (0, b"BZh", "compressed by bzip2; unpack it first"),
    (0, b"PK\x03\x04", "a zip file; unpack it first"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"<html", "a web page"),
)


@dataclass(frozen=True, slots=True)
class DiskFormat:
    kind: ImageKind
    virtual_size: int
    """Bytes of the disk that the guest sees."""


def recognise_disk(head: bytes, size: int) -> DiskFormat:
    """The format of a file of `size` bytes that begins with `head` (HEAD bytes, or all of it).

    Raises InvalidInput("image") for what cannot be booted from, or what leads to other files.
    """
    if size <= 0 or not head:
        raise _refused("it is empty")
    if head.startswith(_QCOW):
        return _qcow2(head)
    for at, magic, what in _OTHERS:
        if head.startswith(magic, at):
            raise _refused(f"it is {what}; qcow2 and raw images are taken")
    if size > LARGEST_DISK:
        raise _refused("its disk is too large")
    if size % 512:
        raise _refused("it is no qcow2, and no raw disk either: its size is not a multiple of 512 bytes")
    return DiskFormat(ImageKind.RAW, size)


def _qcow2(head: bytes) -> DiskFormat:
    if len(head) < 72:
        raise _refused("its qcow2 header is cut short")
    version, backing, backing_size, cluster_bits, virtual, crypt, l1_size, _, _, _, _, _ = struct.unpack_from(
        ">IQIIQIIQQIIQ", head, 4
    )
    if version not in (2, 3):
        raise _refused(f"its qcow version {version} is not 2 or 3")
    if backing or backing_size:
        raise _refused("it has a backing file; flatten it first (qemu-img convert)")
    if crypt:
        raise _refused("it is encrypted")
    if not 9 <= cluster_bits <= 21:
        raise _refused("its cluster size is impossible")
    if not 0 < virtual <= LARGEST_DISK:
        raise _refused("the size of its disk is zero or too large")
    # One L2 table is a cluster of 8-byte entries (16 bytes when extended), each for a cluster.
    if l1_size > _MOST_L1 or l1_size << (2 * cluster_bits - 3) < virtual >> 1:
        raise _refused("its table of clusters does not fit its size")
    length = 72
    if version == 3:
        if len(head) < 104:
            raise _refused("its qcow2 header is cut short")
        (features,) = struct.unpack_from(">Q", head, 72)
        order, length = struct.unpack_from(">II", head, 96)
        if features & _EXTERNAL_DATA:
            raise _refused("its data are in another file")
        if features & _CORRUPT:
            raise _refused("it is marked as damaged")
        if features & ~_KNOWN_INCOMPATIBLE or order > 6 or not 104 <= length <= min(1 << cluster_bits, HEAD):
            raise _refused("its qcow2 header has features that are not known")
    _check_extensions(head, length, min(1 << cluster_bits, len(head)))
    return DiskFormat(ImageKind.QCOW2, virtual)


def _check_extensions(head: bytes, at: int, end: int) -> None:
    while at + 8 <= end:
        kind, length = struct.unpack_from(">II", head, at)
        if kind == 0:
            return
        if kind == _DATA_FILE:
            raise _refused("its data are in another file")
        if kind == _ENCRYPTION:
            raise _refused("it is encrypted")
        at += 8 + (length + 7 & ~7)
        if at > end:
            raise _refused("its qcow2 header is cut short")


def _refused(why: str) -> InvalidInput:
    return InvalidInput("image", f"The image is not taken: {why}")
