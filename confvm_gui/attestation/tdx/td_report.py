"""TD report bodies of a quote: TDX 1.0, 584 bytes, and TDX 1.5, 648 bytes (TDX DCAP, appendix A.3.2; TDX module ABI).

TEE_TCB_SVN 0 16 | MRSEAM 16 48 | MRSIGNERSEAM 64 48 | SEAMATTRIBUTES 112 8 | TDATTRIBUTES 120 8 | XFAM 128 8
MRTD 136 48 | MRCONFIGID 184 48 | MROWNER 232 48 | MROWNERCONFIG 280 48 | RTMR0..3 328 48 each | REPORTDATA 520 64
1.5 also: TEE_TCB_SVN_2 584 16 | MRSERVICETD 600 48
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader
from confvm_gui.attestation.dcap.quote import TD_REPORT_15_SIZE

DEBUG: Final = 1 << 0
"""The host may read and write the TD's memory and state."""
_TUD_RESERVED: Final = 0xFE
"""Bits 7:1, the rest of the group "TD under debug": any of them makes a TD one that is not for production."""
SEPT_VE_DISABLE: Final = 1 << 28
MIGRATABLE: Final = 1 << 29
PKS: Final = 1 << 30
KEY_LOCKER: Final = 1 << 31
PERFMON: Final = 1 << 63
_SEC_RESERVED: Final = 0xFFFFFF00 & ~(1 << 27 | SEPT_VE_DISABLE | MIGRATABLE | PKS | KEY_LOCKER)
"""Bits 26:8: reserved, zero. (27 is LASS.)"""


@dataclass(frozen=True, slots=True)
class TdReport:
    """What the TDX module says of a TD."""

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: int
    xfam: int
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    report_data: bytes
    tee_tcb_svn_2: bytes | None
    """TCB of the module after an update without restart; TDX 1.5 only."""
    mr_service_td: bytes | None
    """Digest of the service (migration) TDs that are bound to it; TDX 1.5 only."""

    @classmethod
    def parse(cls, data: bytes) -> TdReport:
        """Decode a body of 584 or 648 bytes; InvalidInput("evidence")."""
        reader = ByteReader(data, "The TD report")
        fields = (reader.take(16), reader.take(48), reader.take(48), reader.take(8))
        attributes, xfam = reader.number(8), reader.number(8)
        mr_td, config_id, owner, owner_config = (reader.take(48) for _ in range(4))
        rtmrs = (reader.take(48), reader.take(48), reader.take(48), reader.take(48))
        report_data = reader.take(64)
        is_15 = len(data) == TD_REPORT_15_SIZE
        second, service = (reader.take(16), reader.take(48)) if is_15 else (None, None)
        reader.finish()
        return cls(
            *fields,
            td_attributes=attributes,
            xfam=xfam,
            mr_td=mr_td,
            mr_config_id=config_id,
            mr_owner=owner,
            mr_owner_config=owner_config,
            rtmrs=rtmrs,
            report_data=report_data,
            tee_tcb_svn_2=second,
            mr_service_td=service,
        )

    @property
    def debug(self) -> bool:
        return bool(self.td_attributes & (DEBUG | _TUD_RESERVED))

    @property
    def reserved_attributes(self) -> int:
        """Bits of TDATTRIBUTES that must be zero and are not."""
        return self.td_attributes & _SEC_RESERVED
