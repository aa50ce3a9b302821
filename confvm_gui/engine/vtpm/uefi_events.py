"""UEFI structures inside of events (PC Client profile, section 10.4; UEFI specification, 8.2, 10.3 and 32.4.1)."""

from __future__ import annotations

import struct
from typing import Final
from uuid import UUID

GLOBAL_VARIABLE: Final = UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY_DATABASE: Final = UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
_X509: Final = UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
_SHA256: Final = UUID("c1c41626-504c-4092-aca9-41f936934328")
_OWNER: Final = UUID("0f2e1b7c-6a35-4d0e-9c58-6d0a5b2f7e41")
"""SignatureOwner: the emulated firmware."""

_MEDIA: Final = 4
_FILE_PATH: Final = 4
_END: Final = b"\x7f\xff\x04\x00"


def variable(name: str, data: bytes, vendor: UUID = GLOBAL_VARIABLE) -> bytes:
    """UEFI_VARIABLE_DATA."""
    return vendor.bytes_le + struct.pack("<QQ", len(name), len(data)) + name.encode("utf-16-le") + data


def certificate_entry(certificate: bytes) -> bytes:
    """EFI_SIGNATURE_DATA of a DER certificate: what an authority event holds."""
    return _OWNER.bytes_le + certificate


def certificate_list(certificate: bytes) -> bytes:
    """EFI_SIGNATURE_LIST of one DER certificate."""
    return _signature_list(_X509, certificate)


def digest_list(sha256: bytes) -> bytes:
    """EFI_SIGNATURE_LIST of one image's SHA-256."""
    return _signature_list(_SHA256, sha256)


def image_load(file_name: str, address: int, length: int) -> bytes:
    """UEFI_IMAGE_LOAD_EVENT of a file's image at `address` (GPA), with the file's name as its device path."""
    name = f"\\{file_name}\0".encode("utf-16-le")
    path = struct.pack("<BBH", _MEDIA, _FILE_PATH, 4 + len(name)) + name + _END
    return struct.pack("<QQQQ", address, length, 0, len(path)) + path


def _signature_list(kind: UUID, content: bytes) -> bytes:
    size = 16 + len(content)
    return kind.bytes_le + struct.pack("<III", 28 + size, 0, size) + _OWNER.bytes_le + content
