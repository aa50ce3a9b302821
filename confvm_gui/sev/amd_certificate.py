"""AMD's root and signing certificates, ARK and ASK, in their binary format (55766, appendix B).

    0x00 VERSION 4 | 0x04 KEY_ID 16 | 0x14 CERTIFYING_ID 16 | 0x24 KEY_USAGE 4 | 0x28 zeros 16
    0x38 PUBEXP_SIZE 4 (bits) | 0x3C MODULUS_SIZE 4 (bits) | 0x40 PUBEXP | MODULUS | SIG

PUBEXP takes PUBEXP_SIZE bits, MODULUS and SIG take MODULUS_SIZE bits each, little-endian. 832 bytes with RSA-2048
(Naples, SHA-256), 1600 with RSA-4096 (Rome and later, SHA-384).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.key_usage import Usage
from confvm_gui.sev.signature import rsa_public_key, sign_pss, verify_pss

_HEADER: Final = struct.Struct("<I16s16sI16sII")
_SIZES: Final = (2048, 4096)


@dataclass(frozen=True, slots=True)
class AmdCertificate:
    """An ARK or ASK."""

    usage: Usage
    """ARK or ASK."""
    key_id: bytes
    """16 bytes."""
    certifying_id: bytes
    """KEY_ID of the key that signed; its own for a self-signed one."""
    exponent: bytes
    """Little-endian, 256 or 512 bytes."""
    modulus: bytes
    """Little-endian, 256 or 512 bytes."""
    signature: bytes
    """Little-endian, as long as the modulus."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode exactly one certificate; InvalidInput("certificate")."""
        certificate, end = cls.parse_prefix(data)
        if end != len(data):
            raise InvalidInput("certificate", f"{len(data) - end} bytes follow the AMD certificate; give it alone")
        return certificate

    @classmethod
    def parse_prefix(cls, data: bytes, offset: int = 0) -> tuple[Self, int]:
        """Decode the certificate at `offset` and return it with the offset behind it.

        For buffers that hold several, as `ASK || ARK`. InvalidInput("certificate").
        """
        if len(data) - offset < _HEADER.size:
            raise InvalidInput("certificate", "The AMD certificate is cut short: it is smaller than its header")
        version, key_id, certifying_id, usage, reserved, exponent_bits, modulus_bits = _HEADER.unpack_from(data, offset)
        if version != 1:
            raise InvalidInput("certificate", f"The AMD certificate has version {version}; only 1 is known")
        if usage not in (Usage.ARK, Usage.ASK):
            raise InvalidInput(
                "certificate", f"The AMD certificate's usage {usage:#x} is neither ARK (0) nor ASK (0x13)"
            )
        if any(reserved):
            raise InvalidInput("certificate", "Reserved bytes of the AMD certificate are not zero")
        if exponent_bits not in _SIZES or modulus_bits not in _SIZES:
            raise InvalidInput(
                "certificate",
                f"The AMD certificate's key sizes {exponent_bits} and {modulus_bits} are not 2048 or 4096 bits",
            )
        exponent_at = offset + _HEADER.size
        modulus_at = exponent_at + exponent_bits // 8
        signature_at = modulus_at + modulus_bits // 8
        end = signature_at + modulus_bits // 8
        if len(data) < end:
            raise InvalidInput(
                "certificate",
                f"The AMD certificate is cut short: it has {len(data) - offset} bytes of {end - offset}",
            )
        certificate = cls(
            usage=Usage(usage),
            key_id=key_id,
            certifying_id=certifying_id,
            exponent=bytes(data[exponent_at:modulus_at]),
            modulus=bytes(data[modulus_at:signature_at]),
            signature=bytes(data[signature_at:end]),
        )
        return certificate, end

    @classmethod
    def unsigned(cls, usage: Usage, key: rsa.RSAPublicKey, *, key_id: bytes, certifying_id: bytes) -> Self:
        """A certificate for `key` whose signature is still zeros."""
        size = key.key_size // 8
        numbers = key.public_numbers()
        return cls(
            usage=usage,
            key_id=key_id,
            certifying_id=certifying_id,
            exponent=numbers.e.to_bytes(size, "little"),
            modulus=numbers.n.to_bytes(size, "little"),
            signature=bytes(size),
        )

    def signed(self, issuer: rsa.RSAPrivateKey) -> Self:
        """This certificate signed by `issuer`, whose modulus must be as long as this one's."""
        if issuer.key_size // 8 != len(self.modulus):
            raise InvalidInput("certificate", "An AMD certificate is signed by a key of the same size as its own")
        return replace(self, signature=sign_pss(issuer, self.body(), _hash(issuer.key_size)))

    def body(self) -> bytes:
        """The signed bytes: all before SIG."""
        header = _HEADER.pack(
            1,
            self.key_id,
            self.certifying_id,
            self.usage,
            bytes(16),
            len(self.exponent) * 8,
            len(self.modulus) * 8,
        )
        return header + self.exponent + self.modulus

    def to_bytes(self) -> bytes:
        """832 or 1600 bytes."""
        return self.body() + self.signature

    def public_key(self) -> rsa.RSAPublicKey:
        """The certified key; InvalidInput("certificate") if the numbers make none."""
        return rsa_public_key(self.modulus, self.exponent)

    def names_issuer(self, issuer: AmdCertificate) -> bool:
        """Whether CERTIFYING_ID is `issuer`'s KEY_ID. Says nothing of the signature."""
        return self.certifying_id == issuer.key_id

    def is_signed_by(self, issuer: AmdCertificate) -> bool:
        """Whether `issuer`'s key made SIG. InvalidInput("certificate") if the issuer has no usable key."""
        key = issuer.public_key()
        return key.key_size // 8 == len(self.signature) and verify_pss(
            key, self.signature, self.body(), _hash(key.key_size)
        )


def _hash(bits: int) -> hashes.HashAlgorithm:
    return hashes.SHA384() if bits > 2048 else hashes.SHA256()
