"""Attestation documents (AWS Nitro Enclaves user guide, "Verifying the root of trust"; EC2 user guide, "NitroTPM
attestation document"):

    COSE_Sign1 (RFC 9052, section 4.2): [protected bstr {1: -35}, unprotected {}, payload bstr, signature bstr 96]
    payload: { module_id text, timestamp uint (ms), digest "SHA384", pcrs | nitrotpm_pcrs { index: bytes },
               certificate bytes, cabundle [bytes], public_key, user_data, nonce: bytes or null }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from confvm_gui.attestation.nitro.cbor import Cbor, decode, encode_head
from confvm_gui.domain.errors import InvalidInput

ES384: Final = -35
_WHAT: Final = "The attestation document"
_PCR_SIZES: Final = (32, 48, 64)
_LAST_TIME: Final = 253_402_300_800_000
"""The year 10,000, in milliseconds."""
_LIMITS: Final = {"public_key": 16384, "user_data": 16384, "nonce": 16384}


@dataclass(frozen=True, slots=True)
class NitroDocument:
    """A document as it stands."""

    module_id: str
    timestamp: int
    """Milliseconds since the epoch, UTC."""
    digest: str
    pcrs: Mapping[int, bytes]
    nitro_tpm: bool
    """PCRs of a NitroTPM, not of an enclave."""
    certificate: bytes
    """DER, of the key that signed."""
    bundle: tuple[bytes, ...]
    """DER, root first."""
    public_key: bytes | None
    user_data: bytes | None
    nonce: bytes | None
    algorithm: int
    """COSE algorithm; ES384."""
    signature: bytes
    """r and s, 48 bytes each."""
    signed: bytes
    """Sig_structure of RFC 9052, section 4.4."""

    @classmethod
    def parse(cls, data: bytes) -> NitroDocument:
        """Decode a document, with or without COSE_Sign1's tag 18; InvalidInput("evidence")."""
        outer = decode(data, _WHAT)
        if not isinstance(outer, list) or len(outer) != 4:
            raise _malformed("is no COSE_Sign1 structure of four parts")
        protected, unprotected, payload, signature = outer
        if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
            raise _malformed("has a header, payload or signature that is no byte string")
        header = decode(protected, "The document's protected header")
        if not isinstance(header, dict) or unprotected not in ({}, b""):
            raise _malformed("has a malformed header, or headers that are not protected")
        algorithm = header.get(1)
        fields = decode(payload, "The document's payload")
        if not isinstance(algorithm, int) or not isinstance(fields, dict):
            raise _malformed("names no algorithm, or its payload is no map")
        return _document(fields, algorithm, signature, _to_be_signed(protected, payload))


def looks_like_nitro(data: bytes) -> bool:
    """Whether a COSE_Sign1 with ES384 begins here, tagged or not."""
    start = 1 if data[:1] == b"\xd2" else 0
    return data[start : start + 6] == b"\x84\x44\xa1\x01\x38\x22"


def _document(fields: dict[int | str, Cbor], algorithm: int, signature: bytes, signed: bytes) -> NitroDocument:
    nitro_tpm = "nitrotpm_pcrs" in fields
    pcrs = fields.get("nitrotpm_pcrs" if nitro_tpm else "pcrs")
    module_id, timestamp, digest = fields.get("module_id"), fields.get("timestamp"), fields.get("digest")
    certificate, bundle = fields.get("certificate"), fields.get("cabundle")
    if not isinstance(module_id, str) or not 0 < len(module_id) <= 256:
        raise _malformed("lacks `module_id`, or it is no short text")
    if not isinstance(timestamp, int) or isinstance(timestamp, bool) or not 0 < timestamp < _LAST_TIME:
        raise _malformed("lacks `timestamp`, or it is no time")
    if digest != "SHA384":
        raise _malformed("lacks `digest`, or it is not SHA384")
    if not isinstance(certificate, bytes):
        raise _malformed("lacks `certificate`")
    if not isinstance(bundle, list) or not 1 <= len(bundle) <= 16:
        raise _malformed("lacks `cabundle`, or it has not 1 to 16 certificates")
    authorities = tuple(item for item in bundle if isinstance(item, bytes))
    if len(authorities) != len(bundle):
        raise _malformed("has a `cabundle` of something else than certificates")
    return NitroDocument(
        module_id=module_id,
        timestamp=timestamp,
        digest=digest,
        pcrs=_pcrs(pcrs),
        nitro_tpm=nitro_tpm,
        certificate=certificate,
        bundle=authorities,
        public_key=_optional(fields, "public_key"),
        user_data=_optional(fields, "user_data"),
        nonce=_optional(fields, "nonce"),
        algorithm=algorithm,
        signature=signature,
        signed=signed,
    )


def _pcrs(value: Cbor) -> Mapping[int, bytes]:
    if not isinstance(value, dict) or not 1 <= len(value) <= 32:
        raise _malformed("lacks `pcrs`, or it has not 1 to 32 of them")
    found: dict[int, bytes] = {}
    for index, digest in value.items():
        if not isinstance(index, int) or not 0 <= index < 32:
            raise _malformed("has a PCR with an impossible number")
        if not isinstance(digest, bytes) or len(digest) not in _PCR_SIZES:
            raise _malformed(f"has a PCR {index} of an impossible size")
        found[index] = digest
    return MappingProxyType(found)


def _optional(fields: dict[int | str, Cbor], name: str) -> bytes | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, bytes) or len(value) > _LIMITS[name]:
        raise _malformed(f"has a `{name}` that is no byte string, or too long")
    return value


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """["Signature1", protected, external_aad, payload]"""
    return (
        encode_head(4, 4)
        + encode_head(3, 10)
        + b"Signature1"
        + encode_head(2, len(protected))
        + protected
        + encode_head(2, 0)
        + encode_head(2, len(payload))
        + payload
    )


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("evidence", f"{_WHAT} {problem}")
