"""The report of Azure's Host Compatibility Layer, in NV index 0x01400001 of the vTPM.

    0x000 "HCLA" | 0x004 VERSION u32 (1, 2) | 0x008 REPORT_SIZE u32 | 0x00C REQUEST_TYPE u32 | zeros to 0x020
    0x020 hardware report 0x4A0: SNP attestation report, or TDREPORT (0x400)
    0x4C0 DATA_SIZE u32 | VERSION u32 | REPORT_TYPE u32 (2 SNP, 4 TDX) | HASH_TYPE u32 (1 SHA-256) | CONTENT_LENGTH u32
    0x4D4 runtime data, JSON {"keys": [HCLAkPub, HCLEkPub], "vm-configuration", "user-data"}

The first 32 bytes of the hardware report's report data are the SHA-256 of the runtime data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader, require_size
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.snp_report import SNP_REPORT_SIZE

MAX_HCL_SIZE: Final = 64 * 1024
_SIGNATURE: Final = b"HCLA"
_TDREPORT_DATA: Final = 128
"""Offset of REPORTDATA in a TDREPORT (its REPORTMACSTRUCT)."""


class HardwareType(IntEnum):
    SNP = 2
    TDX = 4


class HashType(IntEnum):
    SHA256 = 1
    SHA384 = 2
    SHA512 = 3


@dataclass(frozen=True, slots=True)
class HclReport:
    """A report as it stands."""

    version: int
    type: HardwareType
    hardware: bytes
    """0x4A0 bytes: an SNP report, or a TDREPORT and zeros."""
    hash: HashType
    runtime_data: bytes
    """JSON."""

    @classmethod
    def parse(cls, data: bytes) -> HclReport:
        """Decode a report, padded or not; InvalidInput("evidence")."""
        require_size(data, MAX_HCL_SIZE, "The HCL report")
        reader = ByteReader(data, "The HCL report")
        if reader.take(4) != _SIGNATURE:
            raise reader.error("does not begin with HCLA")
        version = reader.number(4)
        if version not in (1, 2):
            raise reader.error(f"has version {version}; 1 and 2 are known")
        reader.take(24)  # size, request type, reserved
        hardware = reader.take(SNP_REPORT_SIZE)
        reader.take(8)  # data size, version
        kind, hash_type = reader.number(4), reader.number(4)
        if kind not in HardwareType.__members__.values() or hash_type not in HashType.__members__.values():
            raise reader.error(f"is over the unknown hardware {kind}, or hashed by the unknown algorithm {hash_type}")
        content = reader.counted(4, limit=MAX_HCL_SIZE)
        if any(reader.rest()):
            raise InvalidInput("evidence", "The HCL report is followed by bytes that are not zero")
        return cls(version, HardwareType(kind), hardware, HashType(hash_type), content)

    def bound(self) -> bytes:
        """What the hardware's report data must begin with: the hash of the runtime data."""
        name = {HashType.SHA256: "sha256", HashType.SHA384: "sha384", HashType.SHA512: "sha512"}[self.hash]
        return hashlib.new(name, self.runtime_data).digest()

    def td_report_data(self) -> bytes:
        """REPORTDATA of the TDREPORT, 64 bytes. The TDREPORT itself is authentic on its own platform only."""
        return self.hardware[_TDREPORT_DATA : _TDREPORT_DATA + 64]

    def json(self) -> JsonReader:
        """The runtime data; InvalidInput("evidence")."""
        return JsonReader(parse_object(self.runtime_data, "The runtime data"), "The runtime data")

    def key(self, name: str) -> JsonReader:
        """The JSON Web Key with this id (`HCLAkPub`); InvalidInput("evidence") if there is none."""
        for key in self.json().members("keys", 16):
            if key.value.get("kid") == name:
                return key
        raise InvalidInput("evidence", f"The HCL report has no key {name}")


def looks_like_hcl(data: bytes) -> bool:
    return data[:4] == _SIGNATURE
