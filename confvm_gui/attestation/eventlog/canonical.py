"""The canonical event log in TLV encoding (TCG Canonical Event Log format, version 1.0, section 5.1).

    record = TLV(recnum 0, u64) TLV(register: PCR 1 or CC register 108, u8 or u32) TLV(digests 3, TLV(algorithm) …)
             TLV(content type, content)        TLV = type u8, length u32, value; numbers are big-endian

Container-Optimized OS (content type 80) measures the workload: image reference, digest, arguments …
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader, require_size
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.log import MAX_EVENTS
from confvm_gui.attestation.eventlog.replay import extend

MAX_CANONICAL_SIZE: Final = 1 << 20
PCR: Final = 1
CC_REGISTER: Final = 108
COS_CONTENT: Final = 80
_WHAT: Final = "The canonical event log"
_COS_NAMES: Final = (
    "image_reference",
    "image_digest",
    "restart_policy",
    "image_id",
    "argument",
    "environment",
    "overridden_argument",
    "overridden_environment",
    "separator",
    "memory_monitor",
    "gpu_mode",
)


@dataclass(frozen=True, slots=True)
class CanonicalRecord:
    """One measured record."""

    number: int
    register_type: int
    """PCR or CC_REGISTER."""
    register: int
    digests: Mapping[HashAlgorithm, bytes]
    content_type: int
    content: bytes
    encoded: bytes
    """Type, length and content: what is measured."""

    def digest_matches(self) -> bool:
        """Whether every digest is that of the content."""
        return bool(self.digests) and all(
            digest == algorithm.digest(self.encoded) for algorithm, digest in self.digests.items()
        )

    def cos(self) -> tuple[str, str] | None:
        """Name and value of a Container-Optimized OS record; None for others. InvalidInput("evidence")."""
        if self.content_type != COS_CONTENT:
            return None
        kind, value = _tlv(ByteReader(self.content, _WHAT))
        name = _COS_NAMES[kind] if kind < len(_COS_NAMES) else f"cos_{kind}"
        return name, value.decode("utf-8", "replace")


def parse_canonical_log(data: bytes) -> tuple[CanonicalRecord, ...]:
    """Decode a whole log; InvalidInput("evidence")."""
    require_size(data, MAX_CANONICAL_SIZE, _WHAT)
    reader = ByteReader(data, _WHAT)
    records: list[CanonicalRecord] = []
    while reader.left:
        if len(records) >= MAX_EVENTS:
            raise reader.error(f"has more than {MAX_EVENTS} records")
        records.append(_record(reader, len(records)))
    return tuple(records)


def looks_canonical(data: bytes) -> bool:
    """Whether a first record begins here: number 0, then a register."""
    return data[:13] == b"\0\0\0\0\x08" + bytes(8) and len(data) > 14 and data[13] in (PCR, CC_REGISTER)


def replay_canonical(
    records: tuple[CanonicalRecord, ...], register_type: int, algorithm: HashAlgorithm
) -> dict[int, bytes]:
    """Registers from zeros after the log."""
    registers: dict[int, bytes] = {}
    for record in records:
        digest = record.digests.get(algorithm)
        if record.register_type == register_type and digest is not None:
            before = registers.get(record.register, bytes(algorithm.size))
            registers[record.register] = extend(algorithm, before, digest)
    return registers


def _record(reader: ByteReader, wanted: int) -> CanonicalRecord:
    kind, value = _tlv(reader)
    number = int.from_bytes(value, "big")
    if kind != 0 or len(value) != 8 or number != wanted:
        raise reader.error(f"does not have record {wanted} where it belongs")
    register_type, register = _tlv(reader)
    if register_type not in (PCR, CC_REGISTER) or len(register) not in (1, 4):
        raise reader.error(f"names a register of the unknown type {register_type} in record {number}")
    kind, value = _tlv(reader)
    if kind != 3:
        raise reader.error(f"has no digests in record {number}")
    inner = ByteReader(value, _WHAT)
    digests: dict[HashAlgorithm, bytes] = {}
    while inner.left:
        identifier, digest = _tlv(inner)
        algorithm = next((item for item in HashAlgorithm if item == identifier), None)
        if algorithm is None or len(digest) != algorithm.size or algorithm in digests:
            raise reader.error(f"has a digest of the unknown algorithm {identifier:#x} in record {number}")
        digests[algorithm] = digest
    start = reader.position
    content_type, content = _tlv(reader)
    return CanonicalRecord(
        number,
        register_type,
        int.from_bytes(register, "big"),
        MappingProxyType(digests),
        content_type,
        content,
        reader.data[start : reader.position],
    )


def _tlv(reader: ByteReader) -> tuple[int, bytes]:
    return reader.number(1), reader.counted(4, "big", limit=MAX_CANONICAL_SIZE)
