"""SEV certificates: OCA, CEK, PEK, PDH and the guest owner's DH certificate (55766, appendix C).

2084 (0x824) bytes:

    0x000 VERSION 4 | 0x004 API_MAJOR 1 | 0x005 API_MINOR 1 | 0x006 zeros 2 | 0x008 PUBKEY_USAGE 4
    0x00C PUBKEY_ALGO 4 | 0x010 PUBKEY 0x404 | 0x414 SIG1_USAGE 4 | 0x418 SIG1_ALGO 4 | 0x41C SIG1 512
    0x61C SIG2_USAGE 4 | 0x620 SIG2_ALGO 4 | 0x624 SIG2 512

Signed are the bytes before SIG1_USAGE. A PEK has two signatures, of the OCA and of the CEK, in either order.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.ecc_format import PUBLIC_KEY_SIZE, decode_public_key, encode_public_key
from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.signature import SIGNATURE_SIZE, PrivateKey, PublicKey, rsa_public_key, sign, verify

SEV_CERTIFICATE_SIZE: Final = 0x824

_BODY: Final = struct.Struct(f"<IBBHII{PUBLIC_KEY_SIZE}s")
_SLOT: Final = struct.Struct(f"<II{SIGNATURE_SIZE}s")
_RSA_FIELD: Final = 512
"""Bytes of PUB_EXP and of MODULUS in an RSA public key field, behind MODULUS_SIZE (section C.3.1)."""


@dataclass(frozen=True, slots=True)
class SignatureSlot:
    """SIG1 or SIG2."""

    usage: Usage = Usage.INVALID
    """Usage of the signing key; INVALID: the slot is empty."""
    algorithm: Algorithm = Algorithm.INVALID
    raw: bytes = bytes(SIGNATURE_SIZE)


@dataclass(frozen=True, slots=True)
class SevCertificate:
    """A certificate in SEV's own format."""

    usage: Usage
    algorithm: Algorithm
    public_key_field: bytes
    """PUBKEY, 0x404 bytes as they stand."""
    api_major: int = 0
    """Version of the API that made the certificate; not used in validation."""
    api_minor: int = 0
    signatures: tuple[SignatureSlot, SignatureSlot] = (SignatureSlot(), SignatureSlot())

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode SEV_CERTIFICATE_SIZE bytes; InvalidInput("certificate").

        Checks the form only. The key is decoded, and so checked, by `public_key`.
        """
        require_length(data, SEV_CERTIFICATE_SIZE, "certificate", "A SEV certificate")
        version, api_major, api_minor, reserved, usage, algorithm, public_key = _BODY.unpack_from(data)
        if version != 1:
            raise InvalidInput("certificate", f"The SEV certificate has version {version}; only 1 is known")
        if reserved:
            raise InvalidInput("certificate", "Reserved bytes of the SEV certificate are not zero")
        first, second = (
            SignatureSlot(_usage(slot_usage), _algorithm(slot_algorithm), raw)
            for slot_usage, slot_algorithm, raw in _SLOT.iter_unpack(data[_BODY.size :])
        )
        return cls(
            usage=_usage(usage),
            algorithm=_algorithm(algorithm),
            public_key_field=public_key,
            api_major=api_major,
            api_minor=api_minor,
            signatures=(first, second),
        )

    @classmethod
    def unsigned(
        cls,
        usage: Usage,
        key: ec.EllipticCurvePublicKey,
        *,
        algorithm: Algorithm,
        api_major: int = 0,
        api_minor: int = 0,
    ) -> Self:
        """A certificate for `key` with both signature slots empty."""
        return cls(usage, algorithm, encode_public_key(key), api_major, api_minor)

    def signed(self, issuer: PrivateKey, usage: Usage, algorithm: Algorithm = Algorithm.ECDSA_SHA256) -> Self:
        """This certificate with a signature of `issuer`, a key for `usage`, in the first empty slot.

        InvalidInput("certificate") if no slot is empty or the key does not go with the algorithm.
        """
        slot = SignatureSlot(usage, algorithm, sign(issuer, algorithm, self.body()))
        first, second = self.signatures
        if first.usage is Usage.INVALID:
            return replace(self, signatures=(slot, second))
        if second.usage is Usage.INVALID:
            return replace(self, signatures=(first, slot))
        raise InvalidInput("certificate", "Both signature slots of the SEV certificate are taken")

    def body(self) -> bytes:
        """The signed bytes, 0x000 to 0x413."""
        return _BODY.pack(1, self.api_major, self.api_minor, 0, self.usage, self.algorithm, self.public_key_field)

    def to_bytes(self) -> bytes:
        """SEV_CERTIFICATE_SIZE bytes."""
        return self.body() + b"".join(_SLOT.pack(slot.usage, slot.algorithm, slot.raw) for slot in self.signatures)

    def public_key(self) -> PublicKey:
        """The certified key; InvalidInput("certificate") if PUBKEY holds none."""
        if self.algorithm.is_rsa:
            return self._rsa_key()
        if self.algorithm is Algorithm.INVALID:
            raise InvalidInput("certificate", "The SEV certificate has no key")
        return decode_public_key(self.public_key_field)

    def ecdh_key(self) -> ec.EllipticCurvePublicKey:
        """The key of a PDH certificate, for key agreement; InvalidInput("certificate") if it is for anything else."""
        if self.usage is not Usage.PDH or not self.algorithm.is_ecdh:
            raise InvalidInput(
                "certificate",
                f"A Diffie-Hellman certificate (PDH, ECDH) is needed, this one is {self.usage.name}, "
                f"{self.algorithm.name}",
            )
        return decode_public_key(self.public_key_field)

    def is_signed_by(self, issuer: SevCertificate | AmdCertificate) -> bool:
        """Whether a slot that names `issuer`'s usage holds a signature by its key.

        InvalidInput("certificate") if the issuer has no usable key.
        """
        key = issuer.public_key()
        body = self.body()
        return any(
            slot.usage is issuer.usage and verify(key, slot.algorithm, slot.raw, body) for slot in self.signatures
        )

    def _rsa_key(self) -> rsa.RSAPublicKey:
        field = self.public_key_field
        bits = int.from_bytes(field[:4], "little")
        if bits not in (2048, 4096):
            raise InvalidInput("certificate", f"The SEV certificate's RSA key has {bits} bits; 2048 or 4096 are known")
        exponent, modulus = field[4 : 4 + _RSA_FIELD], field[4 + _RSA_FIELD :]
        if any(modulus[bits // 8 :]):
            raise InvalidInput("certificate", "The SEV certificate's RSA modulus is longer than it says")
        return rsa_public_key(modulus, exponent)


def _usage(value: int) -> Usage:
    try:
        return Usage(value)
    except ValueError:
        raise InvalidInput("certificate", f"The SEV certificate names the unknown key usage {value:#x}") from None


def _algorithm(value: int) -> Algorithm:
    try:
        return Algorithm(value)
    except ValueError:
        raise InvalidInput("certificate", f"The SEV certificate names the unknown algorithm {value:#x}") from None
