"""Revocation lists of AMD's key distribution service (57230, chapter 4; RFC 5280, section 5).

The ARK signs a list of the certificates that it takes back. A VCEK cannot be on it by its number: all have zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from confvm_gui.sev.der import DerReader, Tag
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.x509_certificate import X509Certificate
from confvm_gui.sev.x509_parts import Extension, Name, SignatureAlgorithm, read_extensions, read_name
from confvm_gui.sev.x509_parts import read_signature_algorithm as read_algorithm

MAXIMUM_CRL: Final = 64 << 10
"""Bytes; AMD's have less than 1 KiB."""

_REASON: Final = "2.5.29.21"
_CRL_NUMBER: Final = "2.5.29.20"
_AUTHORITY_KEY: Final = "2.5.29.35"
_WHAT: Final = "The revocation list"
_TIMES: Final = (Tag.UTC_TIME, Tag.GENERALIZED_TIME)


class Revocation(NamedTuple):
    """One line of a list."""

    serial: int
    at: datetime
    reason: int | None
    """CRLReason (0 unspecified, 1 keyCompromise, 2 cACompromise …), or None if it is not told."""


class X509Crl:
    """A revocation list. Immutable."""

    __slots__ = (
        "encoded",
        "extensions",
        "issuer",
        "next_update",
        "number",
        "revocations",
        "signature",
        "signature_algorithm",
        "signed_part",
        "this_update",
    )

    def __init__(self, encoded: bytes) -> None:
        """Read one DER list; InvalidInput("crl")."""
        if len(encoded) > MAXIMUM_CRL:
            raise InvalidInput("crl", f"{_WHAT} has {len(encoded)} bytes; more than {MAXIMUM_CRL} are not taken")
        self.encoded = bytes(encoded)
        file = DerReader(self.encoded, "crl", _WHAT)
        whole = file.enter()
        file.finish()
        body = whole.next(Tag.SEQUENCE)
        self.signature_algorithm: SignatureAlgorithm = read_algorithm(whole)
        self.signature: bytes = whole.bits()
        """Big-endian, as X.509 has it."""
        whole.finish()
        self.signed_part: bytes = whole.whole(body)
        self._read_body(whole.inside(body))

    def _read_body(self, body: DerReader) -> None:
        if body.peek() == Tag.INTEGER and body.integer() != 1:
            body.fail("it is of a version that is not known")
        if read_algorithm(body).encoded != self.signature_algorithm.encoded:
            body.fail("the two places that tell how it is signed do not agree")
        self.issuer: Name = read_name(body)
        self.this_update: datetime = body.time()
        self.next_update: datetime | None = body.time() if body.peek() in _TIMES else None
        revocations: dict[int, Revocation] = {}
        if body.peek() == Tag.SEQUENCE:
            lines = body.enter()
            while lines.more:
                line = _read_line(lines.enter())
                revocations.setdefault(line.serial, line)
        self.revocations: Mapping[int, Revocation] = MappingProxyType(revocations)
        """By serial number."""
        extensions: dict[str, Extension] = {}
        if body.more:
            inner = body.enter(0xA0)
            extensions = read_extensions(inner)
            inner.finish()
        body.finish()
        self.extensions: Mapping[str, Extension] = MappingProxyType(extensions)
        number = extensions.get(_CRL_NUMBER)
        self.number: int | None = None if number is None else DerReader(number.value, "crl", _WHAT).integer()
        """Rises with each list of an issuer, or None."""

    @property
    def unknown_critical(self) -> tuple[str, ...]:
        """OIDs of critical extensions that are not read here: a list that is not the issuer's whole one has such."""
        known = (_CRL_NUMBER, _AUTHORITY_KEY)
        return tuple(oid for oid, extension in self.extensions.items() if extension.critical and oid not in known)

    def is_current_at(self, moment: datetime) -> bool:
        """Whether the list is in force at `moment`, which has a time zone; one without a next update stays so."""
        return self.this_update <= moment and (self.next_update is None or moment <= self.next_update)

    def is_signed_by(self, issuer: X509Certificate) -> bool:
        """Whether `issuer`'s name and key made the list; InvalidInput("certificate") if it has no usable key."""
        return self.issuer.encoded == issuer.subject.encoded and self.signature_algorithm.verify(
            issuer.public_key(), self.signature, self.signed_part
        )

    def revocation_of(self, certificate: X509Certificate) -> Revocation | None:
        """The line that takes `certificate` back, if the list is its issuer's and has one."""
        if certificate.issuer.encoded != self.issuer.encoded:
            return None
        return self.revocations.get(certificate.serial)

    def __repr__(self) -> str:
        return f"<X509Crl of {self.issuer}, {len(self.revocations)} revoked>"


def _read_line(line: DerReader) -> Revocation:
    serial, at = line.integer(), line.time()
    reason = None
    if line.more:
        extension = read_extensions(line).get(_REASON)
        if extension is not None:
            reason = DerReader(extension.value, "crl", _WHAT).integer(Tag.ENUMERATED)
    line.finish()
    return Revocation(serial, at, reason)
