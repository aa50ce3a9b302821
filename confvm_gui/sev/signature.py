"""Signing and verifying in the forms that AMD's certificates use (55766, sections B.1 and C.4).

RSA is RSASSA-PSS with MGF1 over the same hash and a salt as long as the digest. All integers are little-endian.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from confvm_gui.sev.ecc_format import ECDSA_SIZE, decode_ecdsa, encode_ecdsa
from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.key_usage import Algorithm

SIGNATURE_SIZE: Final = 512
"""Bytes of a signature field in a SEV certificate: as long as an RSA-4096 signature."""

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _pss(algorithm: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)


def verify_pss(key: rsa.RSAPublicKey, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    """Whether little-endian `signature`, as long as the key's modulus, is the key's over `data`."""
    try:
        key.verify(signature[::-1], data, _pss(algorithm), algorithm)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        # ValueError: a key too small or with an exponent that the library does not work with verifies nothing.
        return False
    return True


def sign_pss(key: rsa.RSAPrivateKey, data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """Little-endian signature, as long as the key's modulus."""
    return key.sign(data, _pss(algorithm), algorithm)[::-1]


def rsa_public_key(modulus: bytes, exponent: bytes) -> rsa.RSAPublicKey:
    """The key of a little-endian modulus and exponent; InvalidInput("certificate") if they make none."""
    try:
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "little"), int.from_bytes(modulus, "little"))
        return numbers.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("certificate", "The certificate's modulus and exponent are no RSA public key") from None


def sign(key: PrivateKey, algorithm: Algorithm, data: bytes) -> bytes:
    """SIGNATURE_SIZE bytes over `data`; InvalidInput("certificate") if key and algorithm do not go together."""
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.is_rsa:
        raw = sign_pss(key, data, algorithm.hash)
    elif isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.is_ecdsa:
        raw = encode_ecdsa(key.sign(data, ec.ECDSA(algorithm.hash)))
    else:
        raise InvalidInput("certificate", f"The key does not sign with {algorithm.name}")
    return raw.ljust(SIGNATURE_SIZE, b"\x00")


def verify(key: PublicKey, algorithm: Algorithm, signature: bytes, data: bytes) -> bool:
    """Whether the SIGNATURE_SIZE bytes of `signature` are `key`'s over `data`.

    False too where key and algorithm do not go together, or bytes behind the signature are not zero: those are not
    signed, and would give one certificate many forms.
    """
    require_length(signature, SIGNATURE_SIZE, "certificate", "A signature field")
    if isinstance(key, rsa.RSAPublicKey) and algorithm.is_rsa:
        size = key.key_size // 8
        return not any(signature[size:]) and verify_pss(key, signature[:size], data, algorithm.hash)
    if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.is_ecdsa:
        if any(signature[ECDSA_SIZE:]):
            return False
        try:
            key.verify(decode_ecdsa(signature[:ECDSA_SIZE]), data, ec.ECDSA(algorithm.hash))
        except InvalidSignature:
            return False
        return True
    return False
