"""TPM 2.0 structures as bytes (TPM 2.0 library, part 2, sections 10 to 12). All numbers are big-endian.

TPMS_ATTEST       magic u32 | type u16 | qualifiedSigner 2B | extraData 2B | clockInfo | firmwareVersion u64 | quote
TPMS_CLOCK_INFO   clock u64 | resetCount u32 | restartCount u32 | safe u8
TPMS_QUOTE_INFO   TPML_PCR_SELECTION | pcrDigest 2B
TPMT_PUBLIC       type u16 | nameAlg u16 | objectAttributes u32 | authPolicy 2B | parameters | unique
TPMT_SIGNATURE    sigAlg u16 | hash u16 | r 2B | s 2B
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Final

from confvm_gui.engine.vtpm.pcr_banks import Bank

_GENERATED: Final = 0xFF544347
_ATTEST_QUOTE: Final = 0x8018
_ALG_SHA256: Final = 0x000B
_ALG_NULL: Final = 0x0010
_ALG_ECDSA: Final = 0x0018
_ALG_ECC: Final = 0x0023
_NIST_P256: Final = 0x0003
_RH_ENDORSEMENT: Final = 0x4000000B
_PCR_SELECT_SIZE: Final = 3
"""Bytes: 24 PCRs."""

_FIXED_TPM: Final = 1 << 1
_FIXED_PARENT: Final = 1 << 4
_SENSITIVE_DATA_ORIGIN: Final = 1 << 5
_USER_WITH_AUTH: Final = 1 << 6
_RESTRICTED: Final = 1 << 16
_SIGN: Final = 1 << 18
_AK_ATTRIBUTES: Final = _FIXED_TPM | _FIXED_PARENT | _SENSITIVE_DATA_ORIGIN | _USER_WITH_AUTH | _RESTRICTED | _SIGN
"""A key that was made in its TPM, never leaves it, and signs nothing but what the TPM says itself."""


def sized(data: bytes) -> bytes:
    """A TPM2B: the size in 16 bits, then the bytes."""
    return struct.pack(">H", len(data)) + data


def ak_public(x: int, y: int) -> bytes:
    """TPMT_PUBLIC of an attestation key on P-256 that signs with ECDSA over SHA-256."""
    head = struct.pack(">HHI", _ALG_ECC, _ALG_SHA256, _AK_ATTRIBUTES) + sized(b"")
    parameters = struct.pack(">HHHHH", _ALG_NULL, _ALG_ECDSA, _ALG_SHA256, _NIST_P256, _ALG_NULL)
    return head + parameters + sized(x.to_bytes(32, "big")) + sized(y.to_bytes(32, "big"))


def qualified_name(public: bytes) -> bytes:
    """TPM2B_NAME's content for a primary key of the endorsement hierarchy (part 1, section 26.5).

    The hierarchy's name is its handle, and nothing stands between it and the key.
    """
    algorithm = struct.pack(">H", _ALG_SHA256)
    name = algorithm + hashlib.sha256(public).digest()
    return algorithm + hashlib.sha256(struct.pack(">I", _RH_ENDORSEMENT) + name).digest()


def ecdsa_signature(r: int, s: int) -> bytes:
    """TPMT_SIGNATURE of ECDSA on P-256 over SHA-256."""
    return struct.pack(">HH", _ALG_ECDSA, _ALG_SHA256) + sized(r.to_bytes(32, "big")) + sized(s.to_bytes(32, "big"))


def pcr_selection(banks: Sequence[Bank], pcrs: Sequence[int]) -> bytes:
    """TPML_PCR_SELECTION: the same PCRs in each of `banks`."""
    bits = sum(1 << pcr for pcr in set(pcrs)).to_bytes(_PCR_SELECT_SIZE, "little")
    listed = b"".join(struct.pack(">HB", bank, _PCR_SELECT_SIZE) + bits for bank in banks)
    return struct.pack(">I", len(banks)) + listed


def quote_attest(
    *, signer: bytes, nonce: bytes, clock_ms: int, resets: int, firmware: int, selection: bytes, digest: bytes
) -> bytes:
    """TPMS_ATTEST of a quote. `signer` is a qualified name; the clock was never set back."""
    clock_info = struct.pack(">QIIB", clock_ms, resets, 0, 1)
    return (
        struct.pack(">IH", _GENERATED, _ATTEST_QUOTE)
        + sized(signer)
        + sized(nonce)
        + clock_info
        + struct.pack(">Q", firmware)
        + selection
        + sized(digest)
    )
