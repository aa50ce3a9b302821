"""SGX report body, 384 bytes (Intel SDM volume 3D, REPORT structure without KEYID and MAC).

CPUSVN 0x000 16 | MISCSELECT 0x010 4 | zeros 12 | ISVEXTPRODID 0x020 16 | ATTRIBUTES 0x030 16 | MRENCLAVE 0x040 32
zeros 32 | MRSIGNER 0x080 32 | zeros 32 | CONFIGID 0x0C0 64 | ISVPRODID 0x100 2 | ISVSVN 0x102 2 | CONFIGSVN 0x104 2
zeros 42 | ISVFAMILYID 0x130 16 | REPORTDATA 0x140 64
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader

ENCLAVE_REPORT_SIZE: Final = 384

_INIT: Final = 1 << 0
_DEBUG: Final = 1 << 1
_MODE64: Final = 1 << 2
_PROVISION_KEY: Final = 1 << 4


@dataclass(frozen=True, slots=True)
class EnclaveReport:
    """What the processor says of an enclave."""

    cpu_svn: bytes
    misc_select: bytes
    isv_ext_prod_id: bytes
    attributes: bytes
    """FLAGS 8, XFRM 8."""
    mr_enclave: bytes
    mr_signer: bytes
    config_id: bytes
    isv_prod_id: int
    isv_svn: int
    config_svn: int
    isv_family_id: bytes
    report_data: bytes
    reserved: bytes
    """All reserved bytes together: zeros."""

    @classmethod
    def parse(cls, data: bytes) -> EnclaveReport:
        """Decode ENCLAVE_REPORT_SIZE bytes; InvalidInput("evidence")."""
        reader = ByteReader(data, "The enclave's report")
        cpu_svn, misc_select, first = reader.take(16), reader.take(4), reader.take(12)
        ext_prod_id, attributes, mr_enclave = reader.take(16), reader.take(16), reader.take(32)
        second, mr_signer, third, config_id = reader.take(32), reader.take(32), reader.take(32), reader.take(64)
        prod_id, svn, config_svn = reader.number(2), reader.number(2), reader.number(2)
        fourth, family_id, report_data = reader.take(42), reader.take(16), reader.take(64)
        reader.finish()
        return cls(
            cpu_svn=cpu_svn,
            misc_select=misc_select,
            isv_ext_prod_id=ext_prod_id,
            attributes=attributes,
            mr_enclave=mr_enclave,
            mr_signer=mr_signer,
            config_id=config_id,
            isv_prod_id=prod_id,
            isv_svn=svn,
            config_svn=config_svn,
            isv_family_id=family_id,
            report_data=report_data,
            reserved=first + second + third + fourth,
        )

    @property
    def flags(self) -> int:
        return int.from_bytes(self.attributes[:8], "little")

    @property
    def initialised(self) -> bool:
        return bool(self.flags & _INIT)

    @property
    def debug(self) -> bool:
        """The host may read and write the enclave's memory."""
        return bool(self.flags & _DEBUG)

    @property
    def mode64(self) -> bool:
        return bool(self.flags & _MODE64)

    @property
    def provision_key(self) -> bool:
        """The enclave has access to the provisioning key."""
        return bool(self.flags & _PROVISION_KEY)
