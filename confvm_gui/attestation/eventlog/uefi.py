"""UEFI structures inside of events (PC Client profile, section 10.4; UEFI specification, 8.2, 10.3 and 32.4.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from confvm_gui.attestation.byte_reader import ByteReader

X509_GUID: Final = UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
_SIGNATURE_LIST: Final = struct.Struct("<16sIII")
_MAX_SIGNATURES: Final = 2048
_MAX_NODES: Final = 64


@dataclass(frozen=True, slots=True)
class UefiVariable:
    """UEFI_VARIABLE_DATA."""

    vendor: UUID
    name: str
    data: bytes

    @classmethod
    def parse(cls, event_data: bytes) -> UefiVariable:
        """Decode an event's data; InvalidInput("evidence"). Shim of some versions writes a few bytes too many."""
        reader = ByteReader(event_data, "A UEFI variable event")
        vendor = UUID(bytes_le=reader.take(16))
        characters, length = reader.number(8), reader.number(8)
        if characters > 512 or length > len(event_data):
            raise reader.error("has an impossible size")
        name = reader.take(2 * characters).decode("utf-16-le", "replace")
        return cls(vendor, name, reader.take(length))


@dataclass(frozen=True, slots=True)
class Signature:
    """EFI_SIGNATURE_DATA: an entry of PK, KEK, db or dbx."""

    kind: UUID
    owner: UUID
    data: bytes
    """A certificate, or a hash."""

    @property
    def is_certificate(self) -> bool:
        return self.kind == X509_GUID


def parse_signature_lists(data: bytes) -> tuple[Signature, ...]:
    """All entries of a signature database; InvalidInput("evidence")."""
    found: list[Signature] = []
    reader = ByteReader(data, "A signature database")
    while reader.left:
        kind, list_size, header_size, size = _SIGNATURE_LIST.unpack(reader.take(_SIGNATURE_LIST.size))
        body = list_size - _SIGNATURE_LIST.size - header_size
        if body < 0 or header_size > list_size or size < 16 or size > max(body, 16) or body % size:
            raise reader.error("has a list of an impossible size")
        reader.take(header_size)
        entries = reader.take(body)
        if len(found) + body // size > _MAX_SIGNATURES:
            raise reader.error(f"has more than {_MAX_SIGNATURES} entries")
        identifier = UUID(bytes_le=kind)
        found += [
            Signature(identifier, UUID(bytes_le=entries[at : at + 16]), entries[at + 16 : at + size])
            for at in range(0, body, size)
        ]
    return tuple(found)


def parse_authority(variable: UefiVariable) -> bytes:
    """The certificate that let an image run (EV_EFI_VARIABLE_AUTHORITY), or b"" if the event carries none.

    EFI_SIGNATURE_DATA: owner GUID, then the certificate; shim writes some without the owner.
    """
    data = variable.data
    if data[:2] == b"\x30\x82":
        return data
    return data[16:] if data[16:18] == b"\x30\x82" else b""


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """EFI_DEVICE_PATH_PROTOCOL: one node of a path."""

    type: int
    subtype: int
    data: bytes

    def __str__(self) -> str:
        """As the UEFI shell writes it, for the kinds that are seen; else `Path(type,subtype,hex)`."""
        data = self.data
        match self.type, self.subtype, len(data):
            case 1, 1, 2:
                return f"Pci({data[1]:x},{data[0]:x})"
            case 2, 1, 8:
                return _acpi(int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little"))
            case 4, 1, 38:
                return _hard_drive(data)
            case 4, 3, size if size >= 16:
                return f"VenMedia({str(UUID(bytes_le=data[:16])).upper()},{data[16:].hex()})"
            case 4, 4, size if size >= 2 and size % 2 == 0:
                return f"File({data[:-2].decode('utf-16-le', 'replace')})"
            case 4, 6, 16:
                return f"FvFile({str(UUID(bytes_le=data)).upper()})"
            case 4, 7, 16:
                return f"Fv({str(UUID(bytes_le=data)).upper()})"
            case 4, 8, 20:
                first, last = struct.unpack_from("<QQ", data, 4)
                return f"Offset({first:#x},{last:#x})"
        return f"Path({self.type},{self.subtype},{data.hex()})"


@dataclass(frozen=True, slots=True)
class ImageLoad:
    """UEFI_IMAGE_LOAD_EVENT: an application or driver that was loaded."""

    location: int
    length: int
    link_time_address: int
    path: tuple[DeviceNode, ...]

    @classmethod
    def parse(cls, event_data: bytes) -> ImageLoad:
        """Decode an event's data; InvalidInput("evidence")."""
        reader = ByteReader(event_data, "An image load event")
        location, length, address = reader.number(8), reader.number(8), reader.number(8)
        path = parse_device_path(reader.take(reader.number(8)))
        reader.finish()
        return cls(location, length, address, path)


def parse_device_path(data: bytes) -> tuple[DeviceNode, ...]:
    """Nodes up to the end node; InvalidInput("evidence")."""
    reader = ByteReader(data, "A device path")
    nodes: list[DeviceNode] = []
    while reader.left:
        kind, subtype, length = reader.number(1), reader.number(1), reader.number(2)
        if length < 4 or len(nodes) >= _MAX_NODES:
            raise reader.error("has a node of an impossible size, or too many")
        content = reader.take(length - 4)
        if kind == 0x7F and subtype == 0xFF:
            break
        nodes.append(DeviceNode(kind, subtype, content))
    return tuple(nodes)


def _acpi(identifier: int, unique: int) -> str:
    # EISA ids are compressed: three letters of five bits in the low half, the product number in the high half.
    low, product = identifier & 0xFFFF, identifier >> 16
    letters = "".join(chr(0x40 + (low >> shift & 0x1F)) for shift in (10, 5, 0))
    return f"ACPI({letters}{product:04X},{unique:x})"


def _hard_drive(data: bytes) -> str:
    number, start, size = struct.unpack_from("<IQQ", data)
    signature, form = data[20:36], data[36]
    if form == 2:
        name = f"GPT,{str(UUID(bytes_le=signature)).upper()}"
    else:
        name = f"MBR,{int.from_bytes(signature[:4], 'little'):#010x}"
    extent = f",{start:#x},{size:#x}" if number else ""
    return f"HD({number},{name}{extent})"
