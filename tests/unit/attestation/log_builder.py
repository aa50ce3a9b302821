"""Makes event logs, as firmware would."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.uefi import X509_GUID

GLOBAL_VARIABLE = UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")


class LogBuilder:
    """A crypto agile log with the given banks."""

    def __init__(self, algorithms: tuple[HashAlgorithm, ...] = (HashAlgorithm.SHA256,), register: int = 0) -> None:
        self.algorithms = algorithms
        listed = b"".join(number(item, 2) + number(item.size, 2) for item in algorithms)
        data = b"Spec ID Event03\0" + bytes(4) + b"\0\2\0\2" + number(len(algorithms)) + listed + b"\0"
        self._parts = [
            number(register) + number(EventType.EV_NO_ACTION) + bytes(20) + number(len(data)) + data,
        ]

    def add(self, register: int, kind: EventType, data: bytes, measured: bytes | None = None) -> None:
        """An event whose digests are those of `measured`, else of its data."""
        content = data if measured is None else measured
        self.add_digests(register, kind, data, {item: item.digest(content) for item in self.algorithms})

    def add_digests(self, register: int, kind: EventType, data: bytes, digests: Mapping[HashAlgorithm, bytes]) -> None:
        listed = b"".join(number(item, 2) + digest for item, digest in digests.items())
        self._parts.append(number(register) + number(kind) + number(len(digests)) + listed + number(len(data)) + data)

    def to_bytes(self) -> bytes:
        return b"".join(self._parts)


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "little")


def variable(name: str, data: bytes, vendor: UUID = GLOBAL_VARIABLE) -> bytes:
    """UEFI_VARIABLE_DATA."""
    return vendor.bytes_le + number(len(name), 8) + number(len(data), 8) + name.encode("utf-16-le") + data


def signature_list(certificate: bytes) -> bytes:
    """An EFI_SIGNATURE_LIST of one certificate."""
    size = 16 + len(certificate)
    return X509_GUID.bytes_le + number(28 + size) + number(0) + number(size) + bytes(16) + certificate
