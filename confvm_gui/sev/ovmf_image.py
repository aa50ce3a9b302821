"""What an OVMF image says of itself to whoever launches it: the footer's GUID table and the SEV metadata.

Not AMD's but edk2's format (OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm and X64/OvmfSevMetadata.asm). The table ends
32 bytes before the end of the image and is read backwards; each entry is `data || u16 length || GUID`, the length being
that of the whole entry, and the first one met, the footer's own, gives the length of the table:

    ... | entry | entry | u16 length of the table | footer GUID | 32 bytes of reset vector

The SEV metadata lie where a table entry says, as an offset from the end of the image:

    "ASEV" | u32 size | u32 version = 1 | u32 count | count x { u32 GPA, u32 size, u32 type }

An image without a footer is taken too: plain SEV measures any bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from confvm_gui.sev.errors import InvalidInput

FOOTER_GUID: Final = UUID("96b582de-1fb2-45f7-baea-a366c55a082d")
SEV_ES_RESET_BLOCK_GUID: Final = UUID("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
SEV_HASH_TABLE_GUID: Final = UUID("7255371f-3a3b-4b04-927b-1da6efa8d454")
SEV_SECRET_GUID: Final = UUID("4c2eb361-7d9b-4cc3-8081-127c90d3d294")
SEV_METADATA_GUID: Final = UUID("dc886566-984a-4798-a75e-5585a7bf67cc")
TDX_METADATA_GUID: Final = UUID("e47a6535-984a-4798-865e-4685a7bf8ec2")
SVSM_INFO_GUID: Final = UUID("a789a612-0597-4c4b-a49f-cbb1fe9d1ddd")

FOUR_GIB: Final = 1 << 32
MAXIMUM_IMAGE: Final = 64 << 20
"""Bytes; images are 2 to 16 MiB."""
MAXIMUM_SECTIONS: Final = 64
MAXIMUM_SECTION_PAGES: Final = 1 << 14
"""Pages of all sections together (64 MiB); OVMF's own take less than 64."""

_PAGE: Final = 4096
_RESET_VECTOR: Final = 32
_ENTRY: Final = struct.Struct("<H16s")
_METADATA: Final = struct.Struct("<4sIII")
_SECTION: Final = struct.Struct("<III")


class SectionType(IntEnum):
    """What a section of the SEV metadata is for."""

    SNP_SEC_MEM = 1
    SNP_SECRETS = 2
    CPUID = 3
    SVSM_CAA = 4
    SNP_KERNEL_HASHES = 0x10


class Section(NamedTuple):
    """A range of guest memory that is made ready before launch; whole pages."""

    gpa: int
    size: int
    type: SectionType


class Area(NamedTuple):
    """A range of guest memory that the firmware reserves."""

    gpa: int
    size: int


class OvmfImage:
    """A firmware image, with what its footer says. Immutable."""

    __slots__ = ("data", "sections", "table")

    def __init__(self, data: bytes, table: Mapping[UUID, bytes], sections: tuple[Section, ...]) -> None:
        self.data = data
        self.table = table
        """Content of each entry of the GUID table; empty for an image without one."""
        self.sections = sections
        """SEV metadata, in the order of the image, which is the order in which they are measured."""

    @classmethod
    def parse(cls, data: bytes) -> OvmfImage:
        """Read an image; InvalidInput("ovmf") for a damaged footer, damaged metadata or a size that no firmware has."""
        if not 0 < len(data) <= MAXIMUM_IMAGE:
            raise InvalidInput(
                "ovmf", f"A firmware image has 1 byte to {MAXIMUM_IMAGE >> 20} MiB, but {len(data)} bytes were given"
            )
        table = _footer_table(data)
        return cls(data, MappingProxyType(table), _sections(data, table))

    @property
    def gpa(self) -> int:
        """Where the image starts: it ends at 4 GiB."""
        return FOUR_GIB - len(self.data)

    @property
    def reset_eip(self) -> int | None:
        """Where application processors start under SEV-ES and SNP, or None if the image does not say."""
        entry = self.table.get(SEV_ES_RESET_BLOCK_GUID)
        return None if entry is None or len(entry) < 4 else int.from_bytes(entry[:4], "little")

    @property
    def hash_table_area(self) -> Area | None:
        """Where the kernel hashes go, or None if the image does not measure kernel, initrd and command line."""
        return self._area(SEV_HASH_TABLE_GUID)

    @property
    def secret_area(self) -> Area | None:
        """Where LAUNCH_SECRET puts the secret table, or None if the image takes none."""
        return self._area(SEV_SECRET_GUID)

    def has_section(self, section_type: SectionType) -> bool:
        return any(section.type is section_type for section in self.sections)

    def _area(self, guid: UUID) -> Area | None:
        entry = self.table.get(guid)
        if entry is None or len(entry) < 8:
            return None
        area = Area(int.from_bytes(entry[:4], "little"), int.from_bytes(entry[4:8], "little"))
        return area if area.gpa else None  # an address of zero says that it is not supported


def _footer_table(data: bytes) -> dict[UUID, bytes]:
    position = len(data) - _RESET_VECTOR - _ENTRY.size
    if position < 0:
        return {}
    length, guid = _ENTRY.unpack_from(data, position)
    if guid != FOOTER_GUID.bytes_le:
        return {}
    start = position + _ENTRY.size - length
    if length < _ENTRY.size or start < 0:
        raise InvalidInput("ovmf", f"The firmware's GUID table claims {length} bytes, which the image does not have")
    table: dict[UUID, bytes] = {}
    while position - start >= _ENTRY.size:
        length, raw = _ENTRY.unpack_from(data, position - _ENTRY.size)
        if not _ENTRY.size <= length <= position - start:
            raise InvalidInput("ovmf", f"An entry of the firmware's GUID table has an impossible length of {length}")
        key = UUID(bytes_le=raw)
        if key in table:
            raise InvalidInput("ovmf", f"The firmware's GUID table has two entries {key}; which one counts is unknown")
        table[key] = bytes(data[position - length : position - _ENTRY.size])
        position -= length
    return table


def _sections(data: bytes, table: Mapping[UUID, bytes]) -> tuple[Section, ...]:
    entry = table.get(SEV_METADATA_GUID)
    if entry is None:
        return ()
    start = len(data) - int.from_bytes(entry[:4], "little")
    if len(entry) < 4 or not 0 <= start <= len(data) - _METADATA.size:
        raise InvalidInput("ovmf", "The firmware's SEV metadata lie outside of the image")
    magic, size, version, count = _METADATA.unpack_from(data, start)
    if magic != b"ASEV" or version != 1:
        raise InvalidInput("ovmf", "The firmware's SEV metadata do not start as version 1 does; is the image damaged?")
    if count > MAXIMUM_SECTIONS:
        raise InvalidInput("ovmf", f"The firmware lists {count} SEV sections; at most {MAXIMUM_SECTIONS} are taken")
    if size < _METADATA.size + count * _SECTION.size or start + size > len(data):
        raise InvalidInput("ovmf", f"The firmware's SEV metadata have {size} bytes, too few or too many for {count}")
    found = []
    pages = 0
    for index in range(count):
        gpa, length, number = _SECTION.unpack_from(data, start + _METADATA.size + index * _SECTION.size)
        try:
            section = Section(gpa, length, SectionType(number))
        except ValueError:
            raise InvalidInput("ovmf", f"The firmware's SEV section {index} has the unknown type {number}") from None
        if gpa % _PAGE or length % _PAGE or gpa + length > FOUR_GIB:
            raise InvalidInput(
                "ovmf", f"The firmware's SEV section {index}, {length:#x} bytes at {gpa:#x}, is not of whole pages"
            )
        if section.type in _SINGLE_PAGE and length != _PAGE:
            raise InvalidInput(
                "ovmf", f"The firmware's {section.type.name} section is of {length:#x} bytes, not one page"
            )
        pages += length // _PAGE
        found.append(section)
    if pages > MAXIMUM_SECTION_PAGES:
        raise InvalidInput("ovmf", f"The firmware's SEV sections have {pages} pages; {MAXIMUM_SECTION_PAGES} are taken")
    return tuple(found)


_SINGLE_PAGE: Final = frozenset({SectionType.SNP_SECRETS, SectionType.CPUID, SectionType.SNP_KERNEL_HASHES})
