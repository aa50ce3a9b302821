"""What certificates and revocation lists have in common: names, signature algorithms, extensions (RFC 5280, RFC 4055).

AMD signs both with RSASSA-PSS: SHA-384, MGF1 over SHA-384, a salt of 48 bytes (57230, chapter 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from confvm_gui.sev.der import DerReader, Tag
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.signature import PublicKey, verify_pss

RSASSA_PSS: Final = "1.2.840.113549.1.1.10"

_MGF1: Final = "1.2.840.113549.1.1.8"
_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
}


class Name(NamedTuple):
    """A distinguished name."""

    encoded: bytes
    """The whole DER element: two names are the same if these bytes are."""
    attributes: tuple[tuple[str, str], ...]
    """Short name (`CN`) or OID, and text, in the order of the certificate."""

    @property
    def common_name(self) -> str:
        """The first CN, or ""."""
        return next((text for kind, text in self.attributes if kind == "CN"), "")

    def __str__(self) -> str:
        return ", ".join(f"{kind}={text}" for kind, text in self.attributes)


class SignatureAlgorithm(NamedTuple):
    """How a certificate or list is signed."""

    oid: str
    hash_name: str
    """`sha384`; "" for an algorithm other than RSASSA-PSS, or with a salt or mask of another kind than AMD's."""
    encoded: bytes
    """The whole DER element."""

    def verify(self, key: PublicKey, signature: bytes, data: bytes) -> bool:
        """Whether big-endian `signature` is `key`'s over `data`; False too where key and algorithm do not fit."""
        algorithm = next((kind for kind in _HASHES.values() if kind.name == self.hash_name), None)
        if algorithm is None or not isinstance(key, rsa.RSAPublicKey):
            return False
        return len(signature) == key.key_size // 8 and verify_pss(key, signature[::-1], data, algorithm)


class Extension(NamedTuple):
    """An extension: its content is the DER that stands in its OCTET STRING, or AMD's raw bytes."""

    critical: bool
    value: bytes


def read_name(reader: DerReader) -> Name:
    """The next element, a Name."""
    element = reader.next(Tag.SEQUENCE)
    attributes = []
    names = reader.inside(element)
    while names.more:
        group = names.enter(Tag.SET)
        while group.more:
            pair = group.enter()
            kind = pair.oid()
            attributes.append((_ATTRIBUTES.get(kind, kind), pair.text()))
            pair.finish()
    return Name(reader.whole(element), tuple(attributes))


def read_signature_algorithm(reader: DerReader) -> SignatureAlgorithm:
    """The next element, an AlgorithmIdentifier of a signature."""
    element = reader.next(Tag.SEQUENCE)
    inner = reader.inside(element)
    oid = inner.oid()
    hash_name = _pss_hash(inner) if oid == RSASSA_PSS else ""
    return SignatureAlgorithm(oid, hash_name, reader.whole(element))


def _pss_hash(reader: DerReader) -> str:
    """Name of the hash of RSASSA-PSS-params, or "" if they are not of the one kind: mask and salt by the same hash.

    All defaults are SHA-1's, so what is left out is of no kind that is accepted.
    """
    parameters = reader.enter()
    reader.finish()
    hash_oid = mask_oid = mask_hash = ""
    salt, trailer = 20, 1
    while parameters.more:
        element = parameters.next(0xA0, 0xA1, 0xA2, 0xA3)
        value = parameters.inside(element)
        if element.tag == 0xA0:
            hash_oid = value.enter().oid()
        elif element.tag == 0xA1:
            mask = value.enter()
            mask_oid, mask_hash = mask.oid(), mask.enter().oid()
        elif element.tag == 0xA2:
            salt = value.integer()
        else:
            trailer = value.integer()
        value.finish()
    chosen = _HASHES.get(hash_oid)
    fits = mask_oid == _MGF1 and mask_hash == hash_oid and trailer == 1
    return chosen.name if chosen is not None and fits and salt == chosen.digest_size else ""


def read_extensions(reader: DerReader) -> dict[str, Extension]:
    """The SEQUENCE OF Extension that follows; each OID once."""
    found: dict[str, Extension] = {}
    extensions = reader.enter()
    while extensions.more:
        extension = extensions.enter()
        oid = extension.oid()
        critical = extension.boolean() if extension.peek() == Tag.BOOLEAN else False
        value = extension.content(extension.next(Tag.OCTET_STRING))
        extension.finish()
        if oid in found:
            extension.fail(f"it has the extension {oid} twice")
        found[oid] = Extension(critical, value)
    return found


def load_public_key(encoded: bytes) -> PublicKey:
    """The key of a SubjectPublicKeyInfo; InvalidInput("certificate") if it is none on RSA or an elliptic curve."""
    try:
        key = load_der_public_key(encoded)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("certificate", "The certificate's public key cannot be read") from None
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise InvalidInput("certificate", "The certificate's public key is neither on RSA nor on an elliptic curve")
    return key
