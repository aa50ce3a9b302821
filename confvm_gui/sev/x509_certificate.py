"""X.509 certificates of SEV-SNP: ARK, ASK, ASVK, VCEK and VLEK (57230, chapter 2; RFC 5280).

Read here and not by a library, because AMD numbers every VCEK zero (see `der`). What is read is what a verifier needs:
names, validity, key, basic constraints and key usage, AMD's extensions; others are kept as bytes. Whether a chain is to
be trusted is decided elsewhere.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from confvm_gui.sev.der import DerReader, Tag
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.signature import PublicKey
from confvm_gui.sev.vek_extensions import ARC, VekExtensions
from confvm_gui.sev.x509_parts import (
    Extension,
    Name,
    SignatureAlgorithm,
    load_public_key,
    read_extensions,
    read_name,
    read_signature_algorithm,
)

MAXIMUM_CERTIFICATE: Final = 16 << 10
"""Bytes; AMD's have 1.3 to 1.7 KiB."""
MAXIMUM_BUNDLE: Final = 128 << 10
MAXIMUM_IN_BUNDLE: Final = 32

_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_KEY_USAGE: Final = "2.5.29.15"
_KEY_CERT_SIGN: Final = 0x04
_CRL_SIGN: Final = 0x02
_WHAT: Final = "The X.509 certificate"
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")


class X509Certificate:
    """A certificate. Immutable; two are equal if all of their bytes are."""

    __slots__ = (
        "amd",
        "encoded",
        "extensions",
        "is_ca",
        "issuer",
        "key_usage",
        "not_after",
        "not_before",
        "path_length",
        "public_key_info",
        "serial",
        "signature",
        "signature_algorithm",
        "signed_part",
        "subject",
    )

    def __init__(self, encoded: bytes) -> None:
        """Read one DER certificate; InvalidInput("certificate")."""
        if len(encoded) > MAXIMUM_CERTIFICATE:
            raise InvalidInput(
                "certificate", f"{_WHAT} has {len(encoded)} bytes; more than {MAXIMUM_CERTIFICATE} are not taken"
            )
        self.encoded = bytes(encoded)
        file = DerReader(self.encoded, "certificate", _WHAT)
        whole = file.enter()
        file.finish()
        body = whole.next(Tag.SEQUENCE)
        self.signature_algorithm: SignatureAlgorithm = read_signature_algorithm(whole)
        self.signature: bytes = whole.bits()
        """Big-endian, as X.509 has it."""
        whole.finish()
        self.signed_part: bytes = whole.whole(body)
        self._read_body(whole.inside(body))

    def _read_body(self, body: DerReader) -> None:
        version = 0
        if body.peek() == 0xA0:
            version = body.enter(0xA0).integer()
        if version != 2:
            body.fail(f"it is of version {version + 1}; only 3 is known")
        self.serial: int = body.integer()
        """May be zero, or negative."""
        if read_signature_algorithm(body).encoded != self.signature_algorithm.encoded:
            body.fail("the two places that tell how it is signed do not agree")
        self.issuer: Name = read_name(body)
        validity = body.enter()
        self.not_before: datetime = validity.time()
        self.not_after: datetime = validity.time()
        validity.finish()
        self.subject: Name = read_name(body)
        self.public_key_info: bytes = body.whole(body.next(Tag.SEQUENCE))
        """SubjectPublicKeyInfo; its SHA-256 is what a root is pinned by."""
        extensions: dict[str, Extension] = {}
        while body.more:
            element = body.next(0x81, 0x82, 0xA3)  # unique identifiers are allowed, and of no use
            if element.tag == 0xA3:
                inner = body.inside(element)
                extensions = read_extensions(inner)
                inner.finish()
        self.extensions: Mapping[str, Extension] = MappingProxyType(extensions)
        """By OID."""
        self.is_ca, self.path_length = _basic_constraints(extensions.get(_BASIC_CONSTRAINTS))
        self.key_usage: int | None = _key_usage(extensions.get(_KEY_USAGE))
        """The first byte of KeyUsage, or None without one."""
        amd = {oid: extension.value for oid, extension in extensions.items() if oid.startswith(ARC)}
        self.amd: VekExtensions | None = VekExtensions.decode(amd) if amd else None
        """What AMD says of the chip, in a VCEK or VLEK; None in others."""

    @property
    def may_sign_certificates(self) -> bool:
        """Whether it is a certificate authority's by basic constraints and, if there is one, key usage."""
        return self.is_ca and (self.key_usage is None or bool(self.key_usage & _KEY_CERT_SIGN))

    @property
    def may_sign_crls(self) -> bool:
        """Whether key usage allows revocation lists; without one it does."""
        return self.key_usage is None or bool(self.key_usage & _CRL_SIGN)

    @property
    def unknown_critical(self) -> tuple[str, ...]:
        """OIDs of critical extensions that are not read here: RFC 5280 has such a certificate refused."""
        known = (_BASIC_CONSTRAINTS, _KEY_USAGE)
        return tuple(
            oid
            for oid, extension in self.extensions.items()
            if extension.critical and oid not in known and not oid.startswith(ARC)
        )

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same name. Says nothing of the signature."""
        return self.subject.encoded == self.issuer.encoded

    def public_key(self) -> PublicKey:
        """The certified key; InvalidInput("certificate") if there is none that can be used."""
        return load_public_key(self.public_key_info)

    def public_key_fingerprint(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo, 32 bytes: what roots are pinned by."""
        return hashlib.sha256(self.public_key_info).digest()

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether `moment`, which has a time zone, lies in the validity, ends included."""
        return self.not_before <= moment <= self.not_after

    def names_issuer(self, issuer: X509Certificate) -> bool:
        """Whether the issuer's name is `issuer`'s subject. Says nothing of the signature."""
        return self.issuer.encoded == issuer.subject.encoded

    def is_signed_by(self, issuer: X509Certificate) -> bool:
        """Whether `issuer`'s key made the signature, with RSASSA-PSS; other ways of signing are not AMD's.

        InvalidInput("certificate") if the issuer has no usable key.
        """
        return self.signature_algorithm.verify(issuer.public_key(), self.signature, self.signed_part)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, X509Certificate) and self.encoded == other.encoded

    def __hash__(self) -> int:
        return hash(self.encoded)

    def __repr__(self) -> str:
        return f"<X509Certificate {self.subject}, until {self.not_after:%Y-%m-%d}>"


def parse_certificates(data: bytes) -> tuple[X509Certificate, ...]:
    """All certificates of a file as KDS gives it: one in DER, or any number in PEM, in their order.

    InvalidInput("certificate") if there is none, or one of them is damaged.
    """
    if len(data) > MAXIMUM_BUNDLE:
        raise InvalidInput("certificate", f"The file has {len(data)} bytes; certificates take at most {MAXIMUM_BUNDLE}")
    if not data.lstrip().startswith(b"-----BEGIN") and data[:1] == b"\x30":
        return (X509Certificate(data),)
    found: list[X509Certificate] = []
    for match in _PEM.finditer(data):
        if len(found) == MAXIMUM_IN_BUNDLE:
            raise InvalidInput("certificate", f"The file has more than {MAXIMUM_IN_BUNDLE} certificates")
        try:
            encoded = binascii.a2b_base64(b"".join(match.group(1).split()), strict_mode=True)
        except binascii.Error:
            raise InvalidInput("certificate", "A certificate of the file is not in base64") from None
        found.append(X509Certificate(encoded))
    if not found or data.count(b"-----BEGIN CERTIFICATE-----") != len(found):
        raise InvalidInput("certificate", "The file has no certificate, or a damaged one; give it in DER or PEM")
    return tuple(found)


def _basic_constraints(extension: Extension | None) -> tuple[bool, int | None]:
    if extension is None:
        return False, None
    reader = DerReader(extension.value, "certificate", _WHAT)
    inner = reader.enter()
    reader.finish()
    is_ca = inner.boolean() if inner.peek() == Tag.BOOLEAN else False
    path_length = inner.integer() if inner.more else None
    inner.finish()
    return is_ca, path_length


def _key_usage(extension: Extension | None) -> int | None:
    if extension is None:
        return None
    reader = DerReader(extension.value, "certificate", _WHAT)
    content = reader.content(reader.next(Tag.BIT_STRING))
    reader.finish()
    return content[1] if len(content) > 1 else 0
