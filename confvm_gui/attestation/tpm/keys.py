"""Attestation keys, out of TPM structures, SubjectPublicKeyInfo, PEM and JSON Web Keys."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.json_object import JsonReader
from confvm_gui.attestation.pem import is_pem, pem_blocks
from confvm_gui.attestation.tpm.structures import KeyType, SignatureScheme, TpmPublic, TpmSignature
from confvm_gui.attestation.x509.signature import PublicKey, load_public_key
from confvm_gui.domain.errors import InvalidInput

_HASHES: Final[dict[HashAlgorithm, hashes.HashAlgorithm]] = {
    HashAlgorithm.SHA256: hashes.SHA256(),
    HashAlgorithm.SHA384: hashes.SHA384(),
    HashAlgorithm.SHA512: hashes.SHA512(),
}
"""With which a signature is accepted: not SHA-1."""
_CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
}


def key_of(public: TpmPublic) -> PublicKey:
    """The key of a TPMT_PUBLIC; InvalidInput("evidence") if its numbers make none."""
    if public.type is KeyType.RSA:
        return rsa_key(public.modulus, public.exponent)
    curve = _CURVES.get(public.curve)
    if curve is None:
        raise InvalidInput("evidence", "The attestation key is on a curve that is not supported")
    try:
        return ec.EllipticCurvePublicNumbers(public.x, public.y, curve()).public_key()
    except ValueError:
        raise InvalidInput("evidence", "The attestation key is not a point on its curve") from None


def rsa_key(modulus: int, exponent: int) -> rsa.RSAPublicKey:
    """The key of these numbers; InvalidInput("evidence") if they make none."""
    if not 1024 <= modulus.bit_length() <= 8192:
        raise InvalidInput(
            "evidence", f"The attestation key has {modulus.bit_length()} bits; 1024 to 8192 are accepted"
        )
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("evidence", "The attestation key's modulus and exponent are no RSA key") from None


def jwk_key(jwk: JsonReader) -> rsa.RSAPublicKey:
    """The RSA key of a JSON Web Key (RFC 7518, section 6.3); InvalidInput."""
    if jwk.text("kty") != "RSA":
        raise jwk.error("kty", "RSA")
    return rsa_key(int.from_bytes(jwk.binary("n"), "big"), int.from_bytes(jwk.binary("e"), "big"))


def parse_key(data: bytes) -> tuple[PublicKey, TpmPublic | None]:
    """The key of PEM, DER SubjectPublicKeyInfo, TPMT_PUBLIC or TPM2B_PUBLIC; InvalidInput."""
    if is_pem(data):
        blocks = [der for label, der in pem_blocks(data, "evidence") if label == "PUBLIC KEY"]
        if len(blocks) != 1:
            raise InvalidInput("evidence", "The PEM text has no public key, or several")
        return load_public_key(blocks[0]), None
    if data[:1] == b"\x30":
        return load_public_key(data), None
    public = TpmPublic.parse(data)
    return key_of(public), public


def key_info(key: PublicKey) -> bytes:
    """DER SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def parse_signature(data: bytes, key: PublicKey) -> TpmSignature:
    """TPMT_SIGNATURE, or the bare RSASSA signature with SHA-256 that Azure's agents give; InvalidInput("evidence")."""
    if isinstance(key, rsa.RSAPublicKey) and len(data) == key.key_size // 8:
        return TpmSignature(SignatureScheme.RSASSA, HashAlgorithm.SHA256, rsa=data)
    return TpmSignature.parse(data)


def verifies(key: PublicKey, signature: TpmSignature, data: bytes) -> bool:
    """Whether `signature` over `data` is the key's. False too where the two do not go together, and for SHA-1."""
    algorithm = _HASHES.get(signature.hash)
    if algorithm is None:
        return False
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if signature.scheme is not SignatureScheme.ECDSA:
                return False
            numbers = int.from_bytes(signature.r, "big"), int.from_bytes(signature.s, "big")
            key.verify(encode_dss_signature(*numbers), data, ec.ECDSA(algorithm))
        elif signature.scheme is SignatureScheme.RSASSA:
            key.verify(signature.rsa, data, padding.PKCS1v15(), algorithm)
        elif signature.scheme is SignatureScheme.RSAPSS:
            key.verify(signature.rsa, data, padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO), algorithm)
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        # ValueError: a key too small, or with an exponent that the library does not work with, verifies nothing.
        return False
    return True
