"""Is this signed by that key? With the algorithms that attestation's certificates use.

RSASSA-PKCS1-v1_5 and ECDSA with SHA-256, SHA-384 and SHA-512, and RSASSA-PSS (RFC 4055) with the parameters that the
AlgorithmIdentifier carries. An algorithm that is not known verifies nothing. Answers are kept: they depend on nothing
but the bytes, and a chain is asked for again and again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from confvm_gui.attestation.x509.certificates import algorithm_reader
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.der import DerReader

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_RSA_PKCS1: Final[dict[str, hashes.HashAlgorithm]] = {
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
_ECDSA: Final[dict[str, hashes.HashAlgorithm]] = {
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
_RSA_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"
_MAX_RSA_BITS: Final = 8192
"""Above, one verification takes long; nobody's attestation uses more than 4096."""


@lru_cache(maxsize=256)
def load_public_key(spki: bytes) -> PublicKey:
    """The RSA or elliptic-curve key of a DER SubjectPublicKeyInfo; InvalidInput("certificate") if it is none."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput("certificate", "The public key is malformed or of a kind that is not supported") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size <= _MAX_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key
    raise InvalidInput("certificate", "The public key is neither RSA up to 8192 bits nor on an elliptic curve")


@lru_cache(maxsize=512)
def is_signed_by(spki: bytes, algorithm: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` is by the key of `spki`, by the DER AlgorithmIdentifier `algorithm`.

    False also where the key is no key, or key and algorithm do not go together.
    """
    try:
        key = load_public_key(spki)
        reader = algorithm_reader(algorithm)
        oid = reader.oid()
        if isinstance(key, rsa.RSAPublicKey):
            if oid == _RSA_PSS:
                digest, salt = _pss_parameters(reader.enter())
                key.verify(signature, data, padding.PSS(padding.MGF1(digest), salt), digest)
                return True
            if oid in _RSA_PKCS1:
                key.verify(signature, data, padding.PKCS1v15(), _RSA_PKCS1[oid])
                return True
        elif oid in _ECDSA:
            key.verify(signature, data, ec.ECDSA(_ECDSA[oid]))
            return True
    except (InvalidInput, InvalidSignature, UnsupportedAlgorithm, ValueError):
        # ValueError: a key too small, or with an exponent that the library does not work with, verifies nothing.
        return False
    return False


def _pss_parameters(parameters: DerReader) -> tuple[hashes.HashAlgorithm, int]:
    """Hash and salt length of RSASSA-PSS-params; the mask must use the same hash, and SHA-1 is not accepted."""
    digest = _hash(parameters.enter(0xA0).enter())
    mask = parameters.enter(0xA1).enter()
    if mask.oid() != _MGF1 or _hash(mask.enter()).name != digest.name:
        raise InvalidInput("certificate", "The signature's mask does not use the signature's hash")
    salt = parameters.enter(0xA2).integer()
    if not 0 <= salt <= 64 or (parameters.more and parameters.enter(0xA3).integer() != 1):
        raise InvalidInput("certificate", "The signature's salt or trailer is not one that is in use")
    return digest, salt


def _hash(algorithm: DerReader) -> hashes.HashAlgorithm:
    oid = algorithm.oid()
    if oid not in _HASHES:
        raise InvalidInput("certificate", "The signature's hash is not SHA-256, SHA-384 or SHA-512")
    return _HASHES[oid]
