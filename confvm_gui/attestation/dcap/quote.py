"""Quotes of versions 3, 4 and 5 (Intel SGX ECDSA quote library reference, appendix A; TDX DCAP, appendix A.3 and A.4).

    header 48: VERSION u16 | ATT_KEY_TYPE u16 | TEE_TYPE u32 | QE_SVN u16 | PCE_SVN u16 | QE_VENDOR_ID 16 | USER_DATA 20
    version 3, 4: body 384 (SGX) or 584 (TDX 1.0)        version 5: BODY_TYPE u16 | SIZE u32 | body
    SIGNATURE_LENGTH u32, then signature data:
        ECDSA signature 64 | attestation key 64 (x, y) | version 4 and 5: CERT_TYPE u16 = 6, SIZE u32
        QE report 384 | signature 64 | AUTH_SIZE u16 | auth data | CERT_TYPE u16, SIZE u32, certification data

All integers are little-endian, elliptic-curve numbers big-endian. Devices pad quotes with zeros to their buffer's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader, require_size
from confvm_gui.attestation.dcap.enclave import ENCLAVE_REPORT_SIZE
from confvm_gui.domain.errors import InvalidInput

MAX_QUOTE_SIZE: Final = 64 * 1024
HEADER_SIZE: Final = 48
INTEL_QE_VENDOR: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
ECDSA_P256: Final = 2
PCK_CHAIN: Final = 5
"""Certification data type: PEM chain of the PCK certificate."""
_QE_REPORT_DATA: Final = 6
TD_REPORT_SIZE: Final = 584
TD_REPORT_15_SIZE: Final = 648


class TeeType(IntEnum):
    SGX = 0x00
    TDX = 0x81


class BodyType(IntEnum):
    """Of a version 5 quote; versions 3 and 4 have the first two."""

    SGX = 1
    TD_10 = 2
    TD_15 = 3


BODY_SIZES: Final = {
    BodyType.SGX: ENCLAVE_REPORT_SIZE,
    BodyType.TD_10: TD_REPORT_SIZE,
    BodyType.TD_15: TD_REPORT_15_SIZE,
}


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote as it stands."""

    version: int
    key_type: int
    tee: TeeType
    qe_svn: int
    pce_svn: int
    qe_vendor: bytes
    user_data: bytes
    body_type: BodyType
    body: bytes
    signed: bytes
    """Header and body: what the attestation key signs."""
    signature: bytes
    """r and s, 32 bytes each, big-endian."""
    attestation_key: bytes
    """x and y, 32 bytes each, big-endian."""
    qe_report: bytes
    qe_signature: bytes
    qe_auth: bytes
    certification_type: int
    certification: bytes

    @classmethod
    def parse(cls, data: bytes) -> Quote:
        """Decode a quote; InvalidInput("evidence"). Zeros behind it are ignored."""
        require_size(data, MAX_QUOTE_SIZE, "A quote")
        reader = ByteReader(data, "The quote")
        version = reader.number(2)
        if version not in (3, 4, 5):
            raise InvalidInput("evidence", f"The quote has version {version}; 3, 4 and 5 are known")
        key_type = reader.number(2)
        tee_type = reader.number(4)
        if tee_type not in (TeeType.SGX, TeeType.TDX) or (version == 3 and tee_type):
            raise InvalidInput("evidence", f"The quote names the unknown TEE type {tee_type:#x}")
        tee = TeeType(tee_type)
        qe_svn, pce_svn = reader.number(2), reader.number(2)
        vendor, user_data = reader.take(16), reader.take(20)
        body_type = BodyType.SGX if tee is TeeType.SGX else BodyType.TD_10
        if version == 5:
            named, size = reader.number(2), reader.number(4)
            if named not in BODY_SIZES or BODY_SIZES[BodyType(named)] != size:
                raise InvalidInput("evidence", f"The quote has a body of the unknown type {named} and {size} bytes")
            body_type = BodyType(named)
            if (body_type is BodyType.SGX) != (tee is TeeType.SGX):
                raise InvalidInput("evidence", "The quote's body is not of the TEE that its header names")
        body = reader.take(BODY_SIZES[body_type])
        signed = data[: reader.position]
        inner = ByteReader(reader.counted(4, limit=MAX_QUOTE_SIZE), "The quote's signature data")
        if any(reader.rest()):
            raise InvalidInput("evidence", "The quote is followed by bytes that are not zero")
        signature, key = inner.take(64), inner.take(64)
        if version >= 4:
            wrapper = inner.number(2)
            if wrapper != _QE_REPORT_DATA:
                raise InvalidInput("evidence", f"The quote's certification data has the unknown type {wrapper}")
            outer, inner = inner, ByteReader(inner.counted(4), "The quote's QE certification data")
            outer.finish()
        qe_report, qe_signature = inner.take(ENCLAVE_REPORT_SIZE), inner.take(64)
        qe_auth = inner.counted(2)
        certification_type = inner.number(2)
        certification = inner.counted(4)
        inner.finish()
        return cls(
            version=version,
            key_type=key_type,
            tee=tee,
            qe_svn=qe_svn,
            pce_svn=pce_svn,
            qe_vendor=vendor,
            user_data=user_data,
            body_type=body_type,
            body=body,
            signed=signed,
            signature=signature,
            attestation_key=key,
            qe_report=qe_report,
            qe_signature=qe_signature,
            qe_auth=qe_auth,
            certification_type=certification_type,
            certification=certification,
        )


def looks_like_quote(data: bytes) -> bool:
    """Whether a quote's header begins here: version, key type, TEE type, and the size that it takes at least."""
    if len(data) < HEADER_SIZE + ENCLAVE_REPORT_SIZE:
        return False
    version, key_type = data[0] | data[1] << 8, data[2] | data[3] << 8
    return version in (3, 4, 5) and key_type in (2, 3) and data[4:8] in (b"\0\0\0\0", b"\x81\0\0\0")
